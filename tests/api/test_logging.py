"""The trace log by way of CPython's logging, on both APIs and the command line."""

import asyncio
import logging
import os
import re
import subprocess
import sys

import kcp
import kcp.blocking
from kcp import Config, Session

CONV = 0x80000001
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def session(**options):
    return Session(CONV, Config(**options), lambda view: None, 0)


def test_lines_begin_with_the_conv(caplog):
    one = session(trace="send,out_push,output")
    with caplog.at_level(logging.DEBUG, "kcp"):
        one.send(b"hello")
        assert one.output(bytearray(1600), 5) == 29
    assert [record.getMessage() for record in caplog.records] == [
        "80000001 send stream=True datalen=5",
        "80000001 out_push sn=0 frg=0 una=0 ts=5 xmit=1 datalen=5",
        "80000001 output datalen=29",
    ]
    assert {(record.name, record.levelname) for record in caplog.records} == {("kcp", "DEBUG")}


class Unprintable:
    """A value that must not be formatted."""

    def __str__(self):
        raise AssertionError("formatted")


def test_nothing_is_formatted_unless_the_logger_wants_it(caplog):
    sink = kcp.trace.default_sink()
    with caplog.at_level(logging.INFO, "kcp"):
        sink("send", CONV, Unprintable(), 5)
    assert not caplog.records


def run(code):
    path = os.pathsep.join([os.path.join(ROOT, "lib"), os.path.join(ROOT, "ports", "cpython")])
    environment = dict(os.environ, PYTHONPATH=path)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    return done.stdout


def test_a_session_that_is_not_traced_loads_neither_module():
    code = (
        "import sys, asyncio, kcp\n"
        "kcp.open_connection, kcp.Session(1, kcp.Config(), None, 0)\n"
        "print('kcp.trace' in sys.modules)\n"
        "kcp.Session(1, kcp.Config(trace='all'), None, 0)\n"
        "print('kcp.trace' in sys.modules)\n"
    )
    assert run(code).split() == ["False", "True"]


def test_a_server_tells_of_a_sessions_first_datagram(caplog):
    async def main():
        heard = asyncio.Event()
        server = await kcp.start_server(
            lambda reader, writer: heard.set(), "127.0.0.1", 0, trace="in_push"
        )
        async with server:
            port = server.sockets[0].getsockname()[1]
            _, writer = await kcp.open_connection("127.0.0.1", port, conv=CONV)
            writer.write(b"hello")
            await asyncio.wait_for(heard.wait(), 10)
            writer.close(0)

    with caplog.at_level(logging.DEBUG, "kcp"):
        asyncio.run(main())
    first = caplog.records[0].getMessage()
    assert re.fullmatch(
        r"80000001 in_push sn=0 una=0 ts=\d+ packettype=regular repeat=False", first
    )


def test_the_blocking_api(capfd):
    events = []
    with kcp.blocking.listen("127.0.0.1", 0) as server:
        port = server.getsockname()[1]
        with kcp.blocking.connect("127.0.0.1", port, timeout=10, conv=CONV) as client:
            client.set_logger("send", lambda *event: events.append(event))
            client.sendall(b"hello")
            peer = server.accept()[0]
            assert peer.recv(5) == b"hello"
            peer.set_logger("send", lambda *event: 1 // 0)
            peer.sendall(b"back")
            assert client.recv(4) == b"back"
            peer.close()
    assert events == [("send", CONV, True, 5)]
    told = capfd.readouterr().err
    assert "exception in the sink of a KCP trace" in told and "ZeroDivisionError" in told
