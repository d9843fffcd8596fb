"""What `make dist` offers: installed from a web server by MicroPython's own mip, and run."""

import glob
import os
import shlex
import subprocess
import sys

import pytest
from web_folder import served

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tools"))
import mip_packages  # noqa: E402  (found by the line above)

VERSION = mip_packages.version()
UNIX, ARM = (shlex.split(os.environ.get(name, "")) for name in ("KCP_MICROPYTHON", "KCP_UPY_ARM"))
TARGETS = [("x64", UNIX)] + ([("armv7emdp", ARM)] if ARM or os.environ.get("CI") else [])
# A shell's mpremote would have put kcp_mip.py there; mip as in a device's firmware.
INSTALL = """
import sys
sys.path.append({lib!r})
import mip
mip.install({url!r} + "/kcp_mip.py")
import kcp_mip
kcp_mip.install({url!r} + "/{version}", *{packages!r}, target={lib!r})
"""
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
print(kcp.backend(), kcp.__file__.rsplit(".")[-1])
"""


def mip_folders():
    """Where MicroPython's source has mip and what it needs."""
    top = os.path.join(os.environ["KCP_MPY_DIR"], "lib", "micropython-lib")
    found = [
        os.path.dirname(os.path.dirname(path))
        for name in ("mip", "requests")
        for path in glob.glob(os.path.join(top, "*", name, name, "__init__.py"))
    ]
    assert len(found) == 2, f"{top} lacks mip or requests: the submodule is not there"
    return found


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """The folder that tools/dist.py has filled."""
    folder = str(tmp_path_factory.mktemp("builds"))
    arches = ["bytecode", *(arch for arch, _ in TARGETS)]
    command = [sys.executable, os.path.join(TOP, "tools", "dist.py"), "--into", folder, *arches]
    env = dict(os.environ, KCP_NATMOD_X64=os.environ["KCP_NATMOD"])
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL, timeout=240)
    return folder


@pytest.fixture
def url(builds):
    """The folder on a web server."""
    with served(builds) as address:
        yield address


def said(command, path, program):
    done = subprocess.run(
        [*command, "-c", program],
        env=dict(os.environ, MICROPYPATH=":".join([".frozen", *path]), KCP_BACKEND=""),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()


def install(command, lib, url, *packages):
    os.makedirs(lib)
    program = INSTALL.format(lib=lib, url=url, packages=packages, version=VERSION)
    return said(command, mip_folders(), program)


@pytest.mark.parametrize(("arch", "command"), TARGETS, ids=lambda value: str(value)[:9])
def test_by_mip_from_a_server(arch, command, url, tmp_path):
    lib = str(tmp_path / "lib")
    install(command, lib, url, "client")
    assert said(command, [lib], PROGRAM) == ["viper mpy"]
    names = os.listdir(os.path.join(lib, "kcp"))
    assert "aio.mpy" in names and "blocking.mpy" not in names


def test_with_the_c_core(url, tmp_path):
    lib = str(tmp_path / "lib")
    install(UNIX, lib, url, "client", "native")
    assert said(UNIX, [lib], PROGRAM) == ["native mpy"]


def test_what_is_not_there(url, tmp_path):
    with pytest.raises(AssertionError, match=r"OSError.*nothing\.json: status 404"):
        install(UNIX, str(tmp_path / "lib"), url, "nothing")


def test_a_package_that_is_not_whole(builds, url, tmp_path):
    path = os.path.join(builds, VERSION, "x64_6.3", "kcp", "aio.mpy")
    os.rename(path, path + "x")
    try:
        with pytest.raises(AssertionError, match=r"OSError.*aio\.mpy: status 404"):
            install(UNIX, str(tmp_path / "lib"), url, "client")
    finally:
        os.rename(path + "x", path)


def test_byte_code_is_for_every_machine(builds):
    assert said(UNIX, [os.path.join(builds, VERSION, "bytecode_6.3")], PROGRAM) == ["python mpy"]
