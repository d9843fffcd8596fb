// Counters with kcp-go's names, then ours: docs/counters.md explains each one. The order is that of
// lib/kcp/stats.py.
#ifndef KCP_STATS_H
#define KCP_STATS_H

#include <stdint.h>

enum {
    KCP_BYTES_SENT,
    KCP_BYTES_RECEIVED,
    KCP_MAX_CONN,
    KCP_ACTIVE_OPENS,
    KCP_PASSIVE_OPENS,
    KCP_CURR_ESTAB,
    KCP_IN_ERRS,
    KCP_IN_CSUM_ERRORS,
    KCP_KCP_IN_ERRORS,
    KCP_IN_PKTS,
    KCP_OUT_PKTS,
    KCP_IN_SEGS,
    KCP_OUT_SEGS,
    KCP_IN_BYTES,
    KCP_OUT_BYTES,
    KCP_RETRANS_SEGS,
    KCP_FAST_RETRANS_SEGS,
    KCP_EARLY_RETRANS_SEGS,
    KCP_LOST_SEGS,
    KCP_REPEAT_SEGS,
    KCP_FEC_FULL_SHARDS,
    KCP_FEC_PARITY_SHARDS,
    KCP_FEC_ERRS,
    KCP_FEC_RECOVERED,
    KCP_FEC_SHARD_SET,
    KCP_FEC_SHARD_MIN,
    KCP_RING_BUFFER_SND_QUEUE,
    KCP_RING_BUFFER_RCV_QUEUE,
    KCP_RING_BUFFER_SND_BUFFER,
    KCP_OOB_PACKETS,
    KCP_OUT_DROPS,
    KCP_BACKLOG_DROPS,
    KCP_GHOST_DROPS,
    KCP_ROAM_MOVES,
    KCP_ROAM_DROPS,
    KCP_MEMORY_DROPS,
    KCP_OOB_DROPS,
    KCP_ACK_DROPS,
    KCP_N_COUNTERS,
};

typedef struct {
    uint64_t count[KCP_N_COUNTERS];
} kcp_stats_t;

#endif
