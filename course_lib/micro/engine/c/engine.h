/* A model as an image: its file, a table for each layer, the order in which they run. */

#ifndef ENGINE_H
#define ENGINE_H

#include "layers.h"

/* Where a tensor lies; from one call of a layer to its next, so many bytes further on. */
typedef struct {
    int8_t *start;
    int32_t stride;
} Place;

/* One layer: the number of its function in layers.h, and how often it is called. */
typedef struct {
    int32_t function, times;
    const void *layer;
    Place places[3];
} Step;

/* What an image begins with. Its pointers count from its first byte until it is begun. */
typedef struct {
    int32_t bytes, memory_bytes; /* of the image; of the block behind it that all tensors share */
    int32_t pointers, steps;
    const uint32_t *where; /* the pointers of this image, the one to this list left out */
    const Step *first;
    int8_t *input;
    const int8_t *output;
    int32_t input_bytes, output_bytes;
    float input_scale;
    int32_t input_zero_point;
} Image;

#endif
