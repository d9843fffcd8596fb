"""The demo, with a small file, and how it ends when it cannot go on."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from cli_support import DEMO, LIMIT_S


def needed(name):
    """Skip on a user's machine, and fail in continuous integration, without this tool."""
    if not os.environ.get(name):
        assert os.environ.get("CI") != "true", f"{name} is not set"
        pytest.skip(f"{name} is not set; `make env` prints it")


def start(*arguments, **env):
    return subprocess.Popen(
        [sys.executable, DEMO, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ, **env),
        start_new_session=True,
    )


def finish(demo):
    """Wait for its end; returns (exit code, stdout, stderr). No process of it may be left."""
    out, errors = demo.communicate(timeout=LIMIT_S)
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)
    return demo.returncode, out, errors


def tools():
    needed("KCP_MICROPYTHON")
    needed("KCP_PEERS")


def test_both_legs():
    tools()
    with start("--bytes", "100000", "--delay", "5") as demo:
        code, out, errors = finish(demo)
    assert (code, errors) == (0, "")
    for leg in ("MicroPython -> CPython", "MicroPython <-> kcp-go"):
        assert f"{leg}: 100%" in out
        assert any(
            leg in line and "100,000" in line and " ok " in line for line in out.splitlines()
        )
    assert "\x1b" not in out


def test_json():
    tools()
    with start("--bytes", "50000", "--delay", "1", "--loss", "20", "--json") as demo:
        code, out, _errors = finish(demo)
    assert code == 0
    for row in json.loads(out):
        assert row["sha256_ok"] is True
        assert row["bytes"] == 50000
        assert row["relay"]["up"]["lost"] > 0
        assert row["retransmitted"] > 0
        lost = row["relay"]["up"]["lost"] + row["relay"]["down"]["lost"]
        assert 0 < row["recovered"] <= lost


def test_time_limit():
    tools()
    with start("--delay", "500", "--time-limit", "2") as demo:
        code, _out, errors = finish(demo)
    assert code == 1
    assert "--time-limit" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_leaves_no_process_behind(number):
    tools()
    with start("--delay", "200") as demo:
        assert "relay" in demo.stdout.readline()
        time.sleep(1)
        demo.send_signal(number)
        code, _out, errors = finish(demo)
    assert code == 130
    assert errors == "demo: interrupted\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [("KCP_MICROPYTHON", ""), ("KCP_MICROPYTHON", "/no/such/program"), ("KCP_PEERS", "/no/such")],
)
def test_missing_tools_are_named_in_a_sentence(name, value):
    found = {"KCP_MICROPYTHON": sys.executable, "KCP_PEERS": "/no/such"}
    with start(**{**found, name: value}) as demo:
        code, out, errors = finish(demo)
    assert (code, out) == (1, "")
    assert errors.count("\n") == 1
    assert name in errors
    assert "make demo" in errors


def test_a_changed_hash_is_a_failure(tmp_path):
    """A MicroPython that reports another hash than the file's: the demo must not say ok."""
    tools()
    liar = tmp_path / "micropython"
    liar.write_text(
        "#!/bin/sh\n"
        'echo \'{"bytes":1, "sha256":"00", "seconds":1, "rtt_ms":1, "retransmitted":0,'
        ' "recovered":0}\'\n'
    )
    liar.chmod(0o755)
    with start("--bytes", "1000", KCP_MICROPYTHON=str(liar)) as demo:
        code, out, errors = finish(demo)
    assert code == 1
    assert "DIFFERS" in out, errors


def test_a_failing_program_is_named(tmp_path):
    tools()
    broken = tmp_path / "micropython"
    broken.write_text("#!/bin/sh\necho 'OSError: no memory' >&2\nexit 1\n")
    broken.chmod(0o755)
    with start("--bytes", "1000", KCP_MICROPYTHON=str(broken)) as demo:
        code, _out, errors = finish(demo)
    assert code == 1
    assert "OSError: no memory" in errors
    assert "Traceback" not in errors
