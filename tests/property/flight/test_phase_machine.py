"""The phase machine under any order of events."""

from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flight.model.diagram import page
from flight.model.phases import (
    AIRBORNE_PHASES,
    COMMAND_TRIGGERS,
    FLIGHT_PHASES,
    GROUND_PHASES,
    IGNORE,
    LINE_OUT_PHASES,
    MOTORS_ON_PAD_PHASES,
    RESUME_EFFECTS,
    TABLE,
    AedState,
    Effect,
    Phase,
    Refuse,
    Row,
    SafeState,
    State,
    Trigger,
    advance,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DISARMED = (Trigger.DISARMED_ON_PAD, Trigger.DISARMED_AT_RALLY, Trigger.DISARMED_ELSEWHERE)


def test_every_pair_is_declared() -> None:
    assert set(TABLE) == set(Phase)
    for phase, answers in TABLE.items():
        assert set(answers) == set(Trigger), phase


def test_phases_are_parted_into_ground_pad_and_air() -> None:
    assert set(Phase) == GROUND_PHASES | MOTORS_ON_PAD_PHASES | AIRBORNE_PHASES
    assert not GROUND_PHASES & MOTORS_ON_PAD_PHASES
    assert LINE_OUT_PHASES < AIRBORNE_PHASES


@pytest.mark.parametrize("phase", Phase)
def test_a_command_is_accepted_or_refused_with_a_reason_never_ignored(phase: Phase) -> None:
    for command in COMMAND_TRIGGERS:
        answer = TABLE[phase][command]
        assert answer is not IGNORE
        if isinstance(answer, Refuse):
            assert answer.code
            assert answer.detail
            assert answer.detail_zh


@pytest.mark.parametrize("phase", sorted(FLIGHT_PHASES))
def test_abort_is_always_accepted_during_a_flight(phase: Phase) -> None:
    assert isinstance(TABLE[phase][Trigger.ABORT], Row)


@pytest.mark.parametrize("phase", sorted(AIRBORNE_PHASES - {Phase.UNCLAIMED}))
def test_a_landing_is_reachable_by_what_the_vehicle_shows_or_safety_asks(phase: Phase) -> None:
    """Without any person: neither commands nor a pilot are needed to come down."""
    automatic = set(Trigger) - COMMAND_TRIGGERS - set(DISARMED) - {Trigger.ENDURANCE_EXCEEDED}
    seen, queue = {phase}, deque([phase])
    while queue:
        at = queue.popleft()
        for trigger in automatic:
            answer = TABLE[at][trigger]
            if isinstance(answer, Row) and isinstance(answer.target, Phase) and answer.target not in seen:
                seen.add(answer.target)
                queue.append(answer.target)
    assert seen & {Phase.LANDING, Phase.LANDING_HERE}


@pytest.mark.parametrize("phase", sorted(AIRBORNE_PHASES | MOTORS_ON_PAD_PHASES))
def test_stopped_motors_always_end_the_flight(phase: Phase) -> None:
    for trigger in DISARMED:
        answer = TABLE[phase][trigger]
        assert isinstance(answer, Row)
        assert answer.target is Phase.ENDED
        assert answer.safe_state is not None
        assert Effect.END in answer.effects


def test_the_release_is_asked_for_at_one_place_only() -> None:
    places = [
        (phase, trigger)
        for phase, answers in TABLE.items()
        for trigger, answer in answers.items()
        if isinstance(answer, Row) and Effect.RELEASE_AED in answer.effects
    ]
    assert places == [(Phase.LOWERING, Trigger.AED_AT_GROUND)]


def test_a_drone_among_people_unloads_only_after_it_is_down_and_starts_nothing() -> None:
    """Every answer on the ground at the delivery: stay, end, or leave it to whoever took it up."""
    places = [
        (phase, trigger)
        for phase, answers in TABLE.items()
        for trigger, answer in answers.items()
        if isinstance(answer, Row) and Effect.UNLOAD in answer.effects
    ]
    assert places == [(Phase.TOUCHING_DOWN, Trigger.DOWN_AT_DELIVERY)]
    harmless = {
        Effect.ANNOUNCE_RELEASE,
        Effect.ANNOUNCE_SAFE_TO_APPROACH,
        Effect.ANNOUNCE_FAILURE,
        Effect.END,
        Effect.STAND_BACK,
    }
    for trigger, answer in TABLE[Phase.UNLOADING].items():
        if isinstance(answer, Row):
            assert answer.target in (Phase.UNLOADING, Phase.ENDED, Phase.HANDED_OVER), trigger
            assert set(answer.effects) <= harmless, trigger


def test_people_are_called_on_the_ground_only_by_a_confirmed_release() -> None:
    for phase in (Phase.TOUCHING_DOWN, Phase.UNLOADING):
        for trigger, answer in TABLE[phase].items():
            if isinstance(answer, Row) and Effect.ANNOUNCE_SAFE_TO_APPROACH in answer.effects:
                assert (phase, trigger) == (Phase.UNLOADING, Trigger.RELEASE_CONFIRMED)


def test_motors_start_only_after_a_verified_preparation() -> None:
    places = [
        (phase, trigger)
        for phase, answers in TABLE.items()
        for trigger, answer in answers.items()
        if isinstance(answer, Row) and Effect.ARM in answer.effects
    ]
    assert places == [(Phase.PREPARING, Trigger.PREPARED), (Phase.WAITING, Trigger.DEPARTURE_DUE)]


def test_the_line_is_never_left_out_by_a_move_to_horizontal_flight() -> None:
    """Leaving a phase with the line out either retracts, follows a retraction, or is not our doing."""
    after_retraction = {Trigger.LINE_IN, Trigger.RETRACTION_FAILED}
    not_ours = {*DISARMED, Trigger.ENDURANCE_EXCEEDED, Trigger.CONTROL_TAKEN, Trigger.SAFETY_TERMINATE}
    not_ours |= {Trigger.CLOSE}
    for phase in LINE_OUT_PHASES:
        for trigger, answer in TABLE[phase].items():
            if not isinstance(answer, Row) or answer.target in LINE_OUT_PHASES:
                continue
            if trigger not in after_retraction | not_ours:
                assert Effect.RETRACT_LINE in answer.effects, (phase, trigger)


def test_nobody_flies_against_a_pilot() -> None:
    sent = {
        Effect.FLY_BACK,
        Effect.FLY_HOME,
        Effect.LAND_HERE,
        Effect.STOP,
        Effect.FLY_TO_RALLY,
        Effect.TERMINATE,
    }
    for trigger, answer in TABLE[Phase.HANDED_OVER].items():
        if isinstance(answer, Row):
            assert not sent & set(answer.effects), trigger


def test_a_resumed_phase_takes_up_only_what_may_be_repeated() -> None:
    for phase, effects in RESUME_EFFECTS.items():
        assert phase in FLIGHT_PHASES
        assert Effect.ARM not in effects
        assert Effect.RELEASE_AED not in effects or phase is Phase.RELEASING


def test_advance_is_pure() -> None:
    state = State(Phase.OUTBOUND, NOW)
    assert advance(state, Trigger.ABORT, NOW) == advance(state, Trigger.ABORT, NOW)
    assert state == State(Phase.OUTBOUND, NOW)


def test_the_page_in_the_docs_is_current() -> None:
    written = Path(__file__).parents[3] / "docs" / "state-machines.md"
    assert written.read_text(encoding="utf-8") == page(), (
        "run: python -m flight.model.diagram docs/state-machines.md"
    )


class AnyOrder(RuleBasedStateMachine):
    """A flight meets any events in any order; the vehicle's motors are modelled beside it."""

    @initialize()
    def begin(self) -> None:
        self.state = State(Phase.STANDBY, NOW)
        self.now = NOW
        self.released = False
        self.failures = 0
        self.release_asked_in: list[Phase] = []
        self.flown_half_written: list[Effect] = []

    def feed(self, trigger: Trigger) -> None:
        before = self.state
        self.now += timedelta(seconds=1)
        step = advance(before, trigger, self.now)
        if trigger is Trigger.RELEASE_CONFIRMED and isinstance(step.answer, Row):
            self.released = True
        if before.phase is Phase.REROUTING and trigger is not Trigger.MISSION_RESTORED:
            by_mission = {Effect.FLY_BACK, Effect.FLY_HOME, Effect.RESUME} & set(step.effects)
            self.flown_half_written += sorted(by_mission)
        if Effect.RELEASE_AED in step.effects:
            self.release_asked_in.append(before.phase)
        self.failures += step.effects.count(Effect.ANNOUNCE_FAILURE)
        if step.refused is not None:
            assert step.state == before, "a refusal changes nothing"
            assert not step.effects
        if before.phase in FLIGHT_PHASES and trigger is Trigger.ABORT:
            assert step.refused is None
        if trigger in DISARMED and before.phase in AIRBORNE_PHASES:
            assert step.state.phase is Phase.ENDED
        if Effect.END in step.effects:
            assert step.state.phase is Phase.ENDED
            assert step.state.safe_state in SafeState
        if step.state.phase is Phase.PREPARING and before.phase is Phase.STANDBY:
            self.released, self.failures, self.release_asked_in = False, 0, []
        assert step.state.since == (before.since if step.state.phase is before.phase else self.now)
        self.state = step.state

    @rule(trigger=st.sampled_from(Trigger))
    def anything(self, trigger: Trigger) -> None:
        self.feed(trigger)

    @precondition(lambda self: self.state.phase is Phase.STANDBY)
    @rule()
    def fly_to_the_delivery(self) -> None:
        for trigger in (
            Trigger.FLY,
            Trigger.PREPARED,
            Trigger.ARMED,
            Trigger.AIRBORNE,
            Trigger.CLIMBED,
            Trigger.AT_DELIVERY,
            Trigger.SETTLED,
        ):
            self.feed(trigger)

    @precondition(lambda self: self.state.phase is Phase.HOVERING)
    @rule(confirmed=st.booleans())
    def deliver_on_the_ground(self, confirmed: bool) -> None:
        self.feed(Trigger.SETTLED_TO_LAND)
        self.feed(Trigger.DOWN_AT_DELIVERY)
        self.feed(Trigger.RELEASE_CONFIRMED if confirmed else Trigger.RELEASE_UNCONFIRMED)

    @precondition(lambda self: self.state.phase is Phase.LOWERING)
    @rule(confirmed=st.booleans())
    def deliver(self, confirmed: bool) -> None:
        self.feed(Trigger.AED_AT_GROUND)
        self.feed(Trigger.RELEASE_CONFIRMED if confirmed else Trigger.RELEASE_UNCONFIRMED)

    @invariant()
    def released_only_by_the_vehicles_word(self) -> None:
        if getattr(self, "state", None) is not None and self.state.aed is AedState.RELEASED:
            assert self.released

    @invariant()
    def ended_means_a_named_safe_state(self) -> None:
        if getattr(self, "state", None) is not None:
            assert (self.state.phase is Phase.ENDED) == (self.state.safe_state is not None)

    @invariant()
    def a_failure_is_told_once(self) -> None:
        assert getattr(self, "failures", 0) <= 1

    @invariant()
    def release_is_asked_for_only_while_lowering(self) -> None:
        assert all(phase is Phase.LOWERING for phase in getattr(self, "release_asked_in", []))

    @invariant()
    def a_hold_knows_where_it_leads(self) -> None:
        if getattr(self, "state", None) is not None and self.state.phase in (
            Phase.HOLDING,
            Phase.STANDING_OFF,
            Phase.HANDED_OVER,
        ):
            assert self.state.held is not None
            assert self.state.held not in (Phase.HOLDING, Phase.STANDING_OFF, Phase.HANDED_OVER)

    @invariant()
    def nothing_is_flown_from_a_mission_that_may_be_half_written(self) -> None:
        assert not getattr(self, "flown_half_written", [])


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
