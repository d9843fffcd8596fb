"""`kcp.session.Session` in Python; `_session_native` is its twin in C."""

from ._compat import const
from ._ending import EPIPE, Ending, left, sooner
from ._kernels import close_gap, u32
from .arq import Arq
from .config import check_room
from .packet import BAD_SUM, codec
from .stats import Stats, read_late

_OPEN = const(0)  # session.OPEN
_CLOSING = const(1)
_CLOSED = const(2)

_MIN_PAYLOAD = const(12)  # an empty out-of-band packet with its FEC header
_MTU_LIMIT = const(1500)
_MIN_BUFFER = const(1536)  # a peer's largest datagram, and room to the end of a cipher's block
_FEC_DATA = const(0xF1)
_FEC_PARITY = const(0xF2)
_FEC_OOB = const(0xF3)
_FEC_HEAD = const(8)
_CONV_BYTES = const(4)


class Budget:
    """Bytes that sessions together may hold."""

    def __init__(self, limit_bytes):
        self.limit_bytes = limit_bytes
        self.used_bytes = 0


class Session(Ending):
    """The six verbs over one conversation.

    conv: 32-bit number both ends use; config: a Config; fill(view): writes random bytes over a
    memoryview; now_ms: the time (ms modulo 2**30); stats: a Stats to count into; codec, budget:
    shared ones, from a Listener. Raises ValueError if config.mtu leaves no room for data.
    """

    def __init__(self, conv, config, fill, now_ms, stats=None, codec_=None, budget=None):
        self.conv = conv
        self.config = config
        self.stats = Stats() if stats is None else stats
        self.codec = codec(config, fill) if codec_ is None else codec_
        self._head = self.codec.head + (_FEC_HEAD if config.datashard else 0)
        #: what a datagram holds besides KCP segments
        self.overhead_bytes = self._head + self.codec.tail
        check_room(config.mtu, self.overhead_bytes)
        mtu = config.mtu - self.overhead_bytes
        self.arq = Arq(
            conv,
            mtu=mtu,
            snd_wnd=config.sndwnd,
            rcv_wnd=config.rcvwnd,
            nodelay=config.nodelay,
            interval_ms=config.interval,
            resend=config.resend,
            nc=1,
            stream=config.stream,
            ack_nodelay=config.acknodelay,
            stats=self.stats,
            budget=budget,
        )
        self._fit_cc()
        self.arq.set_phase(now_ms)
        self.arq.doubts = True
        self._fit_buffer()
        self._encoder = self._decoder = None
        if config.datashard:
            self._encoder = self._make_encoder(mtu + 2)
        #: called with the bytes of every out-of-band packet, from within input(); None: dropped
        self.on_oob = None
        self.opening = None  # (a listener's: the time stamp of the first packet, 4 bytes)
        self._outbox = None  # what send_oob() has queued
        self.state = _OPEN
        self.error = None  # errno once it has failed
        self.why = None  # and a sentence that says which limit was reached
        self.lost_bytes = 0  # not acknowledged when it went _CLOSED
        self.last_input_ms = now_ms  # when something valid last came
        self.heard = False  # whether anything valid ever came
        self._waiting = False  # for an answer to what was sent, since
        self._waiting_ms = now_ms
        self._close_ms = self._linger_ms = 0
        self._keeper = None
        if config.keepalive_ms or config.idle_ms:
            self._fit_keeper()
        self.tracer = None
        if config.trace:
            self.set_logger(config.trace)
        self.shaper = None
        if config.rate_limit or config.dup:
            from ._shaper import shape

            shape(self)

    def _fit_cc(self):
        """(After a change of cc or pacing.)"""
        arq, config = self.arq, self.config
        arq.set_cc(config.cc, config.pacing, config.payload_pct)
        if callable(config.cc):
            arq.cc.fail = self.abort

    def _make_encoder(self, size):
        config = self.config
        if config.fec == "auto":
            from ._fec_auto import AutoEncoder  # only who uses it pays for it

            return AutoEncoder(config.datashard, config.parityshard, size, self.arq)
        from .fec import Encoder

        return Encoder(config.datashard, config.parityshard, size)

    def _fit_buffer(self):
        """(After a change of the mtu.)"""
        self.mss = self.arq.mss
        #: bytes that buffers for input() and output() must have
        self.buffer_bytes = max(_MIN_BUFFER, self.overhead_bytes + self.arq.buffer_bytes)

    def set(self, **options):
        """Change settings at once: mtu, sndwnd, rcvwnd, mode, nodelay, interval, resend, nc,
        cc, stream, acknodelay, write_delay, pacing, rate_limit, dup, trace, dead_ms, keepalive_ms,
        idle_ms, linger_ms (`Config`).

        Raises ValueError, and changes nothing, on a value out of range and on settings that are
        fixed when the session is made. A new mtu is for data queued from now on; after it was
        raised, buffers for output() need the new `buffer_bytes`.
        """
        from ._options import apply  # only who uses it pays for it

        apply(self, options)

    def set_logger(self, mask, sink=None, report=None):
        """Have sink(event, conv, *values) called for what passes this session (kcp-go: SetLogger).

        mask: numbers or names of `kcp.trace`, such as "in_push,out_ack" or "all"; 0 or None: off.
        sink None: logging (CPython) or print (MicroPython). An exception in it ends the tracing
        and goes to report(error, message), or comes out of the verb that was called. ValueError on
        names that are none.
        """
        from .trace import attach  # only who uses it pays for it

        attach(self, mask, sink, report)

    # -- datagrams -----------------------------------------------------------------------------

    def input(self, buf, n, now_ms) -> bool:
        """Take the datagram buf[0:n] (a bytearray, changed in place). False: dropped, counted."""
        off = self.codec.open(buf, n)
        if off < 0:
            if off == BAD_SUM:
                self.stats.InCsumErrors += 1
            else:
                self.stats.InErrs += 1
            return False
        return self.input_plain(buf, off, n - self.codec.tail, now_ms)

    def input_plain(self, buf, off, end, now_ms) -> bool:
        """Take an opened datagram's payload buf[off:end]. False: dropped, counted."""
        stats = self.stats
        if end - off < _MIN_PAYLOAD:
            stats.KCPInErrors += 1
            return False
        if self.state == _CLOSED:
            return False
        stats.InPkts += 1
        stats.InBytes += end - off
        kind = buf[off + 4] | buf[off + 5] << 8
        if kind == _FEC_DATA or kind == _FEC_PARITY:
            return self._input_fec(buf, off, end, kind, now_ms)
        if kind == _FEC_OOB:
            return self._input_oob(buf, off + _FEC_HEAD, end, now_ms)
        return self._input_kcp(buf, off, end, now_ms, True)

    def _input_kcp(self, buf, off, end, now_ms, regular):
        if self.tracer is not None:
            self.tracer.input(buf, off, end, regular)
        if self.arq.input(buf, off, end, now_ms, regular) != 0:
            self.stats.KCPInErrors += 1
            return False
        self.last_input_ms = now_ms
        self.heard = True
        if self.arq.behind:
            self._look_behind()
        else:
            self._waiting = self.arq.asked = False
        return True

    def _input_fec(self, buf, off, end, kind, now_ms):
        """A packet with an FEC head: the peer may use it whether we do or not."""
        decoder = self._decoder
        if decoder is None:
            from .fec import Decoder

            config = self.config
            decoder = self._decoder = Decoder(
                config.datashard,
                config.parityshard,
                _MTU_LIMIT,
                self.stats,
                config.max_fec_bytes,
            )
        good = False
        if kind == _FEC_DATA:
            good = self._input_kcp(buf, off + _FEC_HEAD, end, now_ms, True)
        decoder.input(buf, off, end)
        scratch = decoder.scratch
        while True:
            n = decoder.repair(scratch)
            if n == 0:
                return good
            good |= self._input_kcp(scratch, 2, n, now_ms, False)

    def _input_oob(self, buf, off, end, now_ms):
        """An out-of-band packet, whose conv is at off. It answers nothing that was sent."""
        stats = self.stats
        if u32(buf, off) != self.conv:  # kcp-go hands these out too
            stats.InErrs += 1
            return False
        stats.OOBPackets += 1
        self.last_input_ms = now_ms
        self.heard = True
        if self.on_oob is None or self.state != _OPEN:
            return False
        self.on_oob(bytes(memoryview(buf)[off + _CONV_BYTES : end]))
        return True

    def output(self, buf, now_ms) -> int:
        """Build the next datagram in buf[0:n] (a bytearray of buffer_bytes); 0 = nothing due."""
        if self.state == _CLOSED:
            return 0
        arq = self.arq
        if arq.idle:
            arq.tick(now_ms)
            self._watch(now_ms)
        codec_, encoder = self.codec, self._encoder
        if self._outbox is not None and self._outbox.packets:
            return self._sealed(buf, self._outbox.take(buf, codec_.head))
        if encoder is not None and encoder.n_parity:
            return self._sealed(buf, encoder.parity_packet(buf, codec_.head))
        if encoder is not None and encoder.n_copies:
            end = encoder.copy(buf, codec_.head, now_ms)
            if end:
                return self._sealed(buf, end)
        head = self._head
        n = arq.output(buf, head, now_ms)
        if n == 0:
            if self.state == _CLOSING:
                self._watch(now_ms)
            return 0
        # A peer whose window is shut answers nothing but a window probe.
        if arq.snd_bytes and not self._waiting and (arq.rmt_wnd or arq.asked):
            self._waiting = True
            self._waiting_ms = now_ms
        if encoder is not None:
            if not arq.has_push and not self.config.fec_acks:
                # Later ones tell the same; in a group they would only make parity of it.
                close_gap(buf, codec_.head, _FEC_HEAD, n)
                return self._sealed(buf, codec_.head + n)
            encoder.data_packet(buf, codec_.head, head + n, now_ms)
        return self._sealed(buf, head + n)

    def _sealed(self, buf, end):
        if self.tracer is not None:
            self.tracer.output(buf, self.codec.head, end, end + self.codec.tail)
        n = self.codec.seal(buf, end)
        stats = self.stats
        stats.OutPkts += 1
        stats.OutBytes += n
        return n

    def timeout(self, now_ms) -> int:
        """Return ms until output() may have something: 0 now, -1 never (until another verb)."""
        if self.state == _CLOSED:
            return -1
        wait = self.arq.timeout(now_ms)
        encoder = self._encoder
        if wait == 0 or (encoder is not None and encoder.n_parity):
            return 0
        if encoder is not None and encoder.n_copies:
            wait = sooner(wait, encoder.copy_wait_ms(now_ms))
        if self._outbox is not None and self._outbox.packets:
            return 0
        if self._waiting:
            wait = sooner(wait, left(self._waiting_ms, self.config.dead_ms, now_ms))
        if self.state == _CLOSING:
            wait = sooner(wait, left(self._close_ms, self._linger_ms, now_ms))
            if not self.arq.snd_bytes:
                wait = sooner(wait, self._quiet_left(now_ms))
        elif self._keeper is not None:
            wait = sooner(wait, self._keeper.wait_ms(self, now_ms))
        return wait

    # -- bytes ---------------------------------------------------------------------------------

    def send(self, data) -> int:
        """Queue bytes (or, in message mode, one message) and return how many were taken.

        0 = no room now. Raises OSError(EPIPE) after close(), OSError(error) on a dead session,
        ValueError on empty data or a message of more than 255 segments.
        """
        if self.state != _OPEN:
            raise self.failure() or OSError(EPIPE, "send on a closed session")
        n = self.arq.queue(data)
        if n:
            self.stats.BytesSent += n
            if not self.config.write_delay or self.arq.window_full():
                self.arq.flush()
            if self.tracer is not None:
                self.tracer.sent(n)
        return n

    def recv_into(self, buf) -> int:
        """Take received bytes into `buf`; return how many (0 = none waiting).

        Fewer than are waiting may come: call again. What arrived before a close or an error can
        still be read after it.
        """
        n = self.arq.read_into(buf)
        self.stats.BytesReceived += n
        if self.stats.is_past:
            read_late(n)
        if n and self.tracer is not None:
            self.tracer.received(n)
        return n

    def send_oob(self, data) -> bool:
        """Queue one out-of-band packet (bytes; may be empty), to go out before anything else.

        It is not repeated, ordered or acknowledged. False: config.sndwnd packets are waiting
        already, and this one is dropped (OOBDrops). Raises ValueError without FEC on this side and
        on more than max_oob_bytes, OSError as send().
        """
        if self.state != _OPEN:
            raise self.failure() or OSError(EPIPE, "send_oob on a closed session")
        if self._encoder is None:
            raise ValueError("out-of-band packets need FEC on this side: give fec=(data, parity)")
        if self._outbox is None:
            from ._oob import Outbox

            self._outbox = Outbox(self)
        return self._outbox.put(data)

    def reserve(self):
        """Allocate now what the windows may ever need, instead of when it is first used."""
        self.arq.reserve()
        if self._encoder is not None:
            self._encoder.reserve()

    def flush(self):
        """Send what is queued with the next output() (for config.write_delay)."""
        self.arq.flush()
