"""Echoes, with accept() and no callback, on a socket of its own; on both runtimes.

    accept_server.py HOST PORT SECONDS OPTIONS      OPTIONS: JSON, see options.py

Prints a line of JSON when it listens and one for every session that it accepts; at the end it says
whether its socket is still open. Ends by itself after SECONDS without a new session.
"""

import asyncio
import json
import socket
import sys

from options import read

import kcp


async def echo(stream):
    try:
        while True:
            data = await stream.read(8192)
            if not data:
                return
            await stream.send(data)
    except OSError as error:
        print(json.dumps({"event": "gone", "error": str(error)}))
    finally:
        stream.close(0)


async def main(host, port, seconds, options):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(socket.getaddrinfo(host, port)[0][-1])
    tasks = []
    server = await kcp.start_server(None, sock=sock, **options)
    print(json.dumps({"event": "listening", "host": host, "port": port}))
    while True:
        server.set_deadline(int(seconds * 1000))
        try:
            stream, _ = await server.accept()
        except asyncio.TimeoutError:
            break
        conv = stream.get_extra_info("conv")
        print(json.dumps({"event": "accepted", "conv": conv}))
        tasks.append(asyncio.create_task(echo(stream)))
    for task in tasks:
        task.cancel()
    server.close()
    await server.wait_closed()
    print(json.dumps({"event": "end", "socket": sock.fileno() >= 0}))


if __name__ == "__main__":
    _, host, port, seconds, options = sys.argv
    asyncio.run(main(host, int(port), float(seconds), read(options)))
