// FEC, what is received: groups of data and parity packets. lib/kcp/fec.py.

#include <string.h>

#include "kcp_bytes.h"
#include "kcp_fec.h"
#include "kcp_kernels.h"

#if KCP_FEC

#define KEEP (3) // groups remembered behind the newest
#define MAX_OLD (64) // packets in a row that are too old: then it is the newest group that is wrong

static size_t shards_bytes(int32_t n) {
    return (size_t)n * sizeof(kcp_shard_t);
}

// Give the packets of a group back.
static void empty(kcp_decoder_t *d, kcp_group_t *group) {
    for (int32_t i = 0; i < d->n && group->n_shards; i++) {
        kcp_shard_t *shard = &group->shards[i];
        if (shard->bytes != NULL) {
            d->held_bytes -= (uint32_t)kcp_packet_bytes(&d->memory, shard->n);
            kcp_put_packet(&d->memory, shard->bytes, shard->n);
            shard->bytes = NULL;
            group->n_shards--;
        }
    }
    group->n_shards = group->n_data = group->longest = 0;
}

static void finish(kcp_decoder_t *d, kcp_group_t *group) {
    empty(d, group);
    group->is_done = 1;
}

static void free_groups(kcp_decoder_t *d) {
    for (int i = 0; i < KCP_FEC_GROUPS; i++) {
        kcp_group_t *group = &d->groups[i];
        if (group->shards != NULL) {
            empty(d, group);
            d->memory.put(d->memory.owner, group->shards, shards_bytes(d->n));
        }
        memset(group, 0, sizeof(*group));
    }
    d->lost = NULL;
}

// Where a group's packets will be noted; 0 if there is no memory for that now.
static int has_shards(kcp_decoder_t *d, kcp_group_t *group) {
    if (group->shards == NULL) {
        group->shards = d->memory.get(d->memory.owner, shards_bytes(d->n));
        if (group->shards != NULL) {
            memset(group->shards, 0, shards_bytes(d->n));
        }
    }
    return group->shards != NULL;
}

// Begin anew with this ratio. -1: no memory for all groups; those without are tried again when they
// are needed.
static int set_ratio(kcp_decoder_t *d, int32_t data, int32_t parity) {
    free_groups(d);
    d->data = data;
    d->n = data + parity;
    d->paws = kcp_fec_paws(d->n);
    d->has_newest = d->n_old = 0;
    int code = 0;
    for (int i = 0; i < KCP_FEC_GROUPS; i++) {
        code = has_shards(d, &d->groups[i]) ? code : -1;
    }
    return code;
}

int kcp_decoder_init(kcp_decoder_t *d, kcp_memory_t memory, int32_t data, int32_t parity, uint32_t size,
    uint32_t limit_bytes, kcp_stats_t *stats, int is_sure) {
    memset(d, 0, sizeof(*d));
    d->memory = memory;
    d->stats = stats;
    d->size = size;
    d->limit_bytes = limit_bytes;
    kcp_tuner_init(&d->tuner);
    d->is_tuning = d->is_guess = data == 0 && parity == 0;
    if (d->is_guess) {
        data = parity = 1;
    } else if (!is_sure) {
        d->is_unsure = 1;
        d->last_seqid = -1;
        d->doubt = KCP_FEC_SAMPLES;
    }
    if (!kcp_fec_is_ratio(data, parity) || set_ratio(d, data, parity)) {
        free_groups(d);
        return -1;
    }
    return 0;
}

void kcp_decoder_free(kcp_decoder_t *d) {
    free_groups(d);
}

static void tune(kcp_decoder_t *d, uint32_t seqid) {
    int32_t data, parity;
    if (!kcp_tuner_find(&d->tuner, &data, &parity)) {
        if (!d->is_guess || !kcp_tuner_alternates(&d->tuner, d->paws)) {
            return;
        }
        data = parity = 1;
    }
    d->is_guess = 0;
    if (data != d->data || data + parity != d->n) {
        set_ratio(d, data, parity);
        d->has_newest = 1;
        d->newest = seqid / (uint32_t)d->n;
        d->doubt = kcp_tuner_n_until_fit(&d->tuner, data, d->n, d->paws);
    }
    d->is_tuning = 0;
}

// By how many seqids is this group older than the newest? (They wrap.)
static int32_t behind(const kcp_decoder_t *d, uint32_t number) {
    return (int32_t)((d->newest - number) * (uint32_t)d->n);
}

static int is_kept(const kcp_decoder_t *d, uint32_t number) {
    int32_t n = behind(d, number);
    return n >= 0 && n <= KEEP * d->n;
}

static void count_groups(kcp_decoder_t *d) {
    uint64_t n = 0;
    for (int i = 0; i < KCP_FEC_GROUPS; i++) {
        n += d->groups[i].is_used;
    }
    d->stats->count[KCP_FEC_SHARD_SET] = n;
}

static kcp_group_t *known_group(kcp_decoder_t *d, uint32_t number) {
    for (int i = 0; i < KCP_FEC_GROUPS; i++) {
        if (d->groups[i].is_used && d->groups[i].number == number) {
            return &d->groups[i];
        }
    }
    return NULL;
}

// The group with this number, a new one if need be; NULL if it is too old.
static kcp_group_t *group_of(kcp_decoder_t *d, uint32_t number) {
    kcp_group_t *group = known_group(d, number);
    if (group != NULL) {
        d->n_old = 0;
        return group;
    }
    if (!d->has_newest) {
        d->has_newest = 1;
        d->newest = number;
    }
    int32_t n = behind(d, number);
    if (n > KEEP * d->n) {
        if (++d->n_old < MAX_OLD) {
            return NULL;
        }
        n = -1;
    }
    d->n_old = 0;
    if (n < 0) {
        d->newest = number;
        d->stats->count[KCP_FEC_SHARD_MIN] = number;
        for (int i = 0; i < KCP_FEC_GROUPS; i++) {
            if (d->groups[i].is_used && !is_kept(d, d->groups[i].number)) {
                empty(d, &d->groups[i]);
                d->groups[i].is_used = 0;
            }
        }
    }
    for (int i = 0; i < KCP_FEC_GROUPS && group == NULL; i++) {
        group = d->groups[i].is_used || !has_shards(d, &d->groups[i]) ? NULL : &d->groups[i];
    }
    if (group != NULL) {
        group->is_used = 1;
        group->is_done = 0;
        group->number = number;
        count_groups(d);
    }
    return group;
}

// Keep within the limit; 0 if the group alone is too much for it.
static int make_room(kcp_decoder_t *d, const kcp_group_t *group, uint32_t n_bytes) {
    while (d->held_bytes + n_bytes > d->limit_bytes) {
        kcp_group_t *oldest = NULL;
        for (int i = 0; i < KCP_FEC_GROUPS; i++) {
            kcp_group_t *one = &d->groups[i];
            if (one == group || !one->n_shards) {
                continue;
            }
            if (oldest == NULL || behind(d, one->number) > behind(d, oldest->number)) {
                oldest = one;
            }
        }
        if (oldest == NULL) {
            return 0;
        }
        finish(d, oldest);
    }
    return 1;
}

static int keep(kcp_decoder_t *d, kcp_group_t *group, uint32_t place, int is_data, const uint8_t *bytes, uint32_t n) {
    kcp_shard_t *shard = &group->shards[place];
    shard->bytes = kcp_get_packet(&d->memory, n);
    if (shard->bytes == NULL) {
        return 0;
    }
    memcpy(shard->bytes, bytes, n);
    shard->n = (uint16_t)n;
    d->held_bytes += (uint32_t)kcp_packet_bytes(&d->memory, n);
    group->n_shards++;
    group->n_data = (uint16_t)(group->n_data + is_data);
    group->longest = n > group->longest ? (uint16_t)n : group->longest;
    return 1;
}

static void is_complete(kcp_decoder_t *d, kcp_group_t *group) {
    if (group->n_data == d->data) {
        d->stats->count[KCP_FEC_FULL_SHARDS]++;
        finish(d, group);
    } else if (d->doubt) {
        finish(d, group);
    } else {
        d->lost = group;
        d->at = 0;
    }
}

// Has a border between data and parity been seen, where the ratio given has one?
static void assure(kcp_decoder_t *d, uint32_t seqid, int is_data) {
    if (seqid == d->last_seqid + 1 && is_data != d->last_is_data) {
        d->is_unsure = 0;
        d->doubt = 0;
    }
    d->last_seqid = seqid;
    d->last_is_data = (uint8_t)is_data;
}

void kcp_decoder_input(kcp_decoder_t *d, const uint8_t *packet, uint32_t n) {
    uint32_t seqid = kcp_le32(packet);
    int is_data = packet[4] == KCP_FEC_DATA;
    kcp_tuner_sample(&d->tuner, is_data, seqid);
    d->doubt -= d->doubt > 0;
    n -= KCP_FEC_SIZE_AT;
    if (seqid >= d->paws || n > d->size) {
        return;
    }
    uint32_t place = seqid % (uint32_t)d->n;
    if ((place < (uint32_t)d->data) != is_data) {
        d->is_tuning = 1;
        d->is_unsure = 0;
        d->doubt = KCP_FEC_SAMPLES;
    } else if (d->is_unsure) {
        assure(d, seqid, is_data);
    }
    if (d->is_tuning) {
        tune(d, seqid);
        return;
    }
    kcp_group_t *group = group_of(d, seqid / (uint32_t)d->n);
    if (group == NULL || group->shards[place].bytes != NULL) {
        return;
    }
    d->stats->count[KCP_FEC_PARITY_SHARDS] += !is_data;
    if (group->is_done || !make_room(d, group, (uint32_t)kcp_packet_bytes(&d->memory, n))) {
        return;
    }
    if (!keep(d, group, place, is_data, packet + KCP_FEC_SIZE_AT, n)) {
        return;
    }
    if (d->is_unsure && group->shards[d->data - 1].bytes != NULL && group->shards[d->data].bytes != NULL) {
        d->is_unsure = 0; // a border, in whatever order they came
        d->doubt = 0;
    }
    if (group->n_shards == d->data) {
        is_complete(d, group);
    }
}

// Compute the shard at this place; its bytes, 0: it can be none.
static uint32_t compute(kcp_decoder_t *d, const kcp_group_t *group, int32_t place, uint8_t *buf) {
    uint8_t have[KCP_RS_MAX_SHARDS];
    for (int32_t i = 0; i < d->n; i++) {
        have[i] = group->shards[i].bytes != NULL;
    }
    memset(buf, 0, group->longest);
    for (int32_t i = 0; i < d->n; i++) {
        if (have[i]) {
            uint8_t factor = kcp_rs_coefficient(have, d->n, i, place);
            kcp_gf_add(buf, group->shards[i].bytes, group->shards[i].n, factor);
        }
    }
    uint32_t n = group->longest < 2 ? 0 : (uint32_t)buf[0] | (uint32_t)buf[1] << 8;
    return n > 2 && n <= group->longest ? n : 0;
}

uint32_t kcp_decoder_repair(kcp_decoder_t *d, uint8_t *buf) {
    kcp_group_t *group = d->lost;
    if (group == NULL) {
        return 0;
    }
    while (d->at < d->data) {
        int32_t place = d->at++;
        if (group->shards[place].bytes == NULL) {
            uint32_t n = compute(d, group, place, buf);
            if (n) {
                d->stats->count[KCP_FEC_RECOVERED]++;
                return n;
            }
            d->stats->count[KCP_FEC_ERRS]++;
        }
    }
    d->lost = NULL;
    finish(d, group);
    return 0;
}

#endif
