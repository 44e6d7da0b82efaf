"""What a campaign saves by worlds that fork at their faults (docs/decisions/0041), beside the same flights played whole."""

from __future__ import annotations

import os

from bench.report import Report
from proving_ground.branches import play_branches
from proving_ground.campaign import scenario_of
from proving_ground.loader import SITES
from proving_ground.runner import run_scenario
from proving_ground.schema import Scenario

FAULTS = (
    *("gps_noise", "motor_loss", "second_call", "database_down", "hub_killed", "disk_full", "battery_low"),
    *("order_repeated", "clock_wrong", "hub_clock_wrong", "weather_stale", "zone_activated"),
)
PHASES = ("climbing", "inbound")
SEED = 2


def run(report: Report) -> None:
    """Measure and report, by processor time with that of the branches' processes; all runs must tell the same."""
    site_file = SITES / "baoan.json"
    for phase in PHASES:
        scenarios = [
            Scenario.model_validate({**scenario_of(fault, phase), "name": "any"}) for fault in FAULTS
        ]
        # The first compiles and loads.
        run_scenario(scenarios[0], seed=SEED, site_file=site_file)
        began_s = _cpu_s()
        whole = [run_scenario(each, seed=SEED, site_file=site_file).log_sha256 for each in scenarios]
        whole_s = _cpu_s() - began_s
        began_s = _cpu_s()
        grown = play_branches(scenarios, seed=SEED, site_file=site_file, result_of=lambda run: run.log_sha256)
        grown_s = _cpu_s() - began_s
        if grown != whole:
            raise RuntimeError(f"{phase}: branches tell something else than whole runs")
        for name, value_s in (("branches", grown_s), ("whole", whole_s)):
            note = f"{len(FAULTS)} faults while {phase}, seed {SEED}"
            report.add(f"sitl.campaign.{phase}.{name}_cpu_s", value_s, "CPU-s", len(FAULTS), note)


def _cpu_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
