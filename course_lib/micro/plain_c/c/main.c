/* Read clips, run the model on each, and write what it answered and what each layer cost.

   in.bin:  one byte, 'F' for stored features or 'S' for sound (int16), then clip after clip.
   out.bin: what a loop of 30,000 instructions was counted as; then for each clip the answer, for
            sound also its features (float), and the instructions of the features and each layer. */

#include "device.h"
#include "log_mel.h"
#include "model.h"

static uint32_t counts[MODEL_LAYERS_AT_MOST + 1];
static int16_t sound[CLIP_SAMPLES];
static float features[FRAMES * BANDS];

static void note(int place)
{
    counts[place] = device_count();
}

static void after(int layer) { note(layer + 1); }

int main(void)
{
    char kind = 0;
    device_start();
    if (device_read(&kind, 1) != 1 || (kind != 'F' && kind != 'S'))
        device_end(2);
    device_count();
    device_loop(10000);
    uint32_t loop = device_count();
    device_write(&loop, sizeof loop);
    void *to = kind == 'S' ? (void *)sound : (void *)model_input();
    int wanted = kind == 'S' ? (int)sizeof sound : model_input_bytes;
    while (device_read(to, wanted) == wanted) {
        device_count();
        if (kind == 'S') {
            log_mel(sound, features);
            quantize_features(features, model_input_scale, model_input_zero_point, model_input());
        }
        note(0);
        model_run(after);
        device_write(model_output(), model_output_bytes);
        if (kind == 'S')
            device_write(features, sizeof features);
        device_write(counts, (model_layers + 1) * (int)sizeof counts[0]);
    }
    device_end(0);
    return 0;
}
