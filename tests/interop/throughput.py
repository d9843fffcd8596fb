#!/usr/bin/env python3
"""Measures one stream over loopback between kcp-go and us, on either runtime, in one run.

    eval "$(make -s env)"; tests/interop/throughput.py

The client writes, the sink hashes and answers with the SHA-256 at the end. MB = 10**6 bytes; the
best of --repeat runs. No crypt layer, mtu 1400, windows of 1024, mode fast3.
"""

import argparse
import json

import udp

OPTIONS = {"mtu": 1400, "sndwnd": 1024, "rcvwnd": 1024, "mode": "fast3"}
MEGABYTES = {"kcp-go": 200, "cpython": 30, "micropython": 5}  # takes a second or so
ENDS = tuple(MEGABYTES)


def sink(end, n_bytes):
    """A sink server (a context manager: its port)."""
    if end == "kcp-go":
        command = udp.go_command(
            "serve", "--sink", bytes=n_bytes, timeout=udp.TIMEOUT_S, **OPTIONS
        )
    else:
        words = ("127.0.0.1", udp.free_port(), udp.TIMEOUT_S, n_bytes, json.dumps(OPTIONS))
        command = udp.our_command(end, "sink_server.py", *words)
    return udp.server(command, show=False)


def send(end, port, n_bytes):
    """Send to a sink; what the client reported."""
    if end == "kcp-go":
        command = udp.go_command(
            "sink-client", f"127.0.0.1:{port}", bytes=n_bytes, timeout=udp.TIMEOUT_S, **OPTIONS
        )
    else:
        words = ("127.0.0.1", port, n_bytes, json.dumps(OPTIONS))
        command = udp.our_command(end, "sink_client.py", *words)
    return udp.client(command)


def measure(sender, receiver):
    """One transfer: (MB/s, segments sent again)."""
    n_bytes = min(MEGABYTES[sender], MEGABYTES[receiver]) * 1_000_000
    with sink(receiver, n_bytes) as port:
        outcome = send(sender, port, n_bytes)
    again = outcome["snmp"]["RetransSegs"] if "snmp" in outcome else outcome["retrans"]
    return outcome["mb_per_s"], again


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    repeat = parser.parse_args().repeat
    print(f"{'sender':12} {'receiver':12} {'MB/s':>8}  {'sent again':>10}")
    for sender in ENDS:
        for receiver in ENDS:
            speed, again = max(measure(sender, receiver) for _ in range(repeat))
            print(f"{sender:12} {receiver:12} {speed:8.1f}  {again:10}", flush=True)


if __name__ == "__main__":
    main()
