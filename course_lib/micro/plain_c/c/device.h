/* What main.c asks of the machine that it runs on: files, a counter, and an end. */

#ifndef DEVICE_H
#define DEVICE_H

#include <stdint.h>

void device_start(void);
int device_read(void *to, int bytes);           /* from in.bin; how many bytes came */
void device_write(const void *from, int bytes); /* to out.bin */
uint32_t device_count(void);                    /* instructions since the last call, if known */
void device_loop(uint32_t rounds);              /* three instructions a round */
void device_end(int code);

#endif
