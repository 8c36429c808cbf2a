/* The first weight of a tensor by Google's FlatBuffers library, with VERIFY after its verifier. */
#include "common.h"
#include "model_generated.h"

int main(int, char **words) {
    size_t size;
    char *data = whole_file(words[1], &size);
#ifdef VERIFY
    flatbuffers::Verifier verifier(reinterpret_cast<uint8_t *>(data), size);
    if (!model::VerifyModelBuffer(verifier)) return 7;
#endif
    auto root = model::GetModel(data);
    for (auto tensor : *root->subgraphs()->Get(0)->tensors()) {
        if (strcmp(tensor->name()->c_str(), words[2])) continue;
        auto weights = root->buffers()->Get(tensor->buffer())->data();
        return show(weights->data(), weights->size());
    }
    return 5;
}
