/* Find one weight in a .tflite file where it lies: no parsing, no memory of its own.

   The numbers 0 to 4 are the slots of TensorFlow Lite's schema. Like the readers beside it, this
   one trusts its input, and the machine is little-endian. */
#include "reader.h"

static uint32_t u32(const uint8_t *at) { uint32_t n; memcpy(&n, at, 4); return n; }
static uint16_t u16(const uint8_t *at) { uint16_t n; memcpy(&n, at, 2); return n; }
static const uint8_t *follow(const uint8_t *at) { return at + u32(at); }

static const uint8_t *field(const uint8_t *table, unsigned slot) {
    const uint8_t *vtable = table - (int32_t)u32(table);
    unsigned place = 4 + 2 * slot;
    unsigned offset = place < u16(vtable) ? u16(vtable + place) : 0;
    return offset ? table + offset : NULL;
}

static const uint8_t *element(const uint8_t *vector, uint32_t index) {
    return follow(vector + 4 + 4 * index);
}

const uint8_t *first_weight(const uint8_t *file, uint32_t size, const char *name, uint32_t *bytes) {
    const uint8_t *model = follow(file);
    const uint8_t *graph = element(follow(field(model, 2)), 0);
    const uint8_t *tensors = follow(field(graph, 0));
    uint32_t length = strlen(name), count = u32(tensors);
    (void)size;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *tensor = element(tensors, i);
        const uint8_t *text = follow(field(tensor, 3));
        if (u32(text) == length && !memcmp(text + 4, name, length)) {
            const uint8_t *buffer = element(follow(field(model, 4)), u32(field(tensor, 2)));
            const uint8_t *data = follow(field(buffer, 0));
            *bytes = u32(data);
            return data + 4;
        }
    }
    return NULL;
}
