"""The drawings of a flight's report: a map of plan, track and zones, and curves over time.

Vector drawings in the metres of a local frame with equal scales, so that shapes and distances are true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import shapely
from reportlab.graphics.shapes import Circle, Drawing, Group, Line, Path, PolyLine, Rect, String
from reportlab.lib.colors import Color, HexColor

from core.geodesy import LocalFrame, Wgs84Point
from flight.record_reading import TrackSample
from geofences.model import Restriction, Zone
from hub_api.features.zones.views import geometry_of
from planner.flight_plan import FlightPlan, Leg

PAPER, INK, FAINT = HexColor("#faf8f3"), HexColor("#22303c"), HexColor("#cfd6db")
OUT, BACK, FLOWN = HexColor("#0b57d0"), HexColor("#00897b"), HexColor("#c2185b")
_ZONES = {
    Restriction.PROHIBITED: HexColor("#c62828"),
    Restriction.REQ_AUTHORISATION: HexColor("#e07b00"),
    Restriction.CONDITIONAL: HexColor("#b59a00"),
}
MARGIN_M = 250.0
"""Chosen: what is around a flight without making it small."""


def route_map(
    plan: FlightPlan, track: Sequence[TrackSample], zones: Sequence[Zone], *, width: float, height: float
) -> Drawing:
    """North up. The view holds plan and track; zones are cut at its edge."""
    frame = LocalFrame(plan.home.position)
    planned = {name: _metres(frame, legs) for name, legs in plan.sections().items() if legs}
    flown = [_xy(frame, sample.position) for sample in track]
    points = [point for way in planned.values() for point in way] + flown
    west, east = _range([x for x, _ in points])
    south, north = _range([y for _, y in points])
    scale = min(width / (east - west), height / (north - south))
    middle_x, middle_y = (west + east) / 2.0, (south + north) / 2.0

    half_x, half_y = width / scale / 2.0, height / scale / 2.0
    view_m = (middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y)

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return (
            width / 2.0 + (point[0] - middle_x) * scale,
            height / 2.0 + (point[1] - middle_y) * scale,
        )

    drawing = Drawing(width, height)
    drawing.add(Rect(0, 0, width, height, fillColor=PAPER, strokeColor=FAINT))
    drawing.add(_zone_shapes(zones, frame, at, view_m))
    for name, way in planned.items():
        home = name in ("inbound", "retrace") or name.startswith("home")
        colour, dashes = (BACK, [4, 3]) if home else (OUT, None)
        drawing.add(_line([at(point) for point in way], colour, 1.4, dashes))
    if len(flown) > 1:
        drawing.add(_line([at(point) for point in flown], FLOWN, 1.8, None))
    for place, colour in ((plan.home.position, INK), (plan.delivery.position, OUT)):
        x, y = at(_xy(frame, place))
        drawing.add(Circle(x, y, 4, fillColor=colour, strokeColor=PAPER, strokeWidth=1))
    _scale_bar(drawing, scale)
    return drawing


def _zone_shapes(
    zones: Sequence[Zone],
    frame: LocalFrame,
    at: Callable[[tuple[float, float]], tuple[float, float]],
    view_m: tuple[float, float, float, float],
) -> Group:
    """Cut in degrees first: a zone may reach farther than a frame does."""
    corners = frame.unproject([[view_m[0], view_m[1]], [view_m[2], view_m[3]]])
    view = shapely.box(*corners[0], *corners[1])
    shapes = Group()
    for zone in zones:
        colour = _ZONES.get(zone.restriction)
        if colour is None:
            continue
        for volume in zone.volumes:
            area = shapely.make_valid(shapely.geometry.shape(geometry_of(volume.area)))
            for part in shapely.get_parts(shapely.intersection(area, view)):
                if part.geom_type == "Polygon" and not part.is_empty:
                    ring = frame.project(shapely.get_coordinates(part.exterior))
                    shapes.add(_area([at((float(x), float(y))) for x, y in ring], colour))
    return shapes


def _area(corners: list[tuple[float, float]], colour: Color) -> Path:
    shape = Path(
        fillColor=Color(colour.red, colour.green, colour.blue, alpha=0.14),
        strokeColor=colour,
        strokeWidth=0.6,
    )
    shape.moveTo(*corners[0])
    for corner in corners[1:]:
        shape.lineTo(*corner)
    shape.closePath()
    return shape


def _scale_bar(drawing: Drawing, scale: float) -> None:
    length_m = next((m for m in (2000, 1000, 500, 200, 100, 50) if m * scale <= drawing.width / 3.0), 20)
    drawing.add(Line(10, 12, 10 + length_m * scale, 12, strokeColor=INK, strokeWidth=1.5))
    drawing.add(String(10, 16, f"{length_m} m", fontName="Helvetica", fontSize=7, fillColor=INK))
    drawing.add(String(drawing.width - 16, drawing.height - 14, "N", fontName="Helvetica", fontSize=9))


def curve(
    times_s: Sequence[float],
    figures: Sequence[float | None],
    *,
    width: float,
    height: float,
    colour: Color,
    whole_s: float,
) -> Drawing:
    """One figure over time; a gap where nothing was said. The axis runs from 0 (or below) to the greatest."""
    drawing = Drawing(width, height)
    left, bottom = 34.0, 14.0
    drawing.add(Rect(left, bottom, width - left, height - bottom - 4, fillColor=PAPER, strokeColor=FAINT))
    said = [figure for figure in figures if figure is not None]
    if not said or whole_s <= 0.0:
        drawing.add(String(left + 6, height / 2, "—", fontName="Helvetica", fontSize=9, fillColor=INK))
        return drawing
    low, high = min(0.0, min(said)), max(said)
    span = (high - low) or 1.0
    step_s = next((s for s in (30, 60, 120, 300, 600, 1800) if whole_s / s <= 8), 3600)

    def x(time_s: float) -> float:
        return left + (width - left) * time_s / whole_s

    def y(figure: float) -> float:
        return bottom + (height - bottom - 8) * (figure - low) / span

    for number in range(1, int(whole_s // step_s) + 1):
        drawing.add(Line(x(number * step_s), bottom, x(number * step_s), height - 4, strokeColor=FAINT))
        drawing.add(_label(x(number * step_s) - 8, 3, f"{number * step_s // 60}:{number * step_s % 60:02d}"))
    for figure in (low, high):
        drawing.add(_label(2, y(figure) - 2, f"{figure:.{0 if span >= 10 else 2}f}"))
    run: list[tuple[float, float]] = []
    for time_s, said_then in zip((*times_s, whole_s), (*figures, None), strict=True):
        if said_then is not None:
            run.append((x(time_s), y(said_then)))
        elif run:
            if len(run) > 1:
                drawing.add(_line(run, colour, 1.2, None))
            run = []
    return drawing


def _label(x: float, y: float, text: str) -> String:
    return String(x, y, text, fontName="Helvetica", fontSize=6.5, fillColor=INK)


def _line(
    points: Sequence[tuple[float, float]], colour: Color, thickness: float, dashes: list[int] | None
) -> PolyLine:
    flat = [number for point in points for number in point]
    return PolyLine(flat, strokeColor=colour, strokeWidth=thickness, strokeDashArray=dashes)


def _metres(frame: LocalFrame, legs: Sequence[Leg]) -> list[tuple[float, float]]:
    return [_xy(frame, legs[0].start.position), *(_xy(frame, leg.end.position) for leg in legs)]


def _xy(frame: LocalFrame, point: Wgs84Point) -> tuple[float, float]:
    offset = frame.to_enu(point)
    return offset.east_m, offset.north_m


def _range(numbers: Sequence[float]) -> tuple[float, float]:
    return min(numbers) - MARGIN_M, max(numbers) + MARGIN_M
