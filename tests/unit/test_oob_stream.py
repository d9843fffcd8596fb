# upy: heapsize=4m
"""Out-of-band packets of streams over real sockets, on both runtimes."""

import asyncio

from core_support import raises
from loopback import PATIENCE_S, pair, soon

FEC = (3, 1)


async def until(condition):
    """Wait until the condition holds."""
    for _ in range(PATIENCE_S * 100):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


async def test_there_and_back():
    async with await pair(fec=FEC) as p:
        got = []
        p.client.set_oob_handler(got.append)
        p.peer.set_oob_handler(p.peer.send_oob)
        for size in (0, 1, 700, p.client.get_extra_info("session").max_oob_bytes):
            packet = bytes(i * 3 & 0xFF for i in range(size))
            assert p.client.send_oob(packet)
            await until(lambda: got)
            assert got == [packet]
            got.clear()
        p.client.write(b"the stream")
        assert await soon(p.peer.readexactly(10)) == b"the stream"


async def test_a_handler_that_fails_is_reported_and_harms_nothing():
    reported = []

    def note(loop, context):
        reported.append((context["message"], type(context["exception"])))

    asyncio.get_event_loop().set_exception_handler(note)
    try:
        async with await pair(fec=FEC) as p:
            p.peer.set_oob_handler(lambda packet: packet[5])
            p.client.send_oob(b"x")
            await until(lambda: reported)
            assert reported == [("exception in the handler of out-of-band packets", IndexError)]
            p.client.write(b"the stream")
            assert await soon(p.peer.readexactly(10)) == b"the stream"
            p.peer.set_oob_handler(None)
            before = p.peer.get_extra_info("session").stats.OOBPackets
            p.client.send_oob(b"y")
            await until(lambda: p.peer.get_extra_info("session").stats.OOBPackets > before)
            assert len(reported) == 1
    finally:
        asyncio.get_event_loop().set_exception_handler(None)


async def test_misuse_raises():
    async with await pair(client_options={"fec": FEC}) as p:
        assert "fec=" in str(raises(ValueError, p.peer.send_oob, b"x"))
        raises(ValueError, p.client.send_oob, bytes(1350))
        raises(TypeError, p.client.send_oob, "text")
        p.client.close(0)
        raises(OSError, p.client.send_oob, b"x")


async def test_one_side_may_have_fec_and_the_other_the_handler():
    async with await pair(client_options={"fec": FEC}) as p:
        got = []
        p.peer.set_oob_handler(got.append)
        p.client.send_oob(b"one way")
        await until(lambda: got)
        assert got == [b"one way"]
