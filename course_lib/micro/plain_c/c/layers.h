/* The layers of an int8 model in plain C: no malloc, no library but memcpy, every byte as the
   reference kernels of TensorFlow Lite give it. What a layer needs is a constant table. */

#ifndef LAYERS_H
#define LAYERS_H

#include <stdint.h>

/* How a row of sums comes back to eight bits: one mantissa and shift, or one a channel. */
typedef struct {
    const int32_t *mantissas;
    const int8_t *shifts;
    uint8_t per_channel;
    int32_t zero_point;
    int8_t lowest, highest; /* the activation is nothing but a limit */
} Grid;

/* Height, width and channels of what comes in and goes out; how the filter walks. */
typedef struct {
    int16_t in_height, in_width, in_channels;
    int16_t out_height, out_width, out_channels;
    int16_t height, width; /* of the filter */
    int8_t down, across;   /* strides */
    int8_t dilation_down, dilation_across;
    int16_t above, left; /* how far it hangs over the edge */
} Shape;

typedef struct {
    Shape shape;
    int32_t in_zero_point;
    const uint8_t *weights; /* in place, in the bytes of the .tflite file */
    const uint8_t *bias;    /* int32, little-endian, of any alignment; 0 where there is none */
    Grid grid;
} Filter;

typedef struct {
    Filter filter;
    int16_t channels; /* of a group */
} Grouped;

typedef struct {
    int16_t in, out;
    int32_t in_zero_point;
    const uint8_t *weights, *bias;
    Grid grid;
    uint8_t rounds_once; /* as LiteRT does; TensorFlow Lite Micro rounds twice */
} Dense;

typedef struct {
    Shape shape;
    int8_t lowest, highest;
} Pool;

typedef struct {
    int32_t count;
    int32_t zero_point[2], mantissa[2], shift[2]; /* of the two sides */
    Grid grid;
} Sum;

typedef struct {
    int16_t outer, count, inner; /* the mean is taken over the one in the middle */
    int32_t in_zero_point;
    Grid grid;
} Mean;

typedef struct {
    int32_t count, in_zero_point;
    Grid grid;
} Rescale;

typedef struct {
    int16_t in_size[4], before[4], out_size[4];
    int8_t value;
} Pad;

typedef struct {
    int16_t rows, classes;
    int32_t mantissa, shift, deepest;
} Softmax;

void conv2d(const Filter *layer, const int8_t *in, int8_t *out);
void grouped_conv2d(const Grouped *layer, const int8_t *in, int8_t *out);
void depthwise_conv2d(const Filter *layer, const int8_t *in, int8_t *out);
void fully_connected(const Dense *layer, const int8_t *in, int8_t *out);
void average_pool(const Pool *layer, const int8_t *in, int8_t *out);
void max_pool(const Pool *layer, const int8_t *in, int8_t *out);
void add(const Sum *layer, const int8_t *one, const int8_t *two, int8_t *out);
void mean(const Mean *layer, const int8_t *in, int8_t *out);
void rescale(const Rescale *layer, const int8_t *in, int8_t *out);
void pad(const Pad *layer, const int8_t *in, int8_t *out);
void softmax(const Softmax *layer, const int8_t *in, int8_t *out);

#endif
