// What is this model's own: its operators, its arena, its labels.

#ifndef MODEL_SETTINGS_H_
#define MODEL_SETTINGS_H_

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

constexpr int kArenaBytes = $arena;
constexpr int kLabelCount = $count;
constexpr int kFirstWord = $first;
constexpr int kThreshold = $threshold;
constexpr const char* kLabels[kLabelCount] = {
    $labels};

// Exactly the operators that the file uses: the code of every other one stays out of flash.
$resolver
#endif  // MODEL_SETTINGS_H_
