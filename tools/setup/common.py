"""What every step of the set-up shares: the cache folder, locks, logs, errors of one sentence.

The cache holds one folder per thing that was built, `<component>-<key>`, where the key is a hash
of all that went into it. A folder that holds the file `.done` is complete; anything else is left
from a run that was stopped, and is built again. Lock files make two runs at once safe.
"""

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNUSED_DAYS = 30  # a build that nobody used for so long is deleted when its successor is made
LONGEST_COMMAND_S = 1800


class SetupError(Exception):
    """One sentence saying what is missing and how to get it."""


def cache_dir():
    """The cache folder; it exists when this returns."""
    chosen = os.environ.get("MICROKCP_CACHE")
    if not chosen:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        chosen = os.path.join(base, "microkcp")
    chosen = os.path.abspath(chosen)
    try:
        os.makedirs(os.path.join(chosen, "log"), exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"The cache folder {chosen} cannot be made ({error.strerror}); "
            "set MICROKCP_CACHE to a folder that you may write to."
        ) from None
    return chosen


def say(text):
    """Progress for people; standard output is left to what scripts read."""
    print("set-up: " + text, file=sys.stderr, flush=True)


def in_ci():
    return os.environ.get("CI") == "true"


def digest(*parts):
    """A short hash of strings, for use as a cache key."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def digest_files(*paths):
    """A short hash of the contents (and names) of files."""
    whole = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            content = file.read()
        whole.update(f"{os.path.basename(path)}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()[:16]


def need(program, package):
    """The path of a program that must be on the machine."""
    path = shutil.which(program)
    if path is None:
        raise SetupError(
            f"The program '{program}' is missing; install it, "
            f"on Debian with `apt-get install {package}`."
        )
    return path


class Log:
    """Runs commands with their output in a file of the cache, whose name goes into the error."""

    def __init__(self, component):
        self.path = os.path.join(cache_dir(), "log", component + ".log")
        with open(self.path, "w"):
            pass

    def run(self, argv, failure, cwd=None, env=None):
        """Run a command; if it fails, SetupError(failure, with the log's name) is raised."""
        with open(self.path, "ab") as file:
            file.write(("$ " + " ".join(argv) + "\n").encode())
            file.flush()
            try:
                code = subprocess.run(
                    argv,
                    cwd=cwd,
                    env=clean_environment(env),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    timeout=LONGEST_COMMAND_S,
                    check=False,
                ).returncode
            except (OSError, subprocess.TimeoutExpired) as error:
                file.write(f"{error}\n".encode())
                code = 1
        if code != 0:
            raise SetupError(f"{failure} (log: {self.path})")


def clean_environment(extra=None):
    """Our environment without what `make` or a virtual environment would force on a build."""
    unwanted = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "PYTHONPATH", "PYTHONHOME")
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    env["LC_ALL"] = "C.UTF-8"
    env.update(extra or {})
    return env


@contextlib.contextmanager
def locked(name):
    """Hold a lock of the cache; says so when another process has it."""
    path = os.path.join(cache_dir(), name + ".lock")
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say(f"waiting for another set-up that works on {name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _finished(folder):
    """The facts a finished build left, or None; being used is recorded by the stamp's time."""
    stamp = os.path.join(folder, ".done")
    try:
        with open(stamp) as file:
            facts = json.load(file)
        os.utime(stamp)
        return facts
    except (OSError, ValueError):
        return None


def _prune(component, keep):
    """Delete builds of this component that nobody used for UNUSED_DAYS."""
    oldest = time.time() - UNUSED_DAYS * 86400
    for stamp in glob.glob(os.path.join(cache_dir(), component + "-*", ".done")):
        folder = os.path.dirname(stamp)
        if folder != keep and os.stat(stamp).st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)


def ensure(component, key, build):
    """The folder of a component and its facts, built by build(folder, log) if it is not there.

    `build` fills the folder and returns a dict of facts (strings) that are kept with it; the fact
    "about", if any, is shown.
    """
    folder = os.path.join(cache_dir(), f"{component}-{key}")
    facts = _finished(folder)
    if facts is not None:
        return folder, facts
    with locked(component):
        facts = _finished(folder)
        if facts is not None:
            return folder, facts
        say(f"{component} ...")
        begin = time.monotonic()
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        facts = build(folder, Log(component)) or {}
        with open(os.path.join(folder, ".done.new"), "w") as file:
            json.dump(facts, file)
        os.replace(file.name, os.path.join(folder, ".done"))
        say(f"{component} took {time.monotonic() - begin:.1f} s ({facts.get('about', 'built')})")
        _prune(component, folder)
    return folder, facts
