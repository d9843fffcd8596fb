// Packet encryption: kcp-go's ciphers and frames, a whole packet in one call, in place.
//
//     CFB and Salsa20:  nonce 16 | CRC-32 of what follows 4 | payload      all of it encrypted
//     AEADs:            nonce 12 | payload, encrypted | tag 16
//
// A codec lives in memory of the caller's, aligned to KCP_CRYPT_ALIGN, of kcp_crypt_bytes(kind)
// bytes. It is written by kcp_crypt_init() alone: any number of threads may seal and open with it.
//
// Which ciphers take the same time whatever key and data are: AES (bit-sliced, or the CPU's
// instructions), GCM, ChaCha20-Poly1305, Salsa20, TEA, XTEA and XOR. The others look secrets up in
// tables, as their definitions do (SM4, Twofish, Blowfish, CAST5, triple DES): with a data cache,
// the time they take tells something of the key.
#ifndef KCP_CRYPT_H
#define KCP_CRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "kcp_config.h"

// The bindings hand these numbers on: never change one.
enum {
    KCP_CRYPT_NONE = 1, // nonce and CRC-32, no cipher
    KCP_CRYPT_XOR = 2, // "key": the table that kcp-go makes of the key, KCP_CRYPT_MAX_BYTES bytes
    KCP_CRYPT_SALSA20 = 3, // key: 32 bytes
    KCP_CRYPT_AES_128 = 4,
    KCP_CRYPT_AES_192 = 5,
    KCP_CRYPT_AES_256 = 6,
    KCP_CRYPT_AES_128_GCM = 7,
    KCP_CRYPT_AES_192_GCM = 8,
    KCP_CRYPT_AES_256_GCM = 9,
    KCP_CRYPT_CHACHA20_POLY1305 = 10, // key: 32 bytes
    KCP_CRYPT_SM4 = 11, // key: 16 bytes
    KCP_CRYPT_TWOFISH = 12, // key: 16, 24 or 32 bytes
    KCP_CRYPT_BLOWFISH = 13, // key: 1 to 56 bytes
    KCP_CRYPT_CAST5 = 14, // key: 16 bytes
    KCP_CRYPT_3DES = 15, // key: 24 bytes
    KCP_CRYPT_TEA = 16, // key: 16 bytes
    KCP_CRYPT_XTEA = 17, // key: 16 bytes
};

#define KCP_CRYPT_MAX_BYTES (1500) // kcp-go's longest datagram
#define KCP_CRYPT_ALIGN (8)

// What open() answers beside an offset, as the plain twins.
#define KCP_CRYPT_TOO_SHORT (-1)
#define KCP_CRYPT_BAD_SUM (-2)
// Misuse: a codec that is none, a length out of range, a key of a wrong length.
#define KCP_CRYPT_MISUSE (-3)

// Bytes of a codec of this kind; 0 if the kind is unknown or left out of this build.
size_t kcp_crypt_bytes(int kind);

// Bytes that its frame has before and behind the payload, and bytes of the nonce at its beginning.
int kcp_crypt_head(int kind);
int kcp_crypt_tail(int kind);
int kcp_crypt_nonce(int kind);

// Make a codec in `codec`, which has n_bytes. 0, or KCP_CRYPT_MISUSE.
int kcp_crypt_init(void *codec, size_t n_bytes, int kind, const uint8_t *key, size_t n_key);

// The same without the instructions that some CPUs have for it, for tests and comparisons.
int kcp_crypt_init_portable(void *codec, size_t n_bytes, int kind, const uint8_t *key, size_t n_key);

// True if memory of n_bytes holds a codec, as far as can be seen. For bindings whose callers may
// hand in anything; the functions below trust what looks like a codec.
int kcp_crypt_is_valid(const void *codec, size_t n_bytes);

// What kind a codec is.
int kcp_crypt_kind(const void *codec);

// True if this codec runs on instructions of the CPU made for it.
int kcp_crypt_is_hardware(const void *codec);

// Finish the datagram whose payload is buf[head .. end - 1], under the nonce that the caller has put
// at its beginning (16 random bytes; 12 for an AEAD). size: of buf, end + tail at least. Returns the
// bytes of the datagram, or KCP_CRYPT_MISUSE (the payload may be empty; end + tail is at most
// KCP_CRYPT_MAX_BYTES).
int kcp_crypt_seal(const void *codec, uint8_t *buf, size_t size, size_t end);

// Check and decrypt the datagram buf[0 .. n - 1]: the payload's offset, or a negative code. An AEAD
// leaves a datagram that is refused as it was.
int kcp_crypt_open(const void *codec, uint8_t *buf, size_t n);

// The cipher alone over buf[0 .. n - 1], for tests: what comes before a CRC is checked, or behind
// one is made. KCP_CRYPT_MISUSE for an AEAD.
int kcp_crypt_run(const void *codec, uint8_t *buf, size_t n, int is_opening);

#endif
