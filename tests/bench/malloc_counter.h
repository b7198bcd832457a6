/* Counts every allocation of the process, whoever makes it: linking this file puts a counter before the C
 * library's malloc, calloc, realloc and aligned allocation. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Allocations so far. Any thread. */
uint64_t malloc_count(void);

#ifdef __cplusplus
}
#endif
