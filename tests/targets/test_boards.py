"""The board definitions in boards/: built and run, or checked as far as that can be done here."""

import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import board_support
import pytest
import target_files
from board_support import binaries

BOARDS = os.path.join(board_support.TOP, "boards")
sys.path.insert(0, os.path.join(board_support.TOP, "tools", "board"))
import build  # noqa: E402  (found by the line above)

PROGRAM = """
import kcp
from kcp._random import fill
options = dict(crypt="aes-128", key=bytes(16), fec=(3, 1))
ends = [kcp.Session(1234, kcp.Config(**options), fill, 0) for _ in range(2)]
buf, into = bytearray(1500), bytearray(100)
ends[0].send(b"hello")
for now_ms in range(0, 1000, 10):
    for here, there in (ends, ends[::-1]):
        n = here.output(buf, now_ms)
        while n:
            there.input(buf, n, now_ms)
            n = here.output(buf, now_ms)
assert into[:ends[1].recv_into(into)] == b"hello"
import kcp.aio
print(kcp.backend(), kcp.__file__)
"""


def needed():
    """What building needs."""
    binaries.needed("KCP_MPY_DIR")
    binaries.needed("KCP_MPY_CROSS")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("target", ["cortex-m3"])
def test_a_board_with_the_library_frozen(target, tmp_path):
    needed()
    firmware = build.build("QEMU_CORTEX_M3", str(tmp_path))
    command = shlex.split(binaries.needed(target_files.VARIABLES[target]))
    with board_support.machine.Board(target, command[-2], firmware) as board:
        said, problem = board.execute(PROGRAM)
    assert not problem, problem.decode()
    assert said.decode().split() == ["native", "kcp/__init__.py"]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("target", ["mips"])
def test_a_router_with_the_library_frozen(target, tmp_path):
    needed()
    emulator = shlex.split(binaries.needed(target_files.VARIABLES[target]))[0]
    program = build.build("UNIX-MIPS-ROUTER", str(tmp_path))
    folder = tmp_path / "router"  # as README has it: all files in one folder
    folder.mkdir()
    for name in ("device.py", "echo.py"):
        shutil.copy(os.path.join(board_support.TOP, "ports", "esp32", "examples", name), folder)
    assert run_on_router([emulator, program, "-c", PROGRAM], folder) == "native kcp/__init__.py"
    with board_support.udp.go_server(crypt="aes-128", key="hex:" + "ab" * 16) as port:
        settings = {"host": "127.0.0.1", "port": port, "key": "ab" * 16}
        (folder / "settings.json").write_text(json.dumps(settings))
        assert run_on_router([emulator, program, "echo.py"], folder) == "hello from a device"


def run_on_router(command, folder):
    """What a program prints."""
    env = dict(os.environ, MICROPYPATH=".frozen", KCP_BACKEND="")
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("target", ["cortex-m3"])
@pytest.mark.parametrize("name", ["RPI_PICO_W", "ESP32_GENERIC"])
def test_what_a_board_names_is_there(target, name):
    """What cannot be built here names files of MicroPython's and of ours: they must be there."""
    needed()
    port = {"RPI_PICO_W": "rp2", "ESP32_GENERIC": "esp32"}[name]
    source = os.environ["KCP_MPY_DIR"]
    folder = os.path.join(BOARDS, name)
    paths = {
        "MPY_DIR": source,
        "PORT_DIR": os.path.join(source, "ports", port),
        "MICROPY_PORT_DIR": os.path.join(source, "ports", port),
        "CMAKE_SOURCE_DIR": os.path.join(source, "ports", port),
        "CMAKE_CURRENT_LIST_DIR": folder,
    }
    n_found = 0
    for path in glob.glob(os.path.join(folder, "*")):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"^(#|//) .*", "", file.read(), flags=re.MULTILINE)
        for variable, rest in re.findall(r"\$[({](\w+)[)}](/[\w./-]+)", text):
            assert os.path.exists(paths[variable] + rest), (path, rest)
            n_found += 1
        for header in re.findall(r'#include "([\w./]+)"', text):
            assert os.path.exists(os.path.join(paths["PORT_DIR"], header)), (path, header)
            n_found += 1
    assert n_found >= 5


@pytest.mark.parametrize("target", ["cortex-m3"])
@pytest.mark.parametrize("name", ["RPI_PICO_W", "ESP32_GENERIC"])
def test_cmake_reads_a_board(target, name, tmp_path):
    """cmake takes the definition of a board, and finds the C core's sources by it."""
    needed()
    cmake = shutil.which("cmake")
    if cmake is None:
        pytest.skip("cmake is not on this machine")
    port = {"RPI_PICO_W": "rp2", "ESP32_GENERIC": "esp32"}[name]
    (tmp_path / "CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.13)
project(check C)
set(MICROPY_DIR {os.environ["KCP_MPY_DIR"]})
set(MICROPY_PORT_DIR ${{MICROPY_DIR}}/ports/{port})
set(CMAKE_SOURCE_DIR ${{MICROPY_PORT_DIR}})
include({BOARDS}/{name}/mpconfigboard.cmake)
include(${{MICROPY_DIR}}/py/usermod.cmake)
get_target_property(sources usermod_kcp INTERFACE_SOURCES)
message("SOURCES ${{sources}}")
message("MANIFEST ${{MICROPY_FROZEN_MANIFEST}}")
""")
    command = [cmake, "-S", str(tmp_path), "-B", str(tmp_path / "build")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    sources = re.search("SOURCES (.*)", done.stderr)[1].split(";")
    assert sum(path.endswith(".c") for path in sources) > 20
    assert all(os.path.exists(path) for path in sources)
    assert f"MANIFEST {BOARDS}/{name}/manifest.py" in done.stderr


@pytest.mark.parametrize("target", ["cortex-m3"])
def test_the_manifest_freezes_what_the_packages_name(target):
    """MicroPython's own reader of manifests takes ours, with and without machine code."""
    needed()
    sys.path.insert(0, os.path.join(os.environ["KCP_MPY_DIR"], "tools"))
    import manifestfile

    def frozen(**options):
        manifest = manifestfile.ManifestFile(manifestfile.MODE_FREEZE, {"MPY_LIB_DIR": ""})
        words = "".join(f", {name}={value!r}" for name, value in options.items())
        manifest.execute(f'include("{board_support.TOP}/manifest.py"{words})')
        return {file.target_path for file in manifest.files()}

    client, everything = frozen(), frozen(packages="all", viper=False)
    assert {"kcp/__init__.py", "kcp/aio.py", "kcp/crypt/aes.py", "kcp/_viper.py"} <= client
    assert "kcp/serial.py" in everything and "kcp/serial.py" not in client
    assert "kcp/_viper.py" not in everything
    assert "kcp/_port_cpy.py" not in everything | client
