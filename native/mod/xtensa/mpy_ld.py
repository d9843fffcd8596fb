#!/usr/bin/env python3
"""MicroPython's linker of dynamic modules, mended for what gcc 12 makes for the ESP8266.

The makefile above takes it for ARCH=xtensa. gcc 12 puts the address of an entry of the table of
names into a literal, "mp_native_qstr_table+2"; tools/mpy_ld.py up to 1.29 knows only the table's
beginning there. The loader adds the table's address to what stands in the literal, so the distance
belongs there. MPY_DIR names MicroPython's source.
"""

import os
import sys

LINKER = os.path.join(os.environ["MPY_DIR"], "tools", "mpy_ld.py")
CHANGES = (
    (
        "            env.got_entries[name] = GOTEntry(name, s, existing)\n",
        (
            "            if s.name == 'mp_native_qstr_table': existing = r['r_addend']\n"
            "            env.got_entries[name] = GOTEntry(name, s, existing)\n"
        ),
    ),
    (
        '        elif got_entry.name.startswith("mp_fun_table+0x"):\n',
        (
            '        elif got_entry.name.startswith("mp_native_qstr_table+0x"):\n'
            '            dest = "mp_native_qstr_table"\n'
            '        elif got_entry.name.startswith("mp_fun_table+0x"):\n'
        ),
    ),
    (  # only what points into the module itself can be told in one go
        "        if kind == prev_kind and base == prev_base and offset == prev_offset + 1:\n",
        (
            "        same = kind <= 2 and kind == prev_kind and base == prev_base\n"
            "        if same and offset == prev_offset + 1:\n"
        ),
    ),
)


def main():
    with open(LINKER, encoding="utf-8") as file:
        source = file.read()
    for old, new in CHANGES:
        if source.count(old) != 1:
            sys.exit(f"{LINKER} is another version than this mends; try it as it is")
        source = source.replace(old, new)
    sys.path.insert(0, os.path.dirname(LINKER))
    code = compile(source, LINKER, "exec")
    exec(code, {"__name__": "__main__", "__file__": LINKER})


if __name__ == "__main__":
    main()
