#!/usr/bin/env python3
"""Our ARQ and sessions against kcp-go on simulated links, as a Markdown table.

    tools/sim_report.py                          every case, seeds 0-19
    tools/sim_report.py --scenario T05,T06 --seeds 100-199
    tools/sim_report.py --record                 writes tests/sim/reference.json from kcp-go

Needs KCP_PEERS (`eval "$(make -s env)"`). Columns: kcp-go driven by its Update(), our ARQ driven
the same way (in brackets: how many runs were the same, byte for byte), kcp-go flushed as its own
sessions do it, our session, and the ratio of the last two. Figures: the mean time to the last
byte, or the mean round trip of an echo load. Exit code 1 if a run of our ARQ differs from
kcp-go's.
"""

import argparse
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "lib"), os.path.join(ROOT, "tests")]

from sim import cases, go_twin, reference, workers  # noqa: E402 (a package of the tests)

_COLUMNS = (
    "scenario",
    "load",
    "kcp-go, ms",
    "our ARQ, ms (same)",
    "kcp-go session, ms",
    "our session, ms (same)",
    "ratio",
)


def describe(case):
    """The load in a few words."""
    load = case["load"]
    if load["kind"] == "bulk":
        return f"{load['bytes'] / 1024:.0f} KiB"
    every = f", one per {load['period_ms']} ms" if load.get("period_ms") else ""
    return f"{load['count']} x {load['size']} B{' echo' if load['kind'] == 'echo' else ''}{every}"


def record(update, session):
    """Write tests/sim/reference.json from two sets of kcp-go's results."""
    lines = []
    for case in cases.cases():
        seeds = range(case["seeds"][0])
        entry = {
            "wire": [reference.wire_id(update[case["id"], seed]) for seed in seeds],
            "update": [reference.figure(update[case["id"], seed]) for seed in seeds],
            "session": [reference.figure(session[case["id"], seed]) for seed in seeds],
        }
        lines.append(f'"{case["id"]}": {json.dumps(entry)}')
    with open(reference.PATH, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


def row(case, seeds, twins, ours, sessions):
    """One line of the table, and how many runs of our ARQ were the same as kcp-go's."""
    keys = [(case["id"], seed) for seed in seeds]
    same = sum(not go_twin.differences(ours[key], twins["update"][key]) for key in keys)

    def mean(found):
        values = [reference.figure(found[key]) / reference.n_trips(case) for key in keys]
        return reference.mean(values)

    figures = [mean(twins["update"]), mean(ours), mean(twins["session"])]
    texts = [f"{figure:.0f}" for figure in figures]
    last = ["", ""]
    if sessions and keys[0] in sessions:
        figure = mean(sessions)
        n_same = sum(sessions[key]["wire"] == twins["session"][key]["wire"] for key in keys)
        last = [f"{figure:.0f} ({n_same}/{len(keys)})", f"{figure / figures[2]:.3f}"]
    columns = [case["id"], describe(case), texts[0], f"{texts[1]} ({same}/{len(keys)})", texts[2]]
    return "| " + " | ".join(columns + last) + " |", len(keys) - same


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--scenario", default="", help="beginnings of case ids, with commas between"
    )
    parser.add_argument("--seeds", default="0-19", help="FIRST-LAST, or one number")
    parser.add_argument("--no-session", action="store_true", help="leave our sessions out")
    parser.add_argument("--record", action="store_true", help="write the reference from kcp-go")
    arguments = parser.parse_args()
    peers = os.environ.get("KCP_PEERS")
    if not peers:
        sys.exit('sim_report: KCP_PEERS is not set; try: eval "$(make -s env)"')
    if arguments.record:
        arguments.scenario = arguments.seeds = ""
    kcppeer = os.path.join(peers, "kcppeer")
    started = {
        timing: go_twin.Twin(kcppeer, arguments.scenario, arguments.seeds, timing == "session")
        for timing in ("update", "session")
    }
    twins = {timing: twin.results() for timing, twin in started.items()}
    if arguments.record:
        return record(twins["update"], twins["session"])
    first, _, last = arguments.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    chosen = cases.cases(arguments.scenario)
    jobs = [(case, seed, {}) for case in chosen for seed in seeds]
    ours = {(r["case"], r["seed"]): r for r in workers.run_all("arq", jobs)}
    sessions = {}
    if not arguments.no_session:
        # A session always counts its segments from 0, and the links' own cases have no peers.
        jobs = [job for job in jobs if job[0].get("session_seeds", [1])[0]]
        sessions = {(r["case"], r["seed"]): r for r in workers.run_all("session", jobs)}
    heads = ("kcp-go, ms", "our ARQ, ms (same)", "kcp-go session", "our session, ms (same)")
    print("| scenario | load | %s | ratio |" % " | ".join(heads))
    print("| --- | --- | --- | --- | --- | --- | --- |")
    n_different = 0
    for case in chosen:
        line, n = row(case, seeds, twins, ours, sessions)
        n_different += n
        print(line)
    print(f"\nruns of our ARQ: {len(ours)}, the same as kcp-go's: {len(ours) - n_different}")
    return 1 if n_different else 0


if __name__ == "__main__":
    sys.exit(main())
