"""What a type of drone can do: masses, speeds, power, battery, corridor terms, ways to deliver.

The figures live in ``planner/airframes/*.json``; each carries its source or the word «chosen» and
why. Nothing here has a default: an airframe file that leaves something out is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources

from core.errors import AirspaceError, ErrorCode
from planner.checks import check_number, check_text, refuse
from planner.compile.dialects import DIALECTS
from planner.flight_plan import DeliveryMethod
from planner.weather import WeatherLimits

STANDARD_GRAVITY_M_S2 = 9.80665


@dataclass(frozen=True, slots=True, kw_only=True)
class RotorPower:
    """Parameters of Zeng's rotary-wing power model, at ``reference_mass_kg``, and of the electric chain.

    ``profile_w`` is P0, ``induced_w`` Pi, ``tip_speed_m_s`` U_tip, ``induced_velocity_m_s`` v0 (the
    mean rotor-induced velocity in hover), ``drag_area_m2`` d0·s·A, ``air_density_kg_m3`` ρ.
    Mechanical power ÷ ``efficiency`` + ``avionics_w`` is what the battery gives.
    Source of the model: Zeng, Xu, Zhang, IEEE Trans. Wireless Commun. 18(4), 2019.
    """

    reference_mass_kg: float
    profile_w: float
    induced_w: float
    tip_speed_m_s: float
    induced_velocity_m_s: float
    drag_area_m2: float
    air_density_kg_m3: float
    efficiency: float
    avionics_w: float

    def __post_init__(self) -> None:
        for field in fields(self):
            check_number(f"power.{field.name}", getattr(self, field.name), minimum=0.0)
        check_number("power.efficiency", self.efficiency, above=0.0, maximum=1.0)
        for name in ("reference_mass_kg", "tip_speed_m_s", "induced_velocity_m_s"):
            check_number(f"power.{name}", getattr(self, name), above=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorridorTerms:
    """What makes up the corridor's half width (derivation: :mod:`planner.corridor`). Metres, seconds."""

    position_error_m: float
    altitude_error_m: float
    control_error_m: float
    map_error_m: float
    acceptance_radius_m: float
    reaction_s: float
    braking_tilt_deg: float

    def __post_init__(self) -> None:
        for field in fields(self):
            check_number(f"corridor.{field.name}", getattr(self, field.name), minimum=0.0)
        check_number("corridor.acceptance_radius_m", self.acceptance_radius_m, above=0.0)
        check_number("corridor.braking_tilt_deg", self.braking_tilt_deg, above=0.0, maximum=60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTerms:
    """One way to put the AED on the ground.

    ``hover_height_agl_m`` over the landing point (LAND: where it stands before it comes down), ``lower_s``
    from arrival there until the AED stands on the ground and is released, ``hover_budget_s`` the whole time
    the mission loiters before it goes home by itself (lowering, release, retracting, and waiting for a
    clear site). ``clear_radius_m`` must be free around the point, ``max_slope_deg`` is the steepest ground
    that will do.
    """

    method: DeliveryMethod
    hover_height_agl_m: float
    lower_s: float
    hover_budget_s: float
    clear_radius_m: float
    max_slope_deg: float

    def __post_init__(self) -> None:
        check_number("delivery.hover_height_agl_m", self.hover_height_agl_m, above=0.0, maximum=60.0)
        check_number("delivery.lower_s", self.lower_s, above=0.0)
        check_number("delivery.clear_radius_m", self.clear_radius_m, above=0.0, maximum=100.0)
        check_number("delivery.max_slope_deg", self.max_slope_deg, above=0.0, maximum=45.0)
        check_number("delivery.hover_budget_s", self.hover_budget_s, minimum=self.lower_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Airframe:
    """A type of drone. Speeds are through the air unless their name says ground.

    ``payload_kg`` is what leaves the drone at the delivery (AED with its case); ``take_off_mass_kg``
    contains it. ``battery_wh`` is the nominal capacity, ``usable_fraction`` what may be drawn
    before the pack sags, ``reserve_fraction`` of the nominal capacity stays untouched in every plan.
    ``energy_uncertainty_fraction`` is one standard deviation of the energy model, relative.
    ``landing_slow_below_m`` is the height above the pad where the autopilot slows to ``landing_rate_m_s``.
    ``wind_limit_m_s`` is compared with the strongest gust where one is known, else with the mean.
    ``autopilot`` is the kind that flies it («ardupilot» or «px4»): a vehicle that says otherwise is not touched.
    ``preparation_s`` runs from the accepted plan to the lift-off: uploads, read-back, arming.
    """

    airframe_id: str
    name: str
    name_zh: str
    autopilot: str
    take_off_mass_kg: float
    payload_kg: float
    cruise_airspeed_m_s: float
    ground_speed_max_m_s: float
    climb_rate_m_s: float
    descent_rate_m_s: float
    landing_rate_m_s: float
    landing_slow_below_m: float
    acceleration_m_s2: float
    vertical_acceleration_m_s2: float
    wind_limit_m_s: float
    weather: WeatherLimits
    preparation_s: float
    battery_wh: float
    usable_fraction: float
    reserve_fraction: float
    energy_uncertainty_fraction: float
    power: RotorPower
    corridor: CorridorTerms
    deliveries: tuple[DeliveryTerms, ...]
    sources: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("airframe_id", "name", "name_zh"):
            check_text(f"airframe.{name}", getattr(self, name))
        for name in (
            "take_off_mass_kg", "cruise_airspeed_m_s", "ground_speed_max_m_s", "climb_rate_m_s",
            "descent_rate_m_s", "landing_rate_m_s", "acceleration_m_s2", "vertical_acceleration_m_s2",
            "wind_limit_m_s", "battery_wh",
        ):  # fmt: skip
            check_number(f"airframe.{name}", getattr(self, name), above=0.0)
        for name in ("payload_kg", "preparation_s", "landing_slow_below_m"):
            check_number(f"airframe.{name}", getattr(self, name), minimum=0.0)
        for name in ("usable_fraction", "reserve_fraction", "energy_uncertainty_fraction"):
            check_number(f"airframe.{name}", getattr(self, name), minimum=0.0, maximum=1.0)
        check_number("airframe.payload_kg", self.payload_kg, maximum=self.take_off_mass_kg)
        check_number("airframe.wind_limit_m_s", self.wind_limit_m_s, maximum=self.cruise_airspeed_m_s - 1.0)
        dialect = DIALECTS.get(self.autopilot)
        if dialect is None:
            raise refuse("airframe.autopilot", f"{self.autopilot!r} is none of {sorted(DIALECTS)}")
        if not dialect.drives_winch and self.delivery(DeliveryMethod.WINCH) is not None:
            raise refuse("airframe.deliveries", f"{self.autopilot} drives no winch: WINCH can't be offered")
        if not self.deliveries:
            raise refuse("airframe.deliveries", "an airframe that can't deliver is of no use here")
        if not self.sources:
            raise refuse("airframe.sources", "every figure needs its source or «chosen»")

    def __hash__(self) -> int:
        """By its id: figures that follow from an airframe are remembered under it, many times for each plan."""
        return hash(self.airframe_id)

    def delivery(self, method: DeliveryMethod) -> DeliveryTerms | None:
        """The terms of ``method``, or None where this airframe doesn't offer it."""
        return next((terms for terms in self.deliveries if terms.method is method), None)


def read_airframe(data: bytes | str) -> Airframe:
    """Parse an airframe file. Raises 3201 with the field for anything missing, unknown or wrong."""
    from pydantic import TypeAdapter, ValidationError

    try:
        raw = json.loads(data)
    except ValueError as error:
        raise refuse("airframe", f"not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise refuse("airframe", "must be a JSON object")
    unknown = set(raw) - {field.name for field in fields(Airframe)}
    if unknown:
        raise refuse(f"airframe.{sorted(unknown)[0]}", "is no field of an airframe")
    try:
        return TypeAdapter(Airframe).validate_python(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise refuse(f"airframe.{where}", str(first["msg"])) from None


_in_force: dict[str, Airframe] | None = None


def load_airframes() -> dict[str, Airframe]:
    """The airframes of this process, by id: those that ship with the project, unless others were put in force."""
    return shipped_airframes() if _in_force is None else _in_force


def use_airframes(airframes: Mapping[str, Airframe] | None) -> None:
    """Put other airframes in force for everything in this process that plans or flies; None: the shipped ones.

    One mapping takes the place of the other as a whole, so a reader sees the one or the other.
    """
    global _in_force
    _in_force = None if airframes is None else dict(airframes)


@cache
def shipped_airframes() -> dict[str, Airframe]:
    """Every airframe that ships with the project, by id."""
    found: dict[str, Airframe] = {}
    for entry in sorted(
        resources.files("planner").joinpath("airframes").iterdir(), key=lambda path: path.name
    ):
        if entry.name.endswith(".json"):
            airframe = read_airframe(entry.read_bytes())
            if airframe.airframe_id in found:
                raise AirspaceError(
                    ErrorCode.PLAN_INVALID, f"airframe {airframe.airframe_id} is defined twice"
                )
            found[airframe.airframe_id] = airframe
    return found


def braking_distance_m(speed_m_s: float, tilt_deg: float) -> float:
    """Distance to stop at constant tilt: ½ v² / (g tan θ)."""
    return 0.5 * speed_m_s * speed_m_s / (STANDARD_GRAVITY_M_S2 * math.tan(math.radians(tilt_deg)))
