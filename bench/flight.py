"""What a whole delivery takes in vehicle time: agent and simulated ArduCopter on one virtual clock.

Vehicle time leaves out how fast this machine computes; what the software itself takes is measured
by :mod:`bench.hub`.
"""

from __future__ import annotations

import logging
import tempfile
from datetime import datetime
from pathlib import Path
from statistics import median

from bench.report import Report
from flight.messages import AedOnGround, FlightEnded, PhaseChanged
from flight.model.phases import Phase
from sitl.weather import Wind
from tests.scenario.flight.stage import Stage, perform, straight_plan

DISTANCE_M = 2000.0
SEEDS = range(5)


def run(report: Report) -> None:
    """``flight.order_to_airborne_s`` and ``flight.deliver_2km_s``, both from the command at the agent."""
    logging.disable(logging.WARNING)
    airborne_s, delivered_s, home_s = [], [], []
    plan = straight_plan(DISTANCE_M)
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            stage = perform(_deliver, Path(folder), seed=seed, plan=plan, wind=Wind())
        start = stage.ordered_at
        airborne_s.append((_first(stage, Phase.CLIMBING) - start).total_seconds())
        (on_ground,) = stage.of(AedOnGround)
        delivered_s.append((on_ground.at - start).total_seconds())
        (ended,) = stage.of(FlightEnded)
        home_s.append((ended.at - start).total_seconds())
    note = f"simulated hex10, calm, {DISTANCE_M:.0f} m at 20 m/s, seeds {SEEDS.start}-{SEEDS.stop - 1}, vehicle time"
    report.add("flight.order_to_airborne_s", median(airborne_s), "s", len(SEEDS), note)
    report.add("flight.deliver_2km_s", median(delivered_s), "s", len(SEEDS), f"to «safe to approach»; {note}")
    report.add("flight.deliver_2km_and_home_s", median(home_s), "s", len(SEEDS), note)


async def _deliver(stage: Stage) -> None:
    await stage.ready()
    stage.ordered_at = stage.clock.now()
    await stage.tell(stage.mission())
    await stage.end(1200)


def _first(stage: Stage, phase: Phase) -> datetime:
    return next(event.at for event in stage.of(PhaseChanged) if event.phase is phase)
