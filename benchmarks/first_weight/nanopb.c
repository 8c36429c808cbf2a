/* The first weight of a node by nanopb, a protobuf library for microcontrollers, in a stream. */
#include <pb_decode.h>

#include "common.h"
#include "small.pb.h"

typedef struct {
    const char *name;
    int same;
    const uint8_t *weights;
    size_t size;
} Search;

static bool name_is(pb_istream_t *stream, const pb_field_t *field, void **argument) {
    Search *search = *argument;
    size_t size = stream->bytes_left;
    (void)field;
    search->same = strlen(search->name) == size && !memcmp(stream->state, search->name, size);
    return pb_read(stream, NULL, size);
}

static bool content(pb_istream_t *stream, const pb_field_t *field, void **argument) {
    Search *search = *argument;
    (void)field;
    if (search->same) {
        search->weights = stream->state;
        search->size = stream->bytes_left;
    }
    return pb_read(stream, NULL, stream->bytes_left);
}

static bool attribute(pb_istream_t *stream, const pb_field_t *field, void **argument) {
    Attribute entry = Attribute_init_zero;
    (void)field;
    entry.value.tensor.tensor_content.funcs.decode = content;
    entry.value.tensor.tensor_content.arg = *argument;
    return pb_decode(stream, Attribute_fields, &entry);
}

static bool node(pb_istream_t *stream, const pb_field_t *field, void **argument) {
    Node entry = Node_init_zero;
    (void)field;
    entry.name.funcs.decode = name_is;
    entry.attr.funcs.decode = attribute;
    entry.name.arg = entry.attr.arg = *argument;
    return pb_decode(stream, Node_fields, &entry);
}

int main(int count, char **words) {
    size_t size;
    char *data = whole_file(words[count - 2], &size);
    Search search = {words[count - 1], 0, NULL, 0};
    Graph graph = Graph_init_zero;
    graph.node.funcs.decode = node;
    graph.node.arg = &search;
    pb_istream_t stream = pb_istream_from_buffer((uint8_t *)data, size);
    if (!pb_decode(&stream, Graph_fields, &graph)) return 7;
    return search.weights ? show(search.weights, search.size) : 5;
}
