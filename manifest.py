# Freezes the library into a firmware. In the manifest.py of your board:
#
#     include("<this folder>")                                     # package.json, the client set
#     include("<this folder>", packages="client,serial", viper=False)
#
# packages: names of lib/*.json, and "client"; viper: False for processors for which MicroPython
# makes no machine code (MIPS), and where the makefile does not say which one it is (unix).
# The C core is a user C module, and not frozen: boards/README.md.

import json

metadata(version="0.1.0", description="KCP over datagrams, wire-compatible with kcp-go")
options.defaults(packages="client", viper=True)


def _paths(name):
    with open("package.json" if name == "client" else "lib/%s.json" % name) as file:
        return [path for path, _ in json.load(file)["urls"]]


def _is_wanted(path):
    with open("lib/" + path, encoding="utf-8") as file:
        return options.viper or "\n@micropython.viper" not in file.read()


_wanted = {path for name in options.packages.split(",") for path in _paths(name)}
package(
    "kcp",
    files=sorted(path[len("kcp/") :] for path in _wanted if _is_wanted(path)),
    base_path="lib",
    opt=1,
)
