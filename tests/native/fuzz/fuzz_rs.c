// Fuzz target: Reed-Solomon groups of any shape, with any shards lost.
//
// Input: data shards, parity shards, bytes per shard, which are lost (32 bytes of bits), content.

#include <stdlib.h>
#include <string.h>

#include "kcp_kernels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD (35)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < HEAD) {
        return 0;
    }
    int n_data = data[0] + 1, n_parity = data[1], n = n_data + n_parity;
    size_t bytes = data[2] % 24;
    uint8_t *shards[2 * KCP_RS_MAX_SHARDS], *kept[2 * KCP_RS_MAX_SHARDS], have[2 * KCP_RS_MAX_SHARDS];
    int n_have = 0, n_lost = 0;
    for (int i = 0; i < n; i++) {
        shards[i] = malloc(bytes + 1);
        kept[i] = malloc(bytes + 1);
        for (size_t at = 0; at < bytes; at++) {
            shards[i][at] = data[(size_t)i * bytes + at + HEAD < size ? (size_t)i * bytes + at + HEAD : 0];
        }
    }
    int made = kcp_rs_encode(shards, n_data, n_parity, bytes);
    if ((made == 0) != (n_parity >= 1 && n <= KCP_RS_MAX_SHARDS)) {
        abort();
    }
    for (int i = 0; i < n; i++) {
        have[i] = !(data[3 + i / 8 % 32] >> i % 8 & 1);
        memcpy(kept[i], shards[i], bytes);
        if (!have[i]) {
            memset(shards[i], 0x55, bytes);
        }
        n_have += have[i];
        n_lost += i < n_data && !have[i];
    }
    int repaired = kcp_rs_reconstruct(shards, have, n_data, n_parity, bytes);
    if (made < 0 || n_have < n_data) {
        if (repaired != -1) {
            abort();
        }
    } else {
        if (repaired != n_lost) {
            abort();
        }
        for (int i = 0; i < n_data; i++) {
            if (memcmp(shards[i], kept[i], bytes) != 0) {
                abort();
            }
        }
    }
    for (int i = 0; i < n; i++) {
        free(shards[i]);
        free(kept[i]);
    }
    return 0;
}
