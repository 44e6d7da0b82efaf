"""Random zones around one origin, for Hypothesis."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from core.geodesy import Altitude, EnuOffset, LocalFrame, Wgs84Point
from geofences.applicability import (
    PERMANENT,
    Applicability,
    ClockTime,
    SolarEvent,
    SolarTime,
    TimePeriod,
    Weekday,
    WeeklyPeriod,
)
from geofences.model import (
    Authorisation,
    Authority,
    CircleArea,
    DataSource,
    PolygonArea,
    PositionQuality,
    Restriction,
    VerticalLimit,
    Volume,
    Zone,
)

ORIGIN = Wgs84Point(22.575, 113.885)
FRAME = LocalFrame(ORIGIN)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
REACH_M = 3_000.0
HIGH_M = 200.0


def at(east_m: float, north_m: float) -> Wgs84Point:
    return FRAME.to_wgs84(EnuOffset(east_m, north_m))


def metres(low: float, high: float) -> st.SearchStrategy[float]:
    """Whole millimetres, so that failing cases shrink to round numbers."""
    return st.integers(math.ceil(low * 1000), math.floor(high * 1000)).map(lambda mm: mm / 1000)


@st.composite
def stars(draw: st.DrawFn, centre: tuple[float, float], radius_m: float) -> tuple[Wgs84Point, ...]:
    """A star-shaped ring: any radii at rising angles never cross."""
    corners = draw(st.integers(3, 12))
    turn = draw(metres(0.0, 2 * math.pi))
    radii = draw(st.lists(metres(0.3 * radius_m, radius_m), min_size=corners, max_size=corners))
    return tuple(
        at(
            centre[0] + r * math.cos(turn + 2 * math.pi * i / corners),
            centre[1] + r * math.sin(turn + 2 * math.pi * i / corners),
        )
        for i, r in enumerate(radii)
    )


@st.composite
def areas(draw: st.DrawFn) -> PolygonArea | CircleArea:
    centre = (draw(metres(-REACH_M, REACH_M)), draw(metres(-REACH_M, REACH_M)))
    radius_m = draw(metres(20.0, 2_000.0))
    if draw(st.booleans()):
        return CircleArea(at(*centre), radius_m)
    exterior = draw(stars(centre, radius_m))
    holes = ()
    if draw(st.booleans()):
        # The star reaches at least 0.3 of its radius everywhere, but its chords come nearer.
        inner = 0.3 * radius_m * math.cos(math.pi / len(exterior)) * 0.9
        holes = (draw(stars(centre, inner)),)
    return PolygonArea(exterior, holes)


@st.composite
def limits(draw: st.DrawFn) -> tuple[VerticalLimit, VerticalLimit]:
    low, high = sorted((draw(metres(-20.0, HIGH_M)), draw(metres(-20.0, HIGH_M))))
    make = draw(st.sampled_from([Altitude.amsl, Altitude.agl]))
    floor = draw(st.sampled_from([VerticalLimit(None), VerticalLimit(make(low))]))
    ceiling = draw(st.sampled_from([VerticalLimit(None), VerticalLimit(make(high))]))
    return floor, ceiling


@st.composite
def volumes(draw: st.DrawFn) -> Volume:
    floor, ceiling = draw(limits())
    return Volume(draw(areas()), floor, ceiling)


def moments() -> st.SearchStrategy[datetime]:
    return st.integers(-2 * 86_400, 9 * 86_400).map(lambda s: MONDAY + timedelta(seconds=s))


def clock_times() -> st.SearchStrategy[ClockTime]:
    return st.builds(ClockTime, st.integers(0, 86_399), st.just(0))


@st.composite
def weekly_periods(draw: st.DrawFn, *, solar: bool = False) -> WeeklyPeriod:
    offset_s = draw(st.sampled_from([0, 8 * 3600, -5 * 3600 - 1800]))
    times = st.builds(ClockTime, st.integers(0, 86_399), st.just(offset_s))
    if solar:
        times = times | st.builds(SolarTime, st.sampled_from(SolarEvent))
    days = draw(st.sets(st.sampled_from(Weekday), min_size=1))
    return WeeklyPeriod(tuple(day for day in Weekday if day in days), draw(times), draw(times))


@st.composite
def time_periods(draw: st.DrawFn, *, solar: bool = False) -> TimePeriod:
    first, last = sorted((draw(moments()), draw(moments())))
    schedule = tuple(draw(st.lists(weekly_periods(solar=solar), max_size=2)))
    return TimePeriod(draw(st.sampled_from([None, first])), draw(st.sampled_from([None, last])), schedule)


@st.composite
def applicabilities(draw: st.DrawFn, *, solar: bool = False) -> Applicability:
    periods = tuple(draw(st.lists(time_periods(solar=solar), max_size=2)))
    result = Applicability(periods)
    return PERMANENT if result.permanent else result


KEEP_OUT = (Restriction.PROHIBITED, Restriction.REQ_AUTHORISATION, Restriction.CONDITIONAL)


@st.composite
def zones(draw: st.DrawFn, zone_id: str, restrictions: tuple[Restriction, ...] = KEEP_OUT) -> Zone:
    return Zone(
        zone_id=zone_id,
        restriction=draw(st.sampled_from(restrictions)),
        volumes=tuple(draw(st.lists(volumes(), min_size=1, max_size=2))),
        applicability=draw(applicabilities()),
    )


@st.composite
def authorisations(draw: st.DrawFn, zone_ids: tuple[str, ...], number: int) -> Authorisation:
    first, last = sorted((draw(moments()), draw(moments())))
    floor, ceiling = draw(limits())
    return Authorisation(
        authorisation_id=f"A{number}",
        zone_ids=zone_ids,
        authority="authority",
        number=str(number),
        valid_from=first,
        valid_until=last,
        area=draw(st.none() | areas()),
        floor=floor,
        ceiling=ceiling,
    )


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn")), max_size=12).map(
    lambda text: " ".join(text.split())
)
words = st.text(st.characters(codec="ascii", categories=("Lu", "Ll", "Nd")), min_size=1, max_size=7)


@st.composite
def full_zones(draw: st.DrawFn, *, solar: bool = True) -> Zone:
    """A zone with everything that a zone may carry, for round trips."""
    restriction = draw(st.sampled_from(Restriction))
    ellipsoidal = VerticalLimit(Altitude.ellipsoid(draw(metres(-50, 50))))
    parts = draw(st.lists(volumes(), min_size=1, max_size=3))
    if draw(st.booleans()):
        parts.append(Volume(parts[0].area, ellipsoidal, VerticalLimit(None)))
    purpose = draw(st.sampled_from(["AUTHORIZATION", "NOTIFICATION", "INFORMATION"]))
    authority = Authority(
        name=draw(texts), email=draw(texts), phone=draw(texts), service=draw(texts), purpose=purpose
    )
    source = DataSource(
        description=draw(texts),
        author=draw(texts),
        created_at=draw(st.none() | moments()),
        updated_at=draw(st.none() | moments()),
    )
    name, message = draw(texts), draw(texts)
    return Zone(
        zone_id=draw(words),
        restriction=restriction,
        volumes=tuple(parts),
        name=name,
        name_zh=draw(st.sampled_from(["", "深圳「宝安」"])),
        reasons=tuple(draw(st.lists(st.sampled_from(["AIR_TRAFFIC", "NATURE", "OTHER"]), unique=True))),
        other_reason=draw(texts),
        conditions=draw(texts),
        applicability=draw(applicabilities(solar=solar)),
        authorities=tuple([authority] if draw(st.booleans()) else []),
        message=message,
        message_zh=draw(st.sampled_from(["", "禁止飞行"])),
        country=draw(st.sampled_from(["", "CHN"])),
        region=draw(st.none() | st.integers(0, 9)),
        variant=draw(st.sampled_from(["COMMON", "CUSTOMIZED"])),
        u_space=restriction is Restriction.REQ_AUTHORISATION and draw(st.booleans()),
        regulation_exemption=draw(st.none() | st.booleans()),
        position_quality=draw(st.sampled_from(PositionQuality)),
        source=source,
    )
