/* Memory for the readers that need some, counted. Its own size is not part of any reader's. */
#include "reader.h"

uint32_t allocations, allocated_bytes;
static void **kept;

void *take(size_t bytes) {
    void **block = malloc(sizeof(void *) + bytes);
    if (block == NULL) abort();
    *block = kept;
    kept = block;
    allocations++;
    allocated_bytes += bytes;
    return block + 1;
}

void forget(void) {
    while (kept != NULL) {
        void **next = *kept;
        free(kept);
        kept = next;
    }
    allocations = allocated_bytes = 0;
}
