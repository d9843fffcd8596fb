"""Ctrl-C while a call of the blocking API waits: nothing is lost, and all goes on."""

import sys

from kcp import blocking

PORT = int(sys.argv[1])


def interrupted(name, call, *arguments):
    """Say that the call waits, and be interrupted in it."""
    try:
        print("waiting in", name)
        call(*arguments)
    except KeyboardInterrupt:
        print("interrupted")


with blocking.listen("127.0.0.1", PORT, sndwnd=4, rcvwnd=4) as server:
    interrupted("accept", server.accept)
    with blocking.connect("127.0.0.1", PORT, sndwnd=4, rcvwnd=4, probe_ms=20000) as client:
        peer, _ = server.accept()
        interrupted("recv", peer.recv, 10)
        interrupted("sendall", client.sendall, bytes(50000))
        n_queued = client.stats.BytesSent
        print("a part was queued:", 0 < n_queued < 50000)
        client.sendall(b"")
        got = 0
        while got < n_queued:
            got += len(peer.recv(4000))
        client.sendall(b"and on it goes")
        print(got == n_queued, peer.recv(100))
        while blocking.service(100):  # old news
            pass
        interrupted("service", blocking.service, 60000)
        peer.sendall(b"back")
        print(client.recv(100))
        peer.close()
print("done")
