#include "layers.h"

#include <string.h>

#include "fixed.h"

static int8_t finish(const Grid *grid, int channel, int32_t sum)
{
    int k = grid->per_channel ? channel : 0;
    int32_t value = requantize(sum, grid->mantissas[k], grid->shifts[k]) + grid->zero_point;
    return (int8_t)(value < grid->lowest ? grid->lowest
                    : value > grid->highest ? grid->highest : value);
}

static int32_t first_sum(const uint8_t *bias, int channel)
{
    return bias ? read_int32(bias + 4 * channel) : 0;
}

/* Which places of a filter, from `*first` to before `*end`, lie inside the input. */
static void inside(int start, int length, int step, int limit, int *first, int *end)
{
    *first = start < 0 ? (-start + step - 1) / step : 0;
    *end = start >= limit ? *first : (limit - start + step - 1) / step;
    if (*end > length)
        *end = length;
}

static int32_t dot(const int8_t *in, const int8_t *weights, int count, int32_t zero_point)
{
    int32_t sum = 0;
    for (int k = 0; k < count; k++)
        sum += (in[k] - zero_point) * weights[k];
    return sum;
}

void conv2d(const Filter *layer, const int8_t *in, int8_t *out)
{
    const Shape *s = &layer->shape;
    const int channels = s->in_channels;
    for (int y = 0; y < s->out_height; y++)
        for (int x = 0; x < s->out_width; x++) {
            int top = y * s->down - s->above, left = x * s->across - s->left;
            int y0, y1, x0, x1;
            inside(top, s->height, s->dilation_down, s->in_height, &y0, &y1);
            inside(left, s->width, s->dilation_across, s->in_width, &x0, &x1);
            const int8_t *weights = (const int8_t *)layer->weights;
            for (int c = 0; c < s->out_channels; c++) {
                int32_t sum = first_sum(layer->bias, c);
                for (int j = y0; j < y1; j++) {
                    const int8_t *row = in + (top + j * s->dilation_down) * s->in_width * channels;
                    const int8_t *w = weights + j * s->width * channels;
                    if (s->dilation_across == 1) /* the row lies in one piece, and so do they */
                        sum += dot(row + (left + x0) * channels, w + x0 * channels,
                                   (x1 - x0) * channels, layer->in_zero_point);
                    else
                        for (int i = x0; i < x1; i++)
                            sum += dot(row + (left + i * s->dilation_across) * channels,
                                       w + i * channels, channels, layer->in_zero_point);
                }
                *out++ = finish(&layer->grid, c, sum);
                weights += s->height * s->width * channels;
            }
        }
}

void depthwise_conv2d(const Filter *layer, const int8_t *in, int8_t *out)
{
    const Shape *s = &layer->shape;
    const int each = s->out_channels / s->in_channels;
    for (int y = 0; y < s->out_height; y++)
        for (int x = 0; x < s->out_width; x++) {
            int top = y * s->down - s->above, left = x * s->across - s->left;
            int y0, y1, x0, x1;
            inside(top, s->height, s->dilation_down, s->in_height, &y0, &y1);
            inside(left, s->width, s->dilation_across, s->in_width, &x0, &x1);
            for (int c = 0; c < s->out_channels; c++) {
                int32_t sum = first_sum(layer->bias, c);
                for (int j = y0; j < y1; j++)
                    for (int i = x0; i < x1; i++) {
                        int place = (top + j * s->dilation_down) * s->in_width + left +
                                    i * s->dilation_across;
                        int8_t w = (int8_t)layer->weights[(j * s->width + i) * s->out_channels + c];
                        sum += (in[place * s->in_channels + c / each] - layer->in_zero_point) * w;
                    }
                *out++ = finish(&layer->grid, c, sum);
            }
        }
}

void fully_connected(const Dense *layer, const int8_t *in, int8_t *out)
{
    const int8_t *weights = (const int8_t *)layer->weights;
    for (int c = 0; c < layer->out; c++, weights += layer->in) {
        int32_t sum = first_sum(layer->bias, c) + dot(in, weights, layer->in, layer->in_zero_point);
        const Grid *grid = &layer->grid;
        if (!layer->rounds_once) {
            out[c] = finish(grid, c, sum);
            continue;
        }
        int k = grid->per_channel ? c : 0;
        int32_t value = requantize_once(sum, grid->mantissas[k], grid->shifts[k]) + grid->zero_point;
        out[c] = (int8_t)(value < grid->lowest ? grid->lowest
                          : value > grid->highest ? grid->highest : value);
    }
}

/* What both kinds of pooling share: walk over the windows, then over the channels. */
static void pool(const Pool *layer, const int8_t *in, int8_t *out, int average)
{
    const Shape *s = &layer->shape;
    for (int y = 0; y < s->out_height; y++)
        for (int x = 0; x < s->out_width; x++) {
            int top = y * s->down - s->above, left = x * s->across - s->left;
            int y0, y1, x0, x1;
            inside(top, s->height, 1, s->in_height, &y0, &y1);
            inside(left, s->width, 1, s->in_width, &x0, &x1);
            int count = (y1 - y0) * (x1 - x0);
            for (int c = 0; c < s->in_channels; c++) {
                int32_t value = average ? 0 : INT8_MIN;
                for (int j = y0; j < y1; j++)
                    for (int i = x0; i < x1; i++) {
                        int8_t each = in[((top + j) * s->in_width + left + i) * s->in_channels + c];
                        value = average ? value + each : each > value ? each : value;
                    }
                if (average)
                    value = (value >= 0 ? value + count / 2 : value - count / 2) / count;
                *out++ = (int8_t)(value < layer->lowest ? layer->lowest
                                  : value > layer->highest ? layer->highest : value);
            }
        }
}

void average_pool(const Pool *layer, const int8_t *in, int8_t *out) { pool(layer, in, out, 1); }

void max_pool(const Pool *layer, const int8_t *in, int8_t *out) { pool(layer, in, out, 0); }

void add(const Sum *layer, const int8_t *one, const int8_t *two, int8_t *out)
{
    for (int k = 0; k < layer->count; k++) {
        int32_t sum = 0;
        for (int side = 0; side < 2; side++) {
            int32_t value = (side ? two : one)[k] - layer->zero_point[side];
            sum += requantize((int32_t)((uint32_t)value << 20), layer->mantissa[side],
                              layer->shift[side]);
        }
        out[k] = finish(&layer->grid, 0, sum);
    }
}

void mean(const Mean *layer, const int8_t *in, int8_t *out)
{
    for (int o = 0; o < layer->outer; o++)
        for (int i = 0; i < layer->inner; i++) {
            const int8_t *at = in + o * layer->count * layer->inner + i;
            int32_t sum = -layer->count * layer->in_zero_point;
            for (int k = 0; k < layer->count; k++)
                sum += at[k * layer->inner];
            *out++ = finish(&layer->grid, 0, sum);
        }
}

void rescale(const Rescale *layer, const int8_t *in, int8_t *out)
{
    for (int k = 0; k < layer->count; k++)
        out[k] = finish(&layer->grid, 0, in[k] - layer->in_zero_point);
}

void pad(const Pad *layer, const int8_t *in, int8_t *out)
{
    const int16_t *size = layer->out_size, *from = layer->before, *of = layer->in_size;
    memset(out, layer->value, (size_t)size[0] * size[1] * size[2] * size[3]);
    for (int a = 0; a < of[0]; a++)
        for (int b = 0; b < of[1]; b++)
            for (int c = 0; c < of[2]; c++, in += of[3]) {
                int row = ((a + from[0]) * size[1] + b + from[1]) * size[2] + c + from[2];
                memcpy(out + row * size[3] + from[3], in, (size_t)of[3]);
            }
}
