"""A client that does as it is told on standard input; kcppeer's life-client in Python.

    life_client.py SERVER_PORT LOCAL_PORT OPTIONS      OPTIONS: JSON, see options.py

Each line "N" sends N bytes and waits a second (or options' "wait" seconds) for as many; a line of
JSON says how many came back and what error the session gave. "rebind" goes on from another socket
(not if LOCAL_PORT was given: 0, any). "close" closes the session; the end of standard input ends
the program.
"""

import json
import socket
import sys

from options import read

from kcp import blocking


def echo(client, n_bytes):
    """Send bytes, count what comes back within a second."""
    answer = {"event": "echo", "back": 0}
    try:
        client.sendall(b"x" * n_bytes)
        while answer["back"] < n_bytes:
            answer["back"] += len(client.recv(n_bytes))
    except OSError as error:
        answer["error"] = str(error)
    return answer


def main(server_port, local_port, options):
    wait_s = options.pop("wait", 1)
    sock = None
    if local_port:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", local_port))
    client = blocking.connect("127.0.0.1", server_port, sock=sock, **options)
    client.settimeout(wait_s)
    print(json.dumps({"event": "ready", "port": local_port}), flush=True)
    for line in sys.stdin:
        word = line.strip()
        if word == "close":
            client.close()
            print(json.dumps({"event": "closed", "ok": True}), flush=True)
        elif word == "rebind":
            print(json.dumps({"event": "rebound", "found": client.rebind()}), flush=True)
        else:
            print(json.dumps(echo(client, int(word))), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), read(sys.argv[3]))
