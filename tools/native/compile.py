"""Compiles the C core for the tools beside this file; what is made lies in build/native."""

import glob
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORE = os.path.join(ROOT, "native", "core")
BUILD = os.path.join(ROOT, "build", "native")
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wno-sign-conversion", "-Werror"]


def core_sources():
    """Paths of the core's C files."""
    return sorted(glob.glob(os.path.join(CORE, "*.c")))


def run(argv, **options):
    """Run a command; end the program with its output if it fails. Returns what it printed."""
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)}\n{done.stdout}\nfailed: exit code {done.returncode}")
    return done.stdout


def objects(folder, sources, flags, compiler="gcc"):
    """Compile the sources into a folder of BUILD; the paths of the objects."""
    folder = os.path.join(BUILD, folder)
    os.makedirs(folder, exist_ok=True)

    def one(source):
        path = os.path.join(folder, os.path.basename(source)[:-2] + ".o")
        run([compiler, "-std=c99", "-I" + CORE, *flags, "-c", source, "-o", path], cwd=folder)
        return path

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(one, sources))
