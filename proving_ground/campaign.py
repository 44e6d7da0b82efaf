"""``python -m proving_ground.campaign``: every fault in every phase, many seeds, one table.

Stops at the first broken invariant, with the seed and a scenario file that is as small as it could be made and still
breaks it.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from proving_ground.cli import why
from proving_ground.fault_names import all_faults
from proving_ground.loader import SITES
from proving_ground.result import Run
from proving_ground.runner import run_scenario
from proving_ground.schema import Scenario

PHASES = ("climbing", "outbound", "hovering", "lowering", "releasing", "retracting", "inbound", "landing")
"""Phases of an ordinary flight in which something may break."""

PHYSICALLY_FATAL = {
    "motor_loss": "nothing falls",
    "motors_cut": "nothing falls",
    "motor_weak": "nothing falls",
    "autopilot_reboot": "nothing falls",
    "parachute_jam": "nothing falls",
    "battery_cell_loss": "nothing falls",
    "load_lost": "nothing falls",
    "winch_runaway": "nothing falls",
    "gps_spoof": "no zone entered",
    "gps_glitch": "no zone entered",
    "gps_loss": "no zone entered",
    "gps_noise": "no zone entered",
    "ekf_failure": "no zone entered",
    "imu_fault": "no zone entered",
    "compass_error": "no zone entered",
    "barometer_jump": "no zone entered",
    "barometer_drift": "no zone entered",
    "telemetry_frozen": "no zone entered",
    "link_forged": "belief is true",
    "link_replayed": "belief is true",
}
"""Fault → the invariant that physics (or an attacker on an unsigned link) may break. All others must hold."""

console = Console()


def scenario_of(fault: str, phase: str) -> dict[str, Any]:
    """One fault in one phase of an ordinary delivery, as a scenario document."""
    document: dict[str, Any] = {
        "name": f"{fault.replace('_', '-')}-while-{phase}",
        "why": f"Campaign: {fault} while {phase}.",
        "why_zh": f"遍历测试：{phase} 阶段发生 {fault}。",
        "world": {"drones": ["bao-01"]},
        "weather": {"from_deg": 60, "speed_m_s": 4, "turbulence_m_s": 0.3},
        "orders": [
            {"patient": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}}
        ],
        "faults": [{"fault": fault, "when": {"phase": phase, "after_s": 0.5}}],
        "expect": [{"outcome": "accepted"}],
    }
    if fault in PHYSICALLY_FATAL:
        document["waive"] = [
            {"invariant": PHYSICALLY_FATAL[fault], "because": "no controller can prevent it with this fault"}
        ]
    return document


def shrunk(document: dict[str, Any], seed: int, site_file: Path, invariant: str) -> dict[str, Any]:
    """The document without everything that can go while ``invariant`` stays broken with ``seed``."""
    best = document
    for change in _smaller(document):
        candidate = change(best)
        if candidate is None:
            continue
        run = run_scenario(Scenario.model_validate(candidate), seed=seed, site_file=site_file)
        if any(verdict.name == invariant and not verdict.ok for verdict in run.verdicts):
            best = candidate
    return best


def _smaller(document: dict[str, Any]) -> Iterator[Any]:
    def without(key: str) -> Any:
        return lambda doc: {k: v for k, v in doc.items() if k != key} if key in doc else None

    def fault(number: int) -> Any:
        def drop(doc: dict[str, Any]) -> dict[str, Any] | None:
            rest = [line for i, line in enumerate(doc.get("faults", ())) if i != number]
            return {**doc, "faults": rest} if len(rest) < len(doc.get("faults", ())) else None

        return drop

    def at_once(doc: dict[str, Any]) -> dict[str, Any] | None:
        lines = [
            {**line, "when": {k: v for k, v in line["when"].items() if k != "after_s"}}
            for line in doc.get("faults", ())
        ]
        return {**doc, "faults": lines} if lines != doc.get("faults") else None

    yield without("weather")
    for number in reversed(range(len(document.get("faults", ())))):
        yield fault(number)
    yield at_once


def _one(document: dict[str, Any], seed: int, site_file: Path) -> Run:
    return run_scenario(Scenario.model_validate(document), seed=seed, site_file=site_file)


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Seeds for every fault in every phase.")] = 25,
    jobs: Annotated[int, typer.Option(min=1, max=64)] = 2,
    faults: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    phases: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    out: Annotated[Path, typer.Option(help="Where the reproducing scenario goes.")] = Path(
        "campaign-failure.yaml"
    ),
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Do not stop at the first failure.")
    ] = False,
) -> None:
    """Exit code 0: every invariant held everywhere."""
    site_file = SITES / "baoan.json"
    chosen = faults.split(",") if faults else sorted(all_faults())
    in_phases = phases.split(",") if phases else list(PHASES)
    asked = [
        (scenario_of(fault, phase), seed, site_file)
        for fault in chosen
        for phase in in_phases
        for seed in range(1, seeds + 1)
    ]
    table: dict[tuple[str, str], list[bool]] = {}
    context = multiprocessing.get_context("spawn")
    failures = 0
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for (document, seed, _), run in zip(asked, pool.map(_one, *zip(*asked, strict=True)), strict=True):
            line = document["faults"][0]
            # A fault that keeps a phase from coming cannot happen in it: nothing was tested, nothing failed.
            broken = [v for v in run.verdicts if not v.ok and v.name != "every fault happened"]
            table.setdefault((line["fault"], line["when"]["phase"]), []).append(not broken and not run.error)
            if broken or run.error:
                failures += 1
                console.print(f"[red]{run.scenario} seed {seed}[/red]: {why(run)}")
                if not keep_going:
                    pool.shutdown(cancel_futures=True)
                    name = broken[0].name if broken else ""
                    small = shrunk(document, seed, site_file, name) if broken else document
                    out.write_text(
                        yaml.safe_dump(small, allow_unicode=True, sort_keys=False), encoding="utf-8"
                    )
                    console.print(f"reproduce: drone-aed sim run {out} --first-seed {seed}")
                    break
    _print(table, in_phases)
    if failures:
        sys.exit(1)


def _print(table: dict[tuple[str, str], list[bool]], phases: list[str]) -> None:
    shown = Table("fault", *phases)
    for fault in dict.fromkeys(fault for fault, _ in table):
        cells = []
        for phase in phases:
            results = table.get((fault, phase), [])
            passed = sum(results)
            cells.append(
                "" if not results else f"{passed}/{len(results)}" if passed < len(results) else str(passed)
            )
        shown.add_row(fault, *cells)
    console.print(shown)


if __name__ == "__main__":
    typer.run(main)
