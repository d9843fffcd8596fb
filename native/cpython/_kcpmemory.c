// Memory of sessions: blocks as large as packets are kept for the next session that wants one.
//
// All of this runs with the GIL held (the extension does not say that it can do without).

#include "_kcpmodule.h"

#define STEP (64)
#define N_SIZES (25) // blocks of up to 1600 bytes
#ifndef MAX_KEPT
#define MAX_KEPT (512) // of each size; 0 where a tool is to see every block come and go
#endif

typedef struct block {
    struct block *next;
} block_t;

static block_t *kept[N_SIZES];
static unsigned n_kept[N_SIZES];

static void *allocate(char *is_starved, size_t n_bytes) {
    void *block = PyMem_Malloc(n_bytes);
    if (block == NULL) {
        *is_starved = 1;
    }
    return block;
}

void *kcpmod_get(void *owner, size_t n_bytes) {
    size_t i = (n_bytes + STEP - 1) / STEP;
    if (i == 0 || i > N_SIZES) {
        return allocate(owner, n_bytes);
    }
    block_t *block = kept[i - 1];
    if (block == NULL) {
        return allocate(owner, i * STEP);
    }
    kept[i - 1] = block->next;
    n_kept[i - 1]--;
    return block;
}

void kcpmod_put(void *owner, void *memory, size_t n_bytes) {
    size_t i = (n_bytes + STEP - 1) / STEP;
    block_t *block = memory;
    (void)owner;
    if (i == 0 || i > N_SIZES || n_kept[i - 1] == MAX_KEPT) {
        PyMem_Free(memory);
        return;
    }
    block->next = kept[i - 1];
    kept[i - 1] = block;
    n_kept[i - 1]++;
}

void kcpmod_drop_kept(void) {
    for (size_t i = 0; i < N_SIZES; i++) {
        while (kept[i] != NULL) {
            block_t *block = kept[i];
            kept[i] = block->next;
            PyMem_Free(block);
        }
        n_kept[i] = 0;
    }
}
