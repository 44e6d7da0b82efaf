"""How fast virtual time runs: one full flight with hub, planner, agent and vehicle in one process on one core."""

from __future__ import annotations

import time

from bench.report import Report
from proving_ground.loader import LIBRARY, load_scenario
from proving_ground.runner import run_scenario

RUNS = 5
SCENARIO = "plain-delivery"


def run(report: Report) -> None:
    """Measure and report: the fastest of some runs, by the process's own time, since others use the machine too."""
    loaded = load_scenario(LIBRARY / f"{SCENARIO}.yaml")
    factors = []
    for number in range(RUNS + 1):
        started_s = time.process_time()
        played = run_scenario(loaded.scenario, seed=1, site_file=loaded.site_file)
        used_s = time.process_time() - started_s
        if not played.passed:
            raise RuntimeError(f"{SCENARIO} failed: {played.error or played.verdicts}")
        if number > 0:  # the first compiles and loads
            factors.append(played.virtual_s / used_s)
    report.add(
        "sitl.virtual_time_factor",
        max(factors),
        "virtual s/CPU-s",
        RUNS,
        f"{SCENARIO}: call, flight, delivery, return; start of the hub included",
    )
