/* The machine is a desktop: files are files, and instructions are not counted. */

#include "device.h"

#include <stdio.h>
#include <stdlib.h>

static FILE *in, *out;

void device_start(void)
{
    in = fopen("in.bin", "rb");
    out = fopen("out.bin", "wb");
    if (!in || !out)
        exit(3);
}

int device_read(void *to, int bytes) { return (int)fread(to, 1, (size_t)bytes, in); }

void device_write(const void *from, int bytes)
{
    if (fwrite(from, 1, (size_t)bytes, out) != (size_t)bytes)
        exit(4);
}

uint32_t device_count(void) { return 0; }

void device_loop(uint32_t rounds) { (void)rounds; }

void device_end(int code)
{
    fclose(out);
    exit(code);
}
