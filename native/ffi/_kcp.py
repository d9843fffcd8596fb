"""The module `_kcp` for a MicroPython that can load a shared library: libkcp.so, by way of `ffi`.

For routers whose MicroPython has neither machine code of its own nor the C core in it. It lies
where MicroPython imports from, beside the library; KCP_LIBRARY names the file, by default it is
looked for where shared libraries are. Same names and effects as native/mod/modkcp.c, but for the
session, which runs in Python over these kernels and ciphers.
"""

from array import array
from os import getenv

import ffi

API = 1

try:
    _library = ffi.open(getenv("KCP_LIBRARY") or "libkcp.so")
except OSError as error:
    raise ImportError("libkcp.so cannot be loaded (%r); set KCP_LIBRARY to its path" % (error,))

_func = _library.func
_crc32 = _func("I", "kcp_ffi_crc32", "PLL")
_gf_add = _func("v", "kcp_ffi_gf_add", "pPLLL")
_zero = _func("v", "kcp_ffi_zero", "pL")
_copy = _func("v", "kcp_ffi_copy", "PLpLL")
_u32 = _func("I", "kcp_ffi_u32", "PL")
_put_u32 = _func("v", "kcp_ffi_put_u32", "pLI")
_seg_parse = _func("v", "kcp_ffi_seg_parse", "PLp")
_stamp = _func("v", "kcp_ffi_stamp", "pLIIII")
_seg_header = _func("v", "kcp_ffi_seg_header", "pLIIIIIIII")
_bytes = _func("L", "kcp_crypt_bytes", "i")
_init = _func("i", "kcp_crypt_init", "pLiPL")
_init_portable = _func("i", "kcp_crypt_init_portable", "pLiPL")
_is_hardware = _func("i", "kcp_crypt_is_hardware", "P")
_is_valid = _func("i", "kcp_crypt_is_valid", "PL")
_kind = _func("i", "kcp_crypt_kind", "P")
_n_nonce = _func("i", "kcp_crypt_nonce", "i")
_seal = _func("i", "kcp_crypt_seal", "PpLL")
_open = _func("i", "kcp_crypt_open", "PpL")
_run = _func("i", "kcp_crypt_run", "PpLi")

_words = array("I", [0] * 9)


def _check(buf, off, n):
    if off < 0 or n < 0 or off + n > len(buf):
        raise ValueError("the range is not within the buffer")


def crc32(buf, off, end):
    """Return the CRC-32 of buf[off:end]."""
    _check(buf, off, end - off)
    return _crc32(buf, off, end)


def gf_add(sums, tables, buf, off, n):
    """Add tables[i][1] * buf[off:off+n] to sums[i].value, for each i."""
    _check(buf, off, n)
    if len(tables) < len(sums):
        raise ValueError("a table is missing")
    for i in range(len(sums)):
        value = sums[i].value
        _check(value, 0, n)
        _gf_add(value, buf, off, n, tables[i][1])


def zero(buf):
    """Make all of it zeros."""
    _zero(buf, len(buf))


def copy(src, off, dst, dst_off, n):
    """Copy src[off:off+n] to dst[dst_off:]; they may overlap."""
    _check(src, off, n)
    _check(dst, dst_off, n)
    _copy(src, off, dst, dst_off, n)


def u32(buf, off):
    """Return the 32-bit number at buf[off:]."""
    _check(buf, off, 4)
    return _u32(buf, off)


def put_u32(buf, off, value):
    """Write a 32-bit number at buf[off:]."""
    _check(buf, off, 4)
    _put_u32(buf, off, value)


def seg_parse(buf, off, fields):
    """Put the segment header at buf[off:] into a list of 9."""
    _check(buf, off, 24)
    words = _words
    _seg_parse(buf, off, words)
    for i in range(9):
        fields[i] = words[i]
    return fields


def seg_header(buf, off, conv, cmd, frg, wnd, ts, sn, una, n):
    """Write a segment header at buf[off:]."""
    _check(buf, off, 24)
    _seg_header(buf, off, conv, cmd, frg, wnd, ts, sn, una, n)


def tx_out(chunk, n, wnd, ts, sn, una, buf, off):
    """Stamp a chunk and copy its n bytes to buf[off:]."""
    if n < 24:
        raise ValueError("a chunk has 24 bytes or more")
    _check(chunk, 0, n)
    _check(buf, off, n)
    _stamp(chunk, 0, wnd, ts, sn, una)
    _copy(chunk, 0, buf, off, n)


def crypt_bytes(kind):
    """Return the bytes of a codec, 0: not in this build."""
    return _bytes(kind)


def crypt_init(codec, kind, key, portable):
    """Make a codec; True if the CPU has instructions for it."""
    init = _init_portable if portable else _init
    if init(codec, len(codec), kind, key, len(key)):
        raise ValueError("no such cipher, or a codec or key of a wrong length")
    return bool(_is_hardware(codec))


def _valid(codec):
    if not _is_valid(codec, len(codec)):
        raise ValueError("not a codec that crypt_init() has made")
    return codec


def seal(codec, buf, end, nonce):
    """Return the bytes of the datagram whose payload is buf[head:end]."""
    n_nonce = _n_nonce(_kind(_valid(codec)))
    _check(nonce, 0, n_nonce)
    n = -1
    if len(buf) >= n_nonce and end >= 0:
        _copy(nonce, 0, buf, 0, n_nonce)
        n = _seal(codec, buf, len(buf), end)
    if n < 0:
        raise ValueError("the datagram does not fit its buffer or is too long")
    return n


def open(codec, buf, n):
    """Return the offset of the payload in the datagram buf[0:n], or a negative code."""
    _check(buf, 0, n)
    return _open(_valid(codec), buf, n)


def run(codec, buf, n, opening):
    """Run the cipher alone over buf[0:n]."""
    _check(buf, 0, n)
    if _run(_valid(codec), buf, n, 1 if opening else 0) < 0:
        raise ValueError("this cipher cannot do that")
