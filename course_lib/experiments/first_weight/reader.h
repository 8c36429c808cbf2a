/* What the small readers share: their one function, and an allocator that counts. */
#ifndef READER_H
#define READER_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Return where the values of the tensor `name` begin and set `bytes`, or NULL. */
const uint8_t *first_weight(const uint8_t *file, uint32_t size, const char *name, uint32_t *bytes);

extern uint32_t allocations, allocated_bytes;
void *take(size_t bytes);
void forget(void);

#endif
