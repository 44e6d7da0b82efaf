"""Scenario files are tests wherever the package is installed: `pytest FILE.scenario.yaml --scenario-seeds N`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DECLINED = """
name: too-far-away
why: An order that nobody can reach must be declined at once.
why_zh: 无法到达的订单应立即拒绝。
world: {drones: [bao-01]}
orders:
  - patient: {reference_system: WGS-84, latitude_deg: 23.2, longitude_deg: 114.4}
expect:
  - {outcome: OUTCOME}
"""
FIXTURE = """
from pathlib import Path

def test_a_file(play_scenario):
    run = play_scenario(Path("hoped.scenario.yaml"), seed=7)
    assert run.seed == 7
    assert run.orders[0].first_answer["decision"]["outcome"] == "declined"
"""


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error::pytest.PytestWarning", "-m", "pytest", "-q", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.processes
def test_a_scenario_file_is_a_test_for_each_seed(tmp_path: Path) -> None:
    (tmp_path / "hoped.scenario.yaml").write_text(DECLINED.replace("OUTCOME", "accepted"), encoding="utf-8")
    (tmp_path / "test_own.py").write_text(FIXTURE, encoding="utf-8")
    done = pytest_in(tmp_path, "--scenario-seeds", "2")
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"2 failed, 1 passed", done.stdout), done.stdout
    assert "call-1: is decided accepted: found declined" in done.stdout
    assert "too-far-away seed 2" in done.stdout


@pytest.mark.processes
def test_a_file_that_is_no_scenario_fails_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.scenario.yaml").write_text("name: bad\nwings: 2\n", encoding="utf-8")
    done = pytest_in(tmp_path)
    assert done.returncode == 2
    assert "bad.scenario.yaml:" in done.stdout
    assert "Traceback" not in done.stdout
