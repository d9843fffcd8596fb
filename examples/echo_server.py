"""An encrypted echo server with FEC, for many clients; runs on MicroPython and on CPython.

    KCP_KEY=secret echo_server.py [HOST [PORT]]

Who talks to it needs the same key and cipher: echo_client.py, or a kcp-go program. FEC is for what
this side sends, the client may do as it likes.
"""

import asyncio
import os
import sys

import kcp


def options(passphrase):
    """What both ends set. Give a board the 32 bytes of the key: they take long to derive."""
    if not passphrase:
        raise ValueError("KCP_KEY is not set: give both ends the same passphrase")
    return {"crypt": "aes-128", "key": kcp.derive_key(passphrase), "fec": (10, 3)}


async def echo(reader, writer):
    """Serve one client until it stops answering."""
    try:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    except OSError as error:
        print("a client is gone:", error)
    finally:
        writer.close()


async def main(host="0.0.0.0", port=4000):
    settings = options(os.getenv("KCP_KEY"))
    async with await kcp.start_server(echo, host, int(port), **settings) as server:
        print("listening on port", port)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
