"""Runs the Go twin, which is kcp-go itself on the same links with the same seeds (CPython
only)."""

import json
import subprocess

from sim.cases import SCENARIOS


def start(kcppeer, prefix="", seeds="", session=False):
    """Start `kcppeer sim`; `seeds` "0-19", or "" for each case's full set. See `results`."""
    command = [kcppeer, "sim", "--scenarios", SCENARIOS, "--scenario", prefix, "--seeds", seeds]
    if session:
        command.append("--session")
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def results(process):
    """Wait for a started twin; {(case id, seed): result}, all with error-free runs."""
    found = {}
    for line in process.stdout:
        result = json.loads(line)
        found[result["case"], result["seed"]] = result
    process.stdout.close()
    code = process.wait()
    failed = {key: result["error"] for key, result in found.items() if result.get("error")}
    if code or failed:
        raise RuntimeError(f"kcppeer sim failed with code {code}: {failed}")
    return found


def differences(ours, theirs):
    """What differs between a result of ours and the twin's, by name; empty = the same run."""
    names = [name for name in ours if name in theirs and name != "cmds"]
    return {name: (ours[name], theirs[name]) for name in names if ours[name] != theirs[name]}
