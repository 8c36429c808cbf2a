/* A softmax in fixed point: a number with k integer bits is stored as number * 2^(31 - k). */

#include "fixed.h"
#include "layers.h"

#define INPUT_FRACTION_BITS 26
#define SUM_INTEGER_BITS 12

static int32_t saturating_left(int32_t a, int n)
{
    int64_t wide = (int64_t)a * ((int64_t)1 << n);
    return (int32_t)(wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : wide);
}

/* exp(a) for -1/4 <= a < 0, both with 0 integer bits: four terms of the series around -1/8. */
static int32_t exp_near_minus_an_eighth(int32_t a)
{
    const int32_t at_centre = 1895147668, third = 715827883; /* exp(-1/8) and 1/3 */
    int32_t x = a + (1 << 28), x2 = high_multiply(x, x);
    int32_t x3 = high_multiply(x2, x), x4 = high_multiply(x2, x2);
    int32_t higher = high_multiply(divide_by_power_of_two(x4, 2) + x3, third) + x2;
    return at_centre + high_multiply(x + divide_by_power_of_two(higher, 1), at_centre);
}

/* exp(a) with 0 integer bits for a <= 0 with 5 integer bits. */
static int32_t exp_of_negative(int32_t a)
{
    /* exp(-1/4), exp(-1/2), exp(-1), ... exp(-16) */
    static const int32_t powers[] = {1672461947, 1302514674, 790015084, 290630308,
                                     39332535,   720401,     242};
    if (a == 0)
        return INT32_MAX;
    const int32_t quarter = 1 << (INPUT_FRACTION_BITS - 2);
    int32_t rest = (a & (quarter - 1)) - quarter;
    int32_t result = exp_near_minus_an_eighth((int32_t)((uint32_t)rest << 5));
    int32_t quarters = rest - a;
    for (int k = 0; k < 7; k++)
        if (quarters & (1 << (INPUT_FRACTION_BITS - 2 + k)))
            result = high_multiply(result, powers[k]);
    return result;
}

/* 1 / (1 + a) for 0 <= a < 1, 0 integer bits, by three steps of Newton's method. */
static int32_t one_over_one_plus(int32_t a)
{
    const int32_t one = 1 << 29, start = 1515870810, slope = -1010580540; /* 48/17, -32/17 */
    int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2);
    int32_t x = start + high_multiply(half, slope);
    for (int k = 0; k < 3; k++) {
        int32_t error = one - high_multiply(half, x);
        x += saturating_left(high_multiply(x, error), 2);
    }
    return saturating_left(x, 1);
}

/* The exponential of a logit's distance from the largest; -1 where that is too far to count. */
static int32_t power(const Softmax *layer, int32_t below)
{
    if (below < layer->deepest)
        return -1;
    int32_t scaled = (int32_t)((uint32_t)below << layer->shift);
    return exp_of_negative(high_multiply(scaled, layer->mantissa));
}

static void one_row(const Softmax *layer, const int8_t *in, int8_t *out)
{
    int32_t largest = INT8_MIN, total = 0;
    for (int k = 0; k < layer->classes; k++)
        largest = in[k] > largest ? in[k] : largest;
    for (int k = 0; k < layer->classes; k++) {
        int32_t each = power(layer, in[k] - largest);
        total += each < 0 ? 0 : divide_by_power_of_two(each, SUM_INTEGER_BITS);
    }
    int spare = 0; /* move the sum up until it lies between 1 and 2 */
    while (!((uint32_t)total >> (31 - spare)))
        spare++;
    int32_t inverse = one_over_one_plus((int32_t)(((uint32_t)total << spare) - (1u << 31)));
    for (int k = 0; k < layer->classes; k++) {
        int32_t each = power(layer, in[k] - largest), share = 0;
        if (each >= 0)
            share = divide_by_power_of_two(high_multiply(inverse, each),
                                           SUM_INTEGER_BITS - spare + 31 - 8);
        out[k] = (int8_t)((share > 255 ? 255 : share) - 128);
    }
}

void softmax(const Softmax *layer, const int8_t *in, int8_t *out)
{
    for (int row = 0; row < layer->rows; row++)
        one_row(layer, in + row * layer->classes, out + row * layer->classes);
}
