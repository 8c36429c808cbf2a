/* Read a frozen graph as protobuf means it: turn the message into objects first, then look.

   One object for each node, attribute and tensor, a copy of each text, list and content: what
   generated code does, for the fields that running a graph needs, and nothing of its comfort. */
#include "reader.h"

typedef struct { const uint8_t *at, *end; } Bytes;
typedef struct { uint32_t number, type; uint64_t value; Bytes content; } Field;
typedef struct { uint32_t size; uint8_t *data; } Copy;
typedef struct Dimension { struct Dimension *next; int64_t size; } Dimension;
typedef struct { uint32_t type; Dimension *shape; Copy content; } Tensor;
typedef struct Number { struct Number *next; int64_t value; } Number;
typedef struct Attribute {
    struct Attribute *next;
    Copy key, text;
    uint32_t kind, type;
    int64_t number;
    float real;
    Dimension *shape;
    Number *numbers;
    Tensor *tensor;
} Attribute;
typedef struct Text { struct Text *next; Copy text; } Text;
typedef struct Node {
    struct Node *next;
    Copy name, operation, device;
    Text *inputs;
    Attribute *attributes;
} Node;

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

static void *zeroed(size_t bytes) { return memset(take(bytes), 0, bytes); }

static Copy copied(Bytes bytes) {
    Copy copy = {bytes.end - bytes.at, NULL};
    copy.data = take(copy.size + 1);
    memcpy(copy.data, bytes.at, copy.size);
    copy.data[copy.size] = 0;
    return copy;
}

static Dimension *shape(Bytes message) {
    Dimension *first = NULL, **last = &first;
    Field field, size;
    while (next(&message, &field)) {
        if (field.number != 2) continue;
        *last = zeroed(sizeof(Dimension));
        while (next(&field.content, &size))
            if (size.number == 1) (*last)->size = size.value;
        last = &(*last)->next;
    }
    return first;
}

static Tensor *tensor(Bytes message) {
    Tensor *made = zeroed(sizeof(Tensor));
    Field field;
    while (next(&message, &field)) {
        if (field.number == 1) made->type = field.value;
        if (field.number == 2) made->shape = shape(field.content);
        if (field.number == 4 || field.number == 5) made->content = copied(field.content);
    }
    return made;
}

static Number *numbers(Bytes message) {
    Number *first = NULL, **last = &first;
    Field field;
    while (next(&message, &field)) {
        if (field.number != 3 || field.type != 2) continue;
        while (field.content.at < field.content.end) {
            *last = zeroed(sizeof(Number));
            (*last)->value = varint(&field.content);
            last = &(*last)->next;
        }
    }
    return first;
}

static void value(Attribute *attribute, Bytes message) {
    Field field;
    while (next(&message, &field)) {
        attribute->kind = field.number;
        switch (field.number) {
        case 1: attribute->numbers = numbers(field.content); break;
        case 2: attribute->text = copied(field.content); break;
        case 3: case 5: attribute->number = field.value; break;
        case 4: memcpy(&attribute->real, field.content.at, 4); break;
        case 6: attribute->type = field.value; break;
        case 7: attribute->shape = shape(field.content); break;
        case 8: attribute->tensor = tensor(field.content); break;
        }
    }
}

static Node *node(Bytes message) {
    Node *made = zeroed(sizeof(Node));
    Text **input = &made->inputs;
    Attribute **attribute = &made->attributes;
    Field field, part;
    while (next(&message, &field)) {
        switch (field.number) {
        case 1: made->name = copied(field.content); break;
        case 2: made->operation = copied(field.content); break;
        case 3:
            *input = zeroed(sizeof(Text));
            (*input)->text = copied(field.content);
            input = &(*input)->next;
            break;
        case 4: made->device = copied(field.content); break;
        case 5:
            *attribute = zeroed(sizeof(Attribute));
            while (next(&field.content, &part)) {
                if (part.number == 1) (*attribute)->key = copied(part.content);
                if (part.number == 2) value(*attribute, part.content);
            }
            attribute = &(*attribute)->next;
            break;
        }
    }
    return made;
}

const uint8_t *first_weight(const uint8_t *file, uint32_t size, const char *name, uint32_t *bytes) {
    Bytes graph = {file, file + size};
    Node *first = NULL, **last = &first;
    Field field;
    while (next(&graph, &field)) {
        if (field.number != 1) continue;
        *last = node(field.content);
        last = &(*last)->next;
    }
    for (Node *each = first; each != NULL; each = each->next) {
        if (strcmp((char *)each->name.data, name)) continue;
        for (Attribute *attribute = each->attributes; attribute; attribute = attribute->next) {
            if (attribute->tensor == NULL) continue;
            *bytes = attribute->tensor->content.size;
            return attribute->tensor->content.data;
        }
    }
    return NULL;
}
