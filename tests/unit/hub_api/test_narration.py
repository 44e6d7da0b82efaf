"""What happened, in words: Chinese sentences hold no English word of a machine."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from flight import messages as m
from flight.model.faults import Fault, SafetyAction
from flight.model.phases import Phase, SafeState
from flight.model.preflight import _METHODS_ZH
from hub_api.care.model import DOORS_ZH, DockReport, DoorState, Finding, Level, found_zh, judge_dock
from hub_api.dispatch.incident_states import (
    ESCALATION_ZH,
    FIELD_ZH,
    OUTCOME_ZH,
    SOURCE_ZH,
    Escalation,
    Outcome,
)
from hub_api.dispatch.narration import command_zh, narrate, phase_zh, safe_state_zh
from hub_api.features.incidents.requests import IncidentRequest, PatientState
from planner.flight_plan import DeliveryMethod
from planner.intents import INTENT_STATES_ZH, IntentState
from planner.site import PositionQuality
from planner.survey_notes import LANDING_POINT, PAD, in_chinese, not_surveyed

AT = datetime(2026, 11, 30, tzinfo=UTC)
HEAD = {"event_id": "evt_1", "drone_id": "bao-01", "flight_id": "flt_1", "at": AT}


def machine_words(sentence: str) -> list[str]:
    return re.findall(r"[A-Za-z_]{2,}", sentence.replace("AED", "").replace("bao-01", ""))


@pytest.mark.parametrize("phase", list(Phase))
def test_phases_are_named_in_chinese(phase: Phase):
    assert machine_words(phase_zh(phase)) == []


def test_ends_and_commands_are_named_in_chinese():
    kinds = ("hold_flight", "continue_flight", "return_home", "divert_flight", "abort_flight", "land_now")
    assert [machine_words(safe_state_zh(state)) for state in SafeState] == [[]] * len(SafeState)
    assert [machine_words(command_zh(kind)) for kind in kinds] == [[]] * len(kinds)


@pytest.mark.parametrize("fault", list(Fault))
def test_faults_and_what_is_done_about_them_are_named_in_chinese(fault: Fault):
    for action in SafetyAction:
        taken = m.SafetyActionTaken(**HEAD, fault=fault, phase=Phase.OUTBOUND, action=action, detail="why")
        english, chinese = narrate(taken)
        assert fault.value in english
        assert machine_words(chinese) == []
    assert machine_words(narrate(m.FaultCleared(**HEAD, fault=fault))[1]) == []


@pytest.mark.parametrize("link", ["up", "stale", "lost"])
def test_a_link_is_described_in_chinese(link: str):
    english, chinese = narrate(m.LinkChanged(**HEAD, link=link, silent_s=130.0))
    assert machine_words(chinese) == []
    assert "2 min 10 s" in english
    assert "2分10秒" in chinese


@pytest.mark.parametrize("place", [PAD, LANDING_POINT])
@pytest.mark.parametrize("quality", [PositionQuality.APPROXIMATE, PositionQuality.PUBLISHED])
def test_the_planners_own_condition_is_said_in_chinese(place: str, quality: PositionQuality):
    said = in_chinese(not_surveyed(place, "Lingzhi Park", quality), {"Lingzhi Park": "灵芝公园"})
    assert said.startswith("灵芝公园的坐标为")
    assert machine_words(said) == []


def test_what_an_authority_wrote_stays_as_it_was_written():
    assert in_chinese("Call the tower", {}) == "Call the tower"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (list(IntentState), INTENT_STATES_ZH),
        (list(DeliveryMethod), _METHODS_ZH),
        (get_args(DoorState), DOORS_ZH),
        (list(Outcome), OUTCOME_ZH),
        (list(Escalation), ESCALATION_ZH),
        (get_args(PatientState.model_fields["source"].annotation), SOURCE_ZH),
    ],
)
def test_words_that_sentences_hold_are_named_in_chinese(words: Collection[str], named: Mapping[Any, str]):
    assert set(words) == set(named)
    assert [name for name in named.values() if machine_words(name)] == []


def test_every_field_that_may_be_newly_known_is_named_in_chinese():
    never_told = {"exercise", "patient", "position", "reference", "called_at"}
    assert set(IncidentRequest.model_fields) - never_told <= set(FIELD_ZH)
    assert [name for name in FIELD_ZH.values() if machine_words(name)] == []


def test_what_was_found_of_a_dock_is_one_chinese_phrase():
    assert found_zh([]) == "正常"
    report = DockReport(
        station_id="st-1",
        door="jammed",
        mains_power=False,
        backup_fraction=0.5,
        charging_drone_ids=(),
        temperature_c=None,
        measured_at=AT,
    )
    found: list[Finding] = judge_dock(report, AT, silent_s=900.0)
    assert {item.level for item in found} <= set(Level)
    assert machine_words(found_zh(found)) == []
    assert "舱门卡滞；" in found_zh(found)
