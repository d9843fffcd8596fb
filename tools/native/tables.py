#!/usr/bin/env python3
"""Writes native/core/kcp_tables_*.c: the constant tables of the C core, made by the plain twins.

    tools/native/tables.py            print the files
    tools/native/tables.py --write    write them into the repository

So that no table is typed twice: the Python modules hold the standards' values.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "native", "core")
sys.path.insert(0, os.path.join(ROOT, "lib"))

from kcp import rs  # noqa: E402
from kcp.crypt import _blowfish_pi, _cast5_boxes, sm4, tripledes, twofish  # noqa: E402

HEAD = """\
// Constant tables. Made by tools/native/tables.py from the plain twins: edit those.

#include "kcp_tables.h"
"""


def rows(values, width, per_line):
    """Lines of C numbers of so many hex digits."""
    words = [f"0x{value:0{width}x}" for value in values]
    lines = [words[i : i + per_line] for i in range(0, len(words), per_line)]
    return "".join("    " + ", ".join(line) + ",\n" for line in lines)


def table(kind, name, values):
    """A table of one dimension."""
    values = list(values)
    digits, per_line = (2, 16) if kind == "uint8_t" else (8, 8)
    return f"\nconst {kind} {name}[{len(values)}] = {{\n{rows(values, digits, per_line)}}};\n"


def indented(values):
    """A table of words within another."""
    return "    {\n" + rows(values, 8, 8).replace("    ", "        ") + "    },\n"


def boxes(name, found):
    """A table of tables of words."""
    inner = "".join(indented(one) for one in found)
    return f"\nconst uint32_t {name}[{len(found)}][{len(found[0])}] = {{\n{inner}}};\n"


def crc_slices():
    """Eight tables: of a byte, and of a byte with 1 to 7 zero bytes behind it."""
    first = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0xEDB88320 if i & 1 else 0)
        first.append(i)
    found = [first]
    while len(found) < 8:
        found.append([x >> 8 ^ first[x & 255] for x in found[-1]])
    return found


def crc_table():
    """The CRC's tables, as many as are asked for."""
    text = "\nconst uint32_t kcp_crc_table[KCP_CRC_SLICES][256] = {\n"
    for i, one in enumerate(crc_slices()):
        if i in (1, 4):
            text += f"    #if KCP_CRC_SLICES > {i}\n"
        text += indented(one)
    return text + "    #endif\n    #endif\n};\n"


def parts():
    """{file name: text}, a file for each part that can be left out."""
    found = {
        "crc32": crc_table(),
        "gf": table("uint8_t", "kcp_gf_exp", rs.EXP[:255])
        + table("uint8_t", "kcp_gf_log", rs.LOG),
        "sm4": table("uint8_t", "kcp_sm4_sbox", sm4.SBOX),
        "twofish": table("uint8_t", "kcp_twofish_q0", twofish._Q0)
        + table("uint8_t", "kcp_twofish_q1", twofish._Q1),
        "blowfish": table("uint32_t", "kcp_blowfish_p", _blowfish_pi.subkeys())
        + boxes("kcp_blowfish_s", _blowfish_pi.boxes()),
        "cast5": boxes("kcp_cast5_s", [_cast5_boxes.box(i) for i in range(1, 9)]),
        "3des": boxes("kcp_des_sp", tripledes.tables())
        + table("uint8_t", "kcp_des_pc1", tripledes._PC1)
        + table("uint8_t", "kcp_des_pc2", tripledes._PC2),
    }
    switches = {"crc32": None, "gf": "KCP_RS"}
    files = {}
    for name, text in found.items():
        switch = switches.get(name, "KCP_" + name.upper())
        body = f"\n#if {switch}\n{text}\n#endif\n" if switch else text
        files[f"kcp_tables_{name}.c"] = HEAD + body
    return files


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit(__doc__.strip())
    for name, text in parts().items():
        if sys.argv[1:]:
            with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as file:
                file.write(text)
        else:
            print(text, end="")


if __name__ == "__main__":
    main()
