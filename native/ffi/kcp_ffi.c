// The core behind functions that MicroPython's module `ffi` can call: numbers and pointers alone, an
// offset beside each pointer. With the core it makes libkcp.so, which _kcp.py drives; the ciphers'
// functions it takes as they are.
//
// Whoever calls sees to it that ranges lie within their buffers.

#include <string.h>

#include "kcp_bytes.h"
#include "kcp_kernels.h"

typedef unsigned long number_t; // "L" to ffi

uint32_t kcp_ffi_crc32(const uint8_t *buf, number_t off, number_t end);
void kcp_ffi_gf_add(uint8_t *sum, const uint8_t *buf, number_t off, number_t n, number_t factor);
void kcp_ffi_zero(uint8_t *buf, number_t n);
void kcp_ffi_copy(const uint8_t *src, number_t off, uint8_t *dst, number_t dst_off, number_t n);
uint32_t kcp_ffi_u32(const uint8_t *buf, number_t off);
void kcp_ffi_put_u32(uint8_t *buf, number_t off, uint32_t value);
void kcp_ffi_seg_parse(const uint8_t *buf, number_t off, uint32_t *fields);
void kcp_ffi_stamp(uint8_t *buf, number_t off, uint32_t wnd, uint32_t ts, uint32_t sn, uint32_t una);
void kcp_ffi_seg_header(uint8_t *buf, number_t off, uint32_t conv, uint32_t cmd, uint32_t frg,
    uint32_t wnd, uint32_t ts, uint32_t sn, uint32_t una, uint32_t n);

uint32_t kcp_ffi_crc32(const uint8_t *buf, number_t off, number_t end) {
    return kcp_crc32(0, buf + off, end - off);
}

void kcp_ffi_gf_add(uint8_t *sum, const uint8_t *buf, number_t off, number_t n, number_t factor) {
    kcp_gf_add(sum, buf + off, n, (uint8_t)factor);
}

void kcp_ffi_zero(uint8_t *buf, number_t n) {
    memset(buf, 0, n);
}

void kcp_ffi_copy(const uint8_t *src, number_t off, uint8_t *dst, number_t dst_off, number_t n) {
    memmove(dst + dst_off, src + off, n);
}

uint32_t kcp_ffi_u32(const uint8_t *buf, number_t off) {
    return kcp_le32(buf + off);
}

void kcp_ffi_put_u32(uint8_t *buf, number_t off, uint32_t value) {
    kcp_put_le32(buf + off, value);
}

// The nine fields of the segment header at buf[off:].
void kcp_ffi_seg_parse(const uint8_t *buf, number_t off, uint32_t *fields) {
    const uint8_t *p = buf + off;
    fields[0] = (uint32_t)(p[0] | p[1] << 8);
    fields[1] = (uint32_t)(p[2] | p[3] << 8);
    fields[2] = p[4];
    fields[3] = p[5];
    fields[4] = (uint32_t)(p[6] | p[7] << 8);
    for (int i = 0; i < 4; i++) {
        fields[5 + i] = kcp_le32(p + 8 + 4 * i);
    }
}

// The fields of a header that change with every transmission.
void kcp_ffi_stamp(uint8_t *buf, number_t off, uint32_t wnd, uint32_t ts, uint32_t sn, uint32_t una) {
    uint8_t *p = buf + off;
    p[6] = (uint8_t)wnd;
    p[7] = (uint8_t)(wnd >> 8);
    kcp_put_le32(p + 8, ts);
    kcp_put_le32(p + 12, sn);
    kcp_put_le32(p + 16, una);
}

void kcp_ffi_seg_header(uint8_t *buf, number_t off, uint32_t conv, uint32_t cmd, uint32_t frg,
    uint32_t wnd, uint32_t ts, uint32_t sn, uint32_t una, uint32_t n) {
    kcp_put_le32(buf + off, conv);
    buf[off + 4] = (uint8_t)cmd;
    buf[off + 5] = (uint8_t)frg;
    kcp_ffi_stamp(buf, off, wnd, ts, sn, una);
    kcp_put_le32(buf + off + 20, n);
}
