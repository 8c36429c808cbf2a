/* Generated from a .tflite file: the file itself, a table for each layer, and their order. */

#include "model.h"

#include "layers.h"

$file
static int8_t memory[$memory] __attribute__((aligned(16)));

$tables
const int model_layers = $layers;
const int model_input_bytes = $input_bytes;
const int model_output_bytes = $output_bytes;
const float model_input_scale = $scale;
const int model_input_zero_point = $zero_point;

int8_t *model_input(void) { return memory + $input; }

const int8_t *model_output(void) { return memory + $output; }

void model_run(void (*after)(int layer))
{
$steps
}
