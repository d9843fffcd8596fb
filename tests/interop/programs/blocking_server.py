"""As echo_server.py, with the blocking API, for one session; on both runtimes.

blocking_server.py HOST PORT SECONDS OPTIONS BYTES      OPTIONS: JSON, see options.py
"""

import json
import sys

from options import read

from kcp import blocking

CHUNK_BYTES = 8192


def main(host, port, seconds, options, n_bytes):
    server = blocking.listen(host, port, **options)
    server.settimeout(seconds)
    print(json.dumps({"event": "listening", "host": host, "port": port}))
    sock, _ = server.accept()
    sock.settimeout(seconds)
    with sock:
        while n_bytes > 0:
            data = sock.recv(CHUNK_BYTES)
            sock.sendall(data)
            n_bytes -= len(data)
        print(json.dumps({"event": "echoed", "stats": sock.stats.as_dict()}))
        while True:  # until we are stopped
            blocking.service(1000)


if __name__ == "__main__":
    _, host, port, seconds, options, n_bytes = sys.argv
    main(host, int(port), int(seconds), read(options), int(n_bytes))
