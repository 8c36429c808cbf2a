/* Find one weight in a frozen graph without keeping anything: walk over every field before it.

   GraphDef: node = 1. NodeDef: name = 1, attr = 5, a map whose entries have key = 1, value = 2.
   AttrValue: tensor = 8. TensorProto: float_val = 5, tensor_content = 4. */
#include "reader.h"

typedef struct { const uint8_t *at, *end; } Bytes;
typedef struct { uint32_t number, type; uint64_t value; Bytes content; } Field;

static uint64_t varint(Bytes *from) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = *from->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) break;
    }
    return value;
}

static int next(Bytes *from, Field *field) {
    if (from->at >= from->end) return 0;
    uint64_t tag = varint(from);
    field->number = tag >> 3;
    field->type = tag & 7;
    if (field->type == 0) {
        field->value = varint(from);
    } else {
        uint64_t length = field->type == 2 ? varint(from) : field->type == 1 ? 8 : 4;
        field->content.at = from->at;
        from->at = field->content.end = from->at + length;
    }
    return 1;
}

static int find(Bytes message, uint32_t number, Bytes *content) {
    Field field;
    while (next(&message, &field)) {
        if (field.number == number && field.type == 2) {
            *content = field.content;
            return 1;
        }
    }
    return 0;
}

static int is(Bytes text, const char *name) {
    size_t length = text.end - text.at;
    return strlen(name) == length && !memcmp(text.at, name, length);
}

const uint8_t *first_weight(const uint8_t *file, uint32_t size, const char *name, uint32_t *bytes) {
    Bytes graph = {file, file + size}, part;
    Field node, attribute;
    while (next(&graph, &node)) {
        if (node.number != 1 || !find(node.content, 1, &part) || !is(part, name)) continue;
        while (next(&node.content, &attribute)) {
            if (attribute.number != 5 || !find(attribute.content, 1, &part)) continue;
            if (!is(part, "value") || !find(attribute.content, 2, &part)) continue;
            if (!find(part, 8, &part)) continue;
            Bytes tensor = part;
            if (!find(tensor, 4, &part) && !find(tensor, 5, &part)) continue;
            *bytes = part.end - part.at;
            return part.at;
        }
    }
    return NULL;
}
