"""What ``drone-aed sim run`` refuses before it plays anything, and what it keeps of a run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from geofences.site_airspace import load_demo_airspace
from proving_ground import cli, workers
from proving_ground.judge import INVARIANTS, _comparisons
from proving_ground.loader import LIBRARY, Loaded, load_scenario
from proving_ground.report.junit import write_junit
from proving_ground.result import OrderSeen, Run, Verdict
from proving_ground.schema import Expectation, Scenario
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

    monkeypatch.setattr(workers, "run_scenario", play)


def test_a_report_that_can_be_written_nowhere_is_refused_first(tmp_path: Path) -> None:
    for option in ("--html", "--junit"):
        assert "no such folder" in refused(str(PLAIN), option, str(tmp_path / "nowhere" / "report"))
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert "no folder" in refused(str(PLAIN), "--logs", str(file))
    assert "is a folder" in refused(str(PLAIN), "--html", str(tmp_path))


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
    assert len(list(check(run, ((0.0, load_demo_airspace()),), datetime(2026, 3, 1, tzinfo=UTC)))) == broken


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


@pytest.mark.parametrize(("minute", "holds"), [(1, True), (2, False), (-5, False)])
def test_nothing_is_delivered_before_it_was_ordered(minute: int, holds: bool) -> None:
    """A hub whose clock was set back would say so, and every limit would be kept."""
    ordered = datetime(2026, 3, 1, 4, tzinfo=UTC)
    delivered = ordered + timedelta(minutes=minute)
    final = {"received_at": ordered.isoformat(), "aed_on_ground_at": delivered.isoformat()}
    order = OrderSeen("call-1", 0.0, (201,), {}, final, (), ())
    asked = Expectation.model_validate({"delivered_within_s": 90})
    assert [found[3] for found in _comparisons(asked, order)] == [holds]


def test_ctrl_c_reports_what_was_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def play(scenario: Scenario, *, seed: int, **_: object) -> Run:
        if seed == 3:
            raise KeyboardInterrupt
        return replace(a_run(seed=seed), scenario=scenario.name)

    monkeypatch.setattr(workers, "run_scenario", play)
    report = tmp_path / "r.xml"
    done = CliRunner().invoke(cli.app, ["run", str(PLAIN), "--seeds", "5", "--junit", str(report)])
    assert done.exit_code == 130, done.output
    assert "interrupted after 2 of 5 runs" in done.stderr
    assert [case.attrib["name"] for case in ElementTree.parse(report).iter("testcase")] == [
        "seed 1",
        "seed 2",
    ]


def test_a_disk_that_fills_up_while_reporting_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "run_scenario", lambda *_, **__: replace(a_run(), scenario="plain-delivery"))
    assert "can't be written: No space left" in refused(str(PLAIN), "--junit", "/dev/full")


def test_a_junit_file_is_xml_whatever_was_logged(tmp_path: Path) -> None:
    failed = replace(
        a_run(holds=False), logged=("\x1b[31mred\x00 \ud800",), verdicts=tuple(Verdict(n, False, "no") for n in "vw")
    )  # fmt: skip
    broken = replace(a_run(holds=False, seed=2), error="Traceback\x07")
    write_junit(tmp_path / "r.xml", [failed, broken])
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()[0]
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["errors"]) == ("2", "1", "1")
    first, second = suite.findall("testcase")
    (failure,) = first.findall("failure")
    assert failure.text == "v: no\nw: no"
    assert first.find("system-err").text == "\ufffd[31mred\ufffd \ufffd"  # type: ignore[union-attr]
    assert [child.tag for child in second] == ["error"]


def test_a_process_that_dies_costs_its_run_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds 2 and 7 end the process that plays them, as the kernel does when memory is short."""

    class Dying:
        """A pool of processes as its callers see it: what it holds is lost with the first that dies."""

        def __init__(self, jobs: int) -> None:
            self.dead = False

        def __enter__(self) -> Dying:
            return self

        def __exit__(self, *_: object) -> None: ...

        def shutdown(self, **_: object) -> None: ...

        def submit(self, play: Callable[[Loaded, int], Run], item: Loaded, seed: int) -> Future[Run]:
            future: Future[Run] = Future()
            self.dead = self.dead or seed in (2, 7)
            if self.dead:
                future.set_exception(BrokenProcessPool())
            else:
                future.set_result(play(item, seed))
            return future

    monkeypatch.setattr(workers, "_pool", Dying)
    monkeypatch.setattr(workers, "run_scenario", lambda *_, seed, **__: a_run(seed=seed))
    item, seeds = load_scenario(PLAIN), range(1, 9)
    runs = list(workers.play_each([(item, seed) for seed in seeds], 2))
    assert [run.seed for run in runs] == list(seeds)
    assert [run.seed for run in runs if run.error] == [2, 7]
    assert {run.error for run in runs} == {"", "the process that played it died"}
