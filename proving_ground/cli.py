"""The test engineers' command line: run scenarios with many seeds, write reports, list faults."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from proving_ground.fault_names import all_faults
from proving_ground.launch import launch
from proving_ground.loader import Loaded, ScenarioFileError, library, load_scenario
from proving_ground.report.html import write_html
from proving_ground.report.junit import write_junit
from proving_ground.result import Run
from proving_ground.runner import run_scenario

app = typer.Typer(
    help="Play scenario files in virtual time · 在虚拟时间中运行场景",
    no_args_is_help=True,
    add_completion=False,
)
app.command()(launch)
console = Console()
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
    stop: Annotated[bool, typer.Option("--stop", help="Stop at the first run that fails.")] = False,
) -> None:
    """Play scenarios. Exit code 0: all passed; 1: one failed; 2: a file is no scenario."""
    loaded = _load(files or library())
    asked = [(item, seed) for item in loaded for seed in range(first_seed, first_seed + seeds)]
    runs: list[Run] = []
    with _progress() as progress:
        task = progress.add_task("playing", total=len(asked))
        for result in _play(asked, jobs):
            runs.append(result)
            progress.advance(task)
            if not result.passed:
                progress.console.print(
                    f"[red]failed[/red] {result.scenario} seed {result.seed}: {why(result)}"
                )
                if stop:
                    break
    _print(loaded, runs)
    if html is not None:
        write_html(html, loaded, runs)
        console.print(f"report: {html}")
    if junit is not None:
        write_junit(junit, runs)
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


def why(result: Run) -> str:
    """The first thing that is wrong with a run, in a line."""
    if result.error:
        return result.error.strip().splitlines()[-1]
    return "; ".join(f"{v.name}: {v.detail}" for v in result.verdicts if not v.ok)


def _load(files: list[Path]) -> list[Loaded]:
    try:
        return [load_scenario(file) for file in files]
    except ScenarioFileError as error:
        _errors.print(str(error), markup=False, highlight=False)
        raise typer.Exit(2) from error


def _play(asked: list[tuple[Loaded, int]], jobs: int) -> Iterator[Run]:
    if jobs == 1 or len(asked) == 1:
        for item, seed in asked:
            yield _one(item, seed)
        return
    # Spawned, not forked: a child must not inherit an event loop's or a database's state.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(asked)), mp_context=context) as pool:
        try:
            yield from pool.map(_one, [item for item, _ in asked], [seed for _, seed in asked])
        finally:
            pool.shutdown(cancel_futures=True)


def _one(item: Loaded, seed: int) -> Run:
    return run_scenario(item.scenario, seed=seed, site_file=item.site_file, file=item.file.name)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _print(loaded: list[Loaded], runs: list[Run]) -> None:
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


def main() -> None:
    """Entry point."""
    app(prog_name="drone-aed sim")
