"""Who is measured, each in processes of its own: us on two runtimes, kcp-go, packages of PyPI.

An end knows the command lines of its measurements; all of them print one line of JSON with the
rate ("value"). The programs lie in programs/ and, for kcp-go, in tests/interop/peers/bench.
"""

import contextlib
import json
import os
import shlex
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
LIB = os.path.join(os.path.dirname(os.path.dirname(HERE)), "lib")
TIMEOUT_S = 150
LEAST_BYTES = 1 << 16
HEAP = "heapsize=32m"


class Failed(Exception):
    """A measurement did not come about; the text says why."""


class End:
    """One column's commands. name: as in the table; runtimes that are ours have is_ours."""

    is_ours = False

    def __init__(self, name):
        self.name = name
        self._rate = {}  # of the last transfer, by kind and settings: MB/s

    def environment(self):
        """The variables its processes run with."""
        return dict(os.environ)

    def operation(self, name, seconds):
        """The rate of an operation, repeated for so long."""
        return self._run(self.operation_command(name, seconds))

    def transfer(self, kind, options, seconds):
        """MB/s of a transfer between two processes that takes about so long."""
        key = (kind, json.dumps(options))
        n_bytes = max(LEAST_BYTES, int(self._rate.get(key, 1.0) * 1e6 * seconds))
        port = free_port()
        with self._server(self.transfer_command("serve", kind, port, n_bytes, options)):
            rate = self._run(self.transfer_command("send", kind, port, n_bytes, options))
        self._rate[key] = rate
        return rate

    def _run(self, command):
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                env=self.environment(),
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"{shlex.join(command)}: nothing after {TIMEOUT_S} s") from None
        if done.returncode or not done.stdout.strip():
            raise Failed(f"{shlex.join(command)}: {last_line(done.stderr)}")
        return json.loads(done.stdout.splitlines()[-1])["value"]

    @contextlib.contextmanager
    def _server(self, command):
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment(),
        )
        try:
            line = process.stdout.readline()
            if "listening" not in line:
                raise Failed(f"{shlex.join(command)}: {last_line(line + process.stdout.read())}")
            yield
        finally:
            process.terminate()
            process.communicate(timeout=10)


class Ours(End):
    """This library on one of its runtimes, with one twin of its hot code (see kcp._backend).

    command: how to start the runtime; folder: where the C module is, '' if it needs none.
    """

    is_ours = True

    def __init__(self, runtime, twin, command, folder=""):
        super().__init__(f"{runtime} {twin}")
        self.runtime, self.twin = runtime, twin
        self._command = command
        self._path = os.pathsep.join([LIB, folder] if folder else [LIB])

    def environment(self):
        found = dict(os.environ, MICROPYPATH=self._path + ":.frozen", KCP_BACKEND=self.twin)
        found["PYTHONPATH"] = self._path
        return found

    def operation_command(self, name, seconds):
        return [*self._command, os.path.join(PROGRAMS, "operation.py"), name, str(seconds)]

    def transfer_command(self, role, kind, port, n_bytes, options):
        words = [role, kind, str(port), str(n_bytes), json.dumps(options)]
        return [*self._command, os.path.join(PROGRAMS, "transfer.py"), *words]


class KcpGo(End):
    """The real kcp-go."""

    def __init__(self, program):
        super().__init__("kcp-go")
        self._program = program

    def operation_command(self, name, seconds):
        return [self._program, "bench", name, f"--seconds={seconds}"]

    def transfer_command(self, role, kind, port, n_bytes, options):
        words = [f"--address=127.0.0.1:{port}", f"--bytes={n_bytes}"]
        if "crypt" in options:
            words.append("--crypt=" + options["crypt"])
        if "fec" in options:
            words.append("--fec={}/{}".format(*options["fec"]))
        return [self._program, "bench", role, kind, *words]


class PyPi(End):
    """A package's raw KCP object, in an environment of its own."""

    def __init__(self, name, python):
        super().__init__("PyPI " + name)
        self._package = name
        self._python = python

    def environment(self):
        # one of them is imported as `kcp` too
        return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def operation_command(self, name, seconds):
        program = os.path.join(PROGRAMS, f"pypi_{name}.py")
        return [self._python, program, self._package, str(seconds)]

    def transfer_command(self, role, kind, port, n_bytes, options):
        program = os.path.join(PROGRAMS, f"pypi_{kind}.py")
        return [self._python, program, self._package, role, str(port), str(n_bytes)]


def free_port():
    """A UDP port of 127.0.0.1 that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def last_line(text):
    """The last line that says something."""
    return ([line for line in text.splitlines() if line.strip()] or ["it said nothing"])[-1]


def found():
    """All ends that set-up has made: {name: End}."""
    ends = [Ours("cpython", "python", [sys.executable])]
    if os.environ.get("KCP_EXTENSION"):
        ends.append(Ours("cpython", "native", [sys.executable], os.environ["KCP_EXTENSION"]))
    if os.environ.get("KCP_MICROPYTHON"):
        command = [*shlex.split(os.environ["KCP_MICROPYTHON"]), "-X", HEAP]
        ends += [Ours("micropython", twin, command) for twin in ("python", "viper")]
        if os.environ.get("KCP_NATMOD"):
            ends.append(Ours("micropython", "native", command, os.environ["KCP_NATMOD"]))
    if os.environ.get("KCP_PEERS"):
        ends.append(KcpGo(os.path.join(os.environ["KCP_PEERS"], "kcppeer")))
    for word in shlex.split(os.environ.get("KCP_PYPI", "")):
        name, python = word.split("=", 1)
        ends.append(PyPi(name, python))
    return {end.name: end for end in ends}
