"""Who a UDP server takes a client for: netlab's NAT as the two ends see it (CPython only).

    nat_probe.py serve HOST PORT         answers every datagram with the address it came from
    nat_probe.py ask HOST PORT N         sends from one socket until it was told N addresses

Both print JSON; `ask` the addresses in the order in which it was told of them.
"""

import json
import socket
import sys
import time

PAUSE_S = 0.02
LIMIT_S = 60


def serve(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    print(json.dumps({"event": "listening"}), flush=True)
    while True:
        data, address = sock.recvfrom(100)
        sock.sendto(data + b"%s:%d" % (address[0].encode(), address[1]), address)


def ask(host, port, n):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((host, port))
    sock.settimeout(PAUSE_S)
    found = []
    end_s = time.monotonic() + LIMIT_S
    while len(found) < n and time.monotonic() < end_s:
        try:
            sock.send(b"from ")
            address = sock.recv(100).decode()[5:]
        except OSError:  # lost, or refused as long as nobody listens
            continue
        if address not in found:
            found.append(address)
    own = sock.getsockname()
    print(json.dumps({"event": "asked", "own": f"{own[0]}:{own[1]}", "addresses": found}))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
