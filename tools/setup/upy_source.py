"""MicroPython's source: from MPY_DIR, else from the machine's Debian mirror, else from git."""

import os
import subprocess

import common
import debian

SUITES = ("sid", "trixie")  # newest first
UPSTREAM = "https://github.com/micropython/micropython"
TAG = "v1.26.1"


def user_tree():
    """The tree that MPY_DIR names, '' if it is not set."""
    tree = os.environ.get("MPY_DIR", "")
    if not tree:
        return ""
    tree = os.path.abspath(os.path.expanduser(tree))
    if not os.path.exists(os.path.join(tree, "ports", "unix", "Makefile")):
        raise common.SetupError(
            f"MPY_DIR is {tree}, which is no source of MicroPython; name a checkout or unset it."
        )
    if not has_mbedtls(tree) and not uses_system_mbedtls(tree):
        raise common.SetupError(
            f"The submodule lib/mbedtls is missing in {tree} (MPY_DIR); "
            "run `git submodule update --init lib/mbedtls` there."
        )
    return tree


def identity(tree):
    """What is known of the version of a user's tree: its commit and local changes, or its path."""
    done = subprocess.run(
        ["git", "-C", tree, "describe", "--always", "--dirty", "--long"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tree + " " + done.stdout.strip()


def has_mbedtls(tree):
    return os.path.exists(os.path.join(tree, "lib", "mbedtls", "library", "aes.c"))


def uses_system_mbedtls(tree):
    """True for Debian's trees, which are patched to link the distribution's mbedtls."""
    with open(os.path.join(tree, "extmod", "extmod.mk"), encoding="utf-8") as file:
        return "MBEDTLS_DIR" not in file.read()


def candidates():
    """Names of the places to get the source from, in the order to try them."""
    try:
        names = debian.suites(*SUITES)
    except common.SetupError:  # no Debian mirror
        names = []
    return [*names, "git"]


def fetch(name, into, log):
    """Get the source from one of candidates() into a folder; (tree, version)."""
    if name != "git":
        version = debian.Archive(log, name, source=True).source("micropython", into)
        return os.path.join(into, "tree"), version
    tree = os.path.join(into, "tree")
    failure = f"git could not fetch MicroPython {TAG} from {UPSTREAM}; check the network."
    log.run(["git", "clone", "-q", "--depth", "1", "-b", TAG, UPSTREAM, tree], failure)
    log.run(
        ["git", "-C", tree, "submodule", "update", "-q", "--init", "--depth", "1", "lib/mbedtls"],
        failure,
    )
    return tree, TAG
