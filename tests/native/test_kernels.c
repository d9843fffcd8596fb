// CRC-32, XOR, GF(256), Reed-Solomon, against their definitions and against klauspost's vectors.

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kcp_kernels.h"

static void test_crc32(void) {
    CHECK(kcp_crc32(0, (const uint8_t *)"123456789", 9) == 0xcbf43926);
    CHECK(kcp_crc32(0, NULL, 0) == 0);
    uint8_t data[300];
    fill(data, sizeof(data), 1);
    for (size_t n = 0; n <= sizeof(data); n += 7) {
        uint32_t crc = 0xffffffff;
        for (size_t i = 0; i < n; i++) { // bit by bit, as ISO 3309 has it
            crc ^= data[i];
            for (int bit = 0; bit < 8; bit++) {
                crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
            }
        }
        CHECK(kcp_crc32(0, data, n) == ~crc);
        CHECK(kcp_crc32(kcp_crc32(0, data, n / 3), data + n / 3, n - n / 3) == ~crc);
    }
}

static uint8_t product(uint8_t a, uint8_t b) {
    unsigned found = 0, x = a;
    for (int i = 0; i < 8; i++) {
        if (b >> i & 1) {
            found ^= x;
        }
        x <<= 1;
        if (x & 0x100) {
            x ^= 0x11d;
        }
    }
    return (uint8_t)found;
}

static void test_rows(void) {
    uint8_t data[90], sum[90], expected[90];
    int n_wrong = 0;
    for (int factor = 0; factor < 256; factor++) {
        size_t off = (size_t)factor % 19, n = (size_t)factor % 71;
        fill(data, sizeof(data), (uint64_t)factor);
        fill(sum, sizeof(sum), (uint64_t)factor + 999);
        memcpy(expected, sum, sizeof(sum));
        for (size_t i = 0; i < n; i++) {
            expected[off + i] ^= product(data[off + i], (uint8_t)factor);
        }
        kcp_gf_add(sum + off, data + off, n, (uint8_t)factor);
        n_wrong += memcmp(sum, expected, sizeof(sum)) != 0;
    }
    CHECK(n_wrong == 0);
    for (int x = 0; x < 256; x++) { // every byte by every factor
        data[0] = (uint8_t)x;
        for (int factor = 0; factor < 256; factor++) {
            sum[0] = 0;
            kcp_gf_add(sum, data, 1, (uint8_t)factor);
            n_wrong += sum[0] != product((uint8_t)x, (uint8_t)factor);
        }
    }
    CHECK(n_wrong == 0);
}

static void test_xor(void) {
    uint8_t a[60], b[60], expected[60];
    fill(b, sizeof(b), 3);
    for (size_t n = 0; n < 50; n++) {
        fill(a, sizeof(a), n);
        memcpy(expected, a, sizeof(a));
        for (size_t i = 0; i < n; i++) {
            expected[3 + i] ^= b[1 + i];
        }
        kcp_xor(a + 3, b + 1, n);
        CHECK(memcmp(a, expected, sizeof(a)) == 0);
    }
    kcp_xor(a, a, sizeof(a));
    CHECK(a[0] == 0 && a[59] == 0);
}

#if KCP_RS

#define MOST_BYTES (2048)

typedef struct _group_t {
    int n_data, n_parity, n; // n: shards read so far
    size_t size;
    uint8_t *shards[KCP_RS_MAX_SHARDS];
} group_t;

static void free_group(group_t *group) {
    for (int i = 0; i < group->n; i++) {
        free(group->shards[i]);
    }
    group->n = 0;
}

// Lose some data shards, give as many parity shards, and get them back.
static void reconstruct(const group_t *group, int n_lost, int first_lost, int first_parity) {
    uint8_t *shards[KCP_RS_MAX_SHARDS], have[KCP_RS_MAX_SHARDS], *made[KCP_RS_MAX_SHARDS];
    memcpy(shards, group->shards, sizeof(shards));
    memset(have, 0, sizeof(have));
    memset(have, 1, (size_t)group->n_data);
    for (int i = 0; i < n_lost; i++) {
        int lost = (first_lost + i) % group->n_data;
        have[lost] = 0;
        made[lost] = shards[lost] = malloc(group->size);
        have[group->n_data + (first_parity + i) % group->n_parity] = 1;
    }
    CHECK(kcp_rs_reconstruct(shards, have, group->n_data, group->n_parity, group->size) == n_lost);
    for (int i = 0; i < n_lost; i++) {
        int lost = (first_lost + i) % group->n_data;
        CHECK(memcmp(made[lost], group->shards[lost], group->size) == 0);
        free(made[lost]);
    }
}

static void check_group(const group_t *group) {
    uint8_t *shards[KCP_RS_MAX_SHARDS];
    int n = group->n_data + group->n_parity, most;
    memcpy(shards, group->shards, sizeof(shards));
    for (int i = group->n_data; i < n; i++) {
        shards[i] = malloc(group->size);
    }
    CHECK(kcp_rs_encode(shards, group->n_data, group->n_parity, group->size) == 0);
    for (int i = group->n_data; i < n; i++) {
        CHECK(memcmp(shards[i], group->shards[i], group->size) == 0);
        free(shards[i]);
    }
    most = group->n_data < group->n_parity ? group->n_data : group->n_parity;
    reconstruct(group, most, 0, 0);
    reconstruct(group, most, group->n_data - 1, group->n_parity - 1);
    reconstruct(group, 1, group->n_data / 2, group->n_parity / 2);
    reconstruct(group, 0, 0, 0);
}

static void test_reed_solomon(void) {
    static char line[4 * MOST_BYTES];
    static uint8_t bytes[MOST_BYTES];
    char word[16], hex[2 * MOST_BYTES + 1];
    group_t group = {0};
    int n_groups = 0;
    FILE *file = vectors("reed_solomon.txt");
    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, "shards %d %d", &group.n_data, &group.n_parity) == 2) {
            free_group(&group);
        } else if (sscanf(line, "%15s %4096s", word, hex) == 2 && word[0] != '#') {
            int n = unhex(bytes, sizeof(bytes), hex);
            CHECK(n > 0 && (group.n == 0 || (size_t)n == group.size));
            group.size = (size_t)n;
            group.shards[group.n] = malloc(group.size);
            memcpy(group.shards[group.n++], bytes, group.size);
            if (group.n == group.n_data + group.n_parity) {
                check_group(&group);
                n_groups++;
            }
        }
    }
    free_group(&group);
    fclose(file);
    CHECK(n_groups == 12);
}

#endif

void test_kernels(void) {
    test_crc32();
    test_rows();
    test_xor();
    #if KCP_RS
    test_reed_solomon();
    #endif
}
