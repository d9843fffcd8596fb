"""A client that stays connected, when the network, the program or the hooks give trouble: what
ends, what goes on, and who is told. Both runtimes."""

# upy: heapsize=8m arm=no

import asyncio
import errno
import socket

from loopback import pair, raised, soon
from outages import UdpWorld, World, kill, until

from kcp import _port, _reconnecting, _sockopt
from kcp._port import Waiter
from kcp._records import Records
from kcp.carrier import memory_pair
from kcp.reconnect import ReconnectingClient


async def cancelled(task):
    """Has the task ended by its cancellation?"""
    try:
        await soon(task)
    except asyncio.CancelledError:
        return True
    return False


# cancellation


async def test_no_wait_does_a_cancellation_away():
    """Woken, cancelled and late at once, in every order and some turns of the loop apart."""
    for n_ms in (0, 1, 10000):
        for n_turns in range(4):
            for order in (("wake", "cancel"), ("cancel", "wake"), ("cancel",)):
                waiter = Waiter()
                seen = []

                async def wait(waiter=waiter, n_ms=n_ms, seen=seen):
                    for _ in range(1000):
                        await waiter.wait_ms(n_ms)
                        seen.append(1)
                        await asyncio.sleep(0)

                task = asyncio.create_task(wait())
                await asyncio.sleep(0)
                for what in order:
                    getattr(waiter if what == "wake" else task, what)()
                    for _ in range(n_turns):
                        await asyncio.sleep(0)
                assert await cancelled(task), (n_ms, n_turns, order)
                assert not waiter.is_busy and len(seen) < 1000


async def test_closing_ends_the_task_whatever_it_waits_for():
    """It is cancelled just when its bell rings: that must not do the cancellation away."""
    for n_turns in range(8):
        async with World() as world:
            client = world.client(is_up=lambda: True, check_ms=10)
            client.start()
            await soon(client.up.wait())
            client._bell.wake()
            for _ in range(n_turns):
                await asyncio.sleep(0)
            closing = asyncio.create_task(client.aclose(0))
            await until(closing.done)  # (to wait for it with a limit would cancel it once more)
            assert client.stream is None and not client.up.is_set()


async def test_closing_at_once_and_twice():
    async with World() as world:
        client = world.client()
        client.start()
        await soon(client.aclose())  # before the task has ever run
        await raised(OSError, refused(client))
        client = world.client()
        client.write(b"x\n")
        error = await raised(OSError, client.aclose())  # that was never started
        assert error.args[1] == "1 records were not acknowledged"
        world.is_cut = True
        client = world.client()
        client.start()
        client.write(b"x\n")
        flushing = asyncio.create_task(client.flush())
        closing = [asyncio.create_task(client.aclose(50)) for _ in range(2)]
        await raised(OSError, closing[0])
        assert "client was closed" in (await raised(OSError, flushing)).args[1]
        await soon(closing[1])


async def refused(client):
    client.start()


async def test_closing_may_be_cancelled():
    async with World() as world:
        client = world.client()
        client.start()
        await soon(client.up.wait())
        world.is_cut = True
        client.write(b"x\n")
        closing = asyncio.create_task(client.aclose(1000000))
        reader = asyncio.create_task(client.readline())
        await asyncio.sleep(0.01)
        closing.cancel()
        assert await cancelled(closing)
        assert await soon(reader) == b""  # it has ended all the same
        await soon(client.down.wait())
        await soon(client.aclose())
        assert client.stream is None


async def test_a_hook_cannot_wait_for_the_end_but_is_ended():
    seen = []

    async def on_session(client, stream):
        try:
            await client.aclose()
        except RuntimeError as error:
            seen.append(str(error))
        seen.append(await stream.read(1))  # nothing comes: it ends with the client

    async with World() as world:
        client = world.client(on_session=on_session)
        client.start()
        await until(lambda: seen)
        assert "on_session" in seen[0]
        await soon(client.aclose())
        assert not client.up.is_set()


async def test_who_waits_may_be_cancelled_and_others_go_on():
    async with World() as world, world.client(limit_records=4) as client:
        await soon(client.up.wait())
        world.is_cut = True
        for n in range(4):
            client.write(b"%d\n" % n)
        waiting = [client.send(b"a\n"), client.send(b"b\n"), client.send(b"c\n")]
        waiting += [client.flush(), client.flush(), client.readline()]
        waiting = [asyncio.create_task(one) for one in waiting]
        await asyncio.sleep(0.01)
        for n in (1, 3, 5):
            waiting[n].cancel()
            assert await cancelled(waiting[n])
        world.is_cut = False
        for n in (0, 2, 4):
            await soon(waiting[n])
        await until(lambda: len(world.got()) == 6)
        assert world.got() == [b"0\n", b"1\n", b"2\n", b"3\n", b"a\n", b"c\n"]


# the end of a session


async def test_what_waits_ends_with_the_session_if_nothing_is_sent_again():
    async with World() as world, world.client(send_again=False, limit_records=2) as client:
        await soon(client.up.wait())
        world.is_cut = True
        client.write(b"one\n")
        client.write(b"two\n")
        flushing = asyncio.create_task(client.flush())
        sending = asyncio.create_task(client.send(b"three\n"))
        await until(lambda: client.stream.session.unacked_bytes == 8)
        kill(client)
        error = await raised(OSError, flushing)
        assert error.args[0] == errno.ETIMEDOUT
        assert error.args[1] == "2 records were not acknowledged: their session has ended"
        await soon(sending)  # there is room now
        assert client.n_lost == 2 and client.n_unacked == 1
        world.is_cut = False
        await soon(client.flush())
        await until(lambda: world.got() == [b"three\n"])


async def test_room_that_write_has_made_is_told_to_who_waits():
    async with World() as world, world.client(limit_records=2) as client:
        await soon(client.up.wait())
        client.write(b"0\n")
        client.write(b"1\n")
        sending = asyncio.create_task(client.send(b"2\n"))
        session = client.stream.session
        await until(lambda: session.end_sn > 0)
        client._give = lambda stream: None  # (the client's task does not see it)
        await until(lambda: session.acked_sn == session.end_sn)
        client.write(b"3\n")
        await soon(sending)
        del client._give
        client._bell.wake()
        await soon(client.flush())
        await until(lambda: len(world.got()) == 4)


async def test_a_line_that_was_cut_off_is_left_out():
    async def half(client, stream):
        await stream.send(b"half\n" if client.n_sessions == 1 else b"who\n")

    class Halving(World):
        async def _serve(self, reader, writer):
            is_half = await reader.readline() == b"half\n"
            await writer.send(b"cut o" if is_half else b"whole\n")

    async with Halving() as world, world.client(on_session=half) as client:
        reader = asyncio.create_task(client.readline())
        await until(lambda: client.stream is not None and client.stream._in)
        client.stream.close(0)
        assert await soon(reader) == b"whole\n"
        reader = asyncio.create_task(client.read())  # what has arrived, not all
        client.stream._in += b"rest"
        client.stream._reader.wake()
        assert await soon(client.read(0)) == b""
        await asyncio.sleep(0.01)
        reader.cancel()
        assert await cancelled(reader) or await reader


async def deadline_of(awaitable):
    try:
        return await awaitable
    except asyncio.TimeoutError:
        return "deadline"


async def test_a_read_deadline_of_the_session_raises():
    async with World() as world, world.client() as client:
        await soon(client.up.wait())
        client.stream.set_read_deadline(20)
        assert await soon(deadline_of(client.readline())) == "deadline"
        client.stream.set_read_deadline(None)
        client.write(b"who\n")
        assert await soon(client.readline()) == b"me\n"


async def test_hooks_may_be_async_and_may_time_out():
    told, reports = [], []

    async def on_down(client, error, lost):
        await asyncio.sleep(0)
        told.append(error)

    async def on_session(client, stream):
        if client.n_sessions == 1:
            raise asyncio.TimeoutError

    hooks = {"on_session": on_session, "on_down": on_down}
    async with World() as world, reported(reports), world.client(**hooks) as client:
        client.write(b"x\n")
        await soon(client.flush())
        await until(lambda: told)
    assert client.n_sessions == 2 and reports == []


class reported:
    """Collects what is reported to the event loop meanwhile."""

    def __init__(self, reports):
        self._reports = reports

    async def __aenter__(self):
        self._loop = asyncio.get_event_loop()
        self._before = self._loop.get_exception_handler()
        self._loop.set_exception_handler(lambda loop, context: self._reports.append(context))

    async def __aexit__(self, kind, error, tb):
        self._loop.set_exception_handler(self._before)


async def test_sessions_follow_each_other_on_a_socket_of_the_callers():
    """Also where a hook has failed that has written: its session does not linger on the socket."""
    reports = []

    def on_session(client, stream):
        if client.n_sessions < 4:
            world.is_cut = True
            stream.write(b"nobody will acknowledge this\n")
            raise OSError(errno.EACCES, "not today")

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hooks = {"on_session": on_session, "sock": sock}
    async with UdpWorld() as world, reported(reports), world.client(**hooks) as client:
        await until(lambda: client.n_sessions >= 1)
        world.is_cut = False
        for _ in range(3):
            await until(lambda: world.is_cut or client.n_sessions >= 4)
            world.is_cut = False
        client.write(b"x\n")
        await soon(client.flush())
        kill(client)
        await soon(client.down.wait())
        client.write(b"y\n")
        await soon(client.flush())
    assert client.n_sessions == 5 and client.n_failures == 0 and reports == []
    sock.close()


# the network


async def test_is_up_may_raise():
    """It counts as down; told once in a row, not at every look."""
    raising, reports, calls = [True], [], []

    def is_up():
        calls.append(1)
        if raising[0]:
            raise OSError(errno.ENODEV, "no interface")
        return True

    options = {"is_up": is_up, "check_ms": 1}
    async with World() as world, reported(reports), world.client(**options) as client:
        client.write(b"x\n")
        await until(lambda: len(calls) > 3)
        assert client.n_sessions == client.n_failures == 0 and len(reports) == 1
        assert client.last_error.args[0] == errno.ENODEV
        raising[0] = False
        await soon(client.flush())
        raising[0] = True
        n_calls = len(calls)
        await until(lambda: len(calls) > n_calls + 3)  # which ends no session
        client.write(b"y\n")
        await soon(client.flush())
        assert client.n_sessions == 1 and len(reports) == 2
        kill(client)
        await soon(client.down.wait())
        raising[0] = False
        client.write(b"z\n")
        await soon(client.flush())
    assert world.got() == [b"x\n", b"y\n", b"z\n"]


async def test_attempts_that_fail_at_once_leave_the_loop_to_others():
    """A name that cannot be looked up, while is_up says something else each time."""
    flips = [0]

    def is_up():
        flips[0] += 1
        return flips[0] % 2 == 1

    async with UdpWorld() as world:
        world.refuses = OSError(-2, "Name or service not known")
        async with world.client(is_up=is_up, check_ms=1) as client:
            client.write(b"x\n")
            await until(lambda: client.n_failures >= 5)
            n_before = client.n_failures
            for _ in range(20):
                await asyncio.sleep(0)  # (some of these may take a ms)
            assert client.n_failures < n_before + 20
            world.refuses = None
            await soon(client.flush())
            assert client.n_sessions == 1 and client.last_error.args[0] == -2


async def test_the_waits_begin_anew_after_a_long_session():
    """Also one that has lived for longer than the clock can tell."""
    now_ms = _reconnecting.ticks_ms
    later_ms = [0]
    _reconnecting.ticks_ms = lambda: (now_ms() + later_ms[0]) & 0x3FFFFFFF
    try:
        async with World() as world, world.client(first_ms=4, max_ms=4000) as client:
            for days in (1, 7, 13):
                await soon(client.up.wait())
                for _ in range(4):
                    client._backoff.next_ms()
                later_ms[0] = days * 86400000
                kill(client)
                await soon(client.down.wait())
                later_ms[0] = 0
                await soon(client.up.wait())
                assert client._backoff._span_ms <= 16, days
    finally:
        _reconnecting.ticks_ms = now_ms


# other sockets


async def test_re_binding_by_hand_leaves_the_client_its_bell():
    async with UdpWorld() as world, world.client() as client:
        client.write(b"one\n")
        await soon(client.flush())
        bell = client.stream.heard
        assert await soon(client.stream.rebind(probe_ms=20000))
        assert client.stream.heard is bell and world.moves() == 1
        client.write(b"two\n")
        await soon(client.flush())
        kill(client)
        await soon(client.down.wait())
        client.write(b"three\n")
        await soon(client.flush())
        assert client.n_sessions == 2 and world.got() == [b"one\n", b"two\n", b"three\n"]


async def test_records_go_out_and_the_end_is_seen_while_somebody_re_binds():
    async with UdpWorld() as world, world.client(send_again=False) as client:
        client.write(b"one\n")
        await soon(client.flush())
        world.is_cut = True
        stream = client.stream
        binding = asyncio.create_task(stream.rebind(probe_ms=1000000))
        await until(lambda: stream.heard is not client._bell)
        assert "already" in str(await raised(RuntimeError, stream.rebind()))
        client.write(b"two\n")
        await until(lambda: stream.session.unacked_bytes)
        kill(client)
        await soon(client.down.wait())
        assert await soon(binding) is False
        world.is_cut = False
        client.write(b"three\n")
        await soon(client.flush())


async def test_re_binding_may_be_cancelled():
    async with UdpWorld() as world, world.client() as client:
        await soon(client.up.wait())
        world.is_cut = True
        stream, bell = client.stream, client.stream.heard
        for n_turns in range(8):
            binding = asyncio.create_task(stream.rebind(probe_ms=1000000))
            for _ in range(n_turns):
                await asyncio.sleep(0)
            binding.cancel()
            assert await cancelled(binding) and stream.heard is bell
        world.is_cut = False
        client.write(b"x\n")
        await soon(client.flush())
        assert client.n_sessions == 1


async def test_a_busy_client_sees_its_network_come_back():
    """Records are written more often than it looks at the network."""
    up = [True]
    async with UdpWorld() as world:
        client = world.client(is_up=lambda: up[0], rebind=True, check_ms=50, limit_records=2000)
        async with client:
            await soon(client.up.wait())

            async def write():
                while client.n_rebinds == 0:
                    client.write(b"x\n")
                    await asyncio.sleep(0.002)

            writing = asyncio.create_task(write())
            for is_up in (False, True):
                up[0] = is_up
                await until(lambda is_up=is_up: client._was_up == is_up)
            await soon(writing)
            await soon(client.flush())
            assert client.n_sessions == 1 and world.moves() >= 1


async def test_a_re_binding_that_fails_ends_no_session():
    """There is no address yet: it goes on where it was, says so, and tries again."""
    up, n_refused = [True], [0]
    reopened = _port.reopened

    async def refuse(*arguments):
        if n_refused[0] == 3:
            return await reopened(*arguments)
        n_refused[0] += 1
        raise OSError(errno.EHOSTUNREACH, "no route to host")

    async with UdpWorld() as world:
        _port.reopened = refuse
        try:
            async with world.client(is_up=lambda: up[0], rebind=True, check_ms=5) as client:
                await soon(client.up.wait())
                stream = client.stream
                up[0] = False
                await until(lambda: not client._was_up)
                up[0] = True
                await until(lambda: n_refused[0] == 1)
                client.write(b"x\n")
                await soon(client.flush())
                await until(lambda: client.n_rebinds == 1)
                assert client.stream is stream and client.n_failures == 3
                assert client.last_error.args[0] == errno.EHOSTUNREACH
        finally:
            _port.reopened = reopened


class Noted:
    """A socket that says whether it was closed."""

    def __init__(self, sock):
        self.sock = sock
        self.is_closed = False

    def close(self):
        self.is_closed = True
        self.sock.close()


async def test_a_new_socket_that_is_not_used_is_closed():
    """The session ends while a name is looked up; or the system refuses what is asked of it."""
    reopened, from_config = _port.reopened, _sockopt.from_config
    made = []

    async def noted(*arguments):
        sock, address = await reopened(*arguments)
        made.append(Noted(sock))
        return made[-1], address

    def refuse(sock, config):
        raise OSError(errno.EPERM, "not allowed")

    options = {"crypt": "aes-128", "key": bytes(16), "dscp": 8}
    async with await pair(roaming=True, **options) as p:
        stream = p.client
        before = stream.get_extra_info("socket")
        _port.reopened, _sockopt.from_config = noted, refuse
        try:
            assert (await raised(OSError, stream.rebind())).args[0] == errno.EPERM
            assert stream.get_extra_info("socket") is before and stream.heard is None
            await stream.send(b"goes on")
            assert await soon(p.peer.readexactly(7)) == b"goes on"

            async def ends(*arguments):
                found = await noted(*arguments)
                stream.session.abort(errno.ETIMEDOUT, "as if dead_ms had passed")
                return found

            _port.reopened = ends
            assert (await raised(OSError, stream.rebind())).args[0] == errno.ETIMEDOUT
        finally:
            _port.reopened, _sockopt.from_config = reopened, from_config
    assert [sock.is_closed for sock in made] == [True, True]


# misuse


async def test_more_that_is_wrong_raises_at_once():
    a, _ = memory_pair()
    place = ("127.0.0.1", 9)
    for arguments, options in (
        ((), {"carrier": a, "is_up": True}),
        ((), {"carrier": a, "on_down": b""}),
        ((), {"carrier": a, "write_limit": -1}),
        ((), {"carrier": a, "probe_ms": 1 << 29}),
        ((), {"carrier": a, "check_ms": 0.5}),
        ((), {"carrier": a, "rebind": True, "is_up": bool}),
        (place, {"rebind": True}),
    ):
        try:
            ReconnectingClient(*arguments, **options)
        except ValueError:
            continue
        raise AssertionError(options)
    client = ReconnectingClient(*place, limit_bytes=8, limit_records=1)
    client.write(b"x")
    await raised(ValueError, client.send(b"too large"))
    await raised(TypeError, client.send("text"))


def test_no_record_is_dropped_for_one_that_does_not_fit_all_the_same():
    records = Records(10, 8, "drop_oldest")
    for data in (b"sent sent", b"u"):
        assert records.put(data)
    records.next()
    records.sent(1)
    assert not records.put(b"two") and records.n_dropped == 1 and len(records) == 2
    assert records.put(b"v") and records.n_dropped == 2 and records.next() == b"v"
