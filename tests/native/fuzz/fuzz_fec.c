// Fuzz target: FEC packets to a decoder, and some that an encoder made.
//
// Input: the ratio the decoder is given, its limit, the ratio of the encoder; then commands of a byte:
// the next packet of the encoder's, that packet lost, or one with a number and a content of the
// input's. The decoder must keep its limit, give all memory back, and repair nothing that is longer
// than a packet.

#include <stdlib.h>
#include <string.h>

#include "kcp_fec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#if !KCP_FEC
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    (void)data;
    (void)size;
    return 0;
}
#else

#define SIZE (64)
#define PACKET_BYTES (SIZE + KCP_FEC_SIZE_AT)

static size_t held_bytes, n_gets, n_refused;

static void *get(void *owner, size_t n_bytes) {
    (void)owner;
    if (++n_gets % 16 < n_refused) {
        return NULL;
    }
    held_bytes += n_bytes;
    return malloc(n_bytes);
}

static void put(void *owner, void *block, size_t n_bytes) {
    (void)owner;
    held_bytes -= n_bytes;
    free(block);
}

static const kcp_memory_t memory = {NULL, get, put, 0};

static void take(kcp_decoder_t *d, const uint8_t *packet, size_t n, uint32_t limit_bytes) {
    uint8_t *copy = malloc(n); // of its very size, for the sanitizer
    uint8_t *repaired = malloc(SIZE);
    memcpy(copy, packet, n);
    kcp_decoder_input(d, copy, (uint32_t)n);
    uint32_t end;
    while ((end = kcp_decoder_repair(d, repaired)) != 0) {
        if (end <= 2 || end > SIZE) {
            abort();
        }
    }
    free(copy);
    free(repaired);
    if (d->held_bytes > limit_bytes) {
        abort();
    }
}

static void run(kcp_decoder_t *d, kcp_encoder_t *e, const uint8_t *data, size_t size, uint32_t limit_bytes) {
    uint8_t packet[PACKET_BYTES];
    uint32_t now_ms = 0;
    for (; size >= 8; data += 2, size -= 2) {
        size_t n = KCP_FEC_HEAD + (data[1] & 0x3f) % (PACKET_BYTES - KCP_FEC_HEAD + 1);
        memset(packet, data[1], sizeof(packet));
        if (data[0] < 32) { // the input's own, anywhere
            memcpy(packet, data + 2, 4);
            packet[4] = data[0] & 1 ? KCP_FEC_DATA : KCP_FEC_PARITY;
            data += 4;
            size -= 4;
        } else if (e->n_parity) {
            n = kcp_encoder_parity(e, packet);
        } else {
            kcp_encoder_data(e, packet, (uint32_t)n, now_ms += data[0] & 7 ? 1 : 300);
        }
        if (data[0] >= 32 && data[0] < 40) { // a number near by
            packet[0] ^= (uint8_t)(1 << (data[0] & 7));
        }
        if (data[0] < 200) {
            take(d, packet, n, limit_bytes);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static kcp_decoder_t d;
    static kcp_stats_t stats;
    kcp_encoder_t e;
    if (size < 8) {
        return 0;
    }
    int32_t n_data = data[0] % 12, n_parity = n_data ? 1 + data[1] % 6 : 0;
    uint32_t limit_bytes = (uint32_t)data[2] * 16;
    n_refused = 0;
    if (kcp_encoder_init(&e, memory, 1 + data[3] % 12, 1 + data[4] % 5, SIZE, data[5] & 1 ? 0xfffffe00u : 0)) {
        abort();
    }
    if (kcp_decoder_init(&d, memory, n_data, n_parity, SIZE, limit_bytes, &stats, data[5] & 2)) {
        abort();
    }
    n_refused = data[5] >> 2 & 7;
    run(&d, &e, data + 6, size - 6, limit_bytes);
    kcp_decoder_free(&d);
    kcp_encoder_free(&e);
    if (held_bytes) {
        abort();
    }
    return 0;
}

#endif
