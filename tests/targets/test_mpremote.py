"""A board from bare to a session, with the real mpremote: packages installed, a program run.

mpremote waits so often that the line carries about 4 KB/s, so most of it is installed compiled.
"""

import json
import os
import subprocess
import sys

import pytest
from board_support import PATIENCE_S, Bridge, udp
from mpremote_support import HERE, TOP, PtyBoard
from web_folder import served

sys.path.insert(0, os.path.join(TOP, "tools"))
import mip_packages

FOLDERS = {"cortex-m3": "armv7m_6.3", "cortex-m7": "armv7emdp_6.3", "riscv32": "rv32imc_6.3"}
KEY = "00112233445566778899aabbccddeeff"
EXAMPLE = "ports/stm32/examples/messages.py"
LIBRARY = os.path.join(TOP, "lib")


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """The folder that tools/dist.py fills."""
    folder = str(tmp_path_factory.mktemp("builds"))
    tool = os.path.join(TOP, "tools", "dist.py")
    subprocess.run([sys.executable, tool, "--into", folder, "armv7m"], check=True, timeout=240)
    return folder


@pytest.fixture
def url(builds):
    """The same on a web server."""
    with served(builds) as address:
        yield address


@pytest.mark.parametrize("board", FOLDERS)
def test_which_build_a_board_takes(board, tmp_path):
    with PtyBoard(board, str(tmp_path)) as there:
        assert there.mip_install("--print-folder").strip() == FOLDERS[board]


def sizes(folder, paths, inside):
    """{path on the board: bytes} of files below a folder of ours."""
    return {f"{inside}/{path}": os.path.getsize(os.path.join(folder, path)) for path in paths}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("target", ["cortex-m3"])
def test_installed_and_run(target, builds, url, tmp_path):
    version = mip_packages.version()
    compiled = os.path.join(builds, version, "armv7m_6.3")
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"key": KEY}))
    with PtyBoard(target, str(tmp_path)) as board:
        board.mpremote("run", os.path.join(HERE, "ramdisk.py"), "mkdir", ":lib")
        # a package of a web server, packages of the clone by the tool, and what is copied
        board.mpremote(
            "mip", "install", "--target", "/lib", f"{url}/{version}/armv7m_6.3/core.json"
        )
        board.mip_install("--builds", builds, "asyncio", "serial", "native")
        board.mpremote("mip", "install", "--target", "/lib", "lib/aes.json")
        board.mpremote("cp", str(settings), ":", "+", "cp", "-r", "ports/stm32/examples", ":/lib/")
        expected = sizes(compiled, _named(compiled, "core", "asyncio", "serial", "native"), "/lib")
        expected.update(sizes(LIBRARY, _named(LIBRARY, "aes"), "/lib"))
        expected["/lib/examples/messages.py"] = os.path.getsize(os.path.join(TOP, EXAMPLE))
        assert board.tree("/lib") == expected
        check_session(board)


def _named(folder, *packages):
    """The paths that package files name."""
    found = set()
    for name in packages:
        with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
            found |= {path for path, _ in json.load(file)["urls"]}
    return sorted(found)


def check_session(board):
    """The example answers a Go program's messages."""
    board.mpremote("exec", "import sys; sys.path.append('/lib')")
    program = board.start("run", os.path.join(TOP, EXAMPLE))
    messages = [{"add": [1, 2, 39]}, {"free": True}, {"what": 1}, {"bye": True}]
    try:
        with Bridge(board.line, 7, 250) as bridge:
            answers = udp.go_lines(bridge.port, messages, crypt="aes-128", key="hex:" + KEY)
        said, _ = program.communicate(timeout=PATIENCE_S)
    finally:
        program.kill()
    assert answers[0] == {"sum": 42} and answers[1]["free"] > 0, answers
    assert answers[2:] == [{"error": "what?"}, {"bye": True}]
    assert said.strip().endswith("done, with native"), said
