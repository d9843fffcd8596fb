"""What the tests of the command line share: processes, their environment, the relay."""

import contextlib
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RELAY = os.path.join(ROOT, "tools", "relay.py")
DEMO = os.path.join(ROOT, "tools", "demo.py")
PATHS = os.pathsep.join([os.path.join(ROOT, "lib"), os.path.join(ROOT, "ports", "cpython")])
LIMIT_S = 60  # no step of a test takes longer


def load_tool(name):
    """Import tools/NAME.py, which is no package."""
    path = os.path.join(ROOT, "tools", name + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


relay = load_tool("relay")


def environment(**more):
    """The environment of a child: the checkout's packages, and no settings of the user's."""
    env = dict(os.environ, PYTHONPATH=PATHS, PYTHONWARNINGS="error")
    env.pop("KCP_KEY", None)
    env.update(more)
    return env


class Kcp:
    """`python -m kcp ARGUMENTS` as a process; ended at the end of the `with` block."""

    def __init__(self, *arguments, cwd=None, **env):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kcp", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=environment(**env),
        )
        self.notes = []  # lines of stderr
        self._noted = threading.Condition()
        self._reader = threading.Thread(target=self._read_notes, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def _read_notes(self):
        for line in self.process.stderr:
            with self._noted:
                self.notes.append(line.decode().rstrip())
                self._noted.notify_all()
        with self._noted:
            self.notes.append(None)
            self._noted.notify_all()

    def wait_for(self, pattern):
        """The match of a pattern with a line of stderr, which may be still to come."""
        end_s = time.monotonic() + LIMIT_S
        with self._noted:
            while True:
                for line in self.notes:
                    match = line is not None and re.search(pattern, line)
                    if match:
                        return match
                left_s = end_s - time.monotonic()
                assert left_s > 0 and None not in self.notes, f"no {pattern!r} in {self.notes}"
                self._noted.wait(left_s)

    @property
    def port(self):
        """The port it listens on."""
        return int(self.wait_for(r"listening on .*:(\d+)$").group(1))

    @property
    def address(self):
        """127.0.0.1 and the port it listens on, as HOST:PORT."""
        return f"127.0.0.1:{self.port}"

    def type(self, data):
        """Write to its stdin."""
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def finish(self, stdin=None):
        """Wait for its end; returns (exit code, stdout, lines of stderr)."""
        if stdin is not None:
            self.process.stdin.write(stdin)
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        out = self.process.stdout.read()
        code = self.process.wait(LIMIT_S)
        self._reader.join()
        return code, out, self.notes[:-1]

    def result(self):
        """Wait for its end; returns (exit code, the one JSON object on stdout)."""
        code, out, _notes = self.finish()
        return code, json.loads(out)


def kcp(*arguments, stdin=None, cwd=None, **env):
    """Run `python -m kcp ARGUMENTS`; returns (exit code, stdout, lines of stderr)."""
    with Kcp(*arguments, cwd=cwd, **env) as program:
        return program.finish(stdin)


def one_sentence(notes):
    """True if stderr holds one line, and it is no traceback."""
    return len(notes) == 1 and "Traceback" not in notes[0] and len(notes[0]) < 400


class NarrowRelay(relay.Relay):
    """A relay that drops what is longer than `mtu` bytes, both ways or towards one side only
    (`up`, `down`), as a path does whose routers tell nobody."""

    def __init__(self, target, mtu, ways=("up", "down"), **options):
        super().__init__(target, **options)
        self._mtu = mtu
        self._narrow = [getattr(self, way) for way in ways]

    def _enqueue(self, lane, sock, data, address):
        if len(data) <= self._mtu or lane not in self._narrow:
            super()._enqueue(lane, sock, data, address)


@contextlib.contextmanager
def silent_port():
    """A port that takes everything and says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


def free_port():
    """A port where nothing listens."""
    with silent_port() as port:
        return port


def doctor(port, *flags, **env):
    """`kcp doctor --json` of a local port; returns (exit code, its JSON object)."""
    code, out, notes = kcp("doctor", f"127.0.0.1:{port}", "--json", *flags, **env)
    assert not any("Traceback" in note for note in notes), notes
    return code, json.loads(out)
