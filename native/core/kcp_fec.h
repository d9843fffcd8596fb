// Forward error correction around KCP packets: lib/kcp/fec.py and lib/kcp/tune.py explain it; this
// does the same to the last byte.
//
//     seqid 4 | type 2 (0xF1 data, 0xF2 parity) | size 2 | KCP segments ...
//
// What is stored comes from the caller's kcp_memory_t.
#ifndef KCP_FEC_H
#define KCP_FEC_H

#include <stddef.h>
#include <stdint.h>

#include "kcp_config.h"
#include "kcp_memory.h"
#include "kcp_stats.h"

#define KCP_FEC_DATA (0xf1)
#define KCP_FEC_PARITY (0xf2)
#define KCP_FEC_OOB (0xf3)
#define KCP_FEC_HEAD (8)
#define KCP_FEC_SIZE_AT (6) // what is protected begins at the size field
#define KCP_FEC_SAMPLES (258) // 256 shards and an edge on either side
#define KCP_FEC_GROUPS (5)

// Are there such groups: 1 + 1 packets at least, 256 at most?
int kcp_fec_is_ratio(int32_t data, int32_t parity);
// Where seqids start again in groups of n: the largest multiple of n below 2**32.
uint32_t kcp_fec_paws(int32_t n);

// -- sending

typedef struct {
    kcp_memory_t memory;
    int32_t data, parity;
    uint32_t size; // bytes of each sum
    uint8_t *rows; // factors: data for each parity shard
    uint8_t *sums; // the parity shards in the making
    uint32_t seqid, paws;
    int32_t n_used; // parity packets of the group at hand: its last ones
    int32_t n_data, n_parity; // data packets of this group; parity packets still to be built
    uint32_t longest;
    int32_t last_ms; // -1: none yet
} kcp_encoder_t;

// data, parity: at least 1 each, at most 256 together; size: the most bytes that a packet has from
// its size field on; seqid: the first. -1: out of range, or no memory.
int kcp_encoder_init(kcp_encoder_t *e, kcp_memory_t memory, int32_t data, int32_t parity, uint32_t size, uint32_t seqid);
void kcp_encoder_free(kcp_encoder_t *e);
// Take packets of up to `size` bytes from the size field on. -1: no memory, nothing has changed.
int kcp_encoder_grow(kcp_encoder_t *e, uint32_t size);
// A group begins, of which the last n_used parity packets will be sent (kcp_encoder_data() begins one
// by itself, like the one before).
void kcp_encoder_begin(kcp_encoder_t *e, int32_t n_used);
// Write the head of the data packet of n bytes, whose segments begin at packet + KCP_FEC_HEAD.
void kcp_encoder_data(kcp_encoder_t *e, uint8_t *packet, uint32_t n, uint32_t now_ms);
// Build the next parity packet (n_parity says how many there are); its bytes.
uint32_t kcp_encoder_parity(kcp_encoder_t *e, uint8_t *packet);

// -- receiving

// Finds a sender's ratio from the order of its packets.
typedef struct {
    uint32_t seqids[KCP_FEC_SAMPLES];
    uint16_t order[KCP_FEC_SAMPLES]; // samples by their seqids, in a search
    uint8_t kinds[KCP_FEC_SAMPLES]; // 1: data
    uint8_t has_order;
    uint16_t next, count;
    uint32_t base; // seqid that the order is relative to
} kcp_tuner_t;

void kcp_tuner_init(kcp_tuner_t *t);
void kcp_tuner_sample(kcp_tuner_t *t, int is_data, uint32_t seqid);
// True, and the ratio: if the samples tell it.
int kcp_tuner_find(kcp_tuner_t *t, int32_t *data, int32_t *parity);
// Do data and parity take turns, as far as the samples tell? For 1 + 1, see lib/kcp/tune.py.
int kcp_tuner_alternates(kcp_tuner_t *t, uint32_t paws);
// How many more packets it takes until no sample misfits this ratio.
int32_t kcp_tuner_n_until_fit(const kcp_tuner_t *t, int32_t data, int32_t n, uint32_t paws);

typedef struct {
    uint8_t *bytes; // NULL: it has not come
    uint16_t n;
} kcp_shard_t;

typedef struct {
    uint8_t is_used, is_done;
    uint16_t n_shards, n_data, longest;
    uint32_t number; // seqid / n
    kcp_shard_t *shards;
} kcp_group_t;

typedef struct {
    kcp_memory_t memory;
    kcp_stats_t *stats;
    uint32_t size, limit_bytes, held_bytes;
    int32_t data, n; // n: data and parity
    uint32_t paws;
    uint8_t has_newest, n_old; // n_old: packets in a row that were too old
    uint8_t is_tuning, is_guess;
    uint8_t is_unsure, last_is_data; // whether the ratio given is the sender's
    int64_t last_seqid;
    uint32_t newest;
    int32_t doubt; // packets until all that the tuner knows fit the ratio
    kcp_group_t groups[KCP_FEC_GROUPS];
    kcp_group_t *lost; // being repaired
    int32_t at; // place from which on it is to be repaired
    kcp_tuner_t tuner;
} kcp_decoder_t;

// data, parity: the sender's, 0 and 0 if they are not known: nothing is repaired then until the
// search has found them; size: as for an encoder; limit_bytes: of the packets that it holds; is_sure: the
// ratio given is the sender's for certain. -1: out of range, or no memory.
int kcp_decoder_init(kcp_decoder_t *d, kcp_memory_t memory, int32_t data, int32_t parity, uint32_t size,
    uint32_t limit_bytes, kcp_stats_t *stats, int is_sure);
void kcp_decoder_free(kcp_decoder_t *d);
// Take the FEC packet of n bytes (KCP_FEC_HEAD at least); then call repair() until it returns 0.
void kcp_decoder_input(kcp_decoder_t *d, const uint8_t *packet, uint32_t n);
// Compute the next missing data packet into buf (`size` bytes): its segments at buf + 2; their end.
uint32_t kcp_decoder_repair(kcp_decoder_t *d, uint8_t *buf);

#endif
