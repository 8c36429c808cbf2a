/* Runs whatever model its page puts behind its own memory: an image, as engine.h describes it. */

#include "engine.h"

#include "log_mel.h"

#define EXPORT(name) __attribute__((export_name(name)))

extern uint8_t __heap_base; /* the linker's: here ends the memory of this program */

static int16_t sound[CLIP_SAMPLES];
static float features[FRAMES * BANDS];
static Image *image;

/* The functions of layers.h, in the order in which they stand there. */
static void call(const Step *step, int n)
{
    const void *layer = step->layer;
    const int8_t *one = step->places[0].start + n * step->places[0].stride;
    int8_t *two = step->places[1].start + n * step->places[1].stride;
    int8_t *three = step->places[2].start + n * step->places[2].stride;
    switch (step->function) {
    case 0: conv2d(layer, one, two); break;
    case 1: grouped_conv2d(layer, one, two); break;
    case 2: depthwise_conv2d(layer, one, two); break;
    case 3: fully_connected(layer, one, two); break;
    case 4: average_pool(layer, one, two); break;
    case 5: max_pool(layer, one, two); break;
    case 6: add(layer, one, two, three); break;
    case 7: mean(layer, one, two); break;
    case 8: rescale(layer, one, two); break;
    case 9: pad(layer, one, two); break;
    case 10: softmax(layer, one, two); break;
    }
}

/* Where the page puts the image. */
EXPORT("place") uint8_t *place(void)
{
    return &__heap_base + (16 - (uint32_t)&__heap_base % 16) % 16;
}

/* Once the image lies there: its pointers become addresses. */
EXPORT("begin") void begin(void)
{
    image = (Image *)place();
    uint32_t base = (uint32_t)image;
    image->where = (const uint32_t *)((uint32_t)image->where + base);
    for (int k = 0; k < image->pointers; k++)
        *(uint32_t *)(base + image->where[k]) += base;
}

EXPORT("sound") int16_t *sound_of_a_second(void) { return sound; }
EXPORT("features") float *features_of_the_sound(void) { return features; }
EXPORT("input") int8_t *input(void) { return image->input; }
EXPORT("output") const int8_t *output(void) { return image->output; }
EXPORT("input_bytes") int input_bytes(void) { return image->input_bytes; }
EXPORT("output_bytes") int output_bytes(void) { return image->output_bytes; }

/* From what lies at `input` to what is read at `output`. */
EXPORT("run") void run(void)
{
    for (int k = 0; k < image->steps; k++)
        for (int n = 0; n < image->first[k].times; n++)
            call(&image->first[k], n);
}

/* From the 16,000 samples at `sound` to what is read at `output`. */
EXPORT("hear") void hear(void)
{
    log_mel(sound, features);
    quantize_features(features, image->input_scale, image->input_zero_point, image->input);
    run();
}
