"""Does `make bench` run, and are its records as they are meant to be? No speed is judged."""

import json
import os
import subprocess
import sys

import binaries

MAIN = os.path.join(os.path.dirname(binaries.TESTS), "tools", "bench", "main.py")
NAMES = ("sink-64k", "crc32")
FIELDS = {"name", "runtime", "twin", "ours", "peer", "ratio", "unit"}


def test_bench_writes_table_and_records(tmp_path):
    binaries.needed("KCP_PEERS")
    ours = [("cpython", "python")]
    ours += [("cpython", "native")] if os.environ.get("KCP_EXTENSION") else []
    if os.environ.get("KCP_MICROPYTHON"):
        ours += [("micropython", "python"), ("micropython", "viper")]
        ours += [("micropython", "native")] if os.environ.get("KCP_NATMOD") else []
    output = tmp_path / "deeper" / "bench.json"
    command = [sys.executable, MAIN, "--quick", "--output", str(output)]
    for name in NAMES:
        command += ["--only", name]
    environment = {name: value for name, value in os.environ.items() if name != "KCP_PYPI"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    records = json.loads(output.read_text())
    rows = [(record["name"], record["runtime"], record["twin"]) for record in records]
    assert rows == [(name, *end) for name in NAMES for end in ours]
    for record in records:
        assert set(record) == FIELDS
        assert record["unit"] == "MB/s"
        assert record["ours"] > 0
        assert abs(record["ratio"] - record["ours"] / record["peer"]) < 1e-9
        assert f"| {record['name']} " in done.stdout


def test_bench_names_the_rows_there_are():
    command = [sys.executable, MAIN, "--only", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no row nothing" in done.stderr
    assert "sink-64k" in done.stderr
