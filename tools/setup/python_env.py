"""A virtual environment with the pinned development requirements, without the project itself.

The project is put on PYTHONPATH instead, so that several checkouts can share one environment.
"""

import glob
import os
import subprocess
import sys

import common
import debian

REQUIREMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "requirements.txt")
OLDEST = (3, 9)
INSTALL = "install it, on Debian with `apt-get install python3-venv`"


def ensure():
    """Path of the environment's folder."""
    if sys.version_info < OLDEST:
        raise common.SetupError(
            "Python {}.{} or newer is needed; run make with PYTHON=<path of one>.".format(*OLDEST)
        )
    key = common.digest(
        common.digest_files(REQUIREMENTS), os.path.realpath(sys.executable), sys.version
    )
    return common.ensure("python", key, _build)[0]


def _build(folder, log):
    log.run(
        [sys.executable, "-m", "venv", "--without-pip", folder],
        f"Python's module venv does not work; {INSTALL}.",
    )
    python = os.path.join(folder, "bin", "python")
    log.run(
        [*_pip(python, folder, log), "install", "--no-warn-script-location", "-r", REQUIREMENTS],
        "pip could not install the development requirements; check the network, "
        "or set PIP_INDEX_URL to an index that can be reached.",
        env={"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    return {"about": "Python {}.{}.{}".format(*sys.version_info)}


def _pip(python, folder, log):
    """The command line of a pip for the environment: ensurepip's, else Debian's wheel of pip.

    Debian keeps ensurepip in the package python3-venv, which may be missing.
    """
    probe = subprocess.run(
        [python, "-m", "ensurepip", "--version"], capture_output=True, check=False
    )
    if probe.returncode == 0:
        failure = "Python's module ensurepip does not work."
        log.run([python, "-m", "ensurepip"], failure)
        return [python, "-m", "pip"]
    wheels = os.path.join(folder, "wheels")
    try:
        archive = debian.Archive(log, debian.own_suite())
        archive.unpack(["python3-pip-whl"], wheels)
    except common.SetupError as error:
        raise common.SetupError(
            f"Python has no ensurepip; {INSTALL}. (Fetching pip by itself failed too: {error})"
        ) from None
    found = glob.glob(os.path.join(wheels, "usr/share/python-wheels/pip-*.whl"))
    if not found:
        raise common.SetupError(f"Python has no ensurepip; {INSTALL}.")
    return [python, os.path.join(found[0], "pip")]
