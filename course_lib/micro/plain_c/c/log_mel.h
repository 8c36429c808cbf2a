/* From a second of sound to 49 x 40 numbers, as course_lib.sound.features computes them. */

#ifndef LOG_MEL_H
#define LOG_MEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CLIP_SAMPLES = 16000, WINDOW = 480, HOP = 320, FFT = 512, FRAMES = 49, BANDS = 40 };

/* One band: the frequency where it starts, how many it takes, where its weights begin. */
typedef struct {
    int16_t first, count, weights;
} Band;

extern const float feature_window[WINDOW];
extern const float feature_cosines[FFT / 2 + 1]; /* cos(2 pi k / FFT) */
extern const Band feature_bands[BANDS];
extern const float feature_weights[];

/* 16,000 samples at 16 kHz to 1,960 features. */
void log_mel(const int16_t *sound, float *features);

/* 1,960 features to the model's eight bits. */
void quantize_features(const float *features, float scale, int zero_point, int8_t *stored);

#ifdef __cplusplus
}
#endif

#endif
