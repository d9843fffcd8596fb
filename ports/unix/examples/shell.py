"""A Python prompt over the network, for a router or any other machine with MicroPython.

    micropython shell.py [HOST PORT]           settings.json: {"key": "32 hexadecimal digits"}

Each line is run as Python, and answered with its value or its error; what print() says comes, too.
Whoever has the key can do anything: the cipher proves that a client has it, with aes-128-gcm.
Clients that vanish are let go after five minutes. From a computer:

    kcppeer pipe HOST:PORT --crypt aes-128-gcm --key hex:00112233445566778899aabbccddeeff
"""

import asyncio
import io
import json
import sys
from binascii import unhexlify

import kcp

LINE_BYTES = 4096
IDLE_MS = 300000


class Shell:
    """A client's prompt, with variables of its own."""

    def __init__(self):
        self._said = []
        self._names = {"print": self._print}

    def _print(self, *values):
        self._said.append(" ".join([str(value) for value in values]))

    def run(self, line):
        """Run a line; the text to show."""
        self._said = []
        try:
            try:
                value = eval(line, self._names)
                if value is not None:
                    self._print(repr(value))
            except SyntaxError:
                exec(line, self._names)
        except Exception as error:
            text = io.StringIO()
            sys.print_exception(error, text)
            self._print(text.getvalue().strip())
        return "\n".join(self._said)


async def serve(reader, writer):
    """Answer a client's lines until it is gone."""
    shell = Shell()
    try:
        while True:
            line = await reader.readuntil(b"\n", LINE_BYTES)
            text = shell.run(line.decode().strip())
            writer.write((text + "\n>>> ").encode())
            await writer.drain()
    except (OSError, EOFError, ValueError) as error:  # gone, or a line without an end
        print("a session has ended:", error)
    finally:
        writer.close()


async def main(host="0.0.0.0", port="4000"):
    """Serve until the process is stopped."""
    with open("settings.json") as file:
        key = unhexlify(json.load(file)["key"])
    options = {"crypt": "aes-128-gcm", "key": key, "idle_ms": IDLE_MS}
    server = await kcp.start_server(serve, host, int(port), **options)
    print("listening at", port)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
