"""What a scenario file may say. Every field is checked; an unknown one is a mistake, not a remark."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from flight.model.faults import Fault
from flight.model.words import Phase, SafeState
from hub_api.dispatch.order_states import OrderState
from proving_ground.fault_names import explain_unknown, is_known

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]


InvariantName = Literal[
    "no zone entered",
    "no higher than planned",
    "every flight has a named end",
    "stands on the ground",
    "nothing falls",
    "no launch twice",
    "belief is true",
]
"""What is judged in every scenario (:mod:`proving_ground.judge`)."""


class Misplaced(ValueError):
    """A mistake that only the whole file shows, with the place where it stands."""

    def __init__(self, text: str, *location: str | int) -> None:
        super().__init__(text)
        self.location = location


class _Part(BaseModel):
    # Infinity and «not a number» are values in YAML, and nothing here could mean them.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class AutopilotKind(StrEnum):
    """The firmware that the vehicles behave like."""

    ARDUPILOT = "ardupilot"
    PX4 = "px4"


class Place(_Part):
    """A position as a 120 centre sends it."""

    reference_system: Literal["WGS-84", "GCJ-02", "BD-09"]
    latitude_deg: float = Field(ge=-90, le=90)
    longitude_deg: float = Field(ge=-180, le=180)


class World(_Part):
    """Where and when, and with which drones."""

    site: str = Field("baoan", description="A shipped site's name, or a site file beside the scenario.")
    start: datetime = Field(
        datetime(2026, 3, 1, 4, 0, tzinfo=UTC), description="Time of day at which the first order may come."
    )
    drones: tuple[str, ...] | None = Field(None, min_length=1, description="Of the site; default all.")
    autopilot: AutopilotKind = AutopilotKind.ARDUPILOT
    parameters: dict[str, float] = Field(
        default_factory=dict, description="Autopilot parameters that differ from the airframe's."
    )
    latest_s: float = Field(
        1500.0, gt=0, le=7200, description="If anything is still open by then, the scenario has failed."
    )

    @field_validator("start")
    @classmethod
    def _aware(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("name the time zone, e.g. 2026-03-01T12:00:00+08:00")
        return value.astimezone(UTC)


class Weather(_Part):
    """Wind for all vehicles; the stations measure its mean and report it."""

    from_deg: float = Field(90.0, ge=0, lt=360)
    speed_m_s: float = Field(3.0, ge=0, le=40)
    turbulence_m_s: float = Field(0.0, ge=0, le=10, description="Vertical standard deviation (Dryden).")
    gust_m_s: float | None = Field(None, ge=0, le=60, description="What the stations report as the gust.")


class OrderLine(_Part):
    """One order of the centre."""

    name: Name = "call-1"
    at_s: float = Field(0.0, ge=0, description="After the drones are ready.")
    patient: Place
    severity: Literal["I", "II", "III", "IV"] = "I"
    floor: int | None = 1


class Moment(_Part):
    """When a fault comes: at a time, or so long after a drone's flight entered a phase."""

    at_s: float | None = Field(None, ge=0, description="After the drones are ready.")
    phase: Phase | None = None
    after_s: float = Field(0.0, ge=0, description="After the phase was entered.")
    order: Name | None = Field(None, description="Whose flight; default the first order's.")

    @model_validator(mode="after")
    def _one(self) -> Moment:
        if (self.at_s is None) == (self.phase is None):
            raise ValueError("say either at_s or phase")
        return self


class FaultLine(_Part):
    """One thing that goes wrong."""

    fault: str
    when: Moment
    drone: str | None = Field(
        None, description="Default: the one that flies the order of `when`, or the first."
    )
    strength: float | None = None
    duration_s: float | None = Field(None, gt=0, description="Default: for good.")

    @field_validator("fault")
    @classmethod
    def _known(cls, value: str) -> str:
        if not is_known(value):
            raise ValueError(explain_unknown(value))
        return value


class Expectation(_Part):
    """One thing that must hold at the end. Invariants (see ``expectations``) are checked besides."""

    order: Name | None = None
    state: OrderState | tuple[OrderState, ...] | None = None
    outcome: Literal["accepted", "declined"] | None = Field(None, description="Of the first decision.")
    answers: tuple[int, ...] | None = Field(
        None,
        min_length=1,
        description="HTTP statuses that the centre got for its sendings, equal ones in a row once; 0: no answer.",
    )
    reason: str | None = Field(None, description="A reason code that the decision names.")
    delivered_within_s: float | None = Field(
        None, gt=0, description="From the order to the AED on the ground."
    )
    not_delivered: Literal[True] | None = None
    ends: SafeState | tuple[SafeState, ...] | None = Field(None, description="Of the order's last flight.")
    flights: int | None = Field(None, ge=0, description="How many flights the order took.")
    event: str | None = Field(None, description="A kind of event that the order's history holds.")
    fault: Fault | None = Field(None, description="A fault of the flight that was told.")

    @model_validator(mode="after")
    def _something(self) -> Expectation:
        asked = self.model_dump(exclude_none=True)
        if not set(asked) - {"order"}:
            raise ValueError(
                "expect something: state, outcome, answers, reason, delivered_within_s, ends, flights, event, fault"
            )
        return self


class Waiver(_Part):
    """An invariant that this scenario breaks on purpose, and why that is no fault of the system."""

    invariant: InvariantName
    because: str = Field(min_length=10)


class Scenario(_Part):
    """One file."""

    name: Name
    why: str = Field(min_length=10, description="What an operator fears here, in a sentence.")
    why_zh: str = Field(min_length=4)
    world: World = World()
    weather: Weather = Weather()
    orders: tuple[OrderLine, ...] = Field(min_length=1)
    faults: tuple[FaultLine, ...] = ()
    expect: tuple[Expectation, ...] = Field(min_length=1)
    waive: tuple[Waiver, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> Scenario:
        names = [order.name for order in self.orders]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise Misplaced(f"two orders have the name {name!r}", "orders", number)
        asked: list[tuple[str | None, tuple[str | int, ...]]] = [
            *((line.order, ("expect", number, "order")) for number, line in enumerate(self.expect)),
            *((fault.when.order, ("faults", number, "when")) for number, fault in enumerate(self.faults)),
        ]
        for asked_name, location in asked:
            if asked_name is not None and asked_name not in names:
                raise Misplaced(f"there is no order {asked_name!r}; orders: {', '.join(names)}", *location)
        return self


FIELD_NAMES = sorted(
    {
        name
        for part in (
            Scenario, World, Weather, OrderLine, Place, FaultLine, Moment, Expectation, Waiver,
        )
        for name in part.model_fields
    }
)  # fmt: skip
"""Every name that may stand before a colon."""
