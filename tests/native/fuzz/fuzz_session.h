// What fuzz_session.c fuzzes with: two ends, memory that is refused now and then, and the input.
#ifndef FUZZ_SESSION_H
#define FUZZ_SESSION_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kcp_session.h"

#define MOST_QUEUED (24)
#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

typedef struct {
    uint8_t *bytes;
    size_t n;
} datagram_t;

typedef struct {
    kcp_session_t session;
    kcp_stats_t stats;
    datagram_t queue[MOST_QUEUED]; // on their way to it
    int n_queued;
    uint32_t n_sent, n_received; // payload bytes
} end_t;

static struct {
    end_t ends[2];
    const uint8_t *data;
    size_t size;
    uint32_t now_ms;
    uint64_t codec[700];
    int kind;
    kcp_budget_t budget;
    size_t held_bytes, n_gets, refused_at, refused_for;
    int is_whole; // messages are received as such
    int is_honest, is_lasting; // nothing was forged; nobody has ended it
} fuzz;

static void fail(const char *what, int line) {
    fprintf(stderr, "line %d: not so: %s\n", line, what);
    abort();
}

// -- what the sessions ask for

static void *get(void *owner, size_t n_bytes) {
    (void)owner;
    if (fuzz.n_gets++ - fuzz.refused_at < fuzz.refused_for) {
        return NULL;
    }
    fuzz.held_bytes += n_bytes;
    size_t *block = malloc(2 * sizeof(size_t) + n_bytes);
    block[0] = n_bytes;
    return block + 2;
}

static void put(void *owner, void *block, size_t n_bytes) {
    (void)owner;
    size_t *start = (size_t *)block - 2;
    CHECK(start[0] == n_bytes);
    fuzz.held_bytes -= n_bytes;
    free(start);
}

static void fill(void *owner, uint8_t *bytes, size_t n) {
    (void)owner;
    memset(bytes, 0x5a, n);
}

static uint8_t pattern(uint32_t at) {
    return (uint8_t)(at * 31 + (at >> 8));
}

// -- what the input says

static uint32_t next(void) {
    if (fuzz.size == 0) {
        return 0;
    }
    fuzz.size--;
    return *fuzz.data++;
}

#define ONE_OF(...) one_of((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static uint32_t one_of(const uint32_t *values, size_t n) {
    return values[next() % n];
}

#endif
