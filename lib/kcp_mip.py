"""Installs compiled parts of the library on a MicroPython that has a network. Needs `requests`.

    import mip
    mip.install("http://192.168.1.2:8000/kcp_mip.py")
    import kcp_mip
    kcp_mip.install("http://192.168.1.2:8000/0.1.0", "client", "native")

The address is that of a folder which `make dist` has made, on any web server. It has a folder for
each architecture, and there one package file for each part. `mip` itself does not choose by
architecture, and that of MicroPython 1.26 takes no relative addresses and raises nothing if a file
is not there; all this is done here. For a board that only has a cable, `tools/mip_install.py` does
the same from the other end of it.
"""

import os
import sys

# By the numbers of sys.implementation._mpy; "bytecode": there is none, or nothing is built for it.
ARCHES = (
    "bytecode",
    "bytecode",  # x86
    "x64",
    "bytecode",  # armv6
    "armv6m",
    "armv7m",
    "armv7m",  # armv7em, without a float unit
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
    "rv32imc",
    "bytecode",  # rv64imc
)
VERSION = 6  # of the .mpy format; 3: of the native code in it
SUB_VERSION = 3


def arch(mpy: int) -> str:
    """Return what is built for a MicroPython whose `sys.implementation._mpy` is this number.

    One of ARCHES; ValueError if nothing compiled can run there, so that it takes the source.
    """
    if mpy & 0xFF != VERSION:
        raise ValueError("no compiled library for .mpy files of version %d" % (mpy & 0xFF))
    if mpy >> 8 & 3 != SUB_VERSION:
        return "bytecode"
    number = mpy >> 10 & 15
    return ARCHES[number] if number < len(ARCHES) else "bytecode"


def folder(mpy=None) -> str:
    """Return the name of the folder for a MicroPython (None: for this one), as "armv7m_6.3"."""
    if mpy is None:
        mpy = getattr(sys.implementation, "_mpy", 0)
    return "%s_%d.%d" % (arch(mpy), VERSION, SUB_VERSION)


def install(base: str, *packages: str, target: str = "/lib") -> None:
    """Install packages ("client", "serial", "native"...) of a `make dist` folder at URL `base`.

    OSError if one is not there, or cannot be written.
    """
    base = "%s/%s/" % (base.rstrip("/"), folder())
    for package in packages:
        for path, url in _get(base + package + ".json", _parsed)["urls"]:
            path = target + "/" + path
            print(path)
            _make_folders(path)
            _get(base + url, _save, path)


def _get(url, use, *arguments):
    """Return what use(answer, *arguments) does; OSError if the server has none."""
    import requests

    answer = requests.get(url)
    try:
        if answer.status_code != 200:
            raise OSError("%s: status %d" % (url, answer.status_code))
        return use(answer, *arguments)
    finally:
        answer.close()


def _make_folders(path):
    """Make the folders above a file, where they are missing."""
    end = path.find("/", 1)
    while end > 0:
        try:
            os.stat(path[:end])
        except OSError:
            os.mkdir(path[:end])
        end = path.find("/", end + 1)


def _parsed(answer):
    return answer.json()


def _save(answer, path):
    raw = answer.raw
    buf = memoryview(bytearray(512))
    with open(path, "wb") as file:
        n = raw.readinto(buf)
        while n:
            file.write(buf[:n])
            n = raw.readinto(buf)


if __name__ == "__main__":
    print(folder())
