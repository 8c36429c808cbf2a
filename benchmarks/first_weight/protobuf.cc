/* The first weight of a node by Google's protobuf library, in its lite form. */
#include "common.h"
#include "graph.pb.h"

int main(int, char **words) {
    size_t size;
    char *data = whole_file(words[1], &size);
    graph::GraphDef message;
    if (!message.ParseFromArray(data, size)) return 7;
    for (auto &node : message.node()) {
        if (node.name() != words[2]) continue;
        auto &weights = node.attr().at("value").tensor().tensor_content();
        return show(weights.data(), weights.size());
    }
    return 5;
}
