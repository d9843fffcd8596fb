"""The public names of a Go package, from what `go doc -all` says."""

import glob
import os
import re
import subprocess

MODULE = "github.com/xtaci/kcp-go/v5"


def doc(go, folder):
    """What `go doc -all` says of kcp-go, run in a folder whose go.mod names it."""
    command = [go, "doc", "-all", MODULE]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def names(text):
    """The exported names, sorted: `Dial`, `Snmp`, `Snmp.Copy`, `Snmp.BytesSent`, ..."""
    found = set()
    block = None  # prefix of the lines of a const, var, struct or interface block
    for line in text.splitlines():
        if line in (")", "}"):
            block = None
        elif block is not None:
            found.update(block + name for name in re.findall(r"^\t([A-Z]\w*)\b", line))
        elif re.match(r"(const|var) \($", line):
            block = ""
        elif match := re.match(r"func \(\w+ \*?(\w+)(?:\[\w+\])?\) ([A-Z]\w*)\(", line):
            found.add(f"{match[1]}.{match[2]}")
        elif match := re.match(r"(?:func|type|const|var) ([A-Z]\w*)", line):
            found.add(match[1])
            if line.endswith("{"):
                block = match[1] + "."
    return sorted(found)


def its_tests(go, folder):
    """The names of kcp-go's own tests, sorted."""
    command = [go, "list", "-m", "-f", "{{.Dir}}", MODULE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    found = set()
    for path in glob.glob(os.path.join(done.stdout.strip(), "*_test.go")):
        with open(path, encoding="utf-8") as file:
            found.update(re.findall(r"^func (Test\w+)\(", file.read(), re.MULTILINE))
    return sorted(found)
