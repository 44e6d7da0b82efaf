"""``python -m proving_ground.seeds``: random orders, drones and weather, one world for each seed.

A scenario file shows what somebody thought of; these worlds show what nobody did. The seed makes the world and all
chance in it, so ``--first-seed N --seeds 1`` plays a failed one again. Every order must come to an end, and every
invariant must hold; whether an order is flown or declined is the hub's decision.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console

from core.geodesy import destination
from hub_api.dispatch.order_states import TERMINAL_STATES
from planner.site import Site, load_site
from proving_ground.cli import why
from proving_ground.loader import SITES
from proving_ground.result import Run
from proving_ground.runner import broken_run, run_scenario
from proving_ground.schema import Scenario
from proving_ground.workers import DIED, in_turn

SITE = "baoan"
ORDERS_MAX = 4
ORDERS_WITHIN_S = 240.0
"""Chosen: longer than one flight out, so that orders meet drones on their pads, on their way and just back."""
PATIENT_WITHIN_M = 250.0
"""Chosen: how far from a landing point a patient may be; some will then have none close enough, and are declined."""
WIND_MAX_M_S = 13.0
"""Chosen: a little above what the airframes may fly in."""

console = Console()


def world_of(seed: int) -> dict[str, Any]:
    """The world of a seed, as a scenario document."""
    chance, site = random.Random(f"world {seed}"), _site()
    drones = [drone.drone_id for drone in site.drones]
    orders = [_order(chance, site, number) for number in range(1, 1 + chance.randint(1, ORDERS_MAX))]
    endings = sorted(str(state) for state in TERMINAL_STATES)
    return {
        "name": f"seed-{seed}",
        "why": "A world that nobody thought of.",
        "why_zh": "随机生成的场景。",
        "world": {"site": SITE, "drones": sorted(chance.sample(drones, chance.randint(1, len(drones))))},
        "weather": {
            "from_deg": float(chance.randrange(360)),
            "speed_m_s": round(WIND_MAX_M_S * chance.betavariate(1.5, 4.0), 1),
            "turbulence_m_s": round(chance.uniform(0.0, 0.8), 1),
        },
        "orders": orders,
        "expect": [{"order": order["name"], "state": endings} for order in orders],
    }


def _order(chance: random.Random, site: Site, number: int) -> dict[str, Any]:
    near = chance.choice(site.landing_points).position
    place = destination(near, chance.uniform(0.0, 360.0), chance.uniform(0.0, PATIENT_WITHIN_M))
    return {
        "name": f"call-{number}",
        "at_s": round(chance.uniform(0.0, ORDERS_WITHIN_S), 1),
        "patient": {
            "reference_system": "WGS-84",
            "latitude_deg": round(place.latitude_deg, 6),
            "longitude_deg": round(place.longitude_deg, 6),
        },
        "severity": chance.choice(("I", "II")),
    }


@cache
def _site() -> Site:
    return load_site(SITES / f"{SITE}.json")


def play(seed: int) -> Run:
    """Play one world."""
    scenario = Scenario.model_validate(world_of(seed))
    return run_scenario(scenario, seed=seed, site_file=SITES / f"{SITE}.json")


def _died(seed: int) -> Run:
    return replace(broken_run(Scenario.model_validate(world_of(seed)), seed, ""), error=DIED)


def main(
    seeds: Annotated[int, typer.Option(min=1, help="How many worlds.")] = 1000,
    first_seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes at a time.")] = 2,
    out: Annotated[Path, typer.Option(help="Where a failed world goes.")] = Path("seed-failure.yaml"),
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Do not stop at the first failure.")
    ] = False,
) -> None:
    """Exit code 0: every order of every world came to its end and every invariant held."""
    endings: Counter[str] = Counter()
    failures = played = 0
    virtual_s = 0.0
    numbers = range(first_seed, first_seed + seeds)
    for seed, run in zip(
        numbers, in_turn(play, [(number,) for number in numbers], jobs, died=_died), strict=True
    ):
        played += 1
        virtual_s += run.virtual_s
        endings.update(order.final.get("state", f"refused: {order.answers[-1]}") for order in run.orders)
        if run.passed:
            continue
        failures += 1
        console.print(f"[red]seed {seed}[/red]: {why(run)}")
        out.write_text(yaml.safe_dump(world_of(seed), allow_unicode=True, sort_keys=False), encoding="utf-8")
        console.print(f"reproduce: drone-aed sim run {out} --first-seed {seed}")
        if not keep_going:
            break
    console.print(
        f"{played} worlds, {virtual_s / 3600.0:.1f} virtual hours, {failures} failed; orders: "
        + ", ".join(f"{count} {state}" for state, count in sorted(endings.items()))
    )
    if failures:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
