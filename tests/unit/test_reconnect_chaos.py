"""A client that stays connected, while everything goes wrong in an order drawn by a seed: outages,
an is_up that flaps or raises, names that cannot be looked up, sockets that cannot be had, hooks
that fail, sessions that die, tasks that are cancelled in the middle of what they wait for. What
was sent arrives, whole and in order; nobody waits for ever. Real sockets, both runtimes."""

# upy: heapsize=8m arm=no

import asyncio
import errno

from loopback import soon
from outages import UdpWorld, kill, until

from kcp import _port
from kcp_sim.rng import Rng

N_EVENTS = 120


class Chaos:
    """One run: a client, the program's tasks, and what befalls them."""

    def __init__(self, world, seed, **options):
        self.world = world
        self.rng = Rng(seed, 99)
        self.n_sent = self.n_writers = 0
        self.sent = []
        self.lost = []
        self.is_up = True
        self.is_over = False
        self.client = world.client(
            is_up=self._is_up,
            rebind=True,
            on_session=self._on_session,
            on_down=lambda client, error, lost: self.lost.extend(lost),
            check_ms=4,
            probe_ms=60,
            dead_ms=(100, 400)[seed % 2],
            keepalive_ms=40,
            limit_records=16,
            **options,
        )

    def _is_up(self):
        if self.is_up is None:
            raise OSError(errno.ENODEV, "no interface")
        return self.is_up

    async def _on_session(self, client, stream):
        await stream.send(b"hello %d\n" % client.n_sessions)
        if self.rng.below(8) == 0:
            raise OSError(errno.EACCES, "not today")

    # the program's tasks: each may be cancelled at any moment

    async def _write(self):
        self.n_writers += 1
        me = self.n_writers
        while True:
            record = b"%d %d\n" % (me, self.n_sent)
            self.n_sent += 1
            await self.client.send(record)
            self.sent.append(record)
            await asyncio.sleep(self.rng.below(3) / 1000)

    async def _flush(self):
        while True:
            try:
                await self.client.flush()
            except OSError as error:
                assert "their session has ended" in error.args[1]
            await asyncio.sleep(0.001)

    async def _read(self):
        while True:
            assert await self.client.readline() != b""

    async def _rebind(self):
        while True:
            stream = self.client.stream
            try:
                if stream is not None:
                    await stream.rebind(probe_ms=1 + self.rng.below(50))
            except (OSError, RuntimeError):
                pass
            await asyncio.sleep(0.03)

    # what happens

    async def run(self):
        programs = [self._write, self._write, self._flush, self._flush, self._read, self._rebind]
        async with self.client:
            tasks = [asyncio.create_task(program()) for program in programs]
            n = 0
            while n < N_EVENTS or not self._has_seen_it():
                n += 1
                assert n < 50 * N_EVENTS
                self._befall()
                await asyncio.sleep(self.rng.below(12) / 1000)
                i = self.rng.below(2 * len(tasks))
                if i < len(tasks):
                    await end(tasks[i])
                    tasks[i] = asyncio.create_task(programs[i]())
            self._heal()
            await until(self.client.up.is_set)
            for task in tasks:
                await end(task)
            await until(lambda: not self.client.n_unacked)
        assert self.client.stream is None

    def _befall(self):
        world, event = self.world, self.rng.below(10)
        if event > 7:
            self.is_up = (True, False, None)[self.rng.below(3)]
        elif event == 1:
            world.is_cut = not world.is_cut
        elif event == 2:
            world.refuses = None if world.refuses else OSError(-2, "Name or service not known")
        elif event == 0 and self.rng.below(2) and self.client.stream is not None:
            kill(self.client)
        elif event == 4:
            self.refuses_sockets = not self.refuses_sockets
        elif event in (3, 5):
            self._heal()

    refuses_sockets = False

    def _has_seen_it(self):
        """Has what was to happen happened? (It takes longer on a slow machine.)"""
        client = self.client
        return client.n_sessions > 2 and client.n_failures > 0 and client.n_rebinds > 0

    def _heal(self):
        self.is_up = True
        self.world.is_cut = self.refuses_sockets = False
        self.world.refuses = None

    def check(self, is_all):
        """Whole records, of each writer in order, once in a session; all of them, or those that
        were not lost."""
        seen = set()
        for lines in self.world.lines:
            assert not lines or lines[0].startswith(b"hello ")
            numbers = {}
            for line in lines[1:]:
                me, number = line.split()
                assert int(number) > numbers.get(me, -1), lines
                numbers[me] = int(number)
                seen.add(line)
        missing = [record for record in self.sent if record not in seen]
        assert all(record in self.lost for record in missing)
        assert self.client.n_lost == len(self.lost) and not (is_all and missing)


async def end(task):
    """Cancel a task; it must end by that."""
    task.cancel()
    try:
        await soon(task)
    except asyncio.CancelledError:
        return
    raise AssertionError("the cancellation was lost")


async def chaos(seed, **options):
    """A run with this seed. What was reported to the event loop but for is_up's errors fails."""
    reports = []
    loop = asyncio.get_event_loop()
    before, reopened = loop.get_exception_handler(), _port.reopened
    loop.set_exception_handler(lambda loop, context: reports.append(context["message"]))
    try:
        async with UdpWorld(idle_ms=2000) as world:
            run = Chaos(world, seed, **options)

            async def reopen(*arguments):
                if run.refuses_sockets:
                    raise OSError(errno.EHOSTUNREACH, "no route to host")
                await asyncio.sleep(0.001)  # (to look up a name takes a while)
                return await reopened(*arguments)

            _port.reopened = reopen
            await run.run()
            run.check(options.get("send_again", True))
    finally:
        _port.reopened = reopened
        loop.set_exception_handler(before)
    for message in reports:
        assert "is_up" in message, message
    return run.client


async def test_chaos():
    for seed in (1, 2, 3):
        client = await chaos(seed)
        assert client.n_lost == 0


async def test_chaos_with_records_that_are_not_sent_again():
    for seed in (4, 5):
        await chaos(seed, send_again=False)
