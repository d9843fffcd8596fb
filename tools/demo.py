#!/usr/bin/env python3
"""`make demo`: the main job, live. MicroPython moves a file over a link that loses packets.

    1. MicroPython -> relay -> CPython              examples/upload.py to `python -m kcp recv`
    2. MicroPython <-> relay <-> kcp-go             examples/echo_file.py to `kcppeer serve`

Real UDP sockets on loopback; tools/relay.py loses 10 % of the datagrams and delays them by 30 ms,
in each direction. All of it is encrypted with AES-128 and sent with FEC, 3 parity packets for 10.
Exit code 0 only if every SHA-256 is that of the file.

KCP_MICROPYTHON (the interpreter) and KCP_PEERS (the folder of kcppeer) say where things are.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import secrets
import signal
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tools")]

from relay import Relay  # noqa: E402 (tools/ is no package)

_LIBRARY = os.path.join(ROOT, "lib")
_HOST_ONLY = os.path.join(ROOT, "ports", "cpython")
_END_WAIT_S = 3
_LOG_LINES = 50
_FLAGS = ("--crypt", "aes-128", "--datashard", "10", "--parityshard", "3")


class DemoError(Exception):
    """Something is missing or went wrong; the message is a sentence."""


class Children:
    """The processes of the demo: none outlives the `async with` block."""

    def __init__(self):
        self._all = []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_exc):
        for child in self._all:
            _signal(child, signal.SIGTERM)
        for child in self._all:
            try:
                await asyncio.wait_for(child.wait(), _END_WAIT_S)
            except asyncio.TimeoutError:
                _signal(child, signal.SIGKILL)
                await child.wait()
            await asyncio.wait({child.log_task})  # unlike await: it may have been cancelled

    async def start(self, *command, **environment):
        """Start a program whose stdout is ours to read; its stderr is kept in `child.log`."""
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(os.environ, PYTHONUNBUFFERED="1", **environment),
        )
        child.log = []
        child.logged = asyncio.Event()
        child.log_task = asyncio.ensure_future(_keep_log(child))
        self._all.append(child)
        return child


def _signal(child, number):
    if child.returncode is None:
        try:
            os.kill(child.pid, number)  # child.send_signal might collect its exit code itself
        except ProcessLookupError:  # it ended in this moment
            pass


async def _keep_log(child):
    async for line in child.stderr:
        child.log.append(line.decode("utf-8", "replace").rstrip())
        del child.log[:-_LOG_LINES]
        child.logged.set()
    child.logged.set()


class Leg:
    """One way through the relay: who is at the other end, and what MicroPython runs."""

    def __init__(self, title, peer, program, start_peer):
        self.title = title
        self.peer = peer
        self.program = program
        self.start_peer = start_peer  # async (children, demo) -> (process, port)
        self.stores = start_peer is start_receiver  # it keeps one file, and ends

    async def run(self, demo, progress):
        """Run it; returns the line of the table as a dict. DemoError if a program fails."""
        digest = demo.digest
        async with Children() as children:
            child, port = await self.start_peer(children, demo)
            options = {"loss": demo.loss, "delay_ms": demo.delay_ms, "seed": demo.seed}
            with Relay(("127.0.0.1", port), **options) as relay:
                result = await self._micropython(children, demo, relay.port, progress)
                counters = relay.counters()
            result["recovered"] += await recovered_by(child, self.stores)
        result["sha256_ok"] = result["sha256"] == digest and self._stored(demo) == digest
        result.update(leg=self.title, peer=self.peer, relay=counters)
        return result

    def _stored(self, demo):
        """The hash of the file at the other end; nothing is stored by an echo."""
        if not self.stores:
            return demo.digest
        return hash_file(os.path.join(demo.folder, "received"))

    async def _micropython(self, children, demo, port, progress):
        program = os.path.join(ROOT, "examples", self.program)
        command = (os.environ["KCP_MICROPYTHON"], program, demo.path, "127.0.0.1", str(port))
        paths = ".frozen:" + _LIBRARY
        child = await children.start(*command, MICROPYPATH=paths, KCP_KEY=demo.key)
        result = None
        async for line in child.stdout:
            words = line.decode().split()
            if words[:1] == ["progress"]:
                progress(int(words[1]))
            elif line.startswith(b"{"):
                result = json.loads(line)
        await child.wait()
        if child.returncode or result is None:
            await child.log_task
            why = child.log[-1] if child.log else f"exit code {child.returncode}"
            raise DemoError(f"{self.title}: {self.program} on MicroPython failed: {why}")
        return result


async def start_receiver(children, demo):
    """`kcp recv` under CPython; returns its process and its port."""
    receiver = await children.start(
        sys.executable, "-m", "kcp", "recv", "--json", "--listen", "127.0.0.1:0",
        "--output", os.path.join(demo.folder, "received"), *_FLAGS,
        PYTHONPATH=os.pathsep.join([_LIBRARY, _HOST_ONLY]), KCP_KEY=demo.key,
    )  # fmt: skip
    await receiver.logged.wait()
    last = receiver.log[-1] if receiver.log else "it said nothing"
    if "listening on" not in last:
        raise DemoError(f"kcp recv did not start: {last}")
    return receiver, int(last.rpartition(":")[2])


async def start_kcp_go(children, demo):
    """The echo server made with kcp-go; returns its process and its port."""
    peer = os.path.join(os.environ["KCP_PEERS"], "kcppeer")
    flags = ("--listen", "127.0.0.1:0", "--key", demo.key, *_FLAGS)
    server = await children.start(peer, "serve", *flags)
    line = await server.stdout.readline()
    if not line:
        await server.log_task
        raise DemoError(f"kcppeer did not start: {' '.join(server.log[-1:])}")
    return server, json.loads(line)["port"]


async def recovered_by(child, ends_by_itself):
    """How many packets FEC has given back to a peer: its last line of JSON has its counters."""
    if ends_by_itself:
        await asyncio.wait([child.log_task], timeout=_END_WAIT_S)
    _signal(child, signal.SIGTERM)
    output = await child.stdout.read()
    last = json.loads(output.splitlines()[-1]) if output else {}
    return int(last.get("counters", last.get("snmp", {})).get("FECRecovered", 0))


LEGS = (
    Leg("MicroPython -> CPython", "microkcp", "upload.py", start_receiver),
    Leg("MicroPython <-> kcp-go", "kcp-go", "echo_file.py", start_kcp_go),
)


class Demo:
    """What the legs share: the file, its hash, the link."""

    def __init__(self, arguments, folder):
        self.folder = folder
        self.n_bytes = arguments.bytes
        self.loss = arguments.loss / 100
        self.delay_ms = arguments.delay
        self.seed = arguments.seed
        self.key = secrets.token_hex(16)  # the passphrase of both ends
        self.path = os.path.join(folder, "sent")
        with open(self.path, "wb") as file:
            file.write(random.Random(self.seed).randbytes(self.n_bytes))
        self.digest = hash_file(self.path)

    async def run(self, screen):
        """Run every leg; returns their lines of the table."""
        rows = []
        for leg in LEGS:
            with screen.leg(leg.title, self.n_bytes) as progress:
                rows.append(await leg.run(self, progress))
        return rows


def hash_file(path):
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def check_tools():
    """DemoError if something is missing."""
    for name, program in (("KCP_MICROPYTHON", ""), ("KCP_PEERS", "kcppeer")):
        path = os.environ.get(name, "")
        if not path:
            raise DemoError(f"{name} is not set: run 'make demo', which builds what is needed.")
        if not os.access(os.path.join(path, program) if program else path, os.X_OK):
            raise DemoError(f"{name} ({path}) holds no program: run 'make demo' to build it.")
    try:
        import click  # noqa: F401
        import rich  # noqa: F401
    except ImportError as error:
        raise DemoError(f"{error}: run 'make demo', which installs what is needed.") from None


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bytes", type=int, default=1_000_000, help="size of the file")
    parser.add_argument("--loss", type=float, default=10, metavar="PERCENT", help="each way")
    parser.add_argument("--delay", type=float, default=30, metavar="MS", help="each way")
    parser.add_argument("--seed", type=int, default=1, help="of the file and of the losses")
    parser.add_argument("--time-limit", type=float, default=120, metavar="SECONDS")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    return parser.parse_args(argv)


async def run_in_time(demo, screen, limit_s):
    """Demo.run, but DemoError when it takes too long; SIGINT and SIGTERM cancel it, once."""
    loop = asyncio.get_running_loop()
    stop = _once(asyncio.current_task().cancel)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        return await asyncio.wait_for(demo.run(screen), limit_s)
    except asyncio.TimeoutError:
        raise DemoError(f"Not done within {limit_s:g} s: a slower machine needs --time-limit.")


def _once(function):
    """A function that calls this one the first time only: a second cancel would stop clean-up."""
    calls = [function]
    return lambda: calls and calls.pop()()


def main(argv=None):
    """Run the demo; returns the exit code."""
    arguments = parse_arguments(argv)
    try:
        check_tools()
        from demo_screen import Screen

        screen = Screen(sys.stderr if arguments.json else sys.stdout)
        with tempfile.TemporaryDirectory(prefix="kcp-demo-") as folder:
            demo = Demo(arguments, folder)
            screen.begin(demo)
            rows = asyncio.run(run_in_time(demo, screen, arguments.time_limit))
    except (DemoError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("demo: interrupted", file=sys.stderr)
        return 130
    if arguments.json:
        print(json.dumps(rows))
    else:
        screen.table(rows)
    return 0 if all(row["sha256_ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
