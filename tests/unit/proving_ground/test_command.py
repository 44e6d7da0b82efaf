"""What ``drone-aed sim run`` refuses before it plays anything, and what it keeps of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geofences.site_airspace import load_demo_airspace
from proving_ground import cli
from proving_ground.judge import INVARIANTS, _comparisons
from proving_ground.loader import LIBRARY
from proving_ground.result import OrderSeen, Run, Verdict
from proving_ground.schema import Expectation
from proving_ground.tracks import TrackPoint

PLAIN = LIBRARY / "plain-delivery.yaml"


def refused(*arguments: str) -> str:
    done = CliRunner().invoke(cli.app, ["run", *arguments])
    assert done.exit_code == 2, done.output
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.fixture(autouse=True)
def _nothing_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(*_: object, **__: object) -> Run:
        raise AssertionError("it was played")

    monkeypatch.setattr(cli, "run_scenario", play)


def test_a_report_that_can_be_written_nowhere_is_refused_first(tmp_path: Path) -> None:
    for option in ("--html", "--junit"):
        assert "no such folder" in refused(str(PLAIN), option, str(tmp_path / "nowhere" / "report"))
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert "no folder" in refused(str(PLAIN), "--logs", str(file))


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_text(PLAIN.read_text(encoding="utf-8"), encoding="utf-8")
    assert "'plain-delivery' is taken by" in refused(str(PLAIN), str(copy))


def a_run(*, holds: bool = True, seed: int = 1, altitude_amsl_m: float = 60.0) -> Run:
    point = TrackPoint(1.0, 22.56, 113.89, altitude_amsl_m, 5.0, 0.9, True)
    return Run(
        scenario="a", seed=seed, file="", orders=(), faults=(), phases=(), tracks={"bao-01": (point,)}, testimonies={},
        log=b"x", virtual_s=1.0, real_s=1.0, verdicts=(Verdict("v", holds, ""),), ceilings_amsl_m={"bao-01": 70.0},
    )  # fmt: skip


def test_only_what_is_drawn_keeps_its_tracks() -> None:
    failed, first, second = a_run(holds=False), a_run(seed=2), a_run(seed=3)
    kept: list[Run] = []
    for run in (failed, first, second, failed):
        kept.append(cli._kept(run, kept))
    assert [bool(run.tracks) for run in kept] == [True, True, False, True]
    assert kept[2].passed


@pytest.mark.parametrize(("altitude_amsl_m", "broken"), [(70.0, 0), (79.0, 0), (81.0, 1)])
def test_a_flight_above_its_plans_is_found(altitude_amsl_m: float, broken: int) -> None:
    check = INVARIANTS["no higher than planned"]
    run = a_run(altitude_amsl_m=altitude_amsl_m)
    assert len(list(check(run, load_demo_airspace(), datetime(2026, 3, 1, tzinfo=UTC)))) == broken


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ({"answers": (503, 201)}, True),
        ({"answers": (201,)}, False),
        ({"fault": "intruder"}, True),
        ({"fault": "deviation"}, False),
    ],
)
def test_what_the_centre_heard_and_what_was_told_are_compared(asked: dict[str, object], holds: bool) -> None:
    order = OrderSeen("call-1", 0.0, (503, 201), {}, {}, ("safety_action_taken",), ("intruder",))
    assert [found[3] for found in _comparisons(Expectation.model_validate(asked), order)] == [holds]
