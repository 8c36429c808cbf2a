// The .tflite file, byte for byte, in flash.

#ifndef MODEL_DATA_H_
#define MODEL_DATA_H_

#include <cstdint>

extern const uint8_t model_data[$bytes];
extern const uint32_t model_data_bytes;

#endif  // MODEL_DATA_H_
