"""The journal survives what a kill -9 leaves behind, and guesses nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import InternalError
from flight.journal import Journal
from flight.messages import (
    AbortFlight,
    AedReleased,
    CommandAccepted,
    ConfirmAedLoaded,
    FlightEnded,
    FlyMission,
    PhaseChanged,
    SafetyActionTaken,
    WindReported,
    ZoneActivated,
)
from flight.model.faults import Fault, SafetyAction
from flight.model.phases import AedState, Phase, SafeState, State
from tests.unit.flight.plans import plan
from tests.unit.planner.helpers import box_zone

AT = datetime(2026, 5, 1, 8, tzinfo=UTC)


def fly(command_id: str = "cmd_1", flight_id: str = "flt_1") -> FlyMission:
    return FlyMission(
        command_id=command_id, drone_id="d1", flight_id=flight_id, order_id=None, plan=plan(), issued_at=AT
    )


def accepted(command_id: str, kind: str = "fly_mission", flight_id: str | None = "flt_1") -> CommandAccepted:
    return CommandAccepted(
        event_id=f"evt_{command_id}",
        drone_id="d1",
        flight_id=flight_id,
        at=AT,
        command_id=command_id,
        command_kind=kind,
    )


def phase(to: Phase, number: int) -> PhaseChanged:
    return PhaseChanged(
        event_id=f"evt_p{number}",
        drone_id="d1",
        flight_id="flt_1",
        at=AT + timedelta(seconds=number),
        phase=to,
        previous=Phase.STANDBY,
        reason="test",
    )


def ended(aed: AedState) -> FlightEnded:
    return FlightEnded(
        event_id="evt_end",
        drone_id="d1",
        flight_id="flt_1",
        at=AT,
        safe_state=SafeState.ON_PAD,
        reason="test",
        aed=aed,
        position=None,
    )


def released() -> AedReleased:
    return AedReleased(
        event_id="evt_r",
        drone_id="d1",
        flight_id="flt_1",
        at=AT,
        position=plan().delivery.position,
        evidence=(),
    )


def test_a_flight_under_way_is_remembered_with_its_state(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    state = State(Phase.HOVERING, AT, aed=AedState.ON_BOARD, held=Phase.OUTBOUND)
    journal.write(messages=(fly(), accepted("cmd_1"), phase(Phase.HOVERING, 5)), state=state)
    journal.close()
    with Journal(tmp_path / "j.jsonl") as again:
        memory = again.remember()
    assert memory.under_way
    assert memory.flight == fly()
    assert memory.state == state
    assert memory.hovering_since == AT + timedelta(seconds=5)
    assert memory.answers["cmd_1"] == accepted("cmd_1")


def test_a_hover_is_counted_from_its_beginning_whatever_is_said_in_it(tmp_path: Path) -> None:
    """A fault told over the patient, or an earlier restart there, gives the drone no more time than its loiter has."""
    told = SafetyActionTaken(
        event_id="evt_f", drone_id="d1", flight_id="flt_1", at=AT + timedelta(seconds=9), fault=Fault.LINK_STALE,
        action=SafetyAction.WARN, phase=Phase.HOVERING, detail="",
    )  # fmt: skip
    with Journal(tmp_path / "a.jsonl") as journal:
        journal.write(messages=[fly(), accepted("cmd_1"), phase(Phase.HOVERING, 5), told])
        assert journal.remember().hovering_since == AT + timedelta(seconds=5)
        journal.write(messages=[phase(Phase.HOLDING, 12), phase(Phase.OUTBOUND, 20)])
        assert journal.remember().hovering_since is None, "it loiters anew"
        journal.write(messages=[phase(Phase.HOVERING, 30), replace(told, event_id="evt_g")])
        assert journal.remember().hovering_since == AT + timedelta(seconds=30)


def test_a_torn_last_line_is_cut_off_and_writing_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    journal = Journal(path)
    journal.write(messages=(fly(), accepted("cmd_1")), state=State(Phase.PREPARING, AT))
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"message": {"kind": "phase_cha')
    again = Journal(path)
    assert again.remember().under_way
    again.write(
        messages=(ended(AedState.ON_BOARD),), state=State(Phase.ENDED, AT, safe_state=SafeState.ON_PAD)
    )
    again.close()
    with Journal(path) as last:
        memory = last.remember()
    assert not memory.under_way
    assert memory.closed_flights == {"flt_1"}


def test_a_line_that_is_not_ours_stops_everything(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"message": {"kind": "nonsense"}}\n')
    with Journal(path) as journal, pytest.raises(InternalError) as caught:
        journal.remember()
    assert caught.value.code == 5001
    assert "line 1" in caught.value.detail


def test_whether_the_hook_is_empty_is_remembered(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.jsonl") as journal:
        follow_the_hook(journal)


def follow_the_hook(journal: Journal) -> None:
    assert not journal.remember().aed_missing
    released = AedReleased(
        event_id="evt_r",
        drone_id="d1",
        flight_id="flt_1",
        at=AT,
        position=plan().delivery.position,
        evidence=(),
    )
    journal.write(messages=(fly(), accepted("cmd_1"), released, ended(AedState.RELEASED)))
    assert journal.remember().aed_missing
    load = ConfirmAedLoaded(command_id="cmd_2", drone_id="d1", issued_at=AT, confirmed_by="somebody")
    journal.write(messages=(load, accepted("cmd_2", load.kind, None)))
    assert not journal.remember().aed_missing
    journal.write(
        messages=(fly("cmd_3", "flt_3"), accepted("cmd_3", flight_id="flt_3"), ended(AedState.UNKNOWN))
    )
    assert journal.remember().aed_missing, "unknown is not on board"


def test_an_unanswered_command_is_told_apart(tmp_path: Path) -> None:
    abort = AbortFlight(command_id="cmd_9", drone_id="d1", flight_id="flt_1", issued_at=AT, reason="x")
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.write(messages=(fly(), accepted("cmd_1"), abort))
        memory = journal.remember()
    assert memory.unanswered == [abort]
    assert [event.event_id for event in memory.recent] == ["evt_cmd_1"]


def test_a_rotated_journal_remembers_the_same(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    journal = Journal(path)
    for number in range(30):
        flight = f"flt_{number}"
        journal.write(
            messages=(
                fly(f"cmd_{number}", flight),
                accepted(f"cmd_{number}", flight_id=flight),
                replace(ended(AedState.RELEASED), flight_id=flight, event_id=f"evt_end_{number}"),
            ),
            state=State(Phase.ENDED, AT, safe_state=SafeState.ON_PAD),
        )
    zone = box_zone("z", 0.0, 0.0, 10.0, 10.0)
    closed = ZoneActivated(command_id="cmd_z", drone_id="d1", issued_at=AT, zone=zone, airspace_version="2")
    journal.write(messages=(closed, accepted("cmd_z", "zone_activated", None)))
    for number in range(50):
        wind = WindReported(
            command_id=f"cmd_w{number}",
            drone_id="d1",
            issued_at=AT,
            from_deg=0.0,
            speed_m_s=float(number),
            measured_at=AT,
        )
        journal.write(messages=(wind, accepted(wind.command_id, wind.kind, None)))
    before = journal.remember()
    size = path.stat().st_size
    kept = journal.rotate(before)
    assert kept.stat().st_size == size, "the old lines stay"
    assert path.stat().st_size < size / 5
    after = journal.remember()
    for field in ("flight", "plan", "state", "closed_flights", "zones", "wind", "aed_missing", "under_way"):
        assert getattr(after, field) == getattr(before, field), field
    assert after.flight_events == before.flight_events
    assert after.answers["cmd_29"] == before.answers["cmd_29"]
    assert len(after.answers) < len(before.answers), "fifty wind reports are one"
    journal.write(messages=(accepted("cmd_last"),))
    journal.close()
    with Journal(path) as again:
        assert "cmd_last" in again.remember().answers
    assert not path.with_name("j.jsonl.new").exists()


def test_a_lock_outlives_a_rotation(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    journal.write(messages=(fly(), accepted("cmd_1")))
    journal.rotate(journal.remember())
    with pytest.raises(InternalError):
        Journal(tmp_path / "j.jsonl")
    journal.close()


def test_what_was_written_together_is_remembered_whole_or_not_at_all(tmp_path: Path) -> None:
    """The kernel may take a part of a long write from a process that is being killed: the journal is cut anywhere."""
    writes = (
        ((fly(), accepted("cmd_1"), phase(Phase.PREPARING, 1)), State(Phase.PREPARING, AT)),
        ((released(), phase(Phase.RETRACTING, 2)), State(Phase.RETRACTING, AT, aed=AedState.RELEASED)),
        ((ended(AedState.RELEASED),), State(Phase.ENDED, AT, safe_state=SafeState.ON_PAD)),
    )
    path, ends, whole = tmp_path / "j.jsonl", [0], []
    with Journal(path) as journal:
        whole.append(journal.remember())
        for messages, state in writes:
            journal.write(messages=messages, state=state)
            ends.append(path.stat().st_size)
            whole.append(journal.remember())
    data = path.read_bytes()
    near = {end + step for end in ends for step in (-1, 0, 1)}
    for cut in sorted({*range(0, len(data), 61), *near} & set(range(len(data) + 1))):
        path.write_bytes(data[:cut])
        with Journal(path) as journal:
            written = sum(1 for end in ends[1:] if end <= cut)
            assert journal.remember() == whole[written], (cut, ends)
