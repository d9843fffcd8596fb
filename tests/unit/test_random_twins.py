"""What only CPython can show of the random bytes: forks, threads, and MicroPython's twin."""

import hashlib
import multiprocessing
import os
import threading

import pytest
import ucryptolib
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kcp import _random_upy
from kcp._random import fill


def blocks(n):
    """n blocks of 16 bytes."""
    found = []
    for _ in range(n):
        buf = bytearray(16)
        fill(buf)
        found.append(bytes(buf))
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_does_not_repeat_its_parent():
    context = multiprocessing.get_context("fork")
    blocks(3)  # so that the parent has some in store
    with context.Pool(2) as pool:
        theirs = pool.map(blocks, [300, 300], 1)
    everyone = blocks(300) + theirs[0] + theirs[1]
    assert len(set(everyone)) == 900


def test_threads_do_not_share_blocks():
    found = []

    def run():
        found.extend(blocks(5000))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 40000


def ecb(key, block):
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def no_memory(key, mode):
    raise MemoryError


def device_random(drawn, **parts):
    """MicroPython's generator; `drawn` collects what it takes from os.urandom."""

    def urandom(n):
        drawn.append(hashlib.shake_256(bytes([len(drawn)])).digest(n))
        return drawn[-1]

    values = {"urandom": urandom, "aes": ucryptolib.aes, "sha256": hashlib.sha256}
    return _random_upy.Random(**{**values, **parts})


def test_the_generator_is_aes_over_its_last_block():
    drawn = []
    one = device_random(drawn)
    last = bytes(16)
    for round_ in range(3):  # the third key
        n = 0
        for n_bytes in [16] * 4000 + [12, 4, 40] * 19 + [16]:
            got = bytearray(n_bytes)
            one.fill(got)
            if n == 0:
                assert len(drawn) == round_ + 1
                seed = hashlib.sha256(drawn[-1] + last).digest()
                key, last = seed[:16], seed[16:]
            expected = b""
            while len(expected) < n_bytes:
                last = ecb(key, last)
                expected += last
                n += 1
            assert bytes(got) == expected[:n_bytes]
        assert n >= 4096 > n - 3


def test_where_the_heap_is_locked_the_old_key_goes_on():
    drawn = []
    keys = []

    def aes(key, mode):
        keys.append(key)
        if len(keys) in (2, 3):
            raise MemoryError
        return ucryptolib.aes(key, mode)

    one = device_random(drawn, aes=aes)
    seen = set()
    for _ in range(4096 + 64 + 64 + 10):
        buf = bytearray(16)
        one.fill(buf)
        seen.add(bytes(buf))
    assert len(keys) == len(drawn) == 4
    assert len(seen) == 4096 + 64 + 64 + 10
    with pytest.raises(MemoryError):  # without a first key there is nothing to go on with
        device_random([], aes=no_memory).fill(bytearray(16))
