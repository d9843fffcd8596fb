// The operations on bytes below the protocol: CRC-32, XOR, Reed-Solomon. No allocation, no state.
//
// Everything works in the caller's memory. Lengths are what the caller says they are; limits that
// a function has are stated with it.
#ifndef KCP_KERNELS_H
#define KCP_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "kcp_config.h"

// The CRC-32/IEEE (ISO 3309) of n bytes, going on from `crc`, that of what came before (0: nothing).
uint32_t kcp_crc32(uint32_t crc, const uint8_t *data, size_t n);

// dst[i] ^= src[i] for n bytes. The two must not overlap, unless they are the same.
void kcp_xor(uint8_t *dst, const uint8_t *src, size_t n);

// -- GF(256), polynomial 0x11D, generator 2: klauspost/reedsolomon's field ------------------------

// sum[i] += factor * data[i] in the field, for n bytes that do not overlap: one row of a shard. No
// table and no branch depends on the data.
void kcp_gf_add(uint8_t *sum, const uint8_t *data, size_t n, uint8_t factor);

#if KCP_RS

// Data and parity shards of a group, together.
#define KCP_RS_MAX_SHARDS (256)

// Write the n_data factors that make parity shard `parity` (0 is the first one) to row.
// -1 if n_data < 1, parity < 0 or n_data + parity >= KCP_RS_MAX_SHARDS.
int kcp_rs_row(uint8_t *row, int n_data, int parity);

// The factor of shard i in shard `target`, made of all shards j with have[j] != 0. have has n
// entries (at most KCP_RS_MAX_SHARDS); i is one of them that is there, target one that is not.
uint8_t kcp_rs_coefficient(const uint8_t *have, int n, int i, int target);

// Make all parity shards: shards[0 .. n_data - 1] are read, shards[n_data .. n_data + n_parity - 1]
// written, `size` bytes each. -1 if the numbers are out of range (as kcp_rs_row).
int kcp_rs_encode(uint8_t *const *shards, int n_data, int n_parity, size_t size);

// Make the data shards that are missing. have[i] != 0: shards[i] is there. The others among the
// data shards must point to `size` bytes to write to; other parity shards are not touched.
// Returns how many were made, -1 if fewer than n_data are there or the numbers are out of range.
// `have` is taken as scratch: afterwards only the n_data shards that were used are marked in it.
int kcp_rs_reconstruct(uint8_t *const *shards, uint8_t *have, int n_data, int n_parity, size_t size);

#endif

#endif
