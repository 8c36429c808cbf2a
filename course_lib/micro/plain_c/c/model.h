/* What the generated model.c offers. */

#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

enum { MODEL_LAYERS_AT_MOST = 64 };

extern const uint8_t model_file[]; /* the .tflite file, byte for byte */
extern const uint32_t model_file_bytes;
extern const int model_layers, model_input_bytes, model_output_bytes;
extern const float model_input_scale;
extern const int model_input_zero_point;

int8_t *model_input(void);
const int8_t *model_output(void);

/* Run every layer; `after`, unless 0, is called with the number of each that is done. */
void model_run(void (*after)(int layer));

#endif
