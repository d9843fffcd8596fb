"""README as a new user meets it: its Python runs; its files, targets, verbs, flags are there."""

import ast
import asyncio
import inspect
import os
import re
import socket
import threading
import types

import trio
from click.testing import CliRunner
from tls_support import NAME, contexts

import kcp
import kcp_asyncio
import kcp_trio
from kcp import blocking
from kcp_cli.main import cli

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def readme():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return file.read()


def blocks(language):
    return re.findall(r"^```%s\n(.*?)^```" % language, readme(), re.MULTILINE | re.DOTALL)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def block(word):
    """The one Python block that has this word, on a port that is free."""
    (found,) = [text for text in blocks("python") if word in text]
    return found.replace("4000", str(free_port()))


async def run(code, names):
    """Run Python with top-level await, for at most a minute."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    result = eval(compile(code, "README.md", "exec", flags), names)
    if inspect.isawaitable(result):
        await result


def in_asyncio(code, names):
    asyncio.run(asyncio.wait_for(run(code, names), 60))


def test_every_python_block_is_run_here():
    words = ["def main()", "makefile", "create_connection", "ssl=context", "kcp_trio", "machine."]
    words += ["ReconnectingClient", "session.input("]
    assert len(blocks("python")) == len({block(word) for word in words})


def test_echo(capsys):
    exec(compile(block("def main()"), "README.md", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out == "b'hello\\n'\n"
    with open(os.path.join(ROOT, "examples", "echo.py"), encoding="utf-8") as file:
        example = file.read()
    (text,) = [text for text in blocks("python") if "def main()" in text]
    assert text.replace("4000", "") in re.sub(r"\b4\d{3}\b", "", example)


def test_blocking(capsys):
    code = block("makefile")
    port = int(re.search(r"127.0.0.1\", (\d+)", code).group(1))

    def serve():
        with blocking.listen("127.0.0.1", port, crypt="none") as listener:
            ready.set()
            with listener.accept()[0] as peer:
                peer.sendall(peer.recv(100))

    ready = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait()
    exec(code, {})
    thread.join()
    assert capsys.readouterr().out == "b'hello\\n'\n"


def test_transports():
    code = block("create_connection") + "transport.abort()\nserver.close()\n"
    in_asyncio(code, {"kcp_asyncio": kcp_asyncio, "Protocol": asyncio.Protocol})


def test_tls(tmp_path):
    server_context, client_context = contexts(str(tmp_path))
    client, server = block("ssl=context").splitlines()
    said = []
    client = client.replace("ssl=", f"server_hostname={NAME!r}, ssl=")
    code = f"{server}\n{client}\nprint(await reader.readline())\nserver.abort_clients()\n"
    code += "server.close()\nwriter.transport.abort()\n"
    names = {
        "kcp_asyncio": kcp_asyncio,
        "host": "127.0.0.1",
        "context": client_context,
        "context_with_a_certificate": server_context,
        "on_session": lambda reader, writer: writer.write(b"hello\n"),
        "print": said.append,
    }
    in_asyncio(code, names)
    assert said == [b"hello\n"]


def test_trio():
    define, serve, client = ast.parse(block("kcp_trio")).body
    names = {"kcp_trio": kcp_trio}

    def code_of(node):
        return ast.unparse(node)

    async def main():
        await run(code_of(define), names)
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run, code_of(serve), names)
                await run(code_of(client), names)
                stream = names["stream"]
                await stream.send_all(b"hello")
                assert await stream.receive_some() == b"hello"
                await stream.aclose()
                nursery.cancel_scope.cancel()

    trio.run(main)


def test_the_client_that_stays_connected():
    got = []
    code = block("ReconnectingClient").replace("10.0.0.2", "127.0.0.1")
    port = int(re.search(r"127.0.0.1\", (\d+)", code).group(1))
    key = bytes(16)

    async def collect(reader, writer):
        while b"a record" not in b"".join(got):
            got.append(await reader.read(100))
        arrived.set()

    arrived = asyncio.Event()
    wlan = types.SimpleNamespace(isconnected=lambda: True)
    network = types.SimpleNamespace(STA_IF=0, WLAN=lambda interface: wlan)
    names = {"network": network, "kcp": kcp, "key": key, "arrived": arrived}
    names["hello"] = lambda *words: None

    async def both():
        options = {"crypt": "aes-128-gcm", "key": key}
        async with await kcp.start_server(collect, "127.0.0.1", port, **options):
            await run(code + "    await arrived.wait()\n", names)

    asyncio.run(asyncio.wait_for(both(), 60))


class Uart:
    """What SerialCarrier uses of a machine.UART."""

    def __init__(self, number, baud, rxbuf):
        assert (number, baud, rxbuf) == (1, 115200, 1024)

    def any(self):
        return 0

    def write(self, data):
        return len(data)


def test_carriers():
    names = {"machine": types.SimpleNamespace(UART=Uart), "kcp": kcp}
    in_asyncio(block("machine.") + "writer.close(0)\nawait writer.wait_closed()\n", names)
    assert names["reader"].session.config.preset == "serial"


def test_the_six_verbs():
    session = kcp.Session(1, kcp.Config(), lambda view: None, 0)
    names = {"session": session, "buf": bytearray(session.buffer_bytes), "n": 0, "now_ms": 0}
    names["data"] = b"abc"
    exec(block("session.input("), names)
    assert session.stats.BytesSent == 3 and session.is_closing


def test_files_are_there():
    text = re.sub(r"```.*?```", "", readme(), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    named = re.findall(r"`((?:lib|tests|tools|docs|examples|ports|native|boards)/[\w/.-]*)", text)
    for path in set(links + named) - {"lib/mbedtls"}:  # (that is MicroPython's)
        assert os.path.exists(os.path.join(ROOT, path)), path


def test_targets_are_there():
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
        makefile = file.read()
    targets = set(re.findall(r"(?:^|`)make (?:-s )?([a-z-]+)", readme(), re.MULTILINE))
    assert {"demo", "test", "sim-report"} <= targets
    for target in targets:
        assert re.search(r"^%s:" % target, makefile, re.MULTILINE), target


def test_verbs_and_flags_are_there():
    lines = re.findall(r"(?:^\$ |`)kcp ([a-z]+)([^`\n]*)", readme(), re.MULTILINE)
    assert len(lines) > 5
    for verb, rest in lines:
        shown = CliRunner().invoke(cli, [verb, "--help"])
        assert shown.exit_code == 0, verb
        for flag in re.findall(r"(?<=\s)--?[a-z][a-z-]*", rest.split("#")[0]):
            assert re.search(r"(^|[\s,/])%s\b" % flag, shown.output), (verb, flag)
