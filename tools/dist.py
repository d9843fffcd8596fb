#!/usr/bin/env python3
"""Makes what is offered for download: the library compiled for each architecture, as packages.

    tools/dist.py [--into FOLDER] [ARCH...]            after set-up (`make dist` does both)

FOLDER (build/builds) is ready for a web server, and for `mpremote mip install`:

    kcp_mip.py                              picks from the rest, on a device
    <version>/<arch>_6.3/kcp/...            the library compiled; "bytecode" runs everywhere
    <version>/<arch>_6.3/_kcp.mpy           the C core, where there is a compiler for it
    <version>/<arch>_6.3/<package>.json     packages as in lib/*.json, client.json, and native.json

KCP_MPY_CROSS names the compiler; KCP_NATMOD_<ARCH> are folders with C cores.
"""

import argparse
import os
import shutil
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TOP, "lib"), os.path.join(TOP, "tools")]
import kcp_mip  # noqa: E402  (found by the line above)
import mip_packages  # noqa: E402
import mpy_build  # noqa: E402


def native_module(arch):
    """The path of the C core for an architecture, None if there is none."""
    path = os.path.join(os.environ.get("KCP_NATMOD_" + arch.upper()) or os.devnull, "_kcp.mpy")
    return path if os.path.exists(path) else None


def name_of(path):
    """The folder for what a .mpy file with native code was compiled for, by its header."""
    with open(path, "rb") as file:
        _, version, feature, _ = file.read(4)
    return kcp_mip.folder(version | (feature & 3) << 8 | (feature >> 2) << 10)


def package(folder, paths):
    """The text of a package file: those of the compiled files that are there."""
    compiled = [path[:-3] + ".mpy" for path in paths]
    there = [path for path in compiled if os.path.exists(os.path.join(folder, path))]
    return mip_packages.package([(path, path) for path in there])


def make(arch, into):
    """Fill the folder of an architecture; (name, files, bytes of the library, bytes of _kcp)."""
    name = f"{arch}_{kcp_mip.VERSION}.{kcp_mip.SUB_VERSION}"
    folder = os.path.join(into, name)
    shutil.rmtree(folder, ignore_errors=True)
    n_files, n_bytes, _ = mpy_build.build(arch, into)
    os.rename(os.path.join(into, arch), folder)
    if arch != "bytecode":
        assert name_of(os.path.join(folder, "kcp", "_viper.mpy")) == name, name
    texts = {
        part: package(folder, paths)
        for part, paths in {**mip_packages.slices(), **mip_packages.sets()}.items()
    }
    native = native_module(arch)
    if native:
        assert name_of(native) == name, native
        shutil.copy(native, folder)
        texts["native"] = mip_packages.package([("_kcp.mpy", "_kcp.mpy")])
    for part, text in texts.items():
        with open(os.path.join(folder, part + ".json"), "w", encoding="utf-8") as file:
            file.write(text)
    return name, n_files, n_bytes, os.path.getsize(native) if native else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arches", nargs="*", metavar="ARCH", help=", ".join(mpy_build.ARCHES))
    parser.add_argument("--into", default=os.path.join(TOP, "build", "builds"))
    arguments = parser.parse_args()
    into = os.path.join(arguments.into, mip_packages.version())
    os.makedirs(into, exist_ok=True)
    shutil.copy(os.path.join(TOP, "lib", "kcp_mip.py"), arguments.into)
    print("| folder | files | bytes | bytes of `_kcp.mpy` |")
    print("| --- | ---: | ---: | ---: |")
    for arch in arguments.arches or mpy_build.ARCHES:
        name, n_files, n_bytes, n_native = make(arch, into)
        native = f"{n_native:,}" if n_native else "-"
        print(f"| {name} | {n_files} | {n_bytes:,} | {native} |", flush=True)


if __name__ == "__main__":
    main()
