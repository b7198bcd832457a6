#include "malloc_counter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* block, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

static _Atomic uint64_t count_;

uint64_t malloc_count(void) {
    return atomic_load_explicit(&count_, memory_order_relaxed);
}

static void one_more(void) {
    atomic_fetch_add_explicit(&count_, 1, memory_order_relaxed);
}

void* malloc(size_t bytes) {
    one_more();
    return __libc_malloc(bytes);
}

void* calloc(size_t count, size_t bytes) {
    one_more();
    return __libc_calloc(count, bytes);
}

void* realloc(void* block, size_t bytes) {
    one_more();
    return __libc_realloc(block, bytes);
}

void* aligned_alloc(size_t alignment, size_t bytes) {
    one_more();
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** block, size_t alignment, size_t bytes) {
    one_more();
    *block = __libc_memalign(alignment, bytes);
    return *block ? 0 : ENOMEM;
}
