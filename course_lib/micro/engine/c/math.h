/* What log_mel.c uses of the standard library: all but logf are instructions of WebAssembly. */

#ifndef MATH_H
#define MATH_H

#define floorf __builtin_floorf
#define fabsf __builtin_fabsf
#define copysignf __builtin_copysignf

float logf(float x);

#endif
