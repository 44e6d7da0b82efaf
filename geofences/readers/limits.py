"""Floors, ceilings, radii with their units and datums, shared by the UAS zone formats."""

from __future__ import annotations

from typing import Any

from core.geodesy import Altitude, AltitudeDatum
from geofences.model import VerticalLimit
from geofences.readers.fields import Fields

METRES_PER_FOOT = 0.3048
"""International foot, exact."""
METRES_PER_NAUTICAL_MILE = 1852.0
"""International nautical mile, exact."""

UNITS: dict[str, float] = {"M": 1.0, "FT": METRES_PER_FOOT, "m": 1.0, "ft": METRES_PER_FOOT}
"""ED-269 writes capitals, ED-318 small letters."""
DATUMS: dict[str, AltitudeDatum] = {
    "AGL": AltitudeDatum.AGL,
    "AMSL": AltitudeDatum.AMSL,
    "WGS84": AltitudeDatum.ELLIPSOID,
}


def make_limit(metres: float, datum: AltitudeDatum) -> VerticalLimit:
    match datum:
        case AltitudeDatum.AGL:
            return VerticalLimit(Altitude.agl(metres))
        case AltitudeDatum.AMSL:
            return VerticalLimit(Altitude.amsl(metres))
        case _:
            return VerticalLimit(Altitude.ellipsoid(metres))


def read_limits(
    fields: Fields,
    *,
    unit: str,
    lower: str,
    lower_reference: str,
    upper: str,
    upper_reference: str,
    default_unit: float | None = None,
) -> tuple[VerticalLimit, VerticalLimit]:
    """(floor, ceiling). A missing limit is unlimited; a limit without unit or datum is refused.

    0 to 0 above the same datum without a unit is how some feeds write «no limits» (ENAIRE): the
    whole height is then taken, which errs to caution.
    """
    low_height, high_height = fields.number(lower), fields.number(upper)
    if not low_height and high_height == 0.0 and not fields.has(unit):
        fields.report.tolerated(fields.feature, fields.at(upper), "0 to 0 without unit: taken as all heights")
        return VerticalLimit(None), VerticalLimit(None)
    factor = 1.0
    if low_height or high_height:
        factor = fields.choice(unit, UNITS, default=default_unit)
    result = []
    for name, reference, height in (
        (lower, lower_reference, low_height),
        (upper, upper_reference, high_height),
    ):
        if height is None:
            result.append(VerticalLimit(None))
        elif height == 0.0 and name == lower and not fields.has(reference):
            fields.report.tolerated(fields.feature, fields.at(reference), "floor 0 without datum: the ground")
            result.append(VerticalLimit(None))
        else:
            result.append(make_limit(height * factor, fields.choice(reference, DATUMS)))
    if result[0].datum is result[1].datum is not None and (
        result[0].above_datum_m() > result[1].above_datum_m()
    ):
        fields.refuse(lower, f"the floor {result[0].describe()} is above the ceiling {result[1].describe()}")
    return result[0], result[1]


def check_values(values: dict[str, Any], fields: Fields) -> None:
    """Let the zone's own rules speak with the feature's name; volumes come later."""
    for name in ("country",):
        country = values.get(name, "")
        if country and not (len(country) == 3 and country.isascii() and country.isalpha()):
            fields.refuse(name, f"{country!r} is not an ISO 3166-1 alpha-3 code")
    if not values.get("zone_id"):
        fields.refuse("identifier", "is missing")
