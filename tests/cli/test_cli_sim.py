"""`kcp sim`: settings on simulated links. No network, and the same figures in every run."""

import json
import os
import sys

import pytest
from cli_support import ROOT, environment, kcp, load_tool, one_sentence

from kcp._presets import PRESETS
from kcp_cli import chart, simulate
from kcp_cli.errors import Failure
from kcp_sim import profiles

FAR = {"delay_ms": 50, "loss_pct": 10}


def rows(*arguments):
    """The results of `kcp sim ... --json`."""
    code, out, notes = kcp("sim", *arguments, "--json")
    assert (code, notes) == (0, [])
    return [json.loads(line) for line in out.splitlines()]


def test_every_preset_has_its_link():
    assert sorted(profiles.PRESET_LINKS) == sorted(PRESETS)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_works_on_its_link(name):
    (result,) = rows(name, "--bytes", "3000")
    assert result["ok"] is True
    assert (result["bytes"], result["link"]) == (3000, name)


def test_a_run_is_repeatable_and_the_seed_changes_it():
    first = rows("far-10", "--bytes", "100000")
    assert rows("far-10", "--bytes", "100000") == first
    assert rows("far-10", "--bytes", "100000", "--seed", "1") != first


def test_pacing_spares_the_queue():
    paced, plain = rows(
        "quic", "--sndwnd", "128", "--rcvwnd", "128", "--bytes", "2000000", "--vary",
        "pacing=on,off",
    )  # fmt: skip
    assert (paced["run"], plain["run"]) == ("pacing on", "pacing off")
    assert paced["queue_drops"] < plain["queue_drops"]
    assert paced["seconds"] < plain["seconds"]


def test_a_window_that_is_lost_on_the_way_is_warned_of():
    flags = ("--mode", "fast3", "--sndwnd", "512", "--rcvwnd", "512", "--bytes", "3000000")
    code, out, notes = kcp("sim", "quic", *flags, "--vary", "pacing=off,on")
    assert code == 0 and b"pacing on" in out
    assert one_sentence(notes) and notes[0].startswith("pacing off: ") and "sndwnd=512" in notes[0]
    results = rows("quic", *flags, "--vary", "pacing=off,on")
    assert [one["advice"] is None for one in results] == [False, True]


def test_fec_shortens_the_tail_and_costs_bytes():
    off, on = rows("far", "--loss", "10", "--echo", "300", "--vary", "fec=off,10/3")
    assert on["p95_ms"] < off["p95_ms"]
    assert on["wire_per_byte"] > off["wire_per_byte"]
    assert on["recovered"] > 0 == off["recovered"]


def test_the_link_can_be_varied_and_changed():
    light, heavy = rows("far", "--delay", "10", "--vary", "loss=1,20", "--echo", "200")
    assert light["lost"] < heavy["lost"]
    assert light["median_ms"] >= 20


def test_a_case_of_the_scenarios_brings_its_load_and_windows():
    small, default = rows("T05-w32", "--vary", "sndwnd=4,32")
    assert small["bytes"] == default["bytes"] == 2097152
    assert small["seconds"] > default["seconds"]
    assert rows("T05-w32") == [{**default, "run": "this"}]
    normal, fast3 = rows("T05-w32", "--bytes", "200000", "--vary", "mode=normal,fast3")
    assert normal["seconds"] != fast3["seconds"]
    assert rows("T06-echo10")[0]["bytes"] == 2 * 500 * 64


@pytest.mark.parametrize("name", ["T14-sn31", "L-all", "T99"])
def test_a_case_that_is_no_plain_one_is_no_link(name):
    assert profiles.case(name) is None


def test_table_for_a_person():
    code, out, notes = kcp("sim", "near", "--bytes", "10000", "--vary", "mode=normal,fast3")
    assert (code, notes) == (0, [])
    lines = out.decode().splitlines()
    assert lines[:2] == ["near: 1 ms each way", "10,000 bytes one way"]
    assert lines[2].split()[:3] == ["run", "seconds", "Mbit/s"]
    assert [line[:11] for line in lines[3:]] == ["mode normal", "mode fast3 "]


def test_the_links_are_listed():
    code, out, _notes = kcp("sim", "--links")
    assert code == 0
    for name in ("lan", "satellite", "quic-drop2", "far-30"):
        assert f"\n{name} " in out.decode()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("nowhere",), "there are: lan"),
        (("near", "--vary", "pacing"), "pacing=on,off"),
        (("near", "--vary", "colour=blue"), "unknown option"),
        (("near", "--vary", "fec=300/3"), "300"),
        (("near", "--vary", "fec=on"), "--fec is auto, off"),
        (("near", "--mtu", "10"), "mtu must be"),
        (("near", "--bytes", "1", "--echo", "1"), "not both"),
        (("near", "-o", "chart.gif"), ".svg or a .png"),
    ],
)
def test_usage_errors_are_sentences(arguments, hint):
    code, out, notes = kcp("sim", *arguments)
    assert (code, out) == (2, b"")
    assert one_sentence(notes)
    assert hint in notes[0]


def test_a_load_that_never_ends_is_a_failure(monkeypatch):
    monkeypatch.setattr(simulate, "LIMIT_MS", 100)
    with pytest.raises(Failure, match="comes to no end"):
        simulate.run(FAR, {"kind": "bulk", "bytes": 10000}, {}, 0)


@pytest.mark.parametrize(
    ("load", "names"), [((), ("a.svg", "b.png", "c.svg")), (("--echo", "50"), ("a.svg",))]
)
def test_charts(tmp_path, load, names):
    if sys.implementation.name != "cpython":
        pytest.skip("matplotlib has no wheels for it")
    for name in names:
        path = tmp_path / name
        code, _out, notes = kcp("sim", "far-10", "--vary", "fec=off,2/1", *load, "-o", path)
        assert (code, notes) == (0, [f"chart: {path}"])
        data = path.read_bytes()
        assert data.startswith(b"<?xml" if name.endswith("svg") else b"\x89PNG")
        assert len(data) < 100_000
    svg = (tmp_path / "a.svg").read_bytes()
    assert svg == (tmp_path / names[-1]).read_bytes()  # the same run, the same file
    for text in (b"fec 2/1", b"10 % lost"):
        assert text in svg


def test_without_matplotlib_it_says_how_to_get_it(tmp_path):
    """A package of that name that cannot be imported stands before the real one."""
    (tmp_path / "matplotlib.py").write_text("raise ImportError('No module named matplotlib')")
    paths = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    code, out, notes = kcp("sim", "near", "-o", tmp_path / "a.svg", PYTHONPATH=paths)
    assert (code, out) == (1, b"")
    assert one_sentence(notes)
    assert "pip install 'microkcp[charts]'" in notes[0]


def test_a_long_run_is_drawn_with_few_points():
    looks = [simulate.Look(t, t * 1000, 5, t % 7) for t in range(5000)]
    slices = chart._bins(looks)
    assert len(slices) <= chart._POINTS
    assert sum(len(found) for _, found in slices) == 5000


def test_the_charts_of_the_readme_are_those_that_make_draws():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        readme = file.read()
    for command in load_tool("charts").COMMANDS:
        path = command.split()[-1]
        assert f"`{command}`" in readme
        assert f"]({path})" in readme
        assert 1000 < os.path.getsize(os.path.join(ROOT, path)) < 100_000
