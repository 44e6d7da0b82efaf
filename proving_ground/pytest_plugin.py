"""Scenarios in pytest: files named ``*.scenario.yaml`` are tests, and ``play_scenario`` is a fixture.

pytest my_city.scenario.yaml --scenario-seeds 25
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from proving_ground.result import Run


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--scenario-seeds``."""
    group = parser.getgroup("drone-aed")
    group.addoption("--scenario-seeds", type=int, default=1, help="seeds for each scenario file")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A scenario file is a collection of its seeds."""
    if file_path.name.endswith(".scenario.yaml"):
        collector: pytest.Collector = ScenarioFile.from_parent(parent, path=file_path)
        return collector
    return None


class ScenarioFile(pytest.File):
    """One scenario file."""

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each seed; a file that is no scenario fails the collection with its line."""
        from proving_ground.loader import ScenarioFileError, load_scenario

        try:
            loaded = load_scenario(self.path)
        except ScenarioFileError as error:
            raise self.CollectError(str(error)) from error
        for seed in range(1, 1 + self.config.getoption("--scenario-seeds")):
            yield ScenarioItem.from_parent(self, name=f"seed-{seed}", loaded=loaded, seed=seed)


class ScenarioItem(pytest.Item):
    """One seed of one scenario."""

    def __init__(self, *, loaded: Any, seed: int, **rest: Any) -> None:
        super().__init__(**rest)
        self._loaded, self._seed = loaded, seed

    def runtest(self) -> None:
        """Play and judge."""
        from proving_ground.runner import run_scenario

        run = run_scenario(
            self._loaded.scenario, seed=self._seed, site_file=self._loaded.site_file, file=self.path.name
        )
        if not run.passed:
            raise ScenarioFailed(run)

    def repr_failure(self, excinfo: Any, style: Any = None) -> str:
        """What does not hold, a line each."""
        if isinstance(excinfo.value, ScenarioFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """How the item is named."""
        return self.path, 0, f"{self._loaded.scenario.name} seed {self._seed}"


class ScenarioFailed(Exception):
    """A run that did not pass."""

    def __init__(self, run: Run) -> None:
        lines = [run.error] if run.error else []
        lines += [f"{verdict.name}: {verdict.detail}" for verdict in run.verdicts if not verdict.ok]
        super().__init__("\n".join(lines))


@pytest.fixture
def play_scenario() -> Callable[..., Run]:
    """``play_scenario(path, seed=1) -> Run``: play a file and look at everything that came of it."""
    from proving_ground.loader import load_scenario
    from proving_ground.runner import run_scenario

    def play(path: Path, *, seed: int = 1) -> Run:
        loaded = load_scenario(path)
        return run_scenario(loaded.scenario, seed=seed, site_file=loaded.site_file, file=path.name)

    return play
