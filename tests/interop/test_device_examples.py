"""The examples for devices (ports/*/examples) under MicroPython, with kcp-go at the other end."""

import contextlib
import hashlib
import json
import os
import subprocess
import time

import binaries
import pytest
import udp

PORTS = os.path.join(os.path.dirname(binaries.LIB), "ports")
KEY = "00112233445566778899aabbccddeeff"
DEVICE = {"crypt": "aes-128", "key": "hex:" + KEY}
PATIENCE_S = 60


class Device:
    """A folder as a device's, in which examples run; settings: what settings.json has."""

    def __init__(self, folder, **settings):
        self.folder = str(folder)
        settings = {"host": "127.0.0.1", "key": KEY, **settings}
        with open(os.path.join(self.folder, "settings.json"), "w") as file:
            json.dump(settings, file)

    def start(self, port, example, *words):
        """Start an example; the process."""
        folder = os.path.join(PORTS, port, "examples")
        env = dict(os.environ, MICROPYPATH=f".frozen:{binaries.LIB}:{folder}")
        return subprocess.Popen(
            [*binaries.micropython(), os.path.join(folder, example), *words],
            cwd=self.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, port, example):
        """Run an example to its end; (exit code, what it printed)."""
        process = self.start(port, example)
        try:
            said = process.communicate(timeout=PATIENCE_S)[0]
        finally:
            process.kill()
        return process.returncode, said.strip()


@contextlib.contextmanager
def talking(command):
    """A program of Go's to which one talks through pipes."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_echo(tmp_path):
    with udp.go_server(**DEVICE) as port:
        device = Device(tmp_path, port=port)
        assert device.run("esp32", "echo.py") == (0, "hello from a device")


def test_telemetry_to_a_go_server(tmp_path):
    command = udp.go_command("pipe", listen="127.0.0.1:0", timeout=PATIENCE_S, **DEVICE)
    with talking(command) as server:
        port = json.loads(server.stdout.readline())["port"]
        device = Device(tmp_path, port=port, every_ms=50)
        process = device.start("esp32", "telemetry.py")
        numbers = [json.loads(server.stdout.readline())["n"] for _ in range(5)]
        server.stdin.write(b'{"every_ms": 10}\n')
        server.stdin.flush()
        numbers += [json.loads(server.stdout.readline())["n"] for _ in range(20)]
        server.stdin.write(b'{"stop": true}\n')
        server.stdin.flush()
        said = process.communicate(timeout=PATIENCE_S)[0]
    assert numbers == list(range(25))
    assert said.split()[0] == "sent" and said.split()[2:] == ["left", "out", "0"], said


def test_telemetry_that_fails_ends(tmp_path):
    with udp.go_server(**DEVICE) as port:
        device = Device(tmp_path, port=port, every_ms="a second")
        code, printed = device.run("esp32", "telemetry.py")
    assert code == 1 and "TypeError" in printed


def test_a_shell_for_a_go_client(tmp_path):
    port = udp.free_port()
    options = {"crypt": "aes-128-gcm", "key": "hex:" + KEY, "timeout": PATIENCE_S, "after": 1}
    process = Device(tmp_path).start("unix", "shell.py", "127.0.0.1", str(port))
    try:
        assert "listening" in process.stdout.readline()
        lines = b"1 + 1\nx = 41\nprint(x + 1, 'yes')\nunknown\n"
        with talking(udp.go_command("pipe", f"127.0.0.1:{port}", **options)) as client:
            client.stdin.write(lines)
            client.stdin.flush()
            said = b""
            while said.count(b">>> ") < 4:
                said += os.read(client.stdout.fileno(), 4096)
    finally:
        process.kill()
        process.communicate()
    answers = said.decode().split(">>> ")
    assert [answer.strip() for answer in answers[:3]] == ["2", "", "42 yes"]
    assert "NameError" in answers[3]


@pytest.fixture
def offered(tmp_path):
    """A folder with a file of 3 MB that a server offers."""
    folder = tmp_path / "offered"
    folder.mkdir()
    (folder / "firmware.bin").write_bytes(os.urandom(3_000_000))
    return folder


def file_server(folder, said):
    command = udp.go_command("file-server", folder=folder, timeout=PATIENCE_S * 3, **DEVICE)
    return udp.server(command, said=said)


def test_a_download_that_is_cut_off_goes_on(tmp_path, offered):
    said = []
    whole = (offered / "firmware.bin").read_bytes()
    here = tmp_path / "device"
    here.mkdir()
    (here / "firmware.bin").write_bytes(b"the old one")
    (here / "firmware.bin.0123abcd").write_bytes(b"part of one that was older")
    with file_server(offered, said) as port:
        device = Device(here, port=port)
        process = device.start("esp32", "ota.py")
        part = here / ("firmware.bin." + hashlib.sha256(whole).hexdigest()[:8])
        _wait_for_bytes(part, 100_000)
        process.kill()
        process.communicate()
        n_had = part.stat().st_size
        assert 0 < n_had < len(whole)
        assert (here / "firmware.bin").read_bytes() == b"the old one"
        code, printed = device.run("esp32", "ota.py")
    assert (code, printed) == (0, f"fetched {len(whole)} bytes, of which {n_had} had been there")
    assert (here / "firmware.bin").read_bytes() == whole
    assert sorted(os.listdir(here)) == ["firmware.bin", "settings.json"]
    offsets = [json.loads(line).get("offset") for line in said]
    assert offsets[:4] == [-1, 0, -1, n_had]


def _wait_for_bytes(path, n_bytes):
    end_s = time.monotonic() + PATIENCE_S
    while not (path.exists() and path.stat().st_size >= n_bytes):
        assert time.monotonic() < end_s, "the download does not get on"
        time.sleep(0.005)


def test_a_part_that_is_damaged_is_begun_anew(tmp_path, offered):
    whole = (offered / "firmware.bin").read_bytes()
    here = tmp_path / "device"
    here.mkdir()
    part = here / ("firmware.bin." + hashlib.sha256(whole).hexdigest()[:8])
    part.write_bytes(b"x" * 1_000_000)
    with file_server(offered, []) as port:
        device = Device(here, port=port)
        code, printed = device.run("esp32", "ota.py")
        assert code == 1 and "the SHA-256 is wrong" in printed
        assert os.listdir(here) == ["settings.json"]
        assert device.run("esp32", "ota.py")[0] == 0
    assert (here / "firmware.bin").read_bytes() == whole


def test_a_file_that_is_not_there(tmp_path, offered):
    with file_server(offered, []) as port:
        device = Device(tmp_path, port=port, file="nothing.bin")
        code, printed = device.run("esp32", "ota.py")
    assert code == 1 and 'there is no file "nothing.bin"' in printed
