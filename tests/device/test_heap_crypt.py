# upy: heapsize=8m arm=no twins=python
"""Ciphers allocate nothing per packet (64-bit builds): sessions with the heap locked."""

from test_heap import N_PACKETS, Pair, check, locked_exchange

import kcp.crypt as crypt

KEY = bytes(range(32))
# What MicroPython has nothing of built in, so that it is done in plain Python.
PLAIN = (
    "salsa20",
    "aes-192",
    "aes-192-gcm",
    "chacha20-poly1305",
    "sm4",
    "twofish",
    "blowfish",
    "cast5",
    "3des",
    "tea",
    "xtea",
)


def test_aes_does_not_allocate():
    check(crypt="aes-128", key=KEY)
    check(crypt="aes-256", key=KEY)


def test_fec_does_not_allocate():
    pair = check(crypt="aes-128", key=KEY, fec=(3, 1))
    assert pair.a.stats.FECRecovered > 10 and pair.b.stats.FECRecovered > 10


def test_xor_does_not_allocate():
    check(crypt="xor", key=KEY)


def test_gcm_does_not_allocate():
    check(crypt="aes-128-gcm", key=KEY)


class Short(Pair):
    """Exchanges less: these take milliseconds per packet."""

    def exchange(self, n_messages):
        super().exchange(min(n_messages, 30))


def test_plain_ciphers_do_not_allocate():
    for name in PLAIN:
        pair = Short(crypt=name, key=KEY)
        pair.reserve()
        pair.exchange(20)
        assert locked_exchange(pair) == 0
        assert pair.got_a == pair.got_b == 30 * 1090


class BadPackets(Pair):
    """Sends what no session can have sent."""

    def exchange(self, n_messages):
        if n_messages < N_PACKETS:
            super().exchange(n_messages)
            return
        for i in range(n_messages):
            self.buf[i] ^= i | 1
            self.a.input(self.buf, 7 * i, self.now_ms)


def test_bad_packets_do_not_allocate():
    for name in crypt.NAMES[1:]:
        pair = BadPackets(crypt=name, key=KEY)
        pair.reserve()
        pair.exchange(5)
        assert locked_exchange(pair) == 0, name
        assert pair.a.stats.InCsumErrors > 150
