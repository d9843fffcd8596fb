// Every cipher against the packets that kcp-go made (tests/vectors/crypt.txt), with the CPU's
// instructions and without, and against every altered byte.

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kcp_ciphers.h"
#include "kcp_crypt.h"

#define MOST_HEX (2 * KCP_CRYPT_MAX_BYTES)
#define LINE_BYTES (MOST_HEX + 400)

static const char *const names[] = {
    NULL, "none", "xor", "salsa20", "aes-128", "aes-192", "aes-256", "aes-128-gcm", "aes-192-gcm",
    "aes-256-gcm", "chacha20-poly1305", "sm4", "twofish", "blowfish", "cast5", "3des", "tea", "xtea",
};
#define N_KINDS ((int)(sizeof(names) / sizeof(names[0])))

#define MOST_PAYLOADS (32)

static uint8_t payloads[MOST_PAYLOADS][KCP_CRYPT_MAX_BYTES];
static int payload_bytes[MOST_PAYLOADS], n_payloads;

// Memory of exactly the bytes that are needed, so that the sanitizer sees what runs over its end.
typedef struct _packet_t {
    uint8_t *bytes;
    size_t n;
} packet_t;

static packet_t copy_of(const uint8_t *bytes, size_t n) {
    packet_t packet = {malloc(n), n};
    memcpy(packet.bytes, bytes, n);
    return packet;
}

static void check_packet(const void *codec, int kind, const uint8_t *nonce, size_t n_nonce,
    const uint8_t *payload, const uint8_t *wire, size_t n) {
    size_t head = (size_t)kcp_crypt_head(kind), end = n - (size_t)kcp_crypt_tail(kind);
    packet_t packet = {calloc(1, n), n};
    memcpy(packet.bytes, nonce, n_nonce);
    memcpy(packet.bytes + head, payload, end - head);
    CHECK(kcp_crypt_seal(codec, packet.bytes, n, end) == (int)n);
    CHECK(memcmp(packet.bytes, wire, n) == 0);
    CHECK(kcp_crypt_open(codec, packet.bytes, n) == (int)head);
    CHECK(memcmp(packet.bytes + head, payload, end - head) == 0);
    // A changed byte is noticed. (CFB finds out nothing of the nonce: it garbles no more than it.)
    int n_unnoticed = 0;
    for (size_t at = 0; at < n; at += 1 + n / 20) {
        memcpy(packet.bytes, wire, n);
        packet.bytes[at] ^= (uint8_t)(1 + at % 255);
        n_unnoticed += kcp_crypt_open(codec, packet.bytes, n) != KCP_CRYPT_BAD_SUM && at >= 16;
    }
    CHECK(n_unnoticed == 0);
    free(packet.bytes);
}

// kcp-go's "xor" is given its table: what it has put over the longest packet.
static void xor_table(uint8_t *table, const void *none, const uint8_t *nonce, const uint8_t *payload,
    const uint8_t *wire, size_t n) {
    memcpy(table, nonce, 16);
    memcpy(table + 20, payload, n - 20);
    kcp_crypt_seal(none, table, KCP_CRYPT_MAX_BYTES, n);
    for (size_t i = 0; i < n; i++) {
        table[i] ^= wire[i];
    }
}

typedef struct _line_t {
    int kind;
    uint8_t key[64], nonce[16], wire[KCP_CRYPT_MAX_BYTES];
    int n_key, n_nonce, n;
} line_t;

static int parse(line_t *line, const char *text) {
    static char name[32], key[160], nonce[40], wire[MOST_HEX + 1];
    if (sscanf(text, "packet %31s %159s %39s %3000s", name, key, nonce, wire) != 4) {
        return 0;
    }
    line->kind = 0;
    for (int kind = 1; kind < N_KINDS; kind++) {
        if (strcmp(name, names[kind]) == 0) {
            line->kind = kind;
        }
    }
    line->n_key = unhex(line->key, sizeof(line->key), key);
    line->n_nonce = unhex(line->nonce, sizeof(line->nonce), nonce);
    line->n = unhex(line->wire, sizeof(line->wire), wire);
    CHECK(line->kind > 0 && line->n_key >= 0 && line->n > 0);
    return 1;
}

static const uint8_t *payload_of(const line_t *line) {
    int wanted = line->n - kcp_crypt_head(line->kind) - kcp_crypt_tail(line->kind);
    for (int i = 0; i < n_payloads; i++) {
        if (payload_bytes[i] == wanted) {
            return payloads[i];
        }
    }
    CHECK(!"a payload of this length is in the file");
    return payloads[0];
}

static int check_line(const line_t *line) {
    static uint8_t table[KCP_CRYPT_MAX_BYTES];
    const uint8_t *payload = payload_of(line), *key = line->key;
    size_t n_key = (size_t)line->n_key, n_codec = kcp_crypt_bytes(line->kind);
    if (n_codec == 0) {
        return 0; // left out of this build
    }
    packet_t codec = {malloc(n_codec), n_codec};
    if (line->kind == KCP_CRYPT_XOR) {
        uint64_t none[8];
        CHECK(kcp_crypt_init(none, sizeof(none), KCP_CRYPT_NONE, key, 0) == 0);
        xor_table(table, none, line->nonce, payload, line->wire, (size_t)line->n);
        key = table;
        n_key = sizeof(table);
    }
    CHECK(kcp_crypt_init(codec.bytes, codec.n, line->kind, key, n_key) == 0);
    check_packet(codec.bytes, line->kind, line->nonce, (size_t)line->n_nonce, payload, line->wire,
        (size_t)line->n);
    CHECK(kcp_crypt_init_portable(codec.bytes, codec.n, line->kind, key, n_key) == 0);
    CHECK(!kcp_crypt_is_hardware(codec.bytes));
    check_packet(codec.bytes, line->kind, line->nonce, (size_t)line->n_nonce, payload, line->wire,
        (size_t)line->n);
    free(codec.bytes);
    return 1;
}

static void test_packets_of_kcp_go(void) {
    static char text[LINE_BYTES], hex[MOST_HEX + 1];
    static line_t line;
    int n_lines = 0, n_left_out = 0;
    FILE *file = vectors("crypt.txt");
    while (fgets(text, sizeof(text), file)) {
        if (sscanf(text, "payload %3000s", hex) == 1) {
            int n = unhex(payloads[n_payloads % MOST_PAYLOADS], KCP_CRYPT_MAX_BYTES, hex);
            payload_bytes[n_payloads++ % MOST_PAYLOADS] = n;
        } else if (parse(&line, text)) {
            n_lines++;
            n_left_out += !check_line(&line);
        }
    }
    fclose(file);
    CHECK(n_lines == 3 * (N_KINDS - 1));
    printf("%d packets of kcp-go, %d left out\n", n_lines, n_left_out);
}

// Lengths around the edges of blocks, sealed by one way of AES and opened by the other.
static void test_every_length(void) {
    static uint64_t codecs[2][700];
    static uint8_t key[32], plain[KCP_CRYPT_MAX_BYTES];
    fill(key, sizeof(key), 7);
    fill(plain, sizeof(plain), 8);
    for (int kind = KCP_CRYPT_SALSA20; kind < N_KINDS; kind++) {
        if (kcp_crypt_bytes(kind) == 0) {
            continue;
        }
        size_t n_key = kind == KCP_CRYPT_AES_128 || kind == KCP_CRYPT_AES_128_GCM ? 16
            : kind == KCP_CRYPT_AES_192 || kind == KCP_CRYPT_AES_192_GCM ? 24
            : kind == KCP_CRYPT_3DES ? 24
            : kind == KCP_CRYPT_SM4 || kind >= KCP_CRYPT_CAST5 ? 16
            : 32;
        CHECK(kcp_crypt_init(codecs[0], sizeof(codecs[0]), kind, key, n_key) == 0);
        CHECK(kcp_crypt_init_portable(codecs[1], sizeof(codecs[1]), kind, key, n_key) == 0);
        size_t head = (size_t)kcp_crypt_head(kind), tail = (size_t)kcp_crypt_tail(kind);
        int n_wrong = 0;
        for (size_t n = 4; n < 300; n++) {
            packet_t packet = copy_of(plain, head + n + tail);
            const void *one = codecs[n & 1], *other = codecs[~n & 1];
            n_wrong += kcp_crypt_seal(one, packet.bytes, packet.n, head + n) != (int)packet.n;
            n_wrong += kcp_crypt_open(other, packet.bytes, packet.n) != (int)head;
            n_wrong += memcmp(packet.bytes + head, plain + head, n) != 0;
            free(packet.bytes);
        }
        CHECK(n_wrong == 0);
    }
}

#if KCP_AES
static void test_substitution(void) {
    // FIPS 197, section 5.1.1, by its definition: the inverse in the field, then the affine step.
    int n_wrong = 0;
    for (int first = 0; first < 256; first += 32) {
        uint32_t q[8] = {0};
        for (int i = 0; i < 32; i++) {
            for (int bit = 0; bit < 8; bit++) {
                q[bit] |= (uint32_t)((first + i) >> bit & 1) << i;
            }
        }
        kcp_aes_substitute(q);
        for (int i = 0; i < 32; i++) {
            unsigned x = (unsigned)(first + i), inverse = 1, found = 0, got = 0;
            for (int power = 0; power < 254; power++) {
                unsigned sum = 0, a = inverse;
                for (int bit = 0; bit < 8; bit++) {
                    sum ^= x >> bit & 1 ? a : 0;
                    a = a << 1 ^ (a & 0x80 ? 0x11b : 0);
                }
                inverse = sum;
            }
            for (int turn = 0; turn < 5; turn++) {
                found ^= (inverse << turn | inverse >> (8 - turn)) & 0xff;
            }
            for (int bit = 0; bit < 8; bit++) {
                got |= (q[bit] >> i & 1) << bit;
            }
            n_wrong += got != (found ^ 0x63);
        }
    }
    CHECK(n_wrong == 0);
}
#endif

void test_crypt(void) {
    #if KCP_AES
    test_substitution();
    #endif
    test_packets_of_kcp_go();
    test_every_length();
}
