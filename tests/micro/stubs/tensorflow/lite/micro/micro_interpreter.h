// A stand-in with the names and types that the program uses. It computes nothing: its answer is
// the input's first bytes. To run the model, compile with TensorFlow Lite Micro in its place.

#ifndef STUB_MICRO_INTERPRETER_H_
#define STUB_MICRO_INTERPRETER_H_

#include <cstddef>
#include <cstdint>

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

enum TfLiteType { kTfLiteInt8 = 9 };

union TfLitePtrUnion {
  int8_t* int8;
};

struct TfLiteQuantizationParams {
  float scale;
  int32_t zero_point;
};

struct TfLiteTensor {
  TfLiteType type;
  TfLitePtrUnion data;
  TfLiteQuantizationParams params;
  size_t bytes;
};

namespace tflite {

class MicroInterpreter {
 public:
  MicroInterpreter(const Model* model, const MicroOpResolver& resolver, uint8_t* arena,
                   size_t arena_bytes)
      : arena_(arena), enough_(model != nullptr && resolver.count() > 0 && arena_bytes >= 1960) {}

  TfLiteStatus AllocateTensors() {
    int8_t* start = reinterpret_cast<int8_t*>(arena_);
    input_ = {kTfLiteInt8, {start}, {0.04f, 0}, 1960};
    output_ = {kTfLiteInt8, {start}, {1.0f / 256, -128}, 4};
    return enough_ ? kTfLiteOk : kTfLiteError;
  }

  TfLiteTensor* input(size_t) { return &input_; }
  TfLiteTensor* output(size_t) { return &output_; }
  TfLiteStatus Invoke() { return kTfLiteOk; }

 private:
  uint8_t* arena_;
  bool enough_;
  TfLiteTensor input_{}, output_{};
};

}  // namespace tflite

#endif  // STUB_MICRO_INTERPRETER_H_
