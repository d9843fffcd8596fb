// fec="auto": as much parity as the losses ask for, and copies where no group would fill.
// lib/kcp/_fec_auto.py says how and why; this does the same.
#ifndef KCP_FEC_AUTO_H
#define KCP_FEC_AUTO_H

#include "kcp_arq.h"
#include "kcp_fec.h"

#define KCP_AUTO_COPIES (4)

typedef struct {
    uint8_t *bytes;
    uint32_t n, stop_sn, due_ms;
    int32_t n_left;
} kcp_copy_t;

typedef struct {
    kcp_copy_t copies[KCP_AUTO_COPIES];
    int32_t first_copy, n_copies;
    int32_t loss, shift, n_calm; // the estimate, in 1024ths
    int32_t n_parity_used; // of the groups that begin now
    int32_t n_to_tell, n_groups;
    int32_t gap; // mean ms between data packets, in 16ths
    int32_t n_looks;
    uint32_t look_sn;
    uint64_t look_resent;
    uint8_t is_sparse;
} kcp_auto_t;

void kcp_auto_init(kcp_auto_t *f, const kcp_encoder_t *e, const kcp_arq_t *a);
void kcp_auto_free(kcp_auto_t *f, const kcp_encoder_t *e);
// In the place of kcp_encoder_data().
void kcp_auto_data(kcp_auto_t *f, kcp_encoder_t *e, kcp_arq_t *a, uint8_t *packet, uint32_t n, uint32_t now_ms);
// Write a copy that is due; its bytes, 0: there is none.
uint32_t kcp_auto_copy(kcp_auto_t *f, const kcp_encoder_t *e, const kcp_arq_t *a, uint8_t *packet, uint32_t now_ms);
// The ms until a copy is due (there must be one).
int32_t kcp_auto_wait_ms(const kcp_auto_t *f, uint32_t now_ms);

#endif
