#!/usr/bin/env python3
"""Does all the set-up that is not done yet, and hands on where everything is.

    eval "$(tools/setup/env.py)"                  exports the variables into a shell
    tools/setup/env.py run COMMAND ARGUMENT...    runs a command with them
    tools/setup/env.py --only python,go ...       only these (python, go, peers, micropython, arm,
                                                  native; pypi, targets, modules only if named)

PATH and PYTHONPATH lead to the virtual environment and the library, and:
KCP_PYTHON, KCP_GO, KCP_PEERS (folder of the Go peers), KCP_MICROPYTHON, KCP_MPY_CROSS, KCP_MPY_DIR
(MicroPython's source), KCP_UPY_ARM (a command line, empty where it cannot be had), KCP_EXTENSION
and KCP_NATMOD (folders of the C module _kcp for CPython and for MicroPython), KCP_UPY_NATIVE (a
MicroPython that has it), KCP_PYPI (other KCP packages that there are: NAME=PYTHON ...), and of
targets what targets.py says.
Progress goes to standard error; a failure is one sentence and exit code 1. The cache: common.py.
"""

import os
import shlex
import sys
import time

import arm
import c_twins
import common
import debian
import go
import micropython
import pypi_peers
import python_env
import targets

COMPONENTS = ("python", "go", "peers", "micropython", "arm", "native")
OPTIONAL = ("pypi", "targets", "modules")


def collect(wanted):
    """The environment variables of the wanted components, each set up first."""
    root = common.REPOSITORY
    source = [os.path.join(root, "lib"), os.path.join(root, "ports", "cpython")]
    found = {"PYTHONPATH": os.pathsep.join(source)}
    found["PYTHONUNBUFFERED"] = "1"  # tests read what a program in a pipe prints when it prints it
    paths = []
    python_folder = python_env.ensure()
    paths.append(os.path.join(python_folder, "bin"))
    found["KCP_PYTHON"] = os.path.join(python_folder, "bin", "python")
    if "go" in wanted or "peers" in wanted:
        found["KCP_GO"], version = go.ensure(python_folder)
        paths.append(os.path.dirname(found["KCP_GO"]))
    if "peers" in wanted:
        found["KCP_PEERS"] = go.ensure_peers(found["KCP_GO"], version)
    if {"micropython", "targets", "modules"} & set(wanted):
        names = ("KCP_MICROPYTHON", "KCP_MPY_CROSS", "KCP_MPY_DIR")
        found.update(zip(names, micropython.ensure()))
    if "arm" in wanted:
        found["KCP_UPY_ARM"] = arm.ensure()
    if "native" in wanted:
        found["KCP_EXTENSION"] = c_twins.ensure_extension(python_folder)
        found["KCP_NATMOD"], found["KCP_UPY_NATIVE"] = c_twins.ensure_modules(python_folder)
    if "targets" in wanted:
        source = found["KCP_MPY_DIR"], found["KCP_MPY_CROSS"]
        found.update(targets.ensure(*source, python_folder))
    elif "modules" in wanted:
        source = found["KCP_MPY_DIR"], found["KCP_MPY_CROSS"]
        found.update(targets.ensure_modules(*source, python_folder))
    if "pypi" in wanted:
        found["KCP_PYPI"] = pypi_peers.ensure(python_folder)
    found["PATH"] = os.pathsep.join([*paths, os.environ.get("PATH", os.defpath)])
    return found


def parse(arguments):
    """(components, command to run or [])."""
    wanted = COMPONENTS
    if arguments[:1] == ["--only"] and len(arguments) > 1:
        wanted = arguments[1].split(",")
        arguments = arguments[2:]
    if not set(wanted) <= {*COMPONENTS, *OPTIONAL} or (arguments and arguments[0] != "run"):
        sys.exit(__doc__.strip())
    return wanted, arguments[1:]


def main():
    wanted, command = parse(sys.argv[1:])
    begin = time.monotonic()
    try:
        found = collect(wanted)
        debian.forget_lists()
    except common.SetupError as error:
        common.say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    common.say(f"all there, wall time {time.monotonic() - begin:.1f} s")
    if command:
        os.environ.update(found)
        try:
            os.execvp(command[0], command)
        except OSError as error:
            common.say(f"'{command[0]}' cannot be run: {error.strerror}")
            sys.exit(127)
    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
