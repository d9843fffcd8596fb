"""Byte kernels as machine code, for MicroPython on machines that it has a native emitter for.

Same names and effects as in `_pure_upy` and `rs`. Whoever imports this asks `_backend` first.

In viper code an int has the machine's width, so 32-bit numbers are put together and masked with
care: an `int` that is handed back is signed. Pointers are never read beyond what the caller says,
and bytewise where a buffer need not lie at an even address (a Cortex-M0 takes nothing else).
"""

import micropython

_fields = [0] * 9


@micropython.viper
def _parse(fields, buf: ptr8, off: int):
    p = ptr8(uint(buf) + off)
    fields[0] = p[0] | p[1] << 8
    fields[1] = p[2] | p[3] << 8
    fields[2] = p[4]
    fields[3] = p[5]
    fields[4] = p[6] | p[7] << 8
    fields[5] = uint(p[8] | p[9] << 8 | p[10] << 16 | p[11] << 24)
    fields[6] = uint(p[12] | p[13] << 8 | p[14] << 16 | p[15] << 24)
    fields[7] = uint(p[16] | p[17] << 8 | p[18] << 16 | p[19] << 24)
    fields[8] = uint(p[20] | p[21] << 8 | p[22] << 16 | p[23] << 24)


def seg_parse(buf, off):
    """As `_pure_upy.seg_parse`: the same list every time."""
    fields = _fields
    _parse(fields, buf, off)
    return fields


@micropython.viper
def seg_header(
    buf: ptr8, off: int,
    conv: int, cmd: int, frg: int, wnd: int, ts: int, sn: int, una: int, n: int,
):  # fmt: skip
    """Write a 24-byte segment header at buf[off:]."""
    p = ptr8(uint(buf) + off)
    p[0] = conv
    p[1] = conv >> 8
    p[2] = conv >> 16
    p[3] = conv >> 24
    p[4] = cmd
    p[5] = frg
    p[6] = wnd
    p[7] = wnd >> 8
    p[8] = ts
    p[9] = ts >> 8
    p[10] = ts >> 16
    p[11] = ts >> 24
    p[12] = sn
    p[13] = sn >> 8
    p[14] = sn >> 16
    p[15] = sn >> 24
    p[16] = una
    p[17] = una >> 8
    p[18] = una >> 16
    p[19] = una >> 24
    p[20] = n
    p[21] = n >> 8
    p[22] = n >> 16
    p[23] = n >> 24


@micropython.viper
def _stamp(p: ptr8, wnd: int, ts: int, sn: int, una: int):
    p[6] = wnd
    p[7] = wnd >> 8
    p[8] = ts
    p[9] = ts >> 8
    p[10] = ts >> 16
    p[11] = ts >> 24
    p[12] = sn
    p[13] = sn >> 8
    p[14] = sn >> 16
    p[15] = sn >> 24
    p[16] = una
    p[17] = una >> 8
    p[18] = una >> 16
    p[19] = una >> 24


def tx_out(chunk, n, wnd, ts, sn, una, buf, off):
    """As `_pure_upy.tx_out`."""
    _stamp(chunk, wnd, ts, sn, una)
    buf[off : off + len(chunk)] = chunk


@micropython.viper
def u32(b: ptr8, o: int) -> uint:
    """Return the 32-bit number at b[o:]."""
    return uint(b[o] | b[o + 1] << 8 | b[o + 2] << 16 | b[o + 3] << 24)


@micropython.viper
def put_u32(b: ptr8, o: int, value: int):
    """Write a 32-bit number at b[o:]."""
    b[o] = value
    b[o + 1] = value >> 8
    b[o + 2] = value >> 16
    b[o + 3] = value >> 24


@micropython.viper
def _add_row(value: ptr8, table: ptr8, buf: ptr8, off: int, n: int):
    """value[i] ^= table[buf[off + i]]."""
    p = uint(buf) + off
    end = p + n
    v = value
    while p < end:
        v[0] = v[0] ^ table[ptr8(p)[0]]
        v = ptr8(uint(v) + 1)
        p += 1


def gf_add(sums, tables, buf, off, n):
    """Add buf[off:off+n], mapped by tables[i], to sums[i], for each i."""
    for k in range(len(sums)):
        one = sums[k]
        if n > one.used:
            one.used = n
        _add_row(one.value, tables[k], buf, off, n)


@micropython.viper
def _fill(table: ptr8, exp: ptr8, log: ptr8):
    row = ptr8(uint(exp) + log[table[0]])
    table[0] = 0
    for x in range(1, 256):
        table[x] = row[log[x]]


def products(table, exp, log, c: int):
    """Write the products c * 0 .. c * 255 into the bytearray `table`; c is not 0."""
    table[0] = c
    _fill(table, exp, log)


@micropython.viper
def xor(buf: ptr8, off: int, end: int, ks: ptr8):
    """XOR buf[off:end] with ks[0:end - off]."""
    p = uint(buf) + off
    k = uint(ks)
    stop = uint(buf) + end
    if int((p | k) & 3) == 0:
        last = stop - 3
        while p < last:
            ptr32(p)[0] = ptr32(p)[0] ^ ptr32(k)[0]
            p += 4
            k += 4
    while p < stop:
        ptr8(p)[0] = ptr8(p)[0] ^ ptr8(k)[0]
        p += 1
        k += 1


@micropython.viper
def crc32(data: ptr8, n: int, table: ptr32, crc: uint, m: uint) -> uint:
    """Return the CRC-32/IEEE of data[0:n], going on from `crc`; m: 2**32 - 1.

    table: of its 256 words, an array("I").
    """
    crc ^= m
    p = uint(data)
    end = p + n
    while p < end:
        crc = uint(table[int((crc ^ ptr8(p)[0]) & 255)]) ^ crc >> 8
        p += 1
    return crc ^ m
