// Reed-Solomon erasure code over GF(256), byte-equal to klauspost/reedsolomon's default code.
//
// lib/kcp/rs.py explains the construction: every shard is a Lagrange combination of any n_data
// others, so neither a matrix nor its inverse is needed.

#include "kcp_kernels.h"
#include "kcp_bytes.h"
#include "kcp_tables.h"

#define ONES ((uintptr_t)-1 / 255) // 0x0101...

#if KCP_VECTORS

// 16 bytes at once. A byte with its top bit set is a negative number.
typedef uint8_t lanes_t __attribute__((vector_size(16)));
typedef int8_t signed_lanes_t __attribute__((vector_size(16)));

static inline lanes_t doubled(lanes_t x) {
    lanes_t top = (lanes_t)((signed_lanes_t)x < 0);
    return (x + x) ^ (top & 0x1d);
}

static inline lanes_t spread(uint8_t bit) {
    return (lanes_t) {0} - bit;
}

#else

// As many bytes as a word has.
typedef uintptr_t lanes_t;

static inline lanes_t doubled(lanes_t x) {
    lanes_t top = x >> 7 & ONES;
    return ((x & ONES * 0x7f) << 1) ^ (((top << 8) - top) & ONES * 0x1d);
}

static inline lanes_t spread(uint8_t bit) {
    return (lanes_t)0 - bit;
}

#endif

void kcp_xor(uint8_t *dst, const uint8_t *src, size_t n) {
    uintptr_t a, b;
    for (; n >= sizeof(a); n -= sizeof(a)) {
        memcpy(&a, dst, sizeof(a));
        memcpy(&b, src, sizeof(b));
        a ^= b;
        memcpy(dst, &a, sizeof(a));
        dst += sizeof(a);
        src += sizeof(a);
    }
    while (n--) {
        *dst++ ^= *src++;
    }
}

void kcp_gf_add(uint8_t *sum, const uint8_t *data, size_t n, uint8_t factor) {
    // factor * x is the sum of the doublings of x that the bits of the factor pick.
    lanes_t bits[8], x, s;
    for (int i = 0; i < 8; i++) {
        bits[i] = spread(factor >> i & 1);
    }
    while (n) {
        size_t step = n < sizeof(x) ? n : sizeof(x);
        if (step == sizeof(x)) {
            memcpy(&x, data, sizeof(x));
            memcpy(&s, sum, sizeof(s));
        } else {
            x = s = spread(0);
            for (size_t i = 0; i < step; i++) {
                ((uint8_t *)&x)[i] = data[i];
                ((uint8_t *)&s)[i] = sum[i];
            }
        }
        s ^= x & bits[0];
        for (int i = 1; i < 8; i++) {
            x = doubled(x);
            s ^= x & bits[i];
        }
        if (step == sizeof(x)) {
            memcpy(sum, &s, sizeof(s));
        } else {
            for (size_t i = 0; i < step; i++) {
                sum[i] = ((uint8_t *)&s)[i];
            }
        }
        data += step;
        sum += step;
        n -= step;
    }
}

#if KCP_RS

static int logarithm(int x) {
    return kcp_gf_log[x];
}

int kcp_rs_row(uint8_t *row, int n_data, int parity) {
    if (n_data < 1 || parity < 0 || parity >= KCP_RS_MAX_SHARDS - n_data) {
        return -1;
    }
    int target = n_data + parity, total = 0;
    for (int x = 0; x < n_data; x++) {
        total += logarithm(target ^ x);
    }
    for (int x = 0; x < n_data; x++) {
        int s = total - logarithm(target ^ x);
        for (int other = 0; other < n_data; other++) {
            if (other != x) {
                s += 255 - logarithm(x ^ other);
            }
        }
        row[x] = kcp_gf_exp[s % 255];
    }
    return 0;
}

uint8_t kcp_rs_coefficient(const uint8_t *have, int n, int i, int target) {
    int s = 0;
    for (int j = 0; j < n; j++) {
        if (j != i && have[j]) {
            s += 255 + logarithm(target ^ j) - logarithm(i ^ j);
        }
    }
    return kcp_gf_exp[s % 255];
}

static int are_in_range(int n_data, int n_parity) {
    return n_data >= 1 && n_parity >= 1 && n_parity <= KCP_RS_MAX_SHARDS - n_data;
}

int kcp_rs_encode(uint8_t *const *shards, int n_data, int n_parity, size_t size) {
    uint8_t row[KCP_RS_MAX_SHARDS];
    if (!are_in_range(n_data, n_parity)) {
        return -1;
    }
    for (int p = 0; p < n_parity; p++) {
        kcp_rs_row(row, n_data, p);
        memset(shards[n_data + p], 0, size);
        for (int i = 0; i < n_data; i++) {
            kcp_gf_add(shards[n_data + p], shards[i], size, row[i]);
        }
    }
    return 0;
}

int kcp_rs_reconstruct(uint8_t *const *shards, uint8_t *have, int n_data, int n_parity, size_t size) {
    if (!are_in_range(n_data, n_parity)) {
        return -1;
    }
    int n = n_data + n_parity, n_there = 0, n_made = 0;
    for (int i = 0; i < n; i++) {
        if (n_there == n_data) {
            have[i] = 0; // more than are needed
        }
        n_there += have[i] != 0;
    }
    if (n_there < n_data) {
        return -1;
    }
    for (int target = 0; target < n_data; target++) {
        if (have[target]) {
            continue;
        }
        memset(shards[target], 0, size);
        for (int i = 0; i < n; i++) {
            if (have[i]) {
                kcp_gf_add(shards[target], shards[i], size, kcp_rs_coefficient(have, n, i, target));
            }
        }
        n_made++;
    }
    return n_made;
}

#endif
