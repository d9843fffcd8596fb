// One peer: ARQ, FEC and packet encryption behind six verbs. lib/kcp/session.py and the files beside
// it explain it; this does the same, datagram for datagram.
//
//     input    one received datagram, in a buffer that is overwritten
//     output   the next datagram for the wire, built in the caller's buffer; 0: none
//     timeout  when output may next have something: 0 now, -1 never
//     send     queue bytes, as many as fit
//     recv     take received bytes
//     close    flush, linger until all is acknowledged, then KCP_CLOSED
//
// A session lives in memory of the caller's, as does its codec, which sessions may share. What it
// stores comes from the caller's kcp_memory_t. Nothing calls back but that, `fill` and the tap.
#ifndef KCP_SESSION_H
#define KCP_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "kcp_arq.h"
#include "kcp_crypt.h"
#include "kcp_fec.h"
#include "kcp_fec_auto.h"

enum { KCP_OPEN, KCP_CLOSING, KCP_CLOSED };

// Why a session has ended.
enum {
    KCP_WELL, // it was closed, or it has not ended
    KCP_ABORTED, // by the caller
    KCP_DEAD, // data was not acknowledged for dead_ms
    KCP_DEAD_KEEPALIVE, // keep-alive was not answered for dead_ms
    KCP_IDLE, // nothing was heard for idle_ms
    KCP_LINGER, // closing took longer than linger_ms
    KCP_FORGOTTEN, // the peer has forgotten the session
};

#define KCP_BUFFER_BYTES (1536) // of buffers for input() and output()

typedef struct {
    kcp_arq_config_t arq; // its mtu is the whole datagram's, up to KCP_MAX_MTU
    int32_t cc, is_paced, payload_pct;
    int32_t is_write_delayed; // send at the next tick instead of at once
    int32_t data, parity; // FEC of what we send; 0: none
    int32_t is_auto, fec_acks;
    uint32_t max_fec_bytes;
    uint32_t dead_ms; // 1 at least; these four count as three days at most (KCP_CLOCK_LONGEST)
    uint32_t keepalive_ms, idle_ms, linger_ms; // 0: no keep-alive, no idle limit
} kcp_session_config_t;

// Random bytes, for nonces.
typedef struct {
    void *owner;
    void (*fill)(void *owner, uint8_t *bytes, size_t n);
} kcp_entropy_t;

// Told what passes, before it has an effect: the segments of a datagram that has come (is_regular 0:
// repaired by FEC), and a datagram that is built, from the FEC head on and not encrypted yet, with the
// bytes that it will have on the wire. May ask the session for anything that changes nothing.
typedef struct {
    void *owner;
    void (*input)(void *owner, const uint8_t *segments, size_t n, int is_regular);
    void (*output)(void *owner, const uint8_t *packet, size_t n, size_t n_wire);
} kcp_tap_t;

// One out-of-band packet that waits to be sent.
typedef struct kcp_oob {
    struct kcp_oob *next;
    uint32_t n;
    uint8_t bytes[];
} kcp_oob_t;

typedef struct {
    kcp_arq_t arq;
    kcp_encoder_t encoder;
    kcp_auto_t auto_fec;
    kcp_decoder_t *decoder; // made when the first FEC packet comes
    uint8_t *scratch; // where it builds repaired packets
    kcp_memory_t memory;
    kcp_entropy_t entropy;
    const void *codec; // NULL: no crypt layer
    kcp_session_config_t config;
    kcp_stats_t *stats;
    const kcp_tap_t *tap; // NULL: nobody is told
    int32_t crypt_head, crypt_tail, nonce_bytes, head;
    int32_t state, why;
    int32_t lost_bytes; // not acknowledged when it went KCP_CLOSED
    uint32_t last_input_ms; // when something valid last came
    uint8_t has_heard; // whether anything valid ever came
    uint8_t is_waiting; // for an answer to what was sent, since
    uint32_t waiting_ms;
    uint32_t close_ms, linger_ms;
    uint32_t keeper_heard_ms, keeper_since_ms;
    kcp_oob_t *oob_first, *oob_last; // to be sent
    int32_t n_oob;
    const uint8_t *oob; // the payload of the out-of-band packet that input() has just taken
    int32_t oob_bytes; // -1: it was none
} kcp_session_t;

// codec, kind: of kcp_crypt.h; NULL and 0: no crypt layer. 0, or -1: a value is out of range (a
// datagram must have room for data), or there is no memory.
int kcp_session_init(kcp_session_t *s, const kcp_session_config_t *config, const void *codec, int kind,
    kcp_memory_t memory, kcp_entropy_t entropy, kcp_stats_t *stats, kcp_budget_t *budget, uint32_t now_ms);
void kcp_session_free(kcp_session_t *s);

// Take the datagram buf[0 .. n - 1]; size of buf: KCP_BUFFER_BYTES. False: dropped, counted.
int kcp_session_input(kcp_session_t *s, uint8_t *buf, size_t n, uint32_t now_ms);
// The same for what a listener has opened: buf[off .. end - 1].
int kcp_session_input_plain(kcp_session_t *s, uint8_t *buf, size_t off, size_t end, uint32_t now_ms);
// Build the next datagram in buf (KCP_BUFFER_BYTES); its bytes, 0: nothing is due.
int32_t kcp_session_output(kcp_session_t *s, uint8_t *buf, uint32_t now_ms);
int32_t kcp_session_timeout(kcp_session_t *s, uint32_t now_ms);
// Bytes taken; -1: none were given; -2: a message of over 255 segments; -3: the session is not open.
int32_t kcp_session_send(kcp_session_t *s, const uint8_t *data, size_t n);
size_t kcp_session_recv(kcp_session_t *s, uint8_t *buf, size_t n);
void kcp_session_close(kcp_session_t *s, uint32_t now_ms, uint32_t linger_ms);
void kcp_session_abort(kcp_session_t *s, int why);
// Ask the peer for its window; ask: and take it for dead if dead_ms pass without a sign of life.
void kcp_session_probe(kcp_session_t *s);
void kcp_session_ask(kcp_session_t *s, uint32_t now_ms);
// Queue an out-of-band packet: 1, or 0: too many are waiting (counted), or there is no memory; -1: no
// FEC on this side, or too long (kcp_session_max_oob says how long it may be); -3: not open.
int kcp_session_send_oob(kcp_session_t *s, const uint8_t *data, size_t n);
int32_t kcp_session_max_oob(const kcp_session_t *s);
// A change of the controller, or of whether it paces (the two are in config).
void kcp_session_fit_cc(kcp_session_t *s);
// A change of the datagram's size. -1: no room for data, or no memory; nothing has changed.
int kcp_session_set_mtu(kcp_session_t *s, int32_t mtu);
// All settings that may change while it lives: those of the windows, of time and of congestion, stream,
// ack_nodelay, is_write_delayed, the mtu and the limits in ms. The others stay as they were. -1: a
// value is out of range, or as kcp_session_set_mtu(); nothing has changed.
int kcp_session_set(kcp_session_t *s, const kcp_session_config_t *config);
// The path is another one: send again soon what is under way.
void kcp_session_resume(kcp_session_t *s, uint32_t now_ms);
// Something else keeps output() from being called.
void kcp_session_held_back(kcp_session_t *s, uint32_t now_ms);
// Has this data segment come before, or is it outside of the window? How often was one sent that is
// not acknowledged: 0, 1, 2 = more.
int kcp_session_is_repeat(const kcp_session_t *s, uint32_t sn);
int32_t kcp_session_n_sent(const kcp_session_t *s, uint32_t sn);

// -- between the files of the session --------------------------------------------------------------

void kcp_session_watch(kcp_session_t *s, uint32_t now_ms);
void kcp_session_wait_from(kcp_session_t *s, uint32_t now_ms);
int32_t kcp_session_quiet_left(const kcp_session_t *s, uint32_t now_ms);
int32_t kcp_session_ask_left(kcp_session_t *s, uint32_t now_ms);

#endif
