"""The test engineers' command line: run scenarios with many seeds, write reports, list faults."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.errors import LinkError
from proving_ground.against import Unplayable, sorted_out, who_flies
from proving_ground.fault_names import all_faults
from proving_ground.launch import launch
from proving_ground.loader import Loaded, ScenarioFileError, library, load_scenario
from proving_ground.real_play import Against, run_against
from proving_ground.report.html import write_html
from proving_ground.report.junit import write_junit
from proving_ground.result import Run
from proving_ground.workers import play_each
from sitl.autopilot import Personality
from sitl.launchers import LaunchError

app = typer.Typer(
    help="Play scenario files in virtual time · 在虚拟时间中运行场景",
    no_args_is_help=True,
    add_completion=False,
)
app.command()(launch)
console = Console()
Player = Callable[[list[tuple[Loaded, int]], int], Iterator[Run]]
"""Plays (file, seed) pairs, so many at a time."""
_errors = Console(stderr=True, soft_wrap=True)

Files = Annotated[
    list[Path] | None, typer.Argument(help="Scenario files; none: the shipped library.", show_default=False)
]


@app.command()
def run(
    files: Files = None,
    seeds: Annotated[int, typer.Option(min=1, max=100_000, help="How many seeds for each file.")] = 1,
    first_seed: Annotated[int, typer.Option(min=0, help="The first seed; to see one run again.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes at a time.")] = 1,
    html: Annotated[Path | None, typer.Option(help="Write one HTML report.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML.")] = None,
    logs: Annotated[
        Path | None, typer.Option(help="Keep every run's event log in this folder, a JSON line an event.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop at the first run that fails.")] = False,
    against: Annotated[
        Personality | None,
        typer.Option(help="Fly real autopilots instead of simulated ones, in (a multiple of) real time."),
    ] = None,
    binary: Annotated[
        Path | None,
        typer.Option(help="With --against: its program; default DRONE_AED_ARDUCOPTER or DRONE_AED_PX4."),
    ] = None,
    link: Annotated[
        list[str] | None,
        typer.Option(help="With --against: a running one, e.g. tcp:127.0.0.1:5760; one for each drone."),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(min=0.1, max=50, help="With --against: its speed-up; default 5, with --link 1."),
    ] = None,
    skip_unplayable: Annotated[
        bool,
        typer.Option("--skip-unplayable", help="With --against: list what can't be flown and fly the rest."),
    ] = False,
) -> None:
    """Play scenarios. Exit code 0: all passed; 1: one failed; 2: a file is no scenario, or none can be flown.

    Ctrl-C ends it with 130; what was played until then is reported.
    """
    loaded = _load(files or library())
    # Said before anything is played, not after an hour of it.
    for report in (html, junit):
        if report is not None and (reason := _why_not_written(report)):
            _refuse(f"{report}: {reason}")
    if logs is not None:
        try:
            logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _refuse(f"{logs}: is no folder that could be written to ({error.strerror})")
    play: Player = play_each
    unplayable: list[Unplayable] = []
    if against is not None:
        try:
            # Of the shipped library a part is about faults that no real autopilot can be given.
            loaded, unplayable = sorted_out(
                loaded,
                chosen := who_flies(against, binary, tuple(link or ()), speed),
                skip=skip_unplayable or not files,
            )
        except (LaunchError, LinkError) as error:
            _refuse(str(error))
        if jobs != 1:
            _refuse("real autopilots are flown one run after another: leave --jobs at 1")
        play = partial(_fly, chosen)
    elif binary is not None or link or speed is not None or skip_unplayable:
        _refuse("--binary, --link, --speed and --skip-unplayable are for --against ardupilot or px4")
    asked = [(item, seed) for item in loaded for seed in range(first_seed, first_seed + seeds)]
    runs: list[Run] = []
    interrupted = False
    with _progress() as progress:
        task = progress.add_task("playing", total=len(asked))
        for result in _until_interrupted(play(asked, jobs)):
            if result is None:
                interrupted = True
                break
            if logs is not None:
                (logs / f"{result.scenario}-{result.seed}.jsonl").write_bytes(result.log)
            runs.append(_kept(result, runs))
            progress.advance(task)
            if not result.passed:
                progress.console.print(
                    f"[red]failed[/red] {result.scenario} seed {result.seed}: {why(result)}"
                )
                if stop:
                    break
    _print(loaded, runs, unplayable)
    try:
        if html is not None:
            write_html(html, loaded, runs, unplayable)
            console.print(f"report: {html}")
        if junit is not None:
            write_junit(junit, runs, unplayable)
    except OSError as error:
        _refuse(f"{error.filename or 'a report'}: can't be written: {error.strerror}")
    if interrupted:
        _errors.print(f"interrupted after {len(runs)} of {len(asked)} runs")
        raise typer.Exit(130)
    if any(not result.passed for result in runs):
        raise typer.Exit(1)


@app.command()
def check(files: Files = None) -> None:
    """Read scenario files without playing them. Exit code 2 at the first mistake."""
    loaded = _load(files or library())
    console.print(f"{len(loaded)} scenarios are well formed")


@app.command()
def faults() -> None:
    """List every fault that a scenario may name."""
    table = Table("fault", "what happens")
    for name, explanation in sorted(all_faults().items()):
        table.add_row(name, explanation)
    console.print(table)


def _kept(result: Run, before: list[Run]) -> Run:
    """What the reports need: of a scenario's passed runs only the first is drawn, so only its tracks are kept."""
    drawn = any(run.scenario == result.scenario and run.passed for run in before)
    return (
        replace(result, tracks={}, testimonies={}, phases=(), zones=(), log=b"")
        if result.passed and drawn
        else result
    )


def why(result: Run) -> str:
    """The first thing that is wrong with a run, in a line."""
    if result.error:
        return result.error.strip().splitlines()[-1]
    return "; ".join(f"{v.name}: {v.detail}" for v in result.verdicts if not v.ok)


def _why_not_written(report: Path) -> str:
    """Why a file can't be written there; empty if it can."""
    if report.is_dir():
        return "is a folder"
    if not report.absolute().parent.is_dir():
        return "there is no such folder to write to"
    if not os.access(report if report.exists() else report.absolute().parent, os.W_OK):
        return "must not be written"
    return ""


def _until_interrupted(played: Iterator[Run]) -> Iterator[Run | None]:
    """The runs; None where Ctrl-C came, and nothing after it."""
    try:
        yield from played
    except KeyboardInterrupt:
        yield None


def _refuse(text: str) -> NoReturn:
    _errors.print(text, markup=False, highlight=False)
    raise typer.Exit(2)


def _fly(against: Against, asked: list[tuple[Loaded, int]], jobs: int) -> Iterator[Run]:
    # Whoever ends us ends the autopilots in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for item, seed in asked:
        try:
            yield run_against(
                item.scenario, seed=seed, site_file=item.site_file, file=item.file.name, against=against
            )
        except LaunchError as error:
            _refuse(str(error))


def _load(files: list[Path]) -> list[Loaded]:
    try:
        loaded = [load_scenario(file) for file in files]
    except ScenarioFileError as error:
        _errors.print(str(error), markup=False, highlight=False)
        raise typer.Exit(2) from error
    first: dict[str, Loaded] = {}
    for item in loaded:
        other = first.setdefault(item.scenario.name, item)
        if other is not item:
            _refuse(f"{item.file}: the name {item.scenario.name!r} is taken by {other.file}")
    return loaded


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _print(loaded: list[Loaded], runs: list[Run], unplayable: Sequence[Unplayable]) -> None:
    table = Table("scenario", "passed", "virtual s", "real s", "first failure")
    for item in loaded:
        own = [result for result in runs if result.scenario == item.scenario.name]
        failed = next((result for result in own if not result.passed), None)
        table.add_row(
            item.scenario.name,
            f"{sum(result.passed for result in own)}/{len(own)}",
            f"{sum(result.virtual_s for result in own):.0f}",
            f"{sum(result.real_s for result in own):.1f}",
            f"seed {failed.seed}: {why(failed)}" if failed else "",
        )
    console.print(table)
    for left_out in unplayable:
        console.print(
            f"not playable: {left_out.item.scenario.name}: {left_out.reason}", markup=False, highlight=False
        )
    for note in dict.fromkeys(note for result in runs for note in result.notes):
        console.print(f"- {note}", markup=False, highlight=False)


def main() -> None:
    """Entry point."""
    app(prog_name="drone-aed sim")
