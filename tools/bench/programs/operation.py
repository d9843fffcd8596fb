"""One measurement of ours in a process of its own, on both runtimes.

    operation.py NAME SECONDS      prints {"value": a rate, "unit": ...}

Its twin is the package bench of tests/interop/peers; what one operation is stands there too.
An operation is a function run(n) that does it n times.
"""

import json
import sys
import time

from kcp._kernels import Crc32
from kcp._random import fill
from kcp.arq import Arq
from kcp.config import Config
from kcp.fec import Decoder, Encoder
from kcp.packet import codec
from kcp.session import IN_C
from kcp.stats import Stats

WINDOW = 1024
PACKET_BYTES = 1400
HEAD_BYTES = 20  # nonce and checksum
MESSAGE_BYTES = 65536
ROUND_MS = 10
DATA, PARITY = 10, 3
PERIOD_MS = 1 << 30
KEY = bytes(range(32))
MB = 1e6

now_ns = getattr(time, "perf_counter_ns", None) or time.time_ns


def new_arq():
    """An ARQ object with the settings of kcp-go's benchmarks."""
    if IN_C:
        from in_c import Arq as ArqInC

        return ArqInC(
            {
                "mtu": PACKET_BYTES,
                "sndwnd": WINDOW,
                "rcvwnd": WINDOW,
                "nodelay": 1,
                "interval": ROUND_MS,
                "resend": 2,
                "nc": 1,
            },
            MESSAGE_BYTES,
        )
    return Arq(
        1,
        mtu=PACKET_BYTES,
        snd_wnd=WINDOW,
        rcv_wnd=WINDOW,
        nodelay=1,
        interval_ms=ROUND_MS,
        resend=2,
        nc=1,
    )


def arq():
    """Pass messages of 64 KiB through two objects back to back; a round takes 10 virtual ms."""
    sender, receiver = new_arq(), new_arq()
    wire = bytearray(sender.buffer_bytes)
    message, into = bytes(MESSAGE_BYTES), bytearray(MESSAGE_BYTES)
    now_ms = 0

    def move(source, target):
        source.update(now_ms)
        while True:
            n = source.output(wire, 0, now_ms)
            if not n:
                return
            target.input(wire, 0, n, now_ms)

    def run(n):
        nonlocal now_ms
        for _ in range(n):
            while receiver.peek_size() < 0:
                now_ms = (now_ms + ROUND_MS) % PERIOD_MS
                while sender.wait_snd() < WINDOW:
                    sender.send(message)
                move(sender, receiver)
                move(receiver, sender)
            if receiver.recv_into(into) != MESSAGE_BYTES:
                raise ValueError("a message has changed")

    return run, MESSAGE_BYTES / MB, "MB/s"


def flush():
    """A pass with 1024 segments in flight, none of them due."""
    sender = new_arq()
    wire = bytearray(sender.buffer_bytes)
    if IN_C:
        sender.open_window()
    else:
        sender.rmt_wnd, sender.rx_rto = WINDOW, 60000
    for _ in range(WINDOW):
        sender.send(b"x")
    sender.flush()
    while sender.output(wire, 0, 0):
        pass

    def run(n):
        for _ in range(n):
            sender.flush()
            if sender.output(wire, 0, 0):
                raise ValueError("something was due")

    return run, 1e-3, "k/s"


def encode(encoder, buf, parity):
    """Pass one group through an encoder; parity packets are built in the buffers `parity`."""
    for _ in range(DATA):
        encoder.data_packet(buf, 0, PACKET_BYTES, 0)
    n_built = 0
    while encoder.n_parity:
        encoder.parity_packet(parity[n_built], 0)
        n_built += 1
    if n_built != PARITY:
        raise ValueError("no parity")


def new_encoder():
    return Encoder(DATA, PARITY, PACKET_BYTES - 6)


def fec_encode():
    """One group: ten data packets of 1400 bytes pass, three parity packets are built."""
    encoder = new_encoder()
    buf, parity = bytearray(2 * PACKET_BYTES), [bytearray(2 * PACKET_BYTES)] * PARITY
    first = bytearray(buf)
    encoder.data_packet(first, 0, PACKET_BYTES, 0)  # it is known from now on when the last came
    for _ in range(DATA - 1):
        encoder.data_packet(buf, 0, PACKET_BYTES, 0)
    while encoder.n_parity:
        encoder.parity_packet(buf, 0)

    def run(n):
        for _ in range(n):
            encode(encoder, buf, parity)

    return run, DATA * PACKET_BYTES / MB, "MB/s"


def group():
    """The packets of a group: ten data packets that differ, and their parity."""
    encoder = new_encoder()
    packets = []
    for i in range(DATA):
        packet = bytearray([(i * j + j) & 0xFF for j in range(PACKET_BYTES)])
        encoder.data_packet(packet, 0, PACKET_BYTES, 0)
        packets.append(packet)
    while encoder.n_parity:
        packets.append(bytearray(PACKET_BYTES))
        encoder.parity_packet(packets[-1], 0)
    return packets


def fec_decode(n_lost):
    """One group of which the first n_lost data packets are missing."""
    packets = group()
    decoder = Decoder(DATA, PARITY, 1500, Stats(), 1 << 20, is_sure=True)
    number = 0

    def run(n):
        nonlocal number
        for _ in range(n):
            n_repaired = 0
            for i in range(n_lost, DATA + PARITY):
                packet = packets[i]
                seqid = number * (DATA + PARITY) + i
                packet[0], packet[1] = seqid & 0xFF, seqid >> 8 & 0xFF
                packet[2], packet[3] = seqid >> 16 & 0xFF, seqid >> 24 & 0xFF
                decoder.input(packet, 0, PACKET_BYTES)
                while decoder.repair(decoder.scratch):
                    n_repaired += 1
            if n_repaired != n_lost:
                raise ValueError("not repaired")
            number += 1

    return run, DATA * PACKET_BYTES / MB, "MB/s"


def new_codec(crypt):
    """A codec, and a buffer as it wants it."""
    return codec(Config(crypt=crypt, key=KEY), fill), bytearray(2 * PACKET_BYTES)


def seal(crypt):
    """Seal a datagram of 1400 bytes."""
    one, buf = new_codec(crypt)
    end = PACKET_BYTES - one.tail

    def run(n):
        for _ in range(n):
            one.seal(buf, end)

    return run, PACKET_BYTES / MB, "MB/s"


def unseal(crypt):
    """Open a datagram of 1400 bytes; begins with a copy, because it is done in place."""
    one, buf = new_codec(crypt)
    one.seal(buf, PACKET_BYTES - one.tail)
    sealed = bytes(buf)

    def run(n):
        for _ in range(n):
            buf[:] = sealed
            if one.open(buf, PACKET_BYTES) < 0:
                raise ValueError("a packet was refused")

    return run, PACKET_BYTES / MB, "MB/s"


def crc():
    """The checksum of one datagram."""
    one, buf = Crc32(), bytearray(PACKET_BYTES)

    def run(n):
        for _ in range(n):
            one.of(buf, HEAD_BYTES, PACKET_BYTES)

    return run, PACKET_BYTES / MB, "MB/s"


def nonce():
    """16 random bytes."""
    view = memoryview(bytearray(16))

    def run(n):
        for _ in range(n):
            fill(view)

    return run, 1e-3, "k/s"


OPERATIONS = {
    "arq": arq,
    "flush": flush,
    "fec-encode": fec_encode,
    "fec-decode-1": lambda: fec_decode(1),
    "fec-decode-3": lambda: fec_decode(3),
    "crc32": crc,
    "nonce": nonce,
}


def operation(name):
    """(run(n), units per operation, unit) of an operation."""
    if name.startswith("seal-"):
        return seal(name[5:])
    if name.startswith("open-"):
        return unseal(name[5:])
    return OPERATIONS[name]()


def measure(run, seconds):
    """Operations per second: batches that double until one has taken long enough."""
    n = 1
    while True:
        begin_ns = now_ns()
        run(n)
        took_s = (now_ns() - begin_ns) / 1e9
        if took_s >= seconds:
            return n / took_s
        n *= 2


if __name__ == "__main__":
    run, units, unit = operation(sys.argv[1])
    measure(run, float(sys.argv[2]) / 4)  # to warm up: pools fill, tables are made
    print(json.dumps({"value": measure(run, float(sys.argv[2])) * units, "unit": unit}))
