#!/usr/bin/env python3
"""Runs the CPython extension under AddressSanitizer and UndefinedBehaviorSanitizer.

    tools/native/extension.py [PYTEST_OPTION...]

It is built so that no block is kept for later, and Python so that every object is a block of its
own: what is used after its end shows. The tests are those about the module, and some that have it
do what sessions do.
"""

import os
import subprocess
import sys
import sysconfig
import time

import compile as native

CHOSEN = "native or test_options or test_trace or test_oob or fec_edges or test_listener"
FLAGS = ["-fPIC", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
SWITCHES = ["-DMAX_KEPT=0", "-Wall", "-Wextra", "-Werror"]


def headers():
    """The folders of Python's headers: its own, or what set-up has fetched."""
    own = sysconfig.get_paths()["include"]
    if os.path.exists(os.path.join(own, "Python.h")):
        return [own]
    fetched = os.path.join(os.environ.get("KCP_EXTENSION", ""), "headers", "usr", "include")
    if not os.path.isdir(fetched):
        sys.exit("no Python.h: install python3-dev, or run after set-up (`make test`)")
    return [os.path.join(fetched, "python{}.{}".format(*sys.version_info)), fetched]


def build():
    """Compile the extension; the folder that it is in."""
    folder = os.path.join(native.BUILD, "extension")
    cpython = os.path.join(native.ROOT, "native", "cpython")
    sources = [os.path.join(cpython, name) for name in sorted(os.listdir(cpython))]
    sources = [path for path in sources if path.endswith(".c")] + native.core_sources()
    flags = [*FLAGS, *SWITCHES, *("-I" + path for path in headers())]
    objects = native.objects("extension", sources, flags)
    path = os.path.join(folder, "_kcp" + sysconfig.get_config_var("EXT_SUFFIX"))
    native.run(["gcc", *FLAGS, "-shared", *objects, "-o", path])
    return folder


def main():
    begin = time.monotonic()
    environment = dict(
        os.environ,
        KCP_EXTENSION=build(),
        PYTHONMALLOC="malloc",
        ASAN_OPTIONS="detect_leaks=0",  # Python itself does not free all at its end
        LD_PRELOAD=native.run(["gcc", "-print-file-name=libasan.so"]).strip(),
    )
    program = os.path.join(native.ROOT, "tests", "run_native.py")
    command = [sys.executable, program, "-k", CHOSEN, *sys.argv[1:]]
    if subprocess.run(command, env=environment, check=False).returncode:
        sys.exit("the extension failed under the sanitizers")
    print(f"extension: all good under the sanitizers, {time.monotonic() - begin:.1f} s")


if __name__ == "__main__":
    main()
