"""OpenAir: the line format in which airspace is passed around in general aviation.

Made for manned flight, so the class of an airspace must be translated into what it means for a drone:
:data:`CLASS_RESTRICTIONS`, chosen on the strict side; a caller may give another table. Heights without a
unit are feet, without a datum above mean sea level; distances are nautical miles (the format's
defaults). Flight levels are heights in a standard atmosphere and are widened by what the real one may do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.errors import ZoneFileError
from core.geodesy import AltitudeDatum, Wgs84Point, destination, geodesic_distance_m, initial_bearing_deg
from geofences.applicability import TimePeriod
from geofences.model import Restriction, VerticalLimit, Zone
from geofences.readers.drafts import VolumeDraft, ZoneDraft, build_zones
from geofences.readers.fields import MAX_BYTES, quote
from geofences.readers.limits import METRES_PER_FOOT, METRES_PER_NAUTICAL_MILE, make_limit
from geofences.readers.openair_times import applicability_of, read_activation
from geofences.readers.result import ReadResult, Report

CLASS_RESTRICTIONS: dict[str, Restriction] = {
    "P": Restriction.PROHIBITED,
    "GP": Restriction.PROHIBITED,
    **dict.fromkeys(
        ("R", "Q", "A", "B", "C", "D", "CTR", "TMA", "TMZ", "RMZ", "W"), Restriction.REQ_AUTHORISATION
    ),
    **dict.fromkeys(("E", "F", "G"), Restriction.NO_RESTRICTION),
}
"""P and GP prohibited; restricted, danger, controlled and special use need an approval; E, F, G none.
A class that is not listed is read as needing an approval, and noted."""

TYPE_RESTRICTIONS: dict[str, Restriction] = {
    "P": Restriction.PROHIBITED,
    **dict.fromkeys(
        ("ACCSEC", "FIR", "FIS", "NONE", "TRZ", "UIR", "VFRR", "VFRSEC"), Restriction.NO_RESTRICTION
    ),
    **dict.fromkeys(
        (
            "ADIZ", "ALERT", "ASRA", "ATZ", "AWY", "CTA", "CTR", "CUSTOM", "GSEC", "HTZ", "LTA", "MATZ", "MTA",
            "MTR", "N", "OFR", "Q", "R", "RMZ", "TFR", "TIA", "TIZ", "TMA", "TMZ", "TRA", "TRAFR", "TSA", "UTA",
            "WARNING",
        ),
        Restriction.REQ_AUTHORISATION,
    ),
}  # fmt: skip
"""Extended OpenAir gives the ICAO class in AC and the kind in AY; the stricter of both counts. Kinds that only
inform do not restrict; a kind that is not listed needs an approval, and is noted."""

_STRICTNESS = (
    Restriction.KEEP_IN,
    Restriction.NO_RESTRICTION,
    Restriction.CONDITIONAL,
    Restriction.REQ_AUTHORISATION,
    Restriction.PROHIBITED,
)
_UNCLASSIFIED = "UNC"

_LOWEST_FLIGHT_LEVEL_SHARE, _LOWEST_FLIGHT_LEVEL_SHIFT_M = 0.85, -600.0
_HIGHEST_FLIGHT_LEVEL_SHARE, _HIGHEST_FLIGHT_LEVEL_SHIFT_M = 1.15, 350.0
"""Chosen: sea level pressure 940–1055 hPa at 27 ft/hPa, and air 15 % thinner or thicker than standard."""
_METRES_PER_LEVEL = 100 * METRES_PER_FOOT
_ARC_SAGITTA_M = 0.5
_RADIUS_TOLERANCE = 0.02

_COORDINATE = re.compile(
    r"(\d{1,3}):(\d{1,2}(?:\.\d+)?)(?::(\d{1,2}(?:\.\d+)?))?\s*([NS])[\s,]*"
    r"(\d{1,3}):(\d{1,2}(?:\.\d+)?)(?::(\d{1,2}(?:\.\d+)?))?\s*([EW])",
    re.ASCII | re.IGNORECASE,
)
_HEIGHT = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>FT|F|M)?\s*(?P<datum>AMSL|MSL|ALT|AGL|ASFC|SFC|GND|STD)?",
    re.ASCII,
)
_ABOVE_GROUND = ("AGL", "ASFC", "SFC", "GND")
_Refuse = Callable[[str], ZoneFileError]


@dataclass(frozen=True, slots=True)
class _Arc:
    centre: Wgs84Point
    start_bearing_deg: float
    sweep_deg: float
    """Positive clockwise."""
    start_radius_m: float
    end_radius_m: float


@dataclass(slots=True)
class _Block:
    """One airspace while its lines are read."""

    line: int
    airspace_class: str
    name: str = ""
    identifier: str = ""
    kind: str = ""
    periods: list[TimePeriod | None] = field(default_factory=list)
    floor: VerticalLimit | None = None
    ceiling: VerticalLimit | None = None
    outline: list[Wgs84Point | _Arc] = field(default_factory=list)
    circle: tuple[Wgs84Point, float] | None = None
    centre: Wgs84Point | None = None
    clockwise: bool = True

    @property
    def place(self) -> str:
        return self.identifier or self.name or f"line {self.line}"


def read_openair(
    data: bytes | str, *, classes: Mapping[str, Restriction] = CLASS_RESTRICTIONS
) -> tuple[Zone, ...]:
    """The zones of an OpenAir file; 3101 naming the airspace, its line and the reason if it is unusable."""
    return parse_openair(data, classes=classes).zones


def parse_openair(
    data: bytes | str, *, classes: Mapping[str, Restriction] = CLASS_RESTRICTIONS
) -> ReadResult:
    """As :func:`read_openair`, with the notes of what was tolerated or ignored."""
    report = Report()
    blocks = _blocks(_text(data, report), report)
    drafts = [_draft(block, classes, report) for block in blocks]
    return ReadResult("OpenAir", build_zones(drafts, report), tuple(report.notes))


def _text(data: bytes | str, report: Report) -> str:
    if len(data) > MAX_BYTES:
        raise ZoneFileError(f"the file has {len(data)} bytes, at most {MAX_BYTES} are read")
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        report.tolerated("", "encoding", "not UTF-8: read as Latin-1, only names depend on it")
        return data.decode("latin-1")


def _blocks(text: str, report: Report) -> list[_Block]:
    blocks: list[_Block] = []
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.split("*", 1)[0].strip()
        if not content:
            continue
        command, _, rest = content.partition(" ")
        command, rest = command.upper(), rest.strip()
        if command == "AC":
            blocks.append(_Block(number, rest.upper()))
        elif not blocks:
            if command not in ("SP", "SB", "V"):
                raise ZoneFileError("comes before the first AC", field=f"line {number}")
        else:
            _apply(blocks[-1], command, rest, number, report)
    return blocks


def _apply(block: _Block, command: str, rest: str, number: int, report: Report) -> None:
    where = f"line {number}"

    def refuse(why: str) -> ZoneFileError:
        return ZoneFileError(why, feature=block.place, field=where)

    match command:
        case "AN":
            block.name = rest
        case "AI":
            block.identifier = rest
        case "AL" | "AH" if (block.floor if command == "AL" else block.ceiling) is not None:
            raise refuse(f"a second {command}")
        case "AL":
            block.floor = _height(rest, refuse, report, block.place, where, lowest=True)
        case "AH":
            block.ceiling = _height(rest, refuse, report, block.place, where, lowest=False)
        case "V":
            _variable(block, rest, refuse)
        case "DP":
            block.outline.append(_coordinate(rest, refuse))
        case "DC":
            block.circle = (_centre(block, refuse), _number(rest, refuse) * METRES_PER_NAUTICAL_MILE)
        case "DA":
            numbers = [_number(word, refuse) for word in rest.split(",")]
            if len(numbers) != 3:
                raise refuse(f"{quote(rest)} is not radius, start angle, end angle")
            radius_m = numbers[0] * METRES_PER_NAUTICAL_MILE
            sweep_deg = _sweep(numbers[1], numbers[2], clockwise=block.clockwise)
            block.outline.append(_Arc(_centre(block, refuse), numbers[1], sweep_deg, radius_m, radius_m))
        case "DB":
            block.outline.append(_arc_between(block, rest, refuse))
        case "DY":
            raise refuse("airways (DY) have no outline of their own")
        case "AY" if block.kind:
            raise refuse("a second AY")
        case "AY":
            block.kind = rest.upper()
        case "AA":
            block.periods.append(read_activation(rest, place=block.place, where=where, report=report))
        case "SP" | "SB" | "AT" | "AF" | "AG" | "AX" | "TO" | "TC":
            pass
        case _:
            raise refuse(f"{quote(command)} is not a command of OpenAir")


def _variable(block: _Block, rest: str, refuse: _Refuse) -> None:
    name, _, value = rest.partition("=")
    match name.strip().upper():
        case "X":
            block.centre = _coordinate(value, refuse)
        case "D":
            if value.strip() not in ("+", "-"):
                raise refuse(f"direction {quote(value)} is neither + nor -")
            block.clockwise = value.strip() == "+"
        case "W" | "Z" | "T":
            pass
        case other:
            raise refuse(f"{quote(other)} is not a variable of OpenAir")


def _centre(block: _Block, refuse: _Refuse) -> Wgs84Point:
    if block.centre is None:
        raise refuse("no centre (V X=) was given")
    return block.centre


def _number(text: str, refuse: _Refuse) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0.0:
        raise refuse(f"{quote(text)} is not a number from 0 up")
    return number


def _coordinate(text: str, refuse: _Refuse) -> Wgs84Point:
    match = _COORDINATE.fullmatch(text.strip())
    if match is None:
        raise refuse(f"{quote(text)} is not a position such as 47:26:30 N 008:33:00 E")
    degrees = []
    for first, hemisphere in ((1, match[4]), (5, match[8])):
        minutes, seconds = float(match[first + 1]), float(match[first + 2] or 0.0)
        if minutes >= 60.0 or seconds >= 60.0:
            raise refuse(f"{quote(text)} has more than 59 minutes or seconds")
        value = int(match[first]) + minutes / 60.0 + seconds / 3600.0
        degrees.append(-value if hemisphere.upper() in "SW" else value)
    if abs(degrees[0]) > 90.0 or abs(degrees[1]) > 180.0:
        raise refuse(f"{quote(text)} is not on Earth")
    return Wgs84Point(degrees[0], degrees[1])


def _height(
    text: str, refuse: _Refuse, report: Report, place: str, where: str, *, lowest: bool
) -> VerticalLimit:
    word = " ".join(text.upper().split())
    if word in ("GND", "SFC", "0"):
        return make_limit(0.0, AltitudeDatum.AGL)
    if word.startswith("UNL"):
        return VerticalLimit(None)
    level = re.fullmatch(r"FL\s*(\d+)", word, re.ASCII)
    if level is not None:
        standard_m = int(level[1]) * _METRES_PER_LEVEL
        report.tolerated(place, where, "a flight level: widened for the weather")
        if lowest:
            shift_m, share = _LOWEST_FLIGHT_LEVEL_SHIFT_M, _LOWEST_FLIGHT_LEVEL_SHARE
        else:
            shift_m, share = _HIGHEST_FLIGHT_LEVEL_SHIFT_M, _HIGHEST_FLIGHT_LEVEL_SHARE
        return make_limit(standard_m * share + shift_m, AltitudeDatum.AMSL)
    match = _HEIGHT.fullmatch(word)
    if match is None or match["datum"] == "STD":
        raise refuse(f"{quote(text)} is not a height such as 2500 FT AMSL, 1000 AGL, FL 65, GND, UNL")
    metres = float(match["number"]) * (1.0 if match["unit"] == "M" else METRES_PER_FOOT)
    above_ground = match["datum"] in _ABOVE_GROUND
    return make_limit(metres, AltitudeDatum.AGL if above_ground else AltitudeDatum.AMSL)


def _sweep(start_deg: float, end_deg: float, *, clockwise: bool) -> float:
    turn = (end_deg - start_deg) % 360.0
    return turn if clockwise else turn - 360.0


def _arc_between(block: _Block, rest: str, refuse: _Refuse) -> _Arc:
    centre = _centre(block, refuse)
    ends = [_coordinate(match[0], refuse) for match in _COORDINATE.finditer(rest)]
    if len(ends) != 2:
        raise refuse(f"{quote(rest)} is not two positions")
    radii = [geodesic_distance_m(centre, end) for end in ends]
    if abs(radii[0] - radii[1]) > _RADIUS_TOLERANCE * max(radii):
        raise refuse(f"the arc's ends are {radii[0]:.0f} m and {radii[1]:.0f} m from its centre")
    bearings = [initial_bearing_deg(centre, end) for end in ends]
    sweep_deg = _sweep(bearings[0], bearings[1], clockwise=block.clockwise)
    return _Arc(centre, bearings[0], sweep_deg, radii[0], radii[1])


def _draft(block: _Block, classes: Mapping[str, Restriction], report: Report) -> ZoneDraft:
    where = f"line {block.line}"
    if block.floor is None or block.ceiling is None:
        raise ZoneFileError("lacks its floor (AL) or ceiling (AH)", feature=block.place, field=where)
    values = {
        "zone_id": block.place,
        "name": block.name,
        "restriction": _restriction(block, classes, report),
        "applicability": applicability_of(block.periods),
    }
    if block.circle is not None:
        if block.outline:
            raise ZoneFileError("has both a circle and an outline", feature=block.place, field=where)
        centre, radius_m = block.circle
        position = (centre.longitude_deg, centre.latitude_deg)
        volume = VolumeDraft(where, block.floor, block.ceiling, centre=position, radius_m=radius_m)
    else:
        ring = tuple((point.longitude_deg, point.latitude_deg) for point in _ring(block.outline))
        if ring and ring[0] != ring[-1]:
            # OpenAir closes outlines by itself.
            ring = (*ring, ring[0])
        volume = VolumeDraft(where, block.floor, block.ceiling, rings=(ring,))
    return ZoneDraft(block.place, values, [volume])


def _restriction(block: _Block, classes: Mapping[str, Restriction], report: Report) -> Restriction:
    """The stricter of what the class and the kind ask for."""
    where = f"line {block.line}"
    found: list[Restriction] = []
    if not (block.kind and block.airspace_class == _UNCLASSIFIED):
        asked = classes.get(block.airspace_class)
        if asked is None:
            report.tolerated(
                block.place, where, f"class {quote(block.airspace_class)}: taken as needing approval"
            )
        found.append(asked or Restriction.REQ_AUTHORISATION)
    if block.kind:
        asked = TYPE_RESTRICTIONS.get(block.kind)
        if asked is None:
            report.tolerated(block.place, where, f"type {quote(block.kind)}: taken as needing approval")
        found.append(asked or Restriction.REQ_AUTHORISATION)
    return max(found, key=_STRICTNESS.index)


def _ring(outline: list[Wgs84Point | _Arc]) -> list[Wgs84Point]:
    """The outline with its arcs as chords or tangents, whichever lies outside the zone."""
    chords = [point for part in outline for point in _arc_points(part, tangents=False)]
    clockwise = _signed_area(chords) < 0.0
    result: list[Wgs84Point] = []
    for part in outline:
        bulging = isinstance(part, _Arc) and (part.sweep_deg > 0.0) == clockwise
        result.extend(_arc_points(part, tangents=bulging))
    return result


def _arc_points(part: Wgs84Point | _Arc, *, tangents: bool) -> list[Wgs84Point]:
    if isinstance(part, Wgs84Point):
        return [part]
    radius_m = max(part.start_radius_m, part.end_radius_m, 1.0)
    step = 2.0 * math.acos(max(0.0, 1.0 - min(_ARC_SAGITTA_M, radius_m / 10.0) / radius_m))
    pieces = max(2, math.ceil(math.radians(abs(part.sweep_deg)) / step))
    half_piece = math.radians(abs(part.sweep_deg)) / pieces / 2.0
    # Tangents meet halfway between the points where they touch; the arc's ends stay where they are.
    fractions = [i / pieces for i in range(pieces + 1)]
    stretch = 1.0
    if tangents:
        fractions = [0.0, *((i + 0.5) / pieces for i in range(pieces)), 1.0]
        stretch = 1.0 / math.cos(half_piece)
    points = []
    for fraction in fractions:
        radius_m = part.start_radius_m + fraction * (part.end_radius_m - part.start_radius_m)
        outer = stretch if 0.0 < fraction < 1.0 else 1.0
        bearing_deg = part.start_bearing_deg + fraction * part.sweep_deg
        points.append(destination(part.centre, bearing_deg, radius_m * outer))
    return points


def _signed_area(points: list[Wgs84Point]) -> float:
    """Positive for rings that run counter-clockwise."""
    total = 0.0
    for first, second in zip(points, [*points[1:], *points[:1]], strict=True):
        total += first.longitude_deg * second.latitude_deg - second.longitude_deg * first.latitude_deg
    return total
