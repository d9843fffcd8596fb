"""Runs the Go twin: kcp-go itself on the same links with the same seeds (CPython only)."""

import json
import subprocess
import tempfile

from kcp_sim import SCENARIOS


class Twin:
    """A running `kcppeer sim`; several can run at once.

    `prefix`: beginnings of case ids, with commas between; `seeds`: "0-19", or "" for each case's
    full set; `session`: flush as kcp-go's own sessions do, not on the grid of Update().
    """

    def __init__(self, kcppeer, prefix="", seeds="", session=False):
        command = [
            kcppeer,
            "sim",
            "--scenarios",
            SCENARIOS,
            "--scenario",
            prefix,
            "--seeds",
            seeds,
        ]
        if session:
            command.append("--session")
        # Not a pipe: it would fill up while the results of another twin are being waited for.
        self._output = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(command, stdout=self._output)

    def results(self):
        """Wait for the end; {(case id, seed): result}. RuntimeError if a run went wrong."""
        code = self._process.wait()
        with self._output as output:
            output.seek(0)
            lines = [json.loads(line) for line in output]
        found = {(result["case"], result["seed"]): result for result in lines}
        errors = {key: result["error"] for key, result in found.items() if result.get("error")}
        if code or errors:
            raise RuntimeError(f"kcppeer sim failed with code {code}: {errors}")
        return found


def differences(ours, theirs):
    """What differs between a result of ours and the twin's, by name; empty = the same run."""
    names = [name for name in ours if name in theirs and name != "cmds"]
    return {name: (ours[name], theirs[name]) for name in names if ours[name] != theirs[name]}
