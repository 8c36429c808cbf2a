#include "log_mel.h"

#include <math.h>

#define FLOOR 1e-7f
#define SCALE 3.0f
#define HALF (FFT / 2)
#define QUARTER (FFT / 4)

static float real[HALF + 1], imaginary[HALF + 1];

static float cosine(int k) { return feature_cosines[k <= HALF ? k : FFT - k]; }

static float sine(int k) { return k <= QUARTER ? cosine(QUARTER - k) : cosine(k - QUARTER); }

/* Put element k where its bits, read backwards, point to. */
static void reverse_bits(void)
{
    for (int k = 1, r = 0; k < HALF; k++) {
        int bit = HALF / 2;
        for (; r & bit; bit /= 2)
            r ^= bit;
        r |= bit;
        if (k < r) {
            float a = real[k], b = imaginary[k];
            real[k] = real[r], imaginary[k] = imaginary[r];
            real[r] = a, imaginary[r] = b;
        }
    }
}

/* The Fourier transform of 256 complex numbers, in place. */
static void transform(void)
{
    reverse_bits();
    for (int half = 1; half < HALF; half *= 2)
        for (int j = 0; j < half; j++) {
            int angle = j * (HALF / half);
            float c = cosine(angle), s = sine(angle);
            for (int k = j; k < HALF; k += 2 * half) {
                float a = real[k + half] * c + imaginary[k + half] * s;
                float b = imaginary[k + half] * c - real[k + half] * s;
                real[k + half] = real[k] - a, imaginary[k + half] = imaginary[k] - b;
                real[k] += a, imaginary[k] += b;
            }
        }
}

/* The energy at 257 frequencies of a faded frame: 512 real numbers go through 256 complex ones. */
static void power(const int16_t *frame, float mean, float *energies)
{
    for (int k = 0; k < HALF; k++) {
        int n = 2 * k;
        real[k] = n < WINDOW ? (frame[n] / 32768.0f - mean) * feature_window[n] : 0;
        imaginary[k] = n < WINDOW ? (frame[n + 1] / 32768.0f - mean) * feature_window[n + 1] : 0;
    }
    transform();
    real[HALF] = real[0], imaginary[HALF] = imaginary[0];
    for (int k = 0; k <= HALF; k++) {
        float even = (real[k] + real[HALF - k]) / 2;
        float even_i = (imaginary[k] - imaginary[HALF - k]) / 2;
        float odd = (imaginary[k] + imaginary[HALF - k]) / 2;
        float odd_i = (real[HALF - k] - real[k]) / 2;
        float c = cosine(k), s = sine(k);
        float a = even + odd * c + odd_i * s, b = even_i + odd_i * c - odd * s;
        energies[k] = a * a + b * b;
    }
}

void log_mel(const int16_t *sound, float *features)
{
    static float energies[HALF + 1];
    int32_t total = 0;
    for (int k = 0; k < CLIP_SAMPLES; k++)
        total += sound[k];
    const float offset = (float)total / CLIP_SAMPLES / 32768.0f;
    float sum = 0;
    for (int frame = 0; frame < FRAMES; frame++) {
        power(sound + frame * HOP, offset, energies);
        float row = 0;
        for (int b = 0; b < BANDS; b++) {
            const Band *band = &feature_bands[b];
            float energy = 0;
            for (int k = 0; k < band->count; k++)
                energy += energies[band->first + k] * feature_weights[band->weights + k];
            features[frame * BANDS + b] = logf(energy + FLOOR);
            row += features[frame * BANDS + b];
        }
        sum += row;
    }
    const float mean = sum / (FRAMES * BANDS);
    for (int k = 0; k < FRAMES * BANDS; k++)
        features[k] = (features[k] - mean) / SCALE;
}

void quantize_features(const float *features, float scale, int zero_point, int8_t *stored)
{
    for (int k = 0; k < FRAMES * BANDS; k++) {
        float steps = features[k] / scale;
        float whole = copysignf(floorf(fabsf(steps) + 0.5f), steps) + (float)zero_point;
        stored[k] = (int8_t)(whole < -128 ? -128 : whole > 127 ? 127 : whole);
    }
}
