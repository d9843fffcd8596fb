// The MicroPython module _kcp: the core's kernels and ciphers over buffers of the caller's, and what
// takes a datagram from a socket; the session is in modkcp_session.c.
//
// One source for both kinds of module: a dynamic one (_kcp.mpy, Makefile) and a user C module
// inside a firmware (micropython.mk, micropython.cmake). native/cpython/_kcpmodule.c is its CPython
// twin: same names, arguments and effects. Nothing here allocates, except what a number needs that
// does not fit a small int. Arguments are trusted to be of the right kind by lib/kcp, but never to
// stay within their buffers.

#include "modkcp.h"

#include "py/mperrno.h"
#include "py/stream.h"

#include "kcp_bytes.h"
#include "kcp_crypt.h"
#include "kcp_kernels.h"

// To be raised with every change that lib/kcp/_backend.py must know of.
#define API (1)

#if defined(MICROPY_ENABLE_DYNRUNTIME) && !defined(__riscv) // there the C library that comes with LINK_RUNTIME has them

// What the compiler calls by itself is not there to link to.
void *memcpy(void *dst, const void *src, size_t n) {
    return mp_fun_table.memmove_(dst, src, n);
}

void *memmove(void *dst, const void *src, size_t n) {
    return mp_fun_table.memmove_(dst, src, n);
}

void *memset(void *dst, int byte, size_t n) {
    return mp_fun_table.memset_(dst, byte, n);
}

#endif

// The start of buf[off:off+n].
static uint8_t *range(mp_obj_t object, mp_uint_t flags, mp_obj_t off_object, size_t n) {
    mp_buffer_info_t info = kcpmod_buffer(object, flags);
    size_t off = (size_t)mp_obj_get_int(off_object);
    if (off > info.len || n > info.len - off) {
        mp_raise_ValueError(MP_ERROR_TEXT("the range is not within the buffer"));
    }
    return (uint8_t *)info.buf + off;
}

static uint8_t *start(mp_obj_t object, mp_uint_t flags, size_t n) {
    return range(object, flags, MP_OBJ_NEW_SMALL_INT(0), n);
}

static size_t number(mp_obj_t object) {
    return (size_t)mp_obj_get_int(object);
}

// crc32(buf, off, end) -> CRC-32 of buf[off:end]
static mp_obj_t kcp_mod_crc32(mp_obj_t buf, mp_obj_t off, mp_obj_t end) {
    size_t n = number(end) - number(off);
    return mp_obj_new_int_from_uint(kcp_crc32(0, range(buf, MP_BUFFER_READ, off, n), n));
}
static MP_DEFINE_CONST_FUN_OBJ_3(kcp_mod_crc32_obj, kcp_mod_crc32);

// gf_add(sums, tables, buf, off, n): sums[i].value += tables[i][1] * buf[off:off+n]
static mp_obj_t kcp_mod_gf_add(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    size_t n = number(args[4]), n_sums, n_tables;
    mp_obj_t *sums, *tables;
    const uint8_t *data = range(args[2], MP_BUFFER_READ, args[3], n);
    mp_obj_get_array(args[0], &n_sums, &sums);
    mp_obj_get_array(args[1], &n_tables, &tables);
    if (n_tables < n_sums) {
        mp_raise_ValueError(MP_ERROR_TEXT("a table is missing"));
    }
    for (size_t i = 0; i < n_sums; i++) {
        uint8_t *sum = start(mp_load_attr(sums[i], MP_QSTR_value), MP_BUFFER_WRITE, n);
        kcp_gf_add(sum, data, n, start(tables[i], MP_BUFFER_READ, 2)[1]);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(kcp_mod_gf_add_obj, 5, 5, kcp_mod_gf_add);

// zero(buf): make all of it zeros
static mp_obj_t kcp_mod_zero(mp_obj_t buf) {
    mp_buffer_info_t info = kcpmod_buffer(buf, MP_BUFFER_WRITE);
    memset(info.buf, 0, info.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(kcp_mod_zero_obj, kcp_mod_zero);

// copy(src, off, dst, dst_off, n): dst[dst_off:dst_off+n] = src[off:off+n]; they may overlap
static mp_obj_t kcp_mod_copy(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    size_t n = number(args[4]);
    const uint8_t *src = range(args[0], MP_BUFFER_READ, args[1], n);
    memmove(range(args[2], MP_BUFFER_WRITE, args[3], n), src, n);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(kcp_mod_copy_obj, 5, 5, kcp_mod_copy);

// u32(buf, off) -> the 32-bit number at buf[off:]
static mp_obj_t kcp_mod_u32(mp_obj_t buf, mp_obj_t off) {
    return mp_obj_new_int_from_uint(kcp_le32(range(buf, MP_BUFFER_READ, off, 4)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(kcp_mod_u32_obj, kcp_mod_u32);

// put_u32(buf, off, value): write a 32-bit number at buf[off:]
static mp_obj_t kcp_mod_put_u32(mp_obj_t buf, mp_obj_t off, mp_obj_t value) {
    kcp_put_le32(range(buf, MP_BUFFER_WRITE, off, 4), (uint32_t)mp_obj_get_int_truncated(value));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(kcp_mod_put_u32_obj, kcp_mod_put_u32);

// seg_parse(buf, off, fields): the segment header at buf[off:] into a list of 9, see _pure_upy.py
static mp_obj_t kcp_mod_seg_parse(mp_obj_t buf, mp_obj_t off, mp_obj_t fields) {
    const uint8_t *p = range(buf, MP_BUFFER_READ, off, 24);
    size_t n_items;
    mp_obj_t *items;
    mp_obj_get_array(fields, &n_items, &items);
    if (n_items < 9) {
        mp_raise_ValueError(MP_ERROR_TEXT("a header has 9 fields"));
    }
    items[0] = MP_OBJ_NEW_SMALL_INT(p[0] | p[1] << 8);
    items[1] = MP_OBJ_NEW_SMALL_INT(p[2] | p[3] << 8);
    items[2] = MP_OBJ_NEW_SMALL_INT(p[4]);
    items[3] = MP_OBJ_NEW_SMALL_INT(p[5]);
    items[4] = MP_OBJ_NEW_SMALL_INT(p[6] | p[7] << 8);
    for (size_t i = 0; i < 4; i++) {
        items[5 + i] = mp_obj_new_int_from_uint(kcp_le32(p + 8 + 4 * i));
    }
    return fields;
}
static MP_DEFINE_CONST_FUN_OBJ_3(kcp_mod_seg_parse_obj, kcp_mod_seg_parse);

// The fields of a header that change with every transmission.
static void stamp(uint8_t *p, const mp_obj_t *wnd_ts_sn_una) {
    uint32_t wnd = (uint32_t)mp_obj_get_int_truncated(wnd_ts_sn_una[0]);
    p[6] = (uint8_t)wnd;
    p[7] = (uint8_t)(wnd >> 8);
    for (size_t i = 1; i < 4; i++) {
        kcp_put_le32(p + 4 + 4 * i, (uint32_t)mp_obj_get_int_truncated(wnd_ts_sn_una[i]));
    }
}

// seg_header(buf, off, conv, cmd, frg, wnd, ts, sn, una, n)
static mp_obj_t kcp_mod_seg_header(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    uint8_t *p = range(args[0], MP_BUFFER_WRITE, args[1], 24);
    kcp_put_le32(p, (uint32_t)mp_obj_get_int_truncated(args[2]));
    p[4] = (uint8_t)number(args[3]);
    p[5] = (uint8_t)number(args[4]);
    stamp(p, args + 5);
    kcp_put_le32(p + 20, (uint32_t)mp_obj_get_int_truncated(args[9]));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(kcp_mod_seg_header_obj, 10, 10, kcp_mod_seg_header);

// tx_out(chunk, n, wnd, ts, sn, una, buf, off): stamp a chunk and copy its n bytes to buf[off:]
static mp_obj_t kcp_mod_tx_out(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    size_t n = number(args[1]);
    if (n < 24) {
        mp_raise_ValueError(MP_ERROR_TEXT("a chunk has 24 bytes or more"));
    }
    uint8_t *chunk = start(args[0], MP_BUFFER_WRITE, n);
    stamp(chunk, args + 2);
    memcpy(range(args[6], MP_BUFFER_WRITE, args[7], n), chunk, n);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(kcp_mod_tx_out_obj, 8, 8, kcp_mod_tx_out);

// -- ciphers -----------------------------------------------------------------------------------------

// crypt_bytes(kind) -> bytes of a codec, 0: not in this build
static mp_obj_t kcp_mod_crypt_bytes(mp_obj_t kind) {
    return MP_OBJ_NEW_SMALL_INT(kcp_crypt_bytes((int)mp_obj_get_int(kind)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(kcp_mod_crypt_bytes_obj, kcp_mod_crypt_bytes);

// crypt_init(codec, kind, key, portable) -> True if the CPU has instructions for it
static mp_obj_t kcp_mod_crypt_init(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    mp_buffer_info_t codec = kcpmod_buffer(args[0], MP_BUFFER_WRITE), key = kcpmod_buffer(args[2], MP_BUFFER_READ);
    int kind = (int)mp_obj_get_int(args[1]), result;
    if (mp_obj_is_true(args[3])) {
        result = kcp_crypt_init_portable(codec.buf, codec.len, kind, key.buf, key.len);
    } else {
        result = kcp_crypt_init(codec.buf, codec.len, kind, key.buf, key.len);
    }
    if (result) {
        mp_raise_ValueError(MP_ERROR_TEXT("no such cipher, or a codec or key of a wrong length"));
    }
    return mp_obj_new_bool(kcp_crypt_is_hardware(codec.buf));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(kcp_mod_crypt_init_obj, 4, 4, kcp_mod_crypt_init);

static const void *codec(mp_obj_t object) {
    mp_buffer_info_t info = kcpmod_buffer(object, MP_BUFFER_READ);
    if (!kcp_crypt_is_valid(info.buf, info.len)) {
        mp_raise_ValueError(MP_ERROR_TEXT("not a codec that crypt_init() has made"));
    }
    return info.buf;
}

// seal(codec, buf, end, nonce) -> bytes of the datagram whose payload is buf[head:end]
static mp_obj_t kcp_mod_seal(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    const void *sealer = codec(args[0]);
    mp_buffer_info_t buf = kcpmod_buffer(args[1], MP_BUFFER_WRITE);
    size_t n_nonce = (size_t)kcp_crypt_nonce(kcp_crypt_kind(sealer));
    const uint8_t *nonce = start(args[3], MP_BUFFER_READ, n_nonce);
    int n = KCP_CRYPT_MISUSE;
    if (buf.len >= n_nonce) {
        memcpy(buf.buf, nonce, n_nonce);
        n = kcp_crypt_seal(sealer, buf.buf, buf.len, number(args[2]));
    }
    if (n < 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("the datagram does not fit its buffer or is too long"));
    }
    return MP_OBJ_NEW_SMALL_INT(n);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(kcp_mod_seal_obj, 4, 4, kcp_mod_seal);

// open(codec, buf, n) -> offset of the payload in the datagram buf[0:n], or a negative code
static mp_obj_t kcp_mod_open(mp_obj_t opener, mp_obj_t buf, mp_obj_t n_object) {
    size_t n = number(n_object);
    uint8_t *datagram = start(buf, MP_BUFFER_WRITE, n);
    return MP_OBJ_NEW_SMALL_INT(kcp_crypt_open(codec(opener), datagram, n));
}
static MP_DEFINE_CONST_FUN_OBJ_3(kcp_mod_open_obj, kcp_mod_open);

// run(codec, buf, n, opening): the cipher alone over buf[0:n]
static mp_obj_t kcp_mod_run(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    size_t n = number(args[2]);
    uint8_t *datagram = start(args[1], MP_BUFFER_WRITE, n);
    if (kcp_crypt_run(codec(args[0]), datagram, n, mp_obj_is_true(args[3])) < 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("this cipher cannot do that"));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(kcp_mod_run_obj, 4, 4, kcp_mod_run);

// -- sockets -----------------------------------------------------------------------------------------

// recv_into(sock, buf) -> bytes of one datagram, None: there is none; sock: connected, or any stream
// whose read takes one datagram. (MicroPython's readinto() reads on until buf is full.)
static mp_obj_t kcp_mod_recv_into(mp_obj_t sock, mp_obj_t object) {
    const mp_stream_p_t *stream = mp_get_stream_raise(sock, MP_STREAM_OP_READ);
    mp_buffer_info_t buf = kcpmod_buffer(object, MP_BUFFER_WRITE);
    int error = 0;
    mp_uint_t n = stream->read(sock, buf.buf, buf.len, &error);
    if (n != MP_STREAM_ERROR) {
        return MP_OBJ_NEW_SMALL_INT(n);
    }
    if (error != MP_EAGAIN) { // (a dynamic module does not know MicroPython's other names of it)
        mp_raise_OSError(error);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(kcp_mod_recv_into_obj, kcp_mod_recv_into);

#if KCP_SESSION
static MP_DEFINE_CONST_FUN_OBJ_1(kcp_mod_names_obj, kcpmod_names);
#endif

#ifdef MICROPY_ENABLE_DYNRUNTIME

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    (void)n_args;
    (void)n_kw;
    (void)args;
    mp_store_global(MP_QSTR_API, MP_OBJ_NEW_SMALL_INT(API));
    mp_store_global(MP_QSTR_crc32, MP_OBJ_FROM_PTR(&kcp_mod_crc32_obj));
    mp_store_global(MP_QSTR_gf_add, MP_OBJ_FROM_PTR(&kcp_mod_gf_add_obj));
    mp_store_global(MP_QSTR_zero, MP_OBJ_FROM_PTR(&kcp_mod_zero_obj));
    mp_store_global(MP_QSTR_copy, MP_OBJ_FROM_PTR(&kcp_mod_copy_obj));
    mp_store_global(MP_QSTR_u32, MP_OBJ_FROM_PTR(&kcp_mod_u32_obj));
    mp_store_global(MP_QSTR_put_u32, MP_OBJ_FROM_PTR(&kcp_mod_put_u32_obj));
    mp_store_global(MP_QSTR_seg_parse, MP_OBJ_FROM_PTR(&kcp_mod_seg_parse_obj));
    mp_store_global(MP_QSTR_seg_header, MP_OBJ_FROM_PTR(&kcp_mod_seg_header_obj));
    mp_store_global(MP_QSTR_tx_out, MP_OBJ_FROM_PTR(&kcp_mod_tx_out_obj));
    mp_store_global(MP_QSTR_crypt_bytes, MP_OBJ_FROM_PTR(&kcp_mod_crypt_bytes_obj));
    mp_store_global(MP_QSTR_crypt_init, MP_OBJ_FROM_PTR(&kcp_mod_crypt_init_obj));
    mp_store_global(MP_QSTR_seal, MP_OBJ_FROM_PTR(&kcp_mod_seal_obj));
    mp_store_global(MP_QSTR_open, MP_OBJ_FROM_PTR(&kcp_mod_open_obj));
    mp_store_global(MP_QSTR_run, MP_OBJ_FROM_PTR(&kcp_mod_run_obj));
    mp_store_global(MP_QSTR_recv_into, MP_OBJ_FROM_PTR(&kcp_mod_recv_into_obj));
#if KCP_SESSION
    kcpmod_make_session_type();
    kcpmod_make_counters_types();
    mp_store_global(MP_QSTR_names, MP_OBJ_FROM_PTR(&kcp_mod_names_obj));
    mp_store_global(MP_QSTR_BUFFER_BYTES, MP_OBJ_NEW_SMALL_INT(KCP_BUFFER_BYTES));
    mp_store_global(MP_QSTR_Session, MP_OBJ_FROM_PTR(&kcpmod_session_type));
    mp_store_global(MP_QSTR_Counters, MP_OBJ_FROM_PTR(&kcpmod_counters_type));
    mp_store_global(MP_QSTR_Budget, MP_OBJ_FROM_PTR(&kcpmod_budget_type));
#endif
    MP_DYNRUNTIME_INIT_EXIT
}

#else

static const mp_rom_map_elem_t globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__kcp)},
    {MP_ROM_QSTR(MP_QSTR_API), MP_ROM_INT(API)},
    {MP_ROM_QSTR(MP_QSTR_crc32), MP_ROM_PTR(&kcp_mod_crc32_obj)},
    {MP_ROM_QSTR(MP_QSTR_gf_add), MP_ROM_PTR(&kcp_mod_gf_add_obj)},
    {MP_ROM_QSTR(MP_QSTR_zero), MP_ROM_PTR(&kcp_mod_zero_obj)},
    {MP_ROM_QSTR(MP_QSTR_copy), MP_ROM_PTR(&kcp_mod_copy_obj)},
    {MP_ROM_QSTR(MP_QSTR_u32), MP_ROM_PTR(&kcp_mod_u32_obj)},
    {MP_ROM_QSTR(MP_QSTR_put_u32), MP_ROM_PTR(&kcp_mod_put_u32_obj)},
    {MP_ROM_QSTR(MP_QSTR_seg_parse), MP_ROM_PTR(&kcp_mod_seg_parse_obj)},
    {MP_ROM_QSTR(MP_QSTR_seg_header), MP_ROM_PTR(&kcp_mod_seg_header_obj)},
    {MP_ROM_QSTR(MP_QSTR_tx_out), MP_ROM_PTR(&kcp_mod_tx_out_obj)},
    {MP_ROM_QSTR(MP_QSTR_crypt_bytes), MP_ROM_PTR(&kcp_mod_crypt_bytes_obj)},
    {MP_ROM_QSTR(MP_QSTR_crypt_init), MP_ROM_PTR(&kcp_mod_crypt_init_obj)},
    {MP_ROM_QSTR(MP_QSTR_seal), MP_ROM_PTR(&kcp_mod_seal_obj)},
    {MP_ROM_QSTR(MP_QSTR_open), MP_ROM_PTR(&kcp_mod_open_obj)},
    {MP_ROM_QSTR(MP_QSTR_run), MP_ROM_PTR(&kcp_mod_run_obj)},
    {MP_ROM_QSTR(MP_QSTR_recv_into), MP_ROM_PTR(&kcp_mod_recv_into_obj)},
#if KCP_SESSION
    {MP_ROM_QSTR(MP_QSTR_names), MP_ROM_PTR(&kcp_mod_names_obj)},
    {MP_ROM_QSTR(MP_QSTR_BUFFER_BYTES), MP_ROM_INT(KCP_BUFFER_BYTES)},
    {MP_ROM_QSTR(MP_QSTR_Session), MP_ROM_PTR(&kcpmod_session_type)},
    {MP_ROM_QSTR(MP_QSTR_Counters), MP_ROM_PTR(&kcpmod_counters_type)},
    {MP_ROM_QSTR(MP_QSTR_Budget), MP_ROM_PTR(&kcpmod_budget_type)},
#endif
};
static MP_DEFINE_CONST_DICT(globals, globals_table);

const mp_obj_module_t kcp_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&globals,
};
MP_REGISTER_MODULE(MP_QSTR__kcp, kcp_module);

#endif
