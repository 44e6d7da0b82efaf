"""What a simulated multirotor is made of. Every figure comes from a JSON file that names its sources."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from core.errors import ErrorCode, InternalError

AIRFRAME_FOLDER = Path(__file__).parent / "airframes"
GRAVITY_M_S2 = 9.80665
SEA_LEVEL_AIR_DENSITY_KG_M3 = 1.225
"""ISO 2533 standard atmosphere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Airframe:
    """Airframe of a simulated multirotor.

    Drag follows the usual reduced model: a quadratic part per body axis plus rotor momentum drag
    (linear in speed). Both are fixed by one published pair, «at lean angle ``reference_lean_deg`` it
    flies ``reference_speed_m_s`` in still air».
    """

    airframe_id: str
    name: str
    autopilot: Literal["ardupilot", "px4"] = "ardupilot"
    """The firmware it flies with, unless the vehicle's settings say otherwise."""
    empty_mass_kg: float
    """Take-off mass without payload, batteries and winch included."""
    payload_mass_kg: float
    """Mass of the AED in its box, that leaves with the release."""
    reference_speed_m_s: float
    reference_lean_deg: float
    reference_altitude_amsl_m: float
    """Where that was flown: thinner air there means more drag at sea level."""
    rotor_disc_area_m2: float
    """Area of all rotor discs together; coaxial pairs count once."""
    momentum_drag: float
    """Rotor momentum drag coefficient, dimensionless, ~0.1–0.3."""
    maximum_thrust_to_weight: float
    """Of the empty vehicle at full battery."""
    attitude_natural_frequency_rad_s: float
    attitude_damping: float
    thrust_lag_s: float
    yaw_rate_max_deg_s: float
    power_model: Literal["linear", "momentum"]
    """``linear``: power proportional to thrust, as ArduPilot's own simulator counts.
    ``momentum``: induced power from momentum theory in forward flight, profile power and avionics."""
    hover_power_w: float
    """Electrical power hovering empty at sea level."""
    induced_fraction: float
    """Share of hover power that is induced (falls with forward speed); the rest is profile power."""
    avionics_power_w: float
    battery_capacity_ah: float
    battery_cells: int
    battery_full_v: float
    battery_resistance_ohm: float
    battery_ideal: bool
    """True: a constant-voltage source, as ArduPilot's simulator without SIM_BATT_CAP_AH at start-up."""
    rotor_count: int = 4
    """Six and more fly on with one stopped; coaxial pairs count as two."""
    parachute_drag_area_m2: float = 0.0
    """Drag coefficient times area of the open parachute; 0: there is none."""
    winch_line_max_m: float
    winch_hook_mass_kg: float
    winch_stops_when_in: bool = True
    """A limit switch stops the drum at length 0. ArduCopter's servo winch without one counts below 0."""
    parameters: dict[str, float] = field(default_factory=dict)
    """Autopilot parameters that differ from ArduCopter's defaults on this airframe."""
    px4_parameters: dict[str, float] = field(default_factory=dict)
    """The same for the PX4 personality."""
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for entry in fields(self):
            number = getattr(self, entry.name)
            if isinstance(number, float) and not (math.isfinite(number) and number >= 0):
                raise InternalError(ErrorCode.SETTINGS_INVALID, f"{number!r} is no size", field=entry.name)
        if not 0 < self.reference_lean_deg < 80 or self.reference_speed_m_s <= 0 or self.empty_mass_kg <= 0:
            raise InternalError(ErrorCode.SETTINGS_INVALID, "reference flight of the airframe is impossible")

    @property
    def drag_coefficients(self) -> tuple[float, float]:
        """``(quadratic kg/m, momentum kg/m^1.5)`` at sea level, solved from the reference flight of the empty vehicle.

        Along the body's forward axis at the reference lean, drag balances m·g·tan(lean); momentum drag is
        coefficient·√(ρ·A·T)·v. When momentum drag alone already exceeds it, it is scaled down and the
        quadratic part is zero.
        """
        lean = math.radians(self.reference_lean_deg)
        weight_n = self.empty_mass_kg * GRAVITY_M_S2
        needed_n = weight_n * math.tan(lean)
        thrust_n = weight_n / math.cos(lean)
        body_speed = self.reference_speed_m_s * math.cos(lean)
        # ISO 2533: density falls with (1 - 2.25577e-5·h)^4.2559.
        thinner = (1.0 - 2.25577e-5 * self.reference_altitude_amsl_m) ** 4.2559
        momentum = self.momentum_drag * math.sqrt(SEA_LEVEL_AIR_DENSITY_KG_M3 * self.rotor_disc_area_m2)
        momentum_n = math.cos(lean) * momentum * math.sqrt(thinner) * body_speed * math.sqrt(thrust_n)
        if momentum_n >= needed_n:
            return 0.0, momentum * needed_n / momentum_n
        return (needed_n - momentum_n) / self.reference_speed_m_s**2 / thinner, momentum


def load_airframe(name: str | Path) -> Airframe:
    """Read an airframe by its id (a file shipped here) or by path. Raises 5002 with what is wrong."""
    path = Path(name) if str(name).endswith(".json") else AIRFRAME_FOLDER / f"{name}.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(sorted(each.stem for each in AIRFRAME_FOLDER.glob("*.json")))
        raise InternalError(
            ErrorCode.SETTINGS_INVALID, f"airframe {name} cannot be read ({error.strerror}); shipped: {known}"
        ) from error
    except json.JSONDecodeError as error:
        raise InternalError(ErrorCode.SETTINGS_INVALID, f"airframe {path.name}: {error}") from error
    content["sources"] = tuple(content.get("sources", ()))
    try:
        return Airframe(**content)
    except TypeError as error:
        raise InternalError(ErrorCode.SETTINGS_INVALID, f"airframe {path.name}: {error}") from error
