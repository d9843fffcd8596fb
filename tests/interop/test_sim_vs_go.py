"""The simulator's reference is what kcp-go does, and our ARQ does the same, on fresh seeds too.

tests/sim/test_scenarios_arq.py holds every runtime to tests/sim/reference.json; here the record is
held to the real kcp-go, run now, and both to each other on seeds that are in no record:
KCP_SIM_FRESH repeats those of another run (the first seed), KCP_SIM_FRESH_COUNT says how many
there are per case.
"""

import os
import random

import binaries
from sim import cases, go_twin, reference, workers

FRESH_COUNT = int(os.environ.get("KCP_SIM_FRESH_COUNT", "2"))
HEAVY = ("T01", "T03", "T09")  # 10 MB each: a fresh seed of one of them is enough


def test_reference_is_what_kcp_go_does():
    started = {
        "update": go_twin.Twin(binaries.kcppeer()),
        "session": go_twin.Twin(binaries.kcppeer(), session=True),
    }
    wrong = []
    for timing, twin in started.items():
        found = twin.results()
        assert len(found) == sum(len(reference.of(case)["update"]) for case in cases.cases())
        for (name, seed), result in found.items():
            record = reference.of(cases.cases(name)[0])
            if reference.figure(result) != record[timing][seed]:
                wrong.append((name, seed, timing))
            if timing == "update" and reference.wire_id(result) != record["wire"][seed]:
                wrong.append((name, seed, "wire"))
    assert not wrong, f"not as recorded (tools/sim_report.py --record writes anew): {wrong[:5]}"


def test_fresh_seeds_are_the_same(capsys):
    first = int(os.environ.get("KCP_SIM_FRESH") or random.randrange(1000, 1 << 20))
    chosen = [case for case in cases.cases() if not case["id"].startswith(HEAVY)]
    chosen.append(random.Random(first).choice(cases.cases(",".join(HEAVY))))
    last = first + FRESH_COUNT - 1
    prefixes = ",".join(case["id"] for case in chosen)
    theirs = go_twin.Twin(binaries.kcppeer(), prefixes, f"{first}-{last}").results()
    jobs = [(case, seed, {}) for case in chosen for seed in range(first, last + 1)]
    different = {}
    for result in workers.run_all("arq", jobs):
        found = go_twin.differences(result, theirs[result["case"], result["seed"]])
        if found:
            different[result["case"], result["seed"]] = found
    with capsys.disabled():
        print(f"\nsim against kcp-go: fresh={first} runs={len(jobs)} different={len(different)}")
    assert not different, list(different.items())[:3]
