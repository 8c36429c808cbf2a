// The spotter: one second of sound in, one word out.

#ifndef SPOTTER_H_
#define SPOTTER_H_

#include <cstdint>

// Sets the interpreter up, once. False where the model, an operator or the arena is wrong.
bool SpotterStart();

// Takes 16,000 samples at 16 kHz; returns the place of the word in kLabels, -1 where it failed,
// and its share of 256 in `share`.
int SpotterHear(const int16_t* sound, int* share);

#endif  // SPOTTER_H_
