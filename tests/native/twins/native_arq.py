"""The C ARQ behind the Python ARQ's interface, for tests that drive either."""

import ctypes

from compiled import library as compiled_library

from kcp.stats import NAMES

CONTROLLERS = {"none": 0, "kcp": 1, "rate": 2}

u8p, u32, i32 = ctypes.c_char_p, ctypes.c_uint32, ctypes.c_int32


class ArqConfig(ctypes.Structure):
    _fields_ = [
        ("conv", u32),
        ("mtu", i32),
        ("snd_wnd", i32),
        ("rcv_wnd", i32),
        ("nodelay", i32),
        ("interval_ms", i32),
        ("resend", i32),
        ("nc", i32),
        ("stream", i32),
        ("ack_nodelay", i32),
        ("max_queue", i32),
        ("snd_sn", u32),
        ("rcv_sn", u32),
    ]


def _load():
    library = compiled_library()
    library.shim_new.restype = ctypes.c_void_p
    library.shim_new.argtypes = [ctypes.POINTER(ArqConfig), u32, ctypes.c_size_t]
    library.shim_free.restype = library.shim_held_bytes.restype = ctypes.c_size_t
    library.shim_count.restype = ctypes.c_uint64
    library.shim_number.restype = ctypes.c_int64
    library.kcp_arq_read.restype = ctypes.c_size_t
    pointer = ctypes.c_void_p
    library.shim_free.argtypes = library.shim_held_bytes.argtypes = [pointer]
    library.shim_set_doubts.argtypes = [pointer]
    library.shim_count.argtypes = [pointer, ctypes.c_int]
    library.shim_number.argtypes = [pointer, u8p]
    library.shim_input.argtypes = [pointer, u8p, ctypes.c_size_t, u32, ctypes.c_int]
    library.kcp_arq_output.argtypes = [pointer, pointer, u32]
    library.kcp_arq_send.argtypes = [pointer, u8p, ctypes.c_size_t]
    library.kcp_arq_read.argtypes = library.kcp_arq_recv.argtypes = [
        pointer,
        pointer,
        ctypes.c_size_t,
    ]
    for name in ("tick", "timeout", "update", "set_phase"):
        getattr(library, "kcp_arq_" + name).argtypes = [pointer, u32]
    for name in ("flush", "free", "let_acks_pass", "tell_window", "peek_size"):
        getattr(library, "kcp_arq_" + name).argtypes = [pointer]
    library.kcp_arq_wndsize.argtypes = [pointer, i32, i32]
    library.kcp_arq_set_mtu.argtypes = [pointer, i32]
    library.kcp_arq_nodelay.argtypes = [pointer, i32, i32, i32, i32]
    library.kcp_arq_set_cc.argtypes = [pointer, ctypes.c_int, ctypes.c_int, i32]
    return library


_library = None


class _Counts:
    """The counters by their names."""

    def __init__(self, arq):
        self._arq = arq

    def __getattr__(self, name):
        return _library.shim_count(self._arq, NAMES.index(name))


class _KcpWindow:
    def __init__(self, arq):
        self._owner = arq

    def __getattr__(self, name):
        return self._owner.number(name)


class NativeArq:
    """As kcp.arq.Arq. budget_bytes: a limit on what is received and not read, 0 = none;
    limit_bytes: of all memory."""

    def __init__(self, conv, budget_bytes=0, limit_bytes=1 << 30, **settings):
        global _library
        if _library is None:
            _library = _load()
        given = {
            "mtu": 1400,
            "snd_wnd": 32,
            "rcv_wnd": 32,
            "interval_ms": 100,
            "max_queue": 0,
        }
        given.update(settings)
        config = ArqConfig(conv=conv, **{name: int(value) for name, value in given.items()})
        self._arq = _library.shim_new(ctypes.byref(config), budget_bytes, limit_bytes)
        if not self._arq:
            raise ValueError("the C ARQ refuses %r" % (settings,))
        self.buffer_bytes = 2 * given["mtu"]
        self.stats = _Counts(self._arq)
        self._kcp_cc = _KcpWindow(self)

    def number(self, name):
        value = _library.shim_number(self._arq, name.encode())
        if value == -(1 << 63):
            raise AttributeError(name)
        return value

    def __getattr__(self, name):
        if name[0] == "_":
            raise AttributeError(name)
        return self.number(name)

    def wait_snd(self):
        return self.number("wait_snd")

    @property
    def idle(self):
        return bool(self.number("is_idle"))

    @property
    def held_bytes(self):
        return _library.shim_held_bytes(self._arq)

    def free(self):
        """Give everything back; returns the bytes that were lost."""
        lost = _library.shim_free(self._arq)
        self._arq = None
        return lost

    def doubt(self):
        _library.shim_set_doubts(self._arq)

    def input(self, buf, off, end, now_ms, regular=True):
        data = bytes(buf[off:end])
        return _library.shim_input(self._arq, data, len(data), now_ms, regular)

    def output(self, buf, off, now_ms):
        room = (ctypes.c_char * 1500)()
        n = _library.kcp_arq_output(self._arq, ctypes.addressof(room), now_ms)
        buf[off : off + n] = room.raw[:n]
        return n

    def send(self, data):
        n = _library.kcp_arq_send(self._arq, bytes(data), len(data))
        if n < 0:
            raise ValueError("send: %d" % n)
        return n

    queue = send

    def recv_into(self, buf):
        room = (ctypes.c_char * max(len(buf), 1))()
        n = _library.kcp_arq_recv(self._arq, ctypes.addressof(room), len(buf))
        if n > 0:
            buf[:n] = room.raw[:n]
        return n

    def read_into(self, buf):
        room = (ctypes.c_char * max(len(buf), 1))()
        n = _library.kcp_arq_read(self._arq, ctypes.addressof(room), len(buf))
        buf[:n] = room.raw[:n]
        return n

    def set_wndsize(self, snd_wnd, rcv_wnd):
        if _library.kcp_arq_wndsize(self._arq, snd_wnd, rcv_wnd):
            raise ValueError("window out of range")

    def set_nodelay(self, nodelay=-1, interval_ms=-1, resend=-1, nc=-1):
        _library.kcp_arq_nodelay(self._arq, nodelay, interval_ms, resend, nc)

    def set_mtu(self, mtu):
        if _library.kcp_arq_set_mtu(self._arq, mtu):
            raise ValueError("mtu out of range")

    def set_cc(self, name, pacing=False, payload_pct=100):
        _library.kcp_arq_set_cc(self._arq, CONTROLLERS[name], pacing, payload_pct)

    def set_phase(self, now_ms):
        _library.kcp_arq_set_phase(self._arq, now_ms)

    def update(self, now_ms):
        _library.kcp_arq_update(self._arq, now_ms)

    def tick(self, now_ms):
        _library.kcp_arq_tick(self._arq, now_ms)

    def timeout(self, now_ms):
        return _library.kcp_arq_timeout(self._arq, now_ms)

    def flush(self):
        _library.kcp_arq_flush(self._arq)

    def let_acks_pass(self):
        _library.kcp_arq_let_acks_pass(self._arq)

    def tell_window(self):
        _library.kcp_arq_tell_window(self._arq)
