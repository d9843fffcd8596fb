"""asyncio, blocking and trio say the same about the same mistake (the words: unit/test_messages),
and what the system refuses is told with the address that it is about."""

import asyncio
import os
import socket
import sys

import pytest
import trio

import kcp
import kcp_trio
from kcp import blocking

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "unit"))

from test_messages import OPENING, SERVING


def openers(words, options):
    return (
        lambda: asyncio.run(kcp.open_connection(*words, **options)),
        lambda: blocking.connect(*words, **options),
        lambda: trio.run(lambda: kcp_trio.open_stream(*words, **options)),
    )


def servers(words, options):
    return (
        lambda: asyncio.run(kcp.start_server(None, *words, **options)),
        lambda: blocking.listen(*words, **options),
        lambda: trio.run(lambda: kcp_trio.open_listener(*words, **options)),
    )


def errors(calls):
    """(kind, text) of what each raises."""
    found = []
    for call in calls:
        with pytest.raises(Exception) as caught:
            call()
        found.append((caught.type, str(caught.value)))
    return found


def assert_all_say(calls, kind, text):
    found = errors(calls)
    assert len(set(found)) == 1, found
    assert found[0][0] is kind and text in found[0][1], found


@pytest.mark.parametrize("words, options, text", OPENING)
def test_opening(words, options, text):
    assert_all_say(openers(words, options), ValueError, text)


@pytest.mark.parametrize("words, options, text", SERVING)
def test_serving(words, options, text):
    assert_all_say(servers(words, options), ValueError, text)


def test_sockets_that_are_none():
    tcp = socket.socket()
    closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    closed.close()
    for sock, text in ((5, "SOCK_DGRAM"), (tcp, "SOCK_DGRAM"), (closed, "closed already")):
        assert_all_say(openers(("127.0.0.1", 4000), {"sock": sock}), ValueError, text)
        assert_all_say(servers((), {"sock": sock}), ValueError, text)
    tcp.close()


def test_what_the_system_refuses():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        text = f"cannot serve on 127.0.0.1 port {port}: "
        assert_all_say(servers(("127.0.0.1", port), {}), OSError, text)
    name = "no.such.host.invalid"
    assert_all_say(openers((name, 4000), {}), socket.gaierror, f"host '{name}': ")


def test_nobody_answers():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        calls = openers(deaf.getsockname(), {"probe_ms": 200})
        assert_all_say(
            calls, TimeoutError, "no answer in 200 ms: is the peer there, with the same"
        )
