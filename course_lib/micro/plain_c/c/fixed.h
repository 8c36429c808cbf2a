/* Multiply by a fraction without a floating-point unit. */

#ifndef FIXED_H
#define FIXED_H

#include <stdint.h>

/* a * b / 2^31, rounded, halves away from zero; the one case that overflows saturates. */
static inline int32_t high_multiply(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN)
        return INT32_MAX;
    int64_t product = (int64_t)a * b;
    int64_t nudge = product >= 0 ? 1 << 30 : 1 - (1 << 30);
    return (int32_t)((product + nudge) / ((int64_t)1 << 31));
}

/* a / 2^n, rounded, halves away from zero. */
static inline int32_t divide_by_power_of_two(int32_t a, int n)
{
    int32_t mask = (int32_t)(((int64_t)1 << n) - 1);
    int32_t threshold = (mask >> 1) + (a < 0);
    return (a >> n) + ((a & mask) > threshold);
}

/* a * mantissa / 2^31 * 2^shift: rounded in the product and in the shift. */
static inline int32_t requantize(int32_t a, int32_t mantissa, int shift)
{
    int32_t wide = (int32_t)((uint32_t)a << (shift > 0 ? shift : 0));
    return divide_by_power_of_two(high_multiply(wide, mantissa), shift < 0 ? -shift : 0);
}

/* The same, rounded once, halves upwards. */
static inline int32_t requantize_once(int32_t a, int32_t mantissa, int shift)
{
    int down = 31 - shift;
    return (int32_t)(((int64_t)a * mantissa + ((int64_t)1 << (down - 1))) >> down);
}

/* Four bytes from anywhere, lowest first. */
static inline int32_t read_int32(const uint8_t *at)
{
    return (int32_t)(at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
}

#endif
