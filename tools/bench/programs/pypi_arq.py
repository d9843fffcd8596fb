"""Operation `arq` of operation.py with the objects of a package from PyPI.

pypi_arq.py PACKAGE SECONDS      prints {"value": MB/s, "unit": ...}
"""

import json
import sys
import time

from pypi_objects import INTERVAL_MS, OBJECTS, WINDOW

MESSAGE_BYTES = 65536


def operation(new):
    """run(n), which passes n messages through two objects back to back."""
    there, back = [], []
    sender, receiver = new(there.append), new(back.append)
    message = bytes(MESSAGE_BYTES)
    now_ms = 0

    def deliver(packets, target):
        for packet in packets:
            target.input(packet)
        packets.clear()

    def run(n):
        nonlocal now_ms
        for _ in range(n):
            while True:
                received = receiver.recv()
                if received:
                    break
                now_ms += INTERVAL_MS
                while sender.waiting() < WINDOW:
                    sender.send(message)
                sender.update(now_ms)
                deliver(there, receiver)
                receiver.update(now_ms)
                deliver(back, sender)
            if len(received) != MESSAGE_BYTES:
                raise ValueError("a message has changed")

    return run


def measure(run, seconds):
    """Operations per second: batches that double until one has taken long enough."""
    n = 1
    while True:
        begin_ns = time.perf_counter_ns()
        run(n)
        took_s = (time.perf_counter_ns() - begin_ns) / 1e9
        if took_s >= seconds:
            return n / took_s
        n *= 2


if __name__ == "__main__":
    run = operation(OBJECTS[sys.argv[1]])
    measure(run, float(sys.argv[2]) / 4)
    rate = measure(run, float(sys.argv[2])) * MESSAGE_BYTES / 1e6
    print(json.dumps({"value": rate, "unit": "MB/s"}))
