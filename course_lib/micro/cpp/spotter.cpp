#include "spotter.h"

#include "log_mel.h"
#include "model_data.h"
#include "model_settings.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

// All the memory that TensorFlow Lite Micro may use: it never asks the system for more.
alignas(16) uint8_t arena[kArenaBytes];
float features[FRAMES * BANDS];
tflite::MicroInterpreter* interpreter = nullptr;

}  // namespace

bool SpotterStart() {
  const tflite::Model* model = tflite::GetModel(model_data);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    return false;
  }
  static Operators operators;
  if (AddOperators(operators) != kTfLiteOk) {
    return false;
  }
  static tflite::MicroInterpreter made(model, operators, arena, kArenaBytes);
  if (made.AllocateTensors() != kTfLiteOk) {
    return false;
  }
  interpreter = &made;
  return interpreter->input(0)->type == kTfLiteInt8 &&
         interpreter->input(0)->bytes == sizeof(features) / sizeof(features[0]);
}

int SpotterHear(const int16_t* sound, int* share) {
  if (interpreter == nullptr) {
    return -1;
  }
  TfLiteTensor* input = interpreter->input(0);
  log_mel(sound, features);
  quantize_features(features, input->params.scale, static_cast<int>(input->params.zero_point),
                    input->data.int8);
  if (interpreter->Invoke() != kTfLiteOk) {
    return -1;
  }
  const int8_t* shares = interpreter->output(0)->data.int8;
  int best = 0;
  for (int k = 1; k < kLabelCount; k++) {
    if (shares[k] > shares[best]) {
      best = k;
    }
  }
  *share = shares[best] + 128;
  return best;
}
