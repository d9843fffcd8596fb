"""Mistakes that mypy has to find, one in every line with the name of the error behind it."""

import kcp
import kcp_trio
from kcp import blocking


async def mistakes() -> None:
    kcp.Config(modus="fast")  # E: call-arg
    kcp.Config(mtu="1200")  # E: typeddict-item arg-type
    reader, writer = await kcp.open_connection("::1", "4000")  # E: arg-type
    await kcp.open_connection("::1", 4000, sendwnd=5)  # E: call-arg
    writer.write("text")  # E: arg-type
    writer.set(crypt="none")  # E: call-arg
    text: str = await reader.readline()  # E: assignment
    await kcp.start_server(print, 5)  # E: arg-type
    with blocking.connect("::1", 4000) as sock:
        sock.recv_into(bytes(5))  # E: arg-type
    await kcp.start_server(None, carrier=5)  # E: arg-type
    await kcp_trio.open_stream("::1", 4000, sendwnd=5)  # E: call-arg
    kcp.no_such_name()  # E: attr-defined
    print(text)
