"""The C session behind the Python session's interface, for tests that drive either."""

import ctypes

from compiled import library as compiled_library
from native_arq import CONTROLLERS, ArqConfig

from kcp.crypt import key_for
from kcp.stats import NAMES

u32, i32 = ctypes.c_uint32, ctypes.c_int32
KINDS = {
    "null": 0,
    "none": 1,
    "salsa20": 3,
    "aes-128": 4,
    "aes-192": 5,
    "aes-256": 6,
    "aes-128-gcm": 7,
    "aes-256-gcm": 9,
    "chacha20-poly1305": 10,
    "sm4": 11,
    "tea": 16,
    "xtea": 17,
}
#: Those that take a key.
KEY_KINDS = tuple(name for name, kind in KINDS.items() if kind > 1)
#: Why a session has ended, by the words that the Python one says it with.
REASONS = (
    (2, "bytes unanswered"),
    (3, "keep-alive unanswered"),
    (4, "idle_ms"),
    (5, "linger_ms"),
    (6, "forgotten"),
)


class _Config(ctypes.Structure):
    _fields_ = [
        ("arq", ArqConfig),
        ("cc", i32),
        ("is_paced", i32),
        ("payload_pct", i32),
        ("is_write_delayed", i32),
        ("data", i32),
        ("parity", i32),
        ("is_auto", i32),
        ("fec_acks", i32),
        ("max_fec_bytes", u32),
        ("dead_ms", u32),
        ("keepalive_ms", u32),
        ("idle_ms", u32),
        ("linger_ms", u32),
    ]


def _fields(config, conv):
    """What the C session needs of a Config."""
    arq = ArqConfig(
        conv=conv,
        mtu=config.mtu,
        snd_wnd=config.sndwnd,
        rcv_wnd=config.rcvwnd,
        nodelay=config.nodelay,
        interval_ms=config.interval,
        resend=config.resend,
        nc=1,
        stream=config.stream,
        ack_nodelay=config.acknodelay,
    )
    return _Config(
        arq=arq,
        cc=CONTROLLERS[config.cc],
        is_paced=config.pacing,
        payload_pct=config.payload_pct,
        is_write_delayed=config.write_delay,
        data=config.datashard,
        parity=config.parityshard,
        is_auto=config.fec == "auto",
        fec_acks=config.fec_acks,
        max_fec_bytes=config.max_fec_bytes,
        dead_ms=config.dead_ms,
        keepalive_ms=config.keepalive_ms,
        idle_ms=config.idle_ms,
        linger_ms=config.linger_ms,
    )


def reason(session):
    """A Python session's reason as the number of the C session's."""
    if session.state != 2 or session.why is None:
        return 0
    return next(number for number, words in REASONS if words in session.why)


class NativeSession:
    """As kcp.Session, over a Config."""

    def __init__(self, conv, config, now_ms, limit_bytes=1 << 30):
        lib = self._lib = compiled_library()
        pointer = ctypes.c_void_p
        lib.shim_session_new.restype = pointer
        lib.shim_session_new.argtypes = [
            pointer, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, u32,
        ]  # fmt: skip
        lib.shim_session_count.restype = ctypes.c_uint64
        lib.shim_session_free.restype = lib.kcp_session_recv.restype = ctypes.c_size_t
        key = key_for(config.crypt, config.key) or b""
        fields = _fields(config, conv)
        self._session = pointer(
            lib.shim_session_new(
                ctypes.addressof(fields), KINDS[config.crypt], key, len(key), limit_bytes, now_ms
            )
        )
        if not self._session:
            raise ValueError("the C session refuses the configuration")
        self.config = config
        self._room = (ctypes.c_char * 1536)()

    def input(self, datagram, now_ms):
        ctypes.memmove(self._room, datagram, len(datagram))
        n = ctypes.c_size_t(len(datagram))
        return bool(self._lib.kcp_session_input(self._session, self._room, n, u32(now_ms)))

    def oob(self):
        """The payload that the last input() brought, or None."""
        n = self.state()[7]
        if n < 0:
            return None
        self._lib.shim_session_oob(self._session, self._room)
        return self._room.raw[:n]

    def output(self, now_ms):
        n = self._lib.kcp_session_output(self._session, self._room, u32(now_ms))
        return self._room.raw[:n]

    def timeout(self, now_ms):
        return self._lib.kcp_session_timeout(self._session, u32(now_ms))

    def send(self, data):
        return self._lib.kcp_session_send(self._session, data, ctypes.c_size_t(len(data)))

    def recv(self, n):
        room = (ctypes.c_char * n)()
        n = self._lib.kcp_session_recv(self._session, room, ctypes.c_size_t(n))
        return room.raw[:n]

    def send_oob(self, data):
        return self._lib.kcp_session_send_oob(self._session, data, ctypes.c_size_t(len(data)))

    def close(self, now_ms, linger_ms):
        self._lib.kcp_session_close(self._session, u32(now_ms), u32(linger_ms))

    def probe(self):
        self._lib.kcp_session_probe(self._session)

    # (the Python session's set() fits the controller whatever has changed)

    def set_mtu(self, mtu):
        code = self._lib.kcp_session_set_mtu(self._session, mtu)
        self._lib.kcp_session_fit_cc(self._session)
        return code

    def change(self, dead_ms, keepalive_ms, idle_ms):
        self._lib.shim_session_change(self._session, dead_ms, keepalive_ms, idle_ms)
        self._lib.kcp_session_fit_cc(self._session)

    def count(self, name):
        return self._lib.shim_session_count(self._session, NAMES.index(name))

    def state(self):
        """As shim_session_state() in session_shim.c says."""
        numbers = (ctypes.c_int64 * 10)()
        self._lib.shim_session_state(self._session, numbers)
        return tuple(numbers)

    def free(self):
        """Give everything back; returns the bytes that were lost."""
        return self._lib.shim_session_free(self._session)
