"""A client that stays connected: outages, what is kept, what is sent again. In memory, so that the
network can be cut; both runtimes."""

# upy: heapsize=8m arm=no

import asyncio
import errno
import gc

from loopback import pattern, raised, soon
from outages import World, kill, until

from kcp._records import Backoff, Records
from kcp.carrier import memory_pair
from kcp.reconnect import ReconnectingClient
from kcp_sim.rng import Rng

# the client


async def test_records_arrive_and_flush_waits_for_it():
    async with World() as world, world.client() as client:
        assert client.stream is None and client.down.is_set() and not client.up.is_set()
        for n in range(50):
            client.write(b"%d\n" % n)
        await soon(client.flush())
        assert client.up.is_set() and not client.down.is_set() and client.n_sessions == 1
        assert client.n_unacked == client.unacked_bytes == 0
        await until(lambda: len(world.got()) == 50)
        assert world.lines == [[b"%d\n" % n for n in range(50)]]


async def test_a_dead_peer_is_noticed_and_what_was_not_acknowledged_is_sent_again():
    """The whole way: the network is cut, dead_ms passes, attempts fail, it comes back."""
    ended = []
    async with World() as world:
        options = {"dead_ms": 150, "probe_ms": 100, "on_down": lambda *args: ended.append(args)}
        async with world.client(**options) as client:
            client.write(b"before\n")
            await soon(client.flush())
            world.is_cut = True
            client.write(b"cut off\n")
            await soon(client.down.wait())
            assert client.stream is None and client.n_unacked == 1
            client.write(b"meanwhile\n")
            await until(lambda: client.n_failures >= 2)
            assert client.last_error.args[0] == errno.ETIMEDOUT
            world.is_cut = False
            await soon(client.flush())
            assert world.lines[0] == [b"before\n"]
            await until(lambda: world.lines[-1] == [b"cut off\n", b"meanwhile\n"])
            assert client.n_sessions == 2 and len(ended) == 1
            who, error, lost = ended[0]
            assert who is client and "(dead_ms)" in str(error) and lost == ()


async def test_or_it_is_reported():
    ended = []
    async with World() as world:
        on_down = {"on_down": lambda client, error, lost: ended.append(lost)}
        async with world.client(send_again=False, **on_down) as client:
            await soon(client.up.wait())
            world.is_cut = True
            client.write(b"one\n")
            client.write(b"two\n")
            await until(lambda: client.stream.session.unacked_bytes == 8)
            kill(client)
            await soon(client.down.wait())
            assert ended == [[b"one\n", b"two\n"]] and client.n_unacked == 0
            client.write(b"three\n")  # (was not sent in that session)
            world.is_cut = False
            await soon(client.flush())
            await until(lambda: b"three\n" in world.got())
            assert world.got() == [b"three\n"] and ended[1:] == []


async def test_the_hook_comes_first_in_every_session():
    seen = []

    async def on_session(client, stream):
        stream.write(b"who\n")
        seen.append((client.n_sessions, await stream.readline(), client.n_unacked))

    async with World() as world, world.client(on_session=on_session) as client:
        client.write(b"data\n")
        await soon(client.flush())
        world.is_cut = True
        client.write(b"more\n")
        kill(client)
        world.is_cut = False
        await soon(client.flush())
        await until(lambda: len(world.got()) == 4)
        assert world.lines == [[b"who\n", b"data\n"], [b"who\n", b"more\n"]]
        assert seen == [(1, b"me\n", 1), (2, b"me\n", 1)]


async def test_a_hook_that_fails_ends_its_session():
    calls = []

    def on_session(client, stream):
        calls.append(client.n_sessions)
        if len(calls) < 3:
            raise OSError(errno.EACCES, "not today")

    async with World() as world, world.client(on_session=on_session) as client:
        client.write(b"x\n")
        await soon(client.flush())
        assert calls == [1, 2, 3] and client.last_error.args[0] == errno.EACCES
        await until(lambda: world.got() == [b"x\n"])


async def test_reading_goes_on_in_the_next_session():
    async with World() as world, world.client() as client:
        reader = asyncio.create_task(client.readline())
        client.write(b"who\n")
        assert await soon(reader) == b"me\n"
        reader = asyncio.create_task(client.readline())
        await asyncio.sleep(0.02)
        kill(client)
        await soon(client.down.wait())
        client.write(b"who\n")
        assert await soon(reader) == b"me\n"
        reader = asyncio.create_task(client.read(10))
        await asyncio.sleep(0.02)
        await soon(client.aclose())
        assert await soon(reader) == b"" and await client.readline() == b""


async def test_a_record_larger_than_the_window_and_many_more():
    async with World() as world, world.client(limit_bytes=100000) as client:
        big = pattern(20000).replace(b"\n", b"x") + b"\n"
        client.write(big)
        for n in range(60):
            await soon(client.send(b"%d\n" % n * 20))
        await soon(client.flush())
        await until(lambda: len(world.got()) == 1201)
        assert world.lines[0][0] == big


async def test_send_waits_for_room_and_write_does_not():
    async with World() as world, world.client(limit_bytes=100, limit_records=8) as client:
        world.is_cut = True
        for n in range(8):
            client.write(b"%d\n" % n)
        assert (await raised(OSError, refused(client))).args[0] == errno.ENOBUFS
        sender = asyncio.create_task(client.send(b"8\n"))
        await asyncio.sleep(0.02)
        assert not sender.done() and client.n_unacked == 8
        world.is_cut = False
        await soon(sender)
        await soon(client.flush())
        await until(lambda: len(world.got()) == 9)


async def refused(client):
    client.write(b"too much\n")


async def test_no_attempts_while_the_network_is_down():
    async with World() as world:
        is_up = [False]
        client = world.client(is_up=lambda: is_up[0], check_ms=5, probe_ms=20)
        async with client:
            client.write(b"x\n")
            await asyncio.sleep(0.1)
            assert client.n_sessions == client.n_failures == 0
            is_up[0] = True
            await soon(client.flush())
            is_up[0] = False  # ... which ends no session
            await asyncio.sleep(0.05)
            is_up[0] = True
            client.write(b"y\n")
            await soon(client.flush())
            assert client.n_sessions == 1
            await until(lambda: world.got() == [b"x\n", b"y\n"])


async def test_closing_says_what_was_not_acknowledged():
    async with World() as world:
        client = world.client(probe_ms=50)
        world.is_cut = True
        client.start()
        client.write(b"x\n")
        client.write(b"y\n")
        error = await raised(OSError, client.aclose(100))
        assert error.args == (errno.ETIMEDOUT, "2 records were not acknowledged")
        await soon(client.aclose())
        assert isinstance(await raised(OSError, refused(client)), OSError)


async def test_what_is_wrong_raises_at_once():
    a, _ = memory_pair()
    for options in (
        {},
        {"carrier": a, "mtu": 7},
        {"carrier": a, "nonsense": 1},
        {"carrier": a, "conv": 7},
        {"carrier": a, "limit_bytes": 0},
        {"carrier": a, "when_full": "maybe"},
        {"carrier": a, "first_ms": 10, "max_ms": 5},
        {"carrier": a, "check_ms": 0},
    ):
        try:
            ReconnectingClient(**options)
        except ValueError:
            continue
        raise AssertionError(options)


async def test_a_thousand_outages_leave_nothing_behind():
    """Sessions, streams, tasks and buffers of a thousand outages: the heap stays as it is."""
    n_outages = 1000 if hasattr(gc, "mem_alloc") else 200
    used = []
    async with World() as world, world.client(first_ms=1, max_ms=1) as client:
        for n in range(n_outages):
            await soon(client.up.wait())
            client.write(b"%d\n" % n)
            await soon(client.flush())
            world.is_cut = True
            client.write(b"lost %d\n" % n)
            kill(client)
            await soon(client.down.wait())
            world.is_cut = False
            if n % 100 == 99:
                await soon(client.flush())
                world.lines.clear()
                gc.collect()
                used.append(gc.mem_alloc() if hasattr(gc, "mem_alloc") else len(gc.get_objects()))
        assert client.n_sessions >= n_outages
    print("heap in use after every 100 outages:", used)
    assert max(used[1:]) - used[0] < 1024, used


# what it is made of


def test_the_buffer_is_bounded_in_bytes_and_in_number():
    for policy in ("refuse", "drop_oldest"):
        records = Records(100, 8, policy)
        for n in range(300):
            try:
                records.put(bytes([n & 0xFF]) * (1 + n * 7 % 40))
            except OSError as error:
                assert policy == "refuse" and error.args[0] == errno.ENOBUFS
            assert records.n_bytes <= 100 and len(records) <= 8
        assert (records.n_dropped > 0) == (policy == "drop_oldest")


def test_the_oldest_unsent_are_dropped_and_none_that_was_sent():
    records = Records(10, 4, "drop_oldest")
    for data in (b"a", b"b"):
        assert records.put(data)
        assert records.next() == data
        records.sent(1)
    assert records.put(b"c") and records.put(b"d")
    assert records.put(b"e") and records.n_dropped == 1 and records.next() == b"d"
    for data in (b"d", b"e"):
        assert records.next() == data
        records.sent(2)
    assert not records.put(b"f") and records.n_dropped == 2
    records.retire(0)
    assert len(records) == 4
    records.retire(1)
    assert len(records) == 2 and records.n_bytes == 2
    records.rewind()
    assert records.next() == b"d"
    records.sent(7)
    records.put(b"g")
    assert records.take_sent() == [b"d"] and records.next() == b"e" and records.n_bytes == 2


def test_the_waits_grow_and_are_spread():
    rng = Rng(1, 15)
    seen = [set() for _ in range(8)]
    for _ in range(200):
        backoff = Backoff(500, 10000, lambda: rng.below(1 << 30))
        for n, span_ms in enumerate((500, 1000, 2000, 4000, 8000, 10000, 10000)):
            wait_ms = backoff.next_ms()
            assert span_ms // 2 <= wait_ms <= span_ms
            seen[n].add(wait_ms)
        backoff.reset()
        assert backoff.next_ms() <= 500
    assert min(len(one) for one in seen[:7]) > 50
