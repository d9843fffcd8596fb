#!/usr/bin/env python3
"""Says which files of lib/kcp a device needs for what, as packages for `mip` and `mpremote mip`.

    tools/mip_packages.py            is every package file as it should be? (`make lint` asks)
    tools/mip_packages.py --write    make them (`make packages`)
    tools/mip_packages.py --list     the slices, their files and bytes

A slice is a part of the library that a device may leave out: SLICES names its main modules, the
rest follows from their imports. lib/<slice>.json holds the slice alone, package.json the set
"client", lib/all.json everything that is for devices. URLs are relative to the package file, which
therefore stands above the files that it names.
"""

import argparse
import ast
import json
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIB = os.path.join(TOP, "lib")
HOST_ONLY = ("_cpy.py", "/__main__.py")  # end the names of what only CPython runs

# Slice: its main modules. No slice but their own takes these in, so that it stays small.
SLICES = {
    "core": ("__init__", "session", "endpoint", "_opening", "kdf", "stats", "cc", "crypt/none"),
    "asyncio": ("aio", "stream", "listener", "_carry_upy"),
    "blocking": ("blocking", "_sync", "_sync_socket", "_sync_port", "_carry_sync_upy"),
    "reconnect": ("reconnect",),
    "fec": ("fec", "_fec_auto", "rs"),
    "trace": ("trace",),
    "carrier": ("carrier", "_carry"),
    "serial": ("serial", "carrier", "_carry"),
    "espnow": ("espnow", "carrier", "_carry"),
    "lora": ("lora", "carrier", "_carry"),
}
# Ciphers, which share what they have in common: name of the slice (kcptun's), module in crypt/.
CIPHERS = {
    "aes": "aes",
    "aes-gcm": "gcm",
    "chacha20-poly1305": "chacha20poly1305",
    "salsa20": "salsa20",
    "xor": "xor",
    "sm4": "sm4",
    "twofish": "twofish",
    "blowfish": "blowfish",
    "cast5": "cast5",
    "3des": "tripledes",
    "tea": "tea",
    "xtea": "xtea",
}
NEEDS = {"blocking": ("listener",)}  # main modules of another slice that one takes in as well
# Sets of slices, as package files of their own.
SETS = {"client": ("core", "asyncio", "aes", "fec")}


def device_files():
    """Paths below lib/ of what goes on a device, sorted."""
    found = []
    for folder, _, names in os.walk(os.path.join(LIB, "kcp")):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), LIB).replace(os.sep, "/")
            if path.endswith(".py") and not path.endswith(HOST_ONLY):
                found.append(path)
    return sorted(found)


def imports_of(path):
    """Paths of the modules of kcp that a module imports, wherever it does."""
    with open(os.path.join(LIB, path), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    package = path.split("/")[:-1]
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        words = package[: len(package) - node.level + 1] if node.level else []
        words = words + (node.module.split(".") if node.module else [])
        if words[:1] == ["kcp"]:
            names = [alias.name for alias in node.names]
            found |= _paths("/".join(words), names)
    return found


def _paths(module, names):
    """The files that `from module import names` reads, as far as devices have them."""
    candidates = [module + ".py", module + "/__init__.py"]
    candidates += [f"{module}/{name}.py" for name in names]
    return {path for path in candidates if _is_for_devices(path)}


def _is_for_devices(path):
    return os.path.exists(os.path.join(LIB, path)) and not path.endswith(HOST_ONLY)


def _reached(mains, stops):
    """The files reached by imports from `mains`, not going into `stops`."""
    found = set()
    todo = list(mains)
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += imports_of(path) - stops
    return found


def _path(module):
    return f"kcp/{module}.py"


def slices():
    """{name of a slice: sorted paths below lib/}; SystemExit if a file is in none."""
    mains = {name: {_path(module) for module in modules} for name, modules in SLICES.items()}
    mains.update({name: {_path("crypt/" + module)} for name, module in CIPHERS.items()})
    stops = set().union(*mains.values())
    open_ones = {_path("crypt/" + module) for module in CIPHERS.values()}
    core = _reached(mains["core"], stops)
    found = {"core": sorted(core)}
    for name in list(mains)[1:]:
        own = mains[name] | {_path(module) for module in NEEDS.get(name, ())}
        fence = (stops - open_ones - own) | core
        found[name] = sorted(_reached(own, fence) - core)
    forgotten = set(device_files()) - set().union(*found.values())
    if forgotten:
        sys.exit(f"in no slice of tools/mip_packages.py: {', '.join(sorted(forgotten))}")
    return found


def sets():
    """{name: sorted paths} of what more than one slice makes up, "all" among them."""
    parts = slices()
    found = {
        name: sorted({path for part in names for path in parts[part]})
        for name, names in SETS.items()
    }
    found["all"] = device_files()
    return found


def version():
    """The library's version."""
    with open(os.path.join(LIB, "kcp", "__init__.py"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("__version__"):
                return line.split('"')[1]
    raise ValueError("lib/kcp/__init__.py has no __version__")


def package(urls):
    """The text of a package file; urls: pairs of a path on the device and where it comes from."""
    rows = ",\n".join("    " + json.dumps(pair) for pair in urls)
    return f'{{\n  "version": "{version()}",\n  "deps": [],\n  "urls": [\n{rows}\n  ]\n}}\n'


def packages():
    """{path below the repository: text} of every package file."""
    found = {}
    for name, paths in {**slices(), **sets()}.items():
        if name == "client":
            found["package.json"] = package([(path, "lib/" + path) for path in paths])
        else:
            found[f"lib/{name}.json"] = package([(path, path) for path in paths])
    return found


def _stale():
    """Package files that are there and should not be."""
    wanted = packages()
    there = [f"lib/{name}" for name in os.listdir(LIB) if name.endswith(".json")]
    return [path for path in there if path not in wanted]


def write():
    """Make every package file, and take away those of slices that are no more."""
    for path in _stale():
        os.remove(os.path.join(TOP, path))
    for path, text in packages().items():
        with open(os.path.join(TOP, path), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)


def differences():
    """Paths of the package files that are not as they should be."""
    found = _stale()
    for path, text in packages().items():
        whole = os.path.join(TOP, path)
        if not os.path.exists(whole):
            found.append(path)
            continue
        with open(whole, encoding="utf-8") as file:
            if file.read() != text:
                found.append(path)
    return sorted(found)


def show():
    """Print a row per slice and set."""
    print("| package | files | bytes of source |")
    print("| --- | ---: | ---: |")
    for name, paths in {**slices(), **sets()}.items():
        n_bytes = sum(os.path.getsize(os.path.join(LIB, path)) for path in paths)
        print(f"| {name} | {len(paths)} | {n_bytes:,} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="make the package files")
    parser.add_argument("--list", action="store_true", help="print the slices")
    arguments = parser.parse_args()
    if arguments.list:
        show()
    elif arguments.write:
        write()
    elif differences():
        sys.exit(f"not as lib/kcp is: {', '.join(differences())}; `make packages` mends them")


if __name__ == "__main__":
    main()
