"""File system images (MicroPython's ROMFS) of the library and the tests, compiled by mpy-cross."""

import hashlib
import os
import subprocess
import tempfile

from mpremote.romfs import VfsRomWriter

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = (".txt", ".json")


class Compiler:
    """mpy-cross for one kind of machine code ("": byte code only), with a memory on the disk."""

    def __init__(self, program, march, cache):
        self._program = program
        self._flags = ["-march=" + march] if march else []
        self._cache = cache
        os.makedirs(cache, exist_ok=True)

    def compile(self, path, name):
        """The .mpy of a source file, None if it does not compile; name: for tracebacks."""
        with open(path, "rb") as file:
            source = file.read()
        words = [self._program, *self._flags, name]
        key = hashlib.sha256("\0".join(words).encode() + b"\0" + source).hexdigest()[:32]
        stored = os.path.join(self._cache, key + ".mpy")
        if not os.path.exists(stored):
            self._make(path, name, stored)
        with open(stored, "rb") as file:
            return file.read() or None

    def _make(self, path, name, stored):
        """Write the .mpy, or nothing if it does not compile."""
        with tempfile.NamedTemporaryFile(dir=self._cache, delete=False) as file:
            pass
        command = [self._program, *self._flags, "-s", name, "-o", file.name, path]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            os.truncate(file.name, 0)
        os.replace(file.name, stored)


def write(into, folders, extra, compiler):
    """Write an image.

    folders: pairs of a path in the image and a folder whose Python files, compiled, and data go
    there, without folders in it; extra: pairs of a path in the image and bytes.
    """
    tree = {}
    for inside, folder in folders:
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.endswith(DATA):
                with open(path, "rb") as file:
                    _put(tree, f"{inside}/{name}", file.read())
            elif name.endswith(".py"):
                code = compiler.compile(path, os.path.relpath(path, TOP))
                if code is not None:
                    _put(tree, f"{inside}/{name[:-3]}.mpy", code)
    for inside, data in extra:
        _put(tree, inside, data)
    writer = VfsRomWriter()
    _fill(writer, tree)
    image = writer.finalise()
    with open(into, "wb") as file:
        file.write(image)
    return len(image)


def _put(tree, path, data):
    *folders, name = path.split("/")
    for folder in folders:
        tree = tree.setdefault(folder, {})
    tree[name] = data


def _fill(writer, tree):
    for name, value in sorted(tree.items()):
        if isinstance(value, dict):
            writer.opendir(name)
            _fill(writer, value)
            writer.closedir()
        else:
            writer.mkfile(name, value)
