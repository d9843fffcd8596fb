"""A modelled link with a program at each end: over TUN between namespaces, or UDP over loopback.

with Lab({"rate_kbps": 10000, "queue": 25, "delay_ms": 15}) as lab:
    far = lab.start("far", ["kcppeer", "serve", "--listen", lab.far + ":4000"])
    ...wait until it listens...
    lab.begin()
    near = lab.start("near", ["kcppeer", "echo-client", lab.far + ":4000"])
    near.wait()
    print(lab.counters())
"""

import functools
import os
import signal
import subprocess

from netlab import spaces
from netlab.lane import Lane
from netlab.packet import Nat
from netlab.tun import TunRelay
from netlab.udp import UdpRelay

LOOPBACK = "127.0.0.1"
_END_S = 10  # a program that has been asked to end is killed after so long


class Lab:
    """link, back: options of kcp_sim.link for the way to the far end and back (None: the same).

    seed: one seed, one pattern of losses over the same packets. rebinds: (ms, "port" or "address")
    pairs in order: when the NAT before the near end forgets. mode: "tun", "udp", or "auto": UDP
    if this process may have no namespaces, which `refusal` then says. port: for UDP: that of the
    far program, the one there is. ValueError for options that make no sense; spaces.NotAllowed
    with mode "tun".
    """

    def __init__(self, link, back=None, *, seed=1, rebinds=(), mode="auto", port=0):
        if mode not in ("auto", "tun", "udp"):
            raise ValueError(f"mode {mode!r}: give auto, tun or udp")
        self.lanes = Lane(link, seed, 0), Lane(link if back is None else back, seed, 1)
        self.refusal = ""
        self._spaces = self._open_spaces(mode)
        self.mode = "tun" if self._spaces else "udp"
        #: addresses of the two programs
        self.near, self.far = (spaces.NEAR, spaces.FAR) if self._spaces else (LOOPBACK, LOOPBACK)
        self._programs = []
        self._has_begun = False
        self._relay = self._make_relay(port, rebinds)
        #: the port to which near programs have to send (the far program's own with TUN)
        self.near_port = port if self._spaces else self._relay.port

    def _open_spaces(self, mode):
        if mode == "udp":
            return None
        try:
            return spaces.open_pair()
        except spaces.NotAllowed as refusal:
            if mode == "tun":
                raise
            self.refusal = str(refusal)
            return None

    def _make_relay(self, port, rebinds):
        if self._spaces:
            self.nat = Nat(spaces.NAT_ADDRESSES)
            events = [(ms, functools.partial(self.nat.rebind, kind)) for ms, kind in rebinds]
            return TunRelay([space.tun for space in self._spaces], self.lanes, self.nat, events)
        if not port:
            why = f" (and there is UDP alone: {self.refusal})" if self.refusal else ""
            raise ValueError("over UDP the port of the far program has to be given" + why)
        relay = UdpRelay((LOOPBACK, port), self.lanes)
        relay.set_events([(ms, functools.partial(relay.rebind, kind)) for ms, kind in rebinds])
        self.nat = relay
        return relay

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        """End the programs and the relay. Twice is harmless."""
        programs, self._programs = self._programs, []
        for program in programs:
            end(program)
        if self._relay:
            relay, self._relay = self._relay, None
            relay.stop()
            for space in self._spaces or ():
                space.close()

    def start(self, side, command, **options):
        """Start a program at the "near" or "far" side: a subprocess.Popen with such options."""
        if not self._spaces:
            program = subprocess.Popen(command, **options)
        else:
            with self._spaces[side == "far"].entered():
                program = subprocess.Popen(command, **options)
        self._programs.append(program)
        return program

    def begin(self):
        """Let the link carry; its times (outages, rebinds) count from now on."""
        self._has_begun = True
        self._relay.start()

    def now_ms(self):
        """Milliseconds since begin()."""
        return self._relay.now_us() // 1000

    def counters(self):
        """Everything counted, fit for JSON: the two lanes, the NAT, how well the relay kept up."""
        return {
            "mode": self.mode,
            "refusal": self.refusal,
            "up": self.lanes[0].as_dict(),
            "down": self.lanes[1].as_dict(),
            "rebinds": self.nat.n_rebinds,
            "stale": getattr(self.nat, "stale", 0),
            "relay": {"goes_first": self._relay.is_prompt, "cpus": os.cpu_count()},
        }


def end(program):
    """Ask a program to end, with all that it has started in its session, and see to it."""
    if program.poll() is None:
        _signal(program, signal.SIGTERM)
        try:
            program.wait(_END_S)
        except subprocess.TimeoutExpired:
            _signal(program, signal.SIGKILL)
            program.wait()


def _signal(program, number):
    if os.getpgid(program.pid) == program.pid:
        os.killpg(program.pid, number)
    else:
        program.send_signal(number)
