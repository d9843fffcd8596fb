"""Other KCP packages of PyPI, which `make bench` measures, each in an environment of its own.

One of them installs the same import name as this library. A package that cannot be installed here
(there are few wheels) is left out.
"""

import os
import shlex
import subprocess
import sys

import common

PACKAGES = ("kcp==0.1.6", "aiokcp==0.0.4", "siokcp==0.0.5")


def ensure(python_folder):
    """NAME=PYTHON for each package that is there, as words of a shell."""
    words = []
    for requirement in PACKAGES:
        name = requirement.split("==")[0]
        try:
            folder = _environment(python_folder, requirement, name)
        except common.SetupError as error:
            common.say(f"going on without {requirement}: {error}")
        else:
            words.append(f"{name}={os.path.join(folder, 'bin', 'python')}")
    return shlex.join(words)


def _environment(python_folder, requirement, name):
    installer = os.path.join(python_folder, "bin", "python")

    def build(folder, log):
        log.run(
            [sys.executable, "-m", "venv", "--without-pip", folder],
            "Python's module venv does not work.",
        )
        python = os.path.join(folder, "bin", "python")
        log.run(
            [installer, "-m", "pip", "--python", python, "install", requirement],
            "pip could not install it; it may need a C compiler and Python's headers.",
            env={"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        probe = subprocess.run([python, "-c", f"import {name}"], check=False, capture_output=True)
        if probe.returncode:
            raise common.SetupError("it is installed, but cannot be imported.")
        return {"about": requirement}

    key = common.digest(requirement, os.path.realpath(sys.executable), sys.version)
    return common.ensure(f"pypi-{name}", key, build)[0]
