/* A convolution in groups: each filter sees only the channels of its own group. */

#include "fixed.h"
#include "layers.h"

void grouped_conv2d(const Grouped *layer, const int8_t *in, int8_t *out)
{
    const Filter *f = &layer->filter;
    const Shape *s = &f->shape;
    const Grid *grid = &f->grid;
    const int each = layer->channels, filters = s->out_channels / (s->in_channels / each);
    for (int y = 0; y < s->out_height; y++)
        for (int x = 0; x < s->out_width; x++) {
            const int8_t *weights = (const int8_t *)f->weights;
            for (int c = 0; c < s->out_channels; c++) {
                int32_t sum = f->bias ? read_int32(f->bias + 4 * c) : 0;
                for (int j = 0; j < s->height; j++)
                    for (int i = 0; i < s->width; i++, weights += each) {
                        int row = y * s->down - s->above + j * s->dilation_down;
                        int column = x * s->across - s->left + i * s->dilation_across;
                        if (row < 0 || row >= s->in_height || column < 0 || column >= s->in_width)
                            continue;
                        const int8_t *at = in + (row * s->in_width + column) * s->in_channels;
                        for (int k = 0; k < each; k++)
                            sum += (at[c / filters * each + k] - f->in_zero_point) * weights[k];
                    }
                int k = grid->per_channel ? c : 0;
                int32_t value = requantize(sum, grid->mantissas[k], grid->shifts[k]);
                value += grid->zero_point;
                *out++ = (int8_t)(value < grid->lowest ? grid->lowest
                                  : value > grid->highest ? grid->highest : value);
            }
        }
}
