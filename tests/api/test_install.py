"""`pip install .` with a C compiler and without: the extension is optional."""

import glob
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARTS = ("lib", "native", "ports")
FILES = ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py")
HAS_HEADERS = os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h"))


def copied(folder):
    """A copy of what the package is built from: pip writes beside it."""
    leave = shutil.ignore_patterns("__pycache__", "*.egg-info", "build*", "*.so", "*.mpy")
    for part in PARTS:
        shutil.copytree(os.path.join(ROOT, part), folder / part, ignore=leave)
    for name in FILES:
        shutil.copy(os.path.join(ROOT, name), folder)


def built(folder, compiler):
    """(path of the wheel, what pip said)."""
    out = folder / "wheel"
    command = [sys.executable, "-m", "pip", "wheel", "-v", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "-w", str(out), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ, CC=compiler, PIP_DISABLE_PIP_VERSION_CHECK="1"),
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return glob.glob(str(out / "*.whl"))[0], done.stdout


@pytest.mark.parametrize("compiler", ["gcc", "no-such-compiler"])
def test_the_extension_is_built_if_it_can_be(compiler, tmp_path):
    copied(tmp_path)
    wheel, said = built(tmp_path, compiler)
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    is_there = compiler == "gcc" and HAS_HEADERS
    assert bool(glob.glob(str(installed / "_kcp.*"))) == is_there
    assert ("kcp works without it, but slower" in said) == (not is_there)
    for name in ("kcp/crypt/aes.py", "kcp-stubs/config.pyi", "kcp_sim/scenarios.json"):
        assert os.path.exists(installed / name), name
    program = "import kcp; print(kcp.backend(), kcp.__file__)"
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env=dict(os.environ, PYTHONPATH=str(installed)),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert printed[0] == ("native" if is_there else "python")
    assert printed[1].startswith(str(installed))
