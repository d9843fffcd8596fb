"""The committed vectors are what the real libraries make today."""

import os
import subprocess

import binaries

NAMES = ("crypt.txt", "fec.txt", "reed_solomon.txt")


def test_vectors_are_what_kcp_go_makes(tmp_path):
    command = [binaries.kcppeer(), "vectors", "--out", str(tmp_path)]
    subprocess.run(command, check=True, timeout=60)
    assert sorted(os.listdir(tmp_path)) == sorted(NAMES)
    for name in NAMES:
        with open(os.path.join(binaries.TESTS, "vectors", name), encoding="ascii") as file:
            assert file.read() == (tmp_path / name).read_text("ascii"), name
