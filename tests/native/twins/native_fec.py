"""The C encoder and decoder behind the interfaces of kcp.fec's, for tests that drive either."""

import ctypes

from compiled import library

from kcp.stats import NAMES

_pointer, _u32, _int = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int


def _call(name, result, *arguments):
    function = getattr(library(), "shim_fec_" + name)
    function.restype = result
    function.argtypes = arguments
    return function


class NativeEncoder:
    """As kcp.fec.Encoder."""

    def __init__(self, data, parity, size, seqid=0):
        new = _call("encoder", _pointer, _int, _int, _u32, _u32)
        self._fec = new(data, parity, size, seqid)
        if not self._fec:
            raise ValueError((data, parity))
        self._data = _call("data", _int, _pointer, _pointer, _u32, _u32)
        self._parity = _call("parity", _u32, _pointer, _pointer)
        self.n_parity = 0

    def data_packet(self, buf, off, end, now_ms):
        room = (ctypes.c_char * (end - off)).from_buffer(buf, off)
        self.n_parity = self._data(self._fec, ctypes.addressof(room), end - off, now_ms)

    def parity_packet(self, buf, off):
        room = (ctypes.c_char * (len(buf) - off)).from_buffer(buf, off)
        self.n_parity -= 1
        return off + self._parity(self._fec, ctypes.addressof(room))

    def grow(self, size):
        assert _call("grow", _int, _pointer, _u32)(self._fec, size) == 0

    def free(self):
        """Give everything back; returns the bytes that were lost."""
        return _call("free", ctypes.c_size_t, _pointer)(self._fec)


class NativeDecoder:
    """As kcp.fec.Decoder."""

    def __init__(self, data, parity, size, limit_bytes, is_sure=False):
        new = _call("decoder", _pointer, _int, _int, _u32, _u32, _int)
        self._fec = new(data, parity, size, limit_bytes, is_sure)
        if not self._fec:
            raise ValueError((data, parity))
        self._input = _call("input", None, _pointer, ctypes.c_char_p, _u32)
        self._repair = _call("repair", _u32, _pointer, _pointer)
        self._count = _call("count", ctypes.c_uint64, _pointer, _int)
        self._state = _call("state", None, _pointer, _pointer)
        self._room = (ctypes.c_char * size)()

    def input(self, packet):
        self._input(self._fec, packet, len(packet))

    def repair(self):
        """The next repaired packet's bytes, from its size field on; none: empty."""
        n = self._repair(self._fec, ctypes.addressof(self._room))
        return self._room.raw[:n]

    def count(self, name):
        return self._count(self._fec, NAMES.index(name))

    def state(self):
        """data, parity, is_tuning, doubt, held_bytes"""
        numbers = (ctypes.c_int64 * 5)()
        self._state(self._fec, ctypes.addressof(numbers))
        return tuple(numbers)

    def free(self):
        """Give everything back; returns the bytes that were lost."""
        return _call("free", ctypes.c_size_t, _pointer)(self._fec)
