"""A hub that starts while flights are in the air counts on where the one before it stopped."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub_api.kept_count import Machine, this_machine, time_at_start

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def machine(*, ran_s: float = 0.0, ahead_s: float = 0.0, boot: str = "first") -> Machine:
    """One that was switched on at noon less 100 s, and whose time of day somebody set by ``ahead_s``."""
    return Machine(
        now=lambda: NOON + timedelta(seconds=ran_s + ahead_s), steady_s=lambda: 100.0 + ran_s, boot=boot
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What a hub left that started at noon."""
    file = tmp_path / "clock.json"
    assert time_at_start(file, machine(), busy=False) == NOON
    return file


@pytest.mark.parametrize("ahead_s", [300.0, -300.0])
def test_with_something_open_it_goes_on_and_says_so(
    file: Path, ahead_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    set_anew = machine(ran_s=60.0, ahead_s=ahead_s)
    with caplog.at_level(logging.WARNING):
        assert time_at_start(file, set_anew, busy=True) == NOON + timedelta(seconds=60)
    assert f"set by {ahead_s:+.0f} s" in caplog.text
    # And again: it is still the count of the first one.
    later = machine(ran_s=90.0, ahead_s=ahead_s)
    assert time_at_start(file, later, busy=True) == NOON + timedelta(seconds=90)
    # With nothing open it takes the machine's, and from then on that one is kept.
    assert time_at_start(file, later, busy=False) == later.now()
    assert time_at_start(file, machine(ran_s=95.0), busy=True) == later.now() + timedelta(seconds=5)


def test_a_clock_that_nobody_set_is_not_talked_about(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert time_at_start(file, machine(ran_s=60.0, ahead_s=1.0), busy=True) == NOON + timedelta(
            seconds=60
        )
    assert not caplog.records


def test_after_a_boot_nobody_can_know(file: Path) -> None:
    for other in (
        machine(ran_s=60.0, ahead_s=7.0, boot="second"),
        replace(machine(ran_s=60.0, ahead_s=7.0), boot=""),
        machine(ran_s=-50.0, ahead_s=7.0),
    ):
        left = file.read_bytes()
        assert time_at_start(file, other, busy=True) == other.now()
        file.write_bytes(left)


@pytest.mark.parametrize(
    "left", ["", "[]", "{}", '{"boot": "first", "steady_s": 1, "time_of_day": "noon"}',
             '{"boot": "first", "steady_s": 1, "time_of_day": "2026-03-01T12:00:00"}']
)  # fmt: skip
def test_what_is_no_count_is_none(tmp_path: Path, left: str) -> None:
    file = tmp_path / "clock.json"
    file.write_text(left, encoding="utf-8")
    assert time_at_start(file, machine(ran_s=60.0), busy=True) == NOON + timedelta(seconds=60)
    assert json.loads(file.read_text(encoding="utf-8"))["boot"] == "first"


def test_the_machine_that_we_run_on_is_one() -> None:
    here = this_machine()
    assert here.now().tzinfo is not None
    assert here.steady_s() <= here.steady_s()
    assert here.boot == this_machine().boot
