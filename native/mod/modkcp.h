// What the files of the MicroPython module share.
#ifndef KCP_MOD_H
#define KCP_MOD_H

#ifdef MICROPY_ENABLE_DYNRUNTIME
#include "py/dynruntime.h"
#else
#include "py/runtime.h"
#endif

#include <string.h>

#include "kcp_config.h"

#ifdef MICROPY_ENABLE_DYNRUNTIME

// Here texts are not compressed.
#undef MP_ERROR_TEXT
#define MP_ERROR_TEXT(text) (text)

#endif

// The buffer of an object, which is read or written.
static inline mp_buffer_info_t kcpmod_buffer(mp_obj_t object, mp_uint_t flags) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, flags);
    return info;
}

#if KCP_SESSION

#include "kcp_session.h"

#ifdef MICROPY_ENABLE_DYNRUNTIME
typedef mp_obj_full_type_t kcpmod_type_t;
void kcpmod_make_type(kcpmod_type_t *type, qstr name, const void *make_new, const void *attr);
void kcpmod_make_session_type(void);
void kcpmod_make_counters_types(void);
#else
typedef const mp_obj_type_t kcpmod_type_t;
#endif
extern kcpmod_type_t kcpmod_session_type, kcpmod_counters_type, kcpmod_budget_type;

typedef struct {
    mp_obj_base_t base;
    mp_obj_t names, methods;
    bool is_past;
    kcp_stats_t stats;
} kcpmod_counters_t;

typedef struct {
    mp_obj_base_t base;
    kcp_budget_t budget;
} kcpmod_budget_t;

// (The collector finds all of a session's memory by the pointers in it.)
typedef struct {
    mp_obj_base_t base;
    mp_obj_t owner; // the object of Python's class
    mp_obj_t names, stats, budget, codec, fill, nonce, tracer;
    uint8_t *nonce_bytes;
    uint8_t *room; // for a datagram in a buffer that is too short, or NULL
    void *free; // packets' blocks for later use; each begins with the pointer to the next
    mp_uint_t n_free;
    bool is_starved; // there was no memory for something
    kcp_tap_t tap;
    uint64_t acked_sn; // unwrapped
    kcp_session_t session;
} kcpmod_session_t;

// The strings of a tuple as those that names in programs are.
mp_obj_t kcpmod_names(mp_obj_t names);
// The place of a name in a tuple of names(); -1: it is not there.
int kcpmod_find(mp_obj_t names, qstr name);
mp_obj_t kcpmod_from_u64(uint64_t value);

// The verbs, in the order of lib/kcp/_session_upy.py.
#define KCPMOD_N_VERBS (22)
extern const void *const kcpmod_verbs[KCPMOD_N_VERBS];

void kcpmod_session_tap(kcpmod_session_t *s, mp_obj_t tracer);
void kcpmod_session_set(kcpmod_session_t *s, mp_obj_t settings);
void kcpmod_session_reserve(kcpmod_session_t *s);
mp_obj_t kcpmod_session_gauge(kcpmod_session_t *s, int i);

#endif

#endif
