"""One object for all settings, checked when it is made."""

from ._compat import DEFAULT_AUTO_FEC, DEFAULT_FEC_BYTES, DEFAULT_MEMORY_BYTES, DEFAULT_WND, const
from .cc import check as check_cc
from .crypt import key_for

_KCP_HEAD = const(24)

#: kcptun's modes: (nodelay, interval ms, resend, nc)
MODES = {
    "normal": (0, 40, 2, 1),
    "fast": (0, 30, 2, 1),
    "fast2": (1, 20, 2, 1),
    "fast3": (1, 10, 2, 1),
}

#: The congestion controller where neither cc nor nc nor pacing says otherwise.
DEFAULT_CC = "rate"

_DEFAULTS = {
    "preset": None,
    "crypt": "null",
    "key": None,
    "mode": "fast",
    "mtu": 1350,
    "sndwnd": None,
    "rcvwnd": None,
    "nodelay": None,
    "interval": None,
    "resend": None,
    "nc": None,
    "cc": None,
    "stream": True,
    "acknodelay": False,
    "write_delay": False,
    "pacing": True,
    "rate_limit": 0,
    "dup": 0,
    "dscp": None,
    "read_buffer": None,
    "write_buffer": None,
    "trace": None,
    "dead_ms": 90000,
    "keepalive_ms": 0,
    "idle_ms": 0,
    "linger_ms": 10000,
    "roaming": False,
    "backlog": 128,
    "max_sessions": 1024,
    "max_memory_bytes": None,
    "max_fec_bytes": None,
    "fec": None,
    "fec_acks": False,
    "datashard": 0,
    "parityshard": 0,
}

#: Settings that are whole numbers: least, greatest, unit.
_RANGES = {
    "mtu": (50, 1500, "bytes of UDP payload"),
    "sndwnd": (1, 32768, "segments"),
    "rcvwnd": (1, 32768, "segments"),
    "nodelay": (0, 1, "0 or 1"),
    "interval": (10, 5000, "ms"),
    "resend": (0, 65534, "ACKs, 0 = off"),
    "nc": (0, 1, "1 = no congestion control"),
    "rate_limit": (0, (1 << 30) - 1, "bytes per second, 0 = off"),
    "dup": (0, 255, "copies, 0 = off"),
    "dead_ms": (100, 1 << 28, "ms"),
    "keepalive_ms": (0, 1 << 28, "ms, 0 = off"),
    "idle_ms": (0, 1 << 28, "ms, 0 = off"),
    "linger_ms": (0, 1 << 28, "ms"),
    "backlog": (1, 65536, "sessions"),
    "max_sessions": (1, 1 << 20, "sessions"),
    "max_fec_bytes": (0, (1 << 30) - 1, "bytes"),
    "max_memory_bytes": (4096, (1 << 30) - 1, "bytes"),
}

#: The same for those that may also be None: as the system has it.
_SOCKET_RANGES = {
    "dscp": (0, 63, "the upper six bits of the traffic class"),
    "read_buffer": (1, (1 << 30) - 1, "bytes"),
    "write_buffer": (1, (1 << 30) - 1, "bytes"),
}

#: Under which anybody can make the answer that moves a session, from packets that he has seen.
_NO_PROOF = ("null", "none", "xor", "salsa20")

_FLAGS = tuple([name for name, value in _DEFAULTS.items() if value is True or value is False])
_MAX_AUTO_PARITY = 31  # see _fec_auto

#: What a mode sets.
MODE_NAMES = ("nodelay", "interval", "resend", "nc")


class Config:
    """Settings of a session or listener. Keywords only; ValueError at once on a bad one.

    preset: "lan", "wifi", "lte", "satellite", "espnow", "lora" or "serial": what fits such a link
        for mode, mtu, windows, fec and times (`_presets` has the values and why); whatever is
        given beside it goes first.
    crypt: a name of crypt.NAMES: "null" (no crypt layer), "none" (nonce + CRC-32), "aes-128"...
    key: bytes, as many as the cipher takes, or the 32 of derive_key(passphrase), of which it takes
        the first ones as kcptun does; unused by "null" and "none".
    mode: kcptun's "normal", "fast", "fast2", "fast3"; nodelay, interval (ms), resend, nc override
        what the mode sets.
    mtu: bytes per UDP payload, 50..1500. sndwnd, rcvwnd: windows in segments (default: by what the
        machine can afford).
    stream: True = bytes, full segments; False = one send() is one message of up to 255 segments.
    acknodelay: answer every packet at once. write_delay: send at the next tick instead of at once.
    cc: the congestion controller (`kcp.cc`): "rate" finds out what the path carries, "kcp" is
        kcp-go's congestion window (the same as nc=0), "none" always sends all that the windows
        allow; or a class of yours. Default: "kcp" with nc=0, "none" with pacing=False, else
        "rate".
    pacing: spread new segments at the rate that the controller gives, instead of sending a window
        at once as kcp-go does; local to this side.
    rate_limit: bytes per second that a session may send, whole datagrams (0: as fast as it can).
        dup: send every datagram so many times more (for testing, as kcp-go's SetDUP).
    dscp: 0..63, how routers are to treat the datagrams, for IPv4 and IPv6; read_buffer,
        write_buffer: bytes of the socket's buffers. Of the socket, so on a server of all sessions;
        OSError if the system refuses one.
    trace: events to log, as `Session.set_logger` takes them (a mask or names); None: none.
    fec: (data, parity) shards per group, or datashard and parityshard; None, 0, 0: off; "auto": as
        much parity as the losses ask for, at most what datashard and parityshard say (default 10
        and 6, on boards 4 and 3), and copies where packets are few (`_fec_auto`). Only for what
        this side sends: what the peer uses is found out. max_fec_bytes: how much of the
        peer's packets a session may keep to repair groups. fec_acks: put datagrams that hold only
        acknowledgements into the groups too, as kcp-go does; its versions before 5.6 (2020) drop
        them else, if they have FEC on.
    dead_ms: a session with unacknowledged data that hears nothing this long is dead (ETIMEDOUT).
    keepalive_ms: ask the peer for a sign of life when nothing was heard for so long; without one
        for dead_ms it is dead. idle_ms: nothing heard for so long ends the session, dead or not
        (ETIMEDOUT); not less than two keepalive_ms if both are on. 0: off.
    linger_ms: how long close() may wait for acknowledgements.
    roaming: (a listener's) let a session go on from another address, when that has answered a
        question sent only there. Needs a crypt under which nobody can make that answer without the
        key: not "null", "none", "xor", "salsa20". (Ciphers in CFB mode do not keep bits of a
        packet's last block from being flipped, with the CRC mended; the AEADs keep every byte.)
        Every conversation number is one session then.
    backlog, max_sessions, max_memory_bytes: a listener's limits: sessions not accepted yet, all
        sessions, and bytes received but not read over all sessions.
    """

    def __init__(self, **options):
        for name in options:
            if name not in _DEFAULTS:
                raise ValueError(
                    "unknown option %r; options are: %s" % (name, ", ".join(sorted(_DEFAULTS)))
                )
        #: what was asked for, without what follows from it
        self.given = dict(options)
        if "preset" in options:
            from ._presets import expanded  # only who uses it pays for it

            options = expanded(options)
        for name, default in _DEFAULTS.items():
            setattr(self, name, options.get(name, default))
        self._check_names()
        self._fill_in()
        for name, limits in _RANGES.items():
            check_range(name, getattr(self, name), limits)
        for name in _SOCKET_RANGES:
            check_socket_option(name, getattr(self, name))
        for name in _FLAGS:
            if getattr(self, name) not in (True, False):
                raise ValueError("%s must be True or False, not %r" % (name, getattr(self, name)))
        if callable(self.cc):
            from ._cc_user import try_out  # only who uses it pays for it

            try_out(self)
        if self.idle_ms and self.idle_ms < 2 * self.keepalive_ms:
            raise ValueError(
                "idle_ms must be 0 or at least twice keepalive_ms, or it ends living sessions"
            )

    def _check_names(self):
        key_for(self.crypt, self.key)
        if self.key is not None and "crypt" not in self.given:
            raise ValueError("a key, but no crypt: say which it is for, as crypt='aes-128'")
        if self.mode not in MODES and self.mode != "manual":
            names = ", ".join(sorted(MODES))
            raise ValueError("unknown mode %r; there are: %s, manual" % (self.mode, names))
        if self.roaming and self.crypt in _NO_PROOF:
            raise ValueError(
                "roaming needs a crypt under which nobody can make answers without the key, as"
                " aes-128-gcm; crypt is %r" % self.crypt
            )
        if self.trace is not None:
            from .trace import mask_of

            self.trace = mask_of(self.trace)
        if self.fec == "auto":
            self._fit_auto()
        elif self.fec is not None:
            if not isinstance(self.fec, (tuple, list)) or len(self.fec) != 2:
                raise ValueError(
                    'fec must be (data, parity), as (10, 3), or "auto", not %r' % (self.fec,)
                )
            self.datashard, self.parityshard = self.fec
        if self.datashard or self.parityshard:
            from .rs import check

            check(self.datashard, self.parityshard)

    def _fit_auto(self):
        """fec="auto": the numbers that the groups are made by."""
        if not self.datashard and not self.parityshard:
            self.datashard, self.parityshard = DEFAULT_AUTO_FEC
        if self.parityshard > _MAX_AUTO_PARITY:
            raise ValueError(
                "fec='auto' takes a parityshard of at most %d, not %d"
                % (_MAX_AUTO_PARITY, self.parityshard)
            )

    def _fill_in(self):
        """Put in what follows from the mode and from the machine."""
        if self.cc is not None:
            self._fit_nc()
        preset = MODES.get(self.mode, MODES["normal"])
        for name, value in zip(MODE_NAMES, preset):
            if getattr(self, name) is None:
                setattr(self, name, value)
        for name in ("nodelay", "nc"):
            if getattr(self, name) in (True, False):  # else check_range() says what it must be
                setattr(self, name, int(getattr(self, name)))
        if self.cc is None:
            self.cc = "kcp" if self.nc == 0 else DEFAULT_CC if self.pacing else "none"
        if self.sndwnd is None:
            self.sndwnd = DEFAULT_WND[0]
        if self.rcvwnd is None:
            self.rcvwnd = DEFAULT_WND[1]
        if self.max_memory_bytes is None:
            self.max_memory_bytes = DEFAULT_MEMORY_BYTES
        if self.max_fec_bytes is None:
            self.max_fec_bytes = DEFAULT_FEC_BYTES

    def _fit_nc(self):
        """Check the controller, and have nc say the same."""
        check_cc(self.cc)
        nc = 0 if self.cc == "kcp" else 1
        if self.nc is not None and self.nc != nc:
            raise ValueError("nc=%r says otherwise than cc=%r: give only cc" % (self.nc, self.cc))
        self.nc = nc

    @property
    def payload_pct(self) -> int:
        """How much of the packets sent are data and not parity (fec="auto": to begin with)."""
        if not self.datashard:
            return 100
        n_parity = min(self.parityshard, 2) if self.fec == "auto" else self.parityshard
        return 100 * self.datashard // (self.datashard + n_parity)

    def memory(self, takes_fec=None) -> int:
        """Return the bytes that a session with these settings holds at most, with the buffers of
        its endpoint; without what the modules, the cipher and the event loop take.

        takes_fec: whether the peer sends FEC, which this side then has to keep for repairs
        (default: if this side does). On MicroPython the figure is what its heap shows, 15 % too
        much at most; on CPython it is an estimate."""
        from ._memory import session_bytes  # only who uses it pays for it

        return session_bytes(self, takes_fec)

    @classmethod
    def from_options(cls, config, options: dict) -> "Config":
        """Return `config` (None: the defaults) with `options` laid over it."""
        if config is None:
            return cls(**options)
        if not isinstance(config, cls):
            raise ValueError("config must be a kcp.Config, not %s" % type(config).__name__)
        if not options:
            return config
        return cls(**overlaid(dict(config.given), options))


def overlaid(given: dict, options: dict) -> dict:
    """Lay options over `given`, and return it: a new cc goes before an old nc, and the reverse."""
    if "cc" in options:
        given.pop("nc", None)
    elif "nc" in options:
        given.pop("cc", None)
    given.update(options)
    return given


def check_room(mtu, overhead_bytes):
    """Raise ValueError unless an mtu leaves room for data beside what is in every packet."""
    if mtu - overhead_bytes <= _KCP_HEAD:
        raise ValueError(
            "mtu=%d leaves no room for data: crypt and FEC take %d bytes of it and KCP %d; give"
            " mtu=%d or more" % (mtu, overhead_bytes, _KCP_HEAD, overhead_bytes + _KCP_HEAD + 1)
        )


def check_range(name, value, limits):
    """Raise ValueError unless value is a whole number within limits: least, greatest, unit."""
    low, high, unit = limits
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError("%s must be %d..%d (%s), not %r" % (name, low, high, unit, value))


def check_socket_option(name, value):
    """Raise ValueError if `name` is no option of the socket or the value is out of range."""
    limits = _SOCKET_RANGES.get(name)
    if limits is None:
        names = ", ".join(sorted(_SOCKET_RANGES))
        raise ValueError("%r is no option of the socket; there are: %s" % (name, names))
    if value is not None:
        check_range(name, value, limits)
