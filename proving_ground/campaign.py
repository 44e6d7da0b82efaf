"""``python -m proving_ground.campaign``: every fault in every phase, many seeds, one table.

Stops at the first broken invariant, with the seed and a scenario file that is as small as it could be made and still
breaks it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from proving_ground.branches import play_branches
from proving_ground.campaign_results import Played, Results
from proving_ground.cli import why
from proving_ground.fault_names import all_faults
from proving_ground.loader import SITES
from proving_ground.result import Run
from proving_ground.runner import run_scenario
from proving_ground.schema import Scenario
from proving_ground.workers import DIED, in_turn
from sitl.autopilot import Personality

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
    "authorisation_revoked": "no zone entered",
    "link_forged": "belief is true",
    "link_replayed": "belief is true",
}
"""Fault → the invariant that physics (or an attacker on an unsigned link) may break. All others must hold."""

OUTLASTING = ("link_forged", "link_replayed", "link_loss", "operator_hold", "pilot_takeover")
"""Faults whose flight may end only when the battery does: nobody can reach the drone, or believes that somebody else
flies it; an operator or a pilot who holds it never lets it go on."""
LASTING_S = {"database_down": 30.0, "disk_full": 30.0}
"""Faults that are over after a while: what is never stored again can't be seen to end."""
HAPPENED = "every fault happened"
console = Console()
_errors = Console(stderr=True, soft_wrap=True)


def scenario_of(fault: str, phase: str, autopilot: Personality = Personality.ARDUPILOT) -> dict[str, Any]:
    """One fault in one phase of an ordinary delivery, as a scenario document."""
    document: dict[str, Any] = {
        "name": f"{fault.replace('_', '-')}-while-{phase}",
        "why": f"Campaign: {fault} while {phase}.",
        "why_zh": f"遍历测试：{phase} 阶段发生 {fault}。",
        "world": {"drones": ["bao-01"], "autopilot": str(autopilot)},
        "weather": {"from_deg": 60, "speed_m_s": 4, "turbulence_m_s": 0.3},
        "orders": [
            {"patient": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}}
        ],
        "faults": [{"fault": fault, "when": {"phase": phase, "after_s": 0.5}}],
        "expect": [{"outcome": "accepted"}],
    }
    if fault in LASTING_S:
        document["faults"][0]["duration_s"] = LASTING_S[fault]
    if fault in OUTLASTING:
        document["world"]["latest_s"] = 5400
    if fault in PHYSICALLY_FATAL:
        document["waive"] = [
            {"invariant": PHYSICALLY_FATAL[fault], "because": "no controller can prevent it with this fault"}
        ]
    return document


def _write_reproduction(
    document: dict[str, Any], seed: int, site_file: Path, invariant: str, out: Path
) -> None:
    small = shrunk(document, seed, site_file, invariant) if invariant else document
    if small is None:
        console.print("played from its beginning it holds: the branch is not what it was forked from")
        return
    out.write_text(yaml.safe_dump(small, allow_unicode=True, sort_keys=False), encoding="utf-8")
    console.print(f"reproduce: drone-aed sim run {out} --first-seed {seed}")


def shrunk(document: dict[str, Any], seed: int, site_file: Path, invariant: str) -> dict[str, Any] | None:
    """The document without everything that can go while ``invariant`` stays broken with ``seed``; None: it holds."""

    def breaks(candidate: dict[str, Any]) -> bool:
        run = run_scenario(Scenario.model_validate(candidate), seed=seed, site_file=site_file)
        return any(verdict.name == invariant and not verdict.ok for verdict in run.verdicts)

    if not breaks(document):
        return None
    best = document
    for change in _smaller(document):
        candidate = change(best)
        if candidate is not None and breaks(candidate):
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


@dataclass(frozen=True, slots=True)
class _Told:
    """What the campaign wants of one run."""

    happened: bool
    virtual_s: float
    why: str = ""
    """Empty where it passed."""
    invariant: str = ""
    """The first that broke."""


def _told(run: Run) -> _Told:
    # A fault that keeps a phase from coming cannot happen in it: nothing was tested, nothing failed.
    broken = [v for v in run.verdicts if not v.ok and v.name != HAPPENED]
    return _Told(
        happened=all(v.holds for v in run.verdicts if v.name == HAPPENED),
        virtual_s=run.virtual_s,
        why=why(run) if broken or run.error else "",
        invariant=broken[0].name if broken else "",
    )


def _in_one_phase(documents: list[dict[str, Any]], seed: int, site_file: Path) -> list[_Told]:
    scenarios = [Scenario.model_validate(document) for document in documents]
    return play_branches(scenarios, seed=seed, site_file=site_file, result_of=_told)


def _died(documents: list[dict[str, Any]], seed: int, site_file: Path) -> list[_Told]:
    return [_Told(happened=False, virtual_s=0.0, why=DIED)] * len(documents)


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Seeds for every fault in every phase.")] = 25,
    jobs: Annotated[int, typer.Option(min=1, max=64)] = 2,
    faults: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    phases: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    out: Annotated[Path, typer.Option(help="Where the reproducing scenario goes.")] = Path(
        "campaign-failure.yaml"
    ),
    autopilot: Annotated[
        Personality, typer.Option(help="What the drones fly as; keep its results in a file of their own.")
    ] = Personality.ARDUPILOT,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Do not stop at the first failure.")
    ] = False,
    results: Annotated[
        Path | None, typer.Option(help="Keep what passed in this file, and do not play it again.")
    ] = None,
) -> None:
    """Exit code 0: every invariant held everywhere."""
    site_file = SITES / "baoan.json"
    chosen = faults.split(",") if faults else sorted(all_faults())
    in_phases = phases.split(",") if phases else list(PHASES)
    if unknown := [*(set(chosen) - set(all_faults())), *(set(in_phases) - set(PHASES))]:
        _errors.print(f"no such fault or phase: {', '.join(sorted(unknown))}", markup=False, highlight=False)
        sys.exit(2)
    kept = Results(results)
    # Seed by seed, so that a campaign that is stopped early has looked everywhere; the faults of one phase share a world.
    asked = [
        ([scenario_of(fault, phase, autopilot) for fault in left], seed, site_file)
        for seed in range(1, seeds + 1)
        for phase in in_phases
        if (left := [fault for fault in chosen if (fault, phase, seed) not in kept.played])
    ]
    failures = 0
    for document, seed, told in _played(asked, jobs):
        line = document["faults"][0]
        kept.add(
            Played(
                fault=line["fault"],
                phase=line["when"]["phase"],
                seed=seed,
                passed=not told.why,
                happened=told.happened,
                virtual_s=told.virtual_s,
                why=told.why,
            )
        )
        if told.why:
            failures += 1
            console.print(f"[red]{document['name']} seed {seed}[/red]: {told.why}")
            if not keep_going:
                _write_reproduction(document, seed, site_file, told.invariant, out)
                break
    _print(kept, chosen, in_phases)
    if failures:
        sys.exit(1)


def _played(
    asked: list[tuple[list[dict[str, Any]], int, Path]], jobs: int
) -> Iterator[tuple[dict[str, Any], int, _Told]]:
    answers = in_turn(_in_one_phase, asked, jobs, died=_died)
    for (documents, seed, _), told in zip(asked, answers, strict=True):
        for document, one in zip(documents, told, strict=True):
            yield document, seed, one


def _print(kept: Results, faults: list[str], phases: list[str]) -> None:
    shown = Table("fault", *phases)
    for fault in faults:
        cells = []
        for phase in phases:
            results = kept.of(fault, phase)
            passed, happened = sum(each.passed for each in results), sum(each.happened for each in results)
            cells.append(
                ""
                if not results
                else f"{passed}/{len(results)}"
                if passed < len(results)
                else f"{passed}"
                if happened
                else "–"
            )
        shown.add_row(fault, *cells)
    console.print(shown)
    everything = kept.played.values()
    console.print(
        f"{len(everything)} flights, {sum(each.virtual_s for each in everything) / 3600.0:.1f} virtual hours, "
        f"{sum(not each.passed for each in everything)} failed; «–»: this fault keeps that phase from coming"
    )


if __name__ == "__main__":
    typer.run(main)
