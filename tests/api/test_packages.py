"""The packages for mip: each slice holds what it needs, and no more than a device can use."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest
from mpremote import mip

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tools"))
import mip_packages  # noqa: E402  (found by the line above)

MICROPYTHON = os.environ.get("KCP_MICROPYTHON", "micropython")
# Two sessions that hand each other their datagrams.
SESSIONS = """
import kcp
from kcp._random import fill
options = dict(crypt={crypt!r}, key=bytes(range(32))[:{n_key}] or None, fec={fec!r})
ends = [kcp.Session(1234, kcp.Config(**options), fill, 0) for _ in range(2)]
sent = bytes(range(256)) * 20
got = b""
buf, into = bytearray(1500), bytearray(6000)
ends[0].send(sent)
for now_ms in range(0, 60000, 10):
    for here, there in (ends, ends[::-1]):
        n = here.output(buf, now_ms)
        while n:
            there.input(buf, n, now_ms)
            n = here.output(buf, now_ms)
    n = ends[1].recv_into(into)
    got += into[:n or 0]
    if len(got) >= len(sent):
        break
assert got == sent
print("same")
"""
STREAMS = """
import asyncio, kcp
async def main():
    async with await kcp.start_server(None, {there}, **{options}) as server:
        stream, _ = await kcp.open_connection({here}, **{options})
        stream.write(b"hello")
        far, _ = await server.accept()
        assert await far.readexactly(5) == b"hello"
        print("same")
asyncio.run(main())
"""
OPTIONS = {"crypt": "aes-128", "key": b"0123456789abcdef", "fec": (3, 1)}
BY_CARRIER = "from kcp.carrier import memory_pair\na, b = memory_pair()\n" + STREAMS.format(
    there="carrier=a", here="carrier=b", options="{}"
)
KEYS = {"xor": 32, "aes": 16, "salsa20": 32, "chacha20-poly1305": 32, "3des": 24}
NAMES = {"aes": "aes-128", "aes-gcm": "aes-256-gcm"}


@pytest.fixture
def port():
    """A UDP port that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def install(folder, *packages):
    """Copy what package files of the repository name, as mip does; the folder."""
    for package in packages:
        path = os.path.join(TOP, package)
        with open(path, encoding="utf-8") as file:
            urls = json.load(file)["urls"]
        for inside, url in urls:
            target = os.path.join(folder, inside)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(os.path.join(os.path.dirname(path), url), target)
    return str(folder)


def said(folder, program, backend=""):
    """What a program prints under MicroPython, with the library of that folder only."""
    done = subprocess.run(
        [MICROPYTHON, "-c", program],
        env=dict(os.environ, MICROPYPATH=".frozen:" + folder, KCP_BACKEND=backend),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_package_files_are_as_the_library():
    assert mip_packages.differences() == []


def test_the_manifest_has_the_version():
    with open(os.path.join(TOP, "manifest.py"), encoding="utf-8") as file:
        assert f'version="{mip_packages.version()}"' in file.read()


def test_what_is_for_devices_is_all():
    everything = {pair[0] for pair in _urls("lib/all.json")}
    for name in mip_packages.slices():
        assert {pair[0] for pair in _urls(f"lib/{name}.json")} <= everything
    for path in everything:
        assert not path.endswith(("_cpy.py", "__main__.py", ".pyi"))


def test_the_copied_tree_is_that_of_the_packages():
    """`mpremote cp -r lib/kcp` copies what lib/all.json names, and what devices never import."""
    copied = set()
    for folder, _, names in os.walk(os.path.join(TOP, "lib", "kcp")):
        inside = os.path.relpath(folder, os.path.join(TOP, "lib"))
        if "__pycache__" not in inside:
            copied |= {f"{inside}/{name}" for name in names}
    installed = {pair[0] for pair in _urls("lib/all.json")}
    assert installed < copied
    for path in copied - installed:
        assert path.endswith(("_cpy.py", "__main__.py", "py.typed")), path


def _urls(package):
    with open(os.path.join(TOP, package), encoding="utf-8") as file:
        return json.load(file)["urls"]


def test_core_alone(tmp_path):
    folder = install(tmp_path, "lib/core.json")
    assert said(folder, SESSIONS.format(crypt="none", n_key=0, fec=None)) == "same"
    assert sorted(os.listdir(os.path.join(folder, "kcp", "crypt"))) == [
        "__init__.py",
        "_frame.py",
        "_native.py",
        "none.py",
    ]


@pytest.mark.parametrize("backend", ("viper", "python"))
@pytest.mark.parametrize("cipher", mip_packages.CIPHERS)
def test_a_cipher(cipher, backend, tmp_path):
    folder = install(tmp_path, "lib/core.json", f"lib/{cipher}.json")
    name = NAMES.get(cipher, cipher)
    n_key = 32 if "256" in name else KEYS.get(cipher, 16)
    assert said(folder, SESSIONS.format(crypt=name, n_key=n_key, fec=None), backend) == "same"


def test_fec(tmp_path):
    folder = install(tmp_path, "lib/core.json", "lib/fec.json")
    for fec in ((3, 1), "auto"):
        assert said(folder, SESSIONS.format(crypt="none", n_key=0, fec=fec)) == "same"


def test_client(tmp_path, port):
    folder = install(tmp_path, "package.json")
    where = f'"127.0.0.1", {port}'
    assert said(folder, STREAMS.format(there=where, here=where, options=OPTIONS)) == "same"
    assert not os.path.exists(os.path.join(folder, "kcp", "crypt", "gcm.py"))


def test_carrier(tmp_path):
    folder = install(tmp_path, "lib/core.json", "lib/asyncio.json", "lib/carrier.json")
    assert said(folder, BY_CARRIER) == "same"


def test_serial_espnow_and_lora(tmp_path):
    for name in ("serial", "espnow", "lora"):
        folder = install(tmp_path / name, "lib/core.json", "lib/asyncio.json", f"lib/{name}.json")
        assert said(folder, f"import kcp.{name}\n" + BY_CARRIER) == "same"


def test_blocking(tmp_path, port):
    folder = install(tmp_path, "lib/core.json", "lib/blocking.json")
    program = f"""
from kcp import blocking
server = blocking.listen("127.0.0.1", {port})
sock = blocking.connect("127.0.0.1", {port}, timeout=20)
sock.sendall(b"hello")
far, _ = server.accept()
assert far.recv(5) == b"hello"
print("same")
"""
    assert said(folder, program) == "same"


def test_reconnect_and_trace(tmp_path):
    folder = install(tmp_path, "package.json", "lib/reconnect.json", "lib/trace.json")
    program = "import kcp, kcp.trace; kcp.ReconnectingClient; print(kcp.backend())"
    assert said(folder, program, "python") == "python"


def test_what_is_not_installed_says_so(tmp_path):
    folder = install(tmp_path, "lib/core.json")
    program = """
import kcp
try:
    kcp.Session(1234, kcp.Config(crypt="xtea", key=bytes(16)), None, 0)
except ImportError as error:
    print(error)
"""
    assert "kcp.crypt.xtea" in said(folder, program)


class Board:
    """What mpremote's `mip` asks of a board: a file system."""

    def __init__(self):
        self.files = {}
        self.folders = set()

    def fs_exists(self, path):
        return path in self.folders or path in self.files

    def fs_mkdir(self, path):
        self.folders.add(path)

    def fs_writefile(self, path, data, progress_callback=None):
        assert path.rpartition("/")[0] in self.folders
        self.files[path] = data


@pytest.mark.parametrize(
    ("package", "version", "kept"),
    [
        ("github:someone/microkcp", None, "package.json"),
        ("github:someone/microkcp/lib/serial.json", "v0.1.0", "lib/serial.json"),
        ("https://example.org/microkcp/lib/all.json", None, "lib/all.json"),
    ],
)
def test_mpremote_finds_the_files_beside_the_package(package, version, kept, monkeypatch):
    def urlopen(url):
        top = f"raw.githubusercontent.com/someone/microkcp/{version or 'HEAD'}"
        top = "https://" + (top if "github" in package else "example.org/microkcp")
        assert url.startswith(top + "/")
        return open(TOP + url[len(top) :], "rb")

    monkeypatch.setattr(mip.urllib.request, "urlopen", urlopen)
    board = Board()
    mip._install_package(board, package, "", "/lib", version, True)
    assert sorted(board.files) == ["/lib/" + pair[0] for pair in _urls(kept)]
    for path, data in board.files.items():
        with open(TOP + path, "rb") as file:
            assert file.read() == data
