/* Read a whole file, and show the first weight that was found: the same in every program here. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *whole_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) exit(9);
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    char *data = (char *)malloc(*size);
    if (fread(data, 1, *size, file) != *size) exit(8);
    fclose(file);
    return data;
}

static int show(const void *weights, size_t size) {
    uint32_t bits = 0;
    memcpy(&bits, weights, 4);
    printf("%08x %u\n", bits, (unsigned)size);
    return 0;
}
