"""Who is measured: this library on its two runtimes, kcp-go, and the kernel's TCP.

An end knows the command lines of a server and of a client of its kind; programs/kcp_end.py says
what they do. All of them take the same settings: window (segments), fec, mode, and what else only
one of them knows.
"""

import json
import os
import shlex
import socket
import sys

from kcp import cc, config

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(os.path.dirname(os.path.dirname(HERE)), "lib")
HEAP = "heapsize=16m"
LIMIT_S = 120
PASSPHRASE = "measured"


class End:
    """One line of a table. name: as there; over: "udp" or "tcp"."""

    over = "udp"

    def __init__(self, name):
        self.name = name

    def environment(self):
        """The variables its processes run with."""
        path = {"MICROPYPATH": LIB + ":.frozen", "PYTHONPATH": LIB, "PYTHONUNBUFFERED": "1"}
        return dict(os.environ, **path)


class Ours(End):
    """This library. command: how its runtime is started; server: options of kcp.Config for servers
    alone, more: for both ends.
    """

    def __init__(self, name, command, server=None, **more):
        super().__init__(name)
        self._command = command
        self._server = server or {}
        self._more = more

    def _words(self, kind, host, port, what, settings):
        options = {"mtu": 1400, "mode": settings["mode"], "dead_ms": 15000}
        options.update(crypt=settings["crypt"], passphrase=PASSPHRASE)
        options["sndwnd"] = options["rcvwnd"] = settings["window"]
        if settings["fec"]:
            options["fec"] = settings["fec"]
        options.update(self._more)
        if kind in ("sink", "echo"):
            options.update(self._server)
        program = os.path.join(HERE, "programs", "kcp_end.py")
        return [*self._command, program, kind, host, port, what, json.dumps(options)]

    def server(self, kind, host, port, n_bytes, settings):
        return self._words(kind, host, str(port), str(n_bytes), settings)

    def send(self, host, port, n_bytes, settings):
        return self._words("send", host, str(port), str(n_bytes), settings)

    def ping(self, host, port, counts, settings):
        what = "{}x{}x{}".format(*counts)
        return self._words("ping", host, str(port), what, settings)


class KcpGo(End):
    """The real kcp-go. program: kcppeer."""

    def __init__(self, program):
        super().__init__("kcp-go")
        self._program = program

    def _flags(self, settings, **more):
        flags = {"mtu": 1400, "mode": settings["mode"], "timeout": LIMIT_S}
        flags.update(crypt=settings["crypt"], key=PASSPHRASE)
        flags["sndwnd"] = flags["rcvwnd"] = settings["window"]
        if settings["fec"]:
            flags["datashard"], flags["parityshard"] = settings["fec"]
        flags.update(more)
        return [f"--{name}={value}" for name, value in flags.items()]

    def server(self, kind, host, port, n_bytes, settings):
        command = [self._program, "serve", *self._flags(settings, listen=f"{host}:{port}")]
        return command + (["--sink", "--progress", f"--bytes={n_bytes}"] if kind == "sink" else [])

    def send(self, host, port, n_bytes, settings):
        flags = self._flags(settings, bytes=n_bytes, timeout=settings["patience_s"])
        return [self._program, "sink-client", f"{host}:{port}", *flags]

    def ping(self, host, port, counts, settings):
        flags = dict(zip(("clients", "messages", "size"), counts))
        return [self._program, "ping", f"{host}:{port}", *self._flags(settings, **flags)]


class Tcp(End):
    """The kernel's TCP with one of its congestion controls."""

    over = "tcp"

    def __init__(self, control):
        super().__init__("TCP " + control)
        self._options = json.dumps({"cc": control})

    def _words(self, kind, host, port, what):
        program = os.path.join(HERE, "programs", "tcp_end.py")
        return [sys.executable, program, kind, host, str(port), what, self._options]

    def server(self, kind, host, port, n_bytes, settings):
        return self._words(kind, host, port, str(n_bytes))

    def send(self, host, port, n_bytes, settings):
        return self._words("send", host, port, str(n_bytes))

    def ping(self, host, port, counts, settings):
        return self._words("ping", host, port, "{}x{}x{}".format(*counts))


def kernel_controls():
    """The congestion controls of this kernel that a socket may have: cubic first, if it does."""
    found = []
    with open("/proc/sys/net/ipv4/tcp_available_congestion_control") as file:
        names = file.read().split()
    with socket.socket() as sock:
        for name in names:
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
                found.append(name)
            except OSError:  # only root may choose it
                pass
    return sorted(found, key=lambda name: name != "cubic")


def all_ends():
    """All there are on this machine: {name: End}, in the order of the tables."""
    ends = []
    if os.environ.get("KCP_PEERS"):
        ends.append(KcpGo(os.path.join(os.environ["KCP_PEERS"], "kcppeer")))
    python = [sys.executable]
    ends.append(Ours("ours", python))
    others = [name for name in cc.NAMES if name != config.DEFAULT_CC]
    ends += [Ours(f"ours, cc={name}", python, cc=name) for name in others]
    ends.append(Ours("ours, roaming", python, server={"roaming": True}))
    if os.environ.get("KCP_MICROPYTHON"):
        command = [*shlex.split(os.environ["KCP_MICROPYTHON"]), "-X", HEAP]
        ends.append(Ours("ours, MicroPython", command))
    ends += [Tcp(name) for name in kernel_controls() if name != "reno"]
    return {end.name: end for end in ends}
