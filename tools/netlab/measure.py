"""Runs one row with one end (or a pair) over one link, and tells what came of it as a dict."""

import json
import socket
import subprocess
import threading
import time

from netlab.ends import LIMIT_S
from netlab.lab import Lab, end

PORT = 4000
RESTART_MS = 500
STAGGER_S = 0.5
SETTLE_MS = 4000  # of a share that do not count
_POLL_S = 0.02


class Failed(Exception):
    """A program did not even begin; the text says why."""


class Program:
    """One program and the JSON lines that it says."""

    def __init__(self, lab, side, one, command):
        self._changed = threading.Condition()
        self.lines = []
        self.is_over = False
        self.process = lab.start(
            side,
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env=one.environment(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(json.loads(line) if line.startswith("{") else {"text": line})
                self._changed.notify_all()
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def wait_for(self, event):
        """Its line about an event."""
        with self._changed:
            while True:
                for line in self.lines:
                    if line.get("event") == event:
                        return line
                if self.is_over or not self._changed.wait(LIMIT_S):
                    raise Failed(f"{self.process.args}: {self.lines[-3:]}")

    def last(self, *names):
        """The last line with one of the fields; {} = none."""
        with self._changed:
            for line in reversed(self.lines):
                if any(name in line for name in names):
                    return line
            return {}

    def finish(self):
        """End it, if it has not ended, and read what it has said."""
        end(self.process)
        self._reader.join()
        self.process.stdout.close()


def serve(lab, one, kind, n_bytes, settings, port=PORT):
    """Start a server of an end; it listens."""
    command = one.server(kind, lab.far, port, n_bytes, settings)
    program = Program(lab, "far", one, command)
    program.wait_for("listening")
    return program


def single(row, one, seed, mode):
    """A Bulk or a Ping with one end."""
    rebinds = getattr(row, "rebinds", ())
    port = PORT if mode != "udp" else free_port()
    with Lab(row.link, seed=seed, rebinds=rebinds, mode=mode, port=port) as lab:
        is_ping = hasattr(row, "counts")
        kind, n_bytes = ("echo", 0) if is_ping else ("sink", row.n_bytes)
        server = serve(lab, one, kind, n_bytes, row.settings, port)
        if is_ping:
            command = one.ping(lab.far, lab.near_port, row.counts, row.settings)
        else:
            command = one.send(lab.far, lab.near_port, n_bytes, row.settings)
        lab.begin()
        begin_s = time.monotonic()
        client = Program(lab, "near", one, command)
        if getattr(row, "restart_ms", 0):
            server = _restart(lab, row, one, server, port)
        while not client.is_over and time.monotonic() - begin_s < row.settings["patience_s"]:
            time.sleep(_POLL_S)
        seconds = time.monotonic() - begin_s
        client.finish()
        result = outcome(client, seconds, row, lab.counters(), (one.over, port))
        server.finish()
    return result


def _restart(lab, row, one, server, port):
    time.sleep(row.restart_ms / 1000)
    server.process.kill()
    server.finish()
    time.sleep(RESTART_MS / 1000)
    return serve(lab, one, "sink", row.n_bytes, row.settings, port)


def free_port():
    """A UDP port of the loopback that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def outcome(client, seconds, row, counters, key):
    """What a client said, and what the link saw of it."""
    said = client.last("ok", "seconds")
    found = {"ok": bool(said.get("ok")), "seconds": said.get("seconds", seconds)}
    if not found["ok"]:
        found["error"] = _error(client, said, seconds)
    for name in ("mean_ms", "p50_ms", "p99_ms", "max_ms", "echoed"):
        if name in said:
            found[name] = said[name]
    if found["ok"] and hasattr(row, "n_bytes"):
        found["mbit"] = row.n_bytes * 8 / found["seconds"] / 1e6
    found.update(_link_figures(counters, key, getattr(row, "n_bytes", 0)))
    return found


def _error(client, said, seconds):
    if said.get("error"):
        return said["error"]
    texts = [line["text"].strip() for line in client.lines if "text" in line]
    return texts[-1] if texts else f"not done in {seconds:.0f} s"


def _link_figures(counters, key, n_useful):
    flow = counters["up"]["flows"].get("{}:{}".format(*key))
    if flow is None:
        return {}
    return {
        "drops_pct": 100 * flow["queue_drops"] / max(1, flow["sent"]),
        "queue_ms": flow["queueing"]["mean_ms"],
        "queue_p99_ms": flow["queueing"]["p99_ms"],
        "wire_factor": flow["sent_bytes"] / n_useful if n_useful else None,
        "late_p99_ms": max(counters[way]["late"]["p99_ms"] for way in ("up", "down")),
    }


def share(row, pair, seed):
    """Two ends through one bottleneck: the goodput of each, and what they did to the queue."""
    n_bytes = int(row.link["rate_kbps"] * 125 * row.seconds * 2)  # more than the link can carry
    with Lab(row.link, seed=seed, mode="tun") as lab:
        ports = PORT, PORT + 1
        servers = [
            serve(lab, one, "sink", n_bytes, row.settings, port) for one, port in zip(pair, ports)
        ]
        lab.begin()
        clients = []
        for one, port in zip(pair, ports):
            command = one.send(lab.far, port, n_bytes, row.settings)
            clients.append(Program(lab, "near", one, command))
            time.sleep(STAGGER_S)
        _sleep_until(lab, SETTLE_MS)
        before = [server.last("bytes").get("bytes", 0) for server in servers]
        begin_ms = lab.now_ms()
        _sleep_until(lab, row.seconds * 1000)
        after = [server.last("bytes").get("bytes", 0) for server in servers]
        ms = lab.now_ms() - begin_ms
        counters = lab.counters()
        for program in clients + servers:
            program.finish()
    flows = [_link_figures(counters, (one.over, port), 0) for one, port in zip(pair, ports)]
    mbit = [(last - first) * 8 / ms / 1000 for first, last in zip(before, after)]
    return {"mbit": mbit, "flows": flows, "share": mbit[0] / max(1e-9, sum(mbit))}


def _sleep_until(lab, ms):
    time.sleep(max(0, ms - lab.now_ms()) / 1000)
