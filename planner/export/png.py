"""A map of zones, plan and flown track as PNG: for the flight record, the demo and the README.

Drawn in the metres of the airspace's frame with equal axes, so that shapes and distances are true; the
ticks are degrees. No font with Chinese is assumed to exist, so the map's own words are English.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path as FilePath

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrow, Patch, PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from core.geodesy import EnuOffset, LocalFrame, Wgs84Point
from geofences.airspace import Airspace
from geofences.model import Restriction, Zone
from planner.export.zone_shapes import area_shapes, zone_shapes
from planner.flight_plan import FlightPlan, Leg
from planner.site import Site

_PAPER, _INK, _OUTSIDE = "#faf8f3", "#22303c", "#dfe3e6"
_ZONES: dict[Restriction, tuple[str, str, str]] = {
    Restriction.PROHIBITED: ("#c62828", "///", "prohibited"),
    Restriction.REQ_AUTHORISATION: ("#e07b00", "\\\\\\", "authorisation required"),
    Restriction.CONDITIONAL: ("#b59a00", "..", "conditional"),
    Restriction.NO_RESTRICTION: ("#6b7b88", "", "information only"),
}
_AUTHORISED = ("#7c8f2a", "", "standing authorisation held")
_OUT, _BACK, _TRACK, _FENCE, _RALLY = "#0b57d0", "#64ffda", "#c2185b", "#455a64", "#00695c"
_HALO = [withStroke(linewidth=2.5, foreground=_PAPER)]


def draw_map(
    path: str | FilePath,
    airspace: Airspace,
    *,
    plan: FlightPlan | None = None,
    track: Sequence[Wgs84Point] | None = None,
    site: Site | None = None,
    incident: Wgs84Point | None = None,
    title: str | None = None,
    width_px: int = 1600,
) -> None:
    """Write the map to ``path``. The view is the plan, the track and the incident with a margin around
    them; without these, the site; without that, all zones."""
    frame = airspace.frame
    figure = Figure(figsize=(width_px / 160.0, width_px / 160.0 * 0.72), dpi=160, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.055, 0.06, 0.675, 0.86))
    panel = figure.add_axes((0.745, 0.06, 0.245, 0.86))
    panel.set_axis_off()
    low_x, low_y, high_x, high_y = _filling(
        _view(airspace, plan, track, site, incident), 0.675 / (0.86 * 0.72)
    )
    axes.set_xlim(low_x, high_x)
    axes.set_ylim(low_y, high_y)
    axes.set_aspect("equal")
    axes.set_facecolor(_PAPER)
    view = shapely.box(low_x, low_y, high_x, high_y)
    legend = _draw_zones(axes, airspace, view)
    if plan is not None:
        legend += _draw_plan(axes, frame, plan)
    if track:
        xy = _project(frame, track)
        axes.plot(xy[:, 0], xy[:, 1], color=_TRACK, lw=1.4, zorder=8)
        legend.append(Line2D([], [], color=_TRACK, lw=1.4, label="flown track"))
    if site is not None:
        legend += _draw_site(axes, frame, site, plan, view)
    if incident is not None:
        x, y = _project(frame, [incident])[0]
        axes.plot(x, y, marker="*", ms=17, mfc="#d50000", mec="white", mew=1.2, ls="", zorder=12)
        legend.append(Line2D([], [], marker="*", ms=12, mfc="#d50000", mec="white", ls="", label="patient"))
    _decorate(axes, frame)
    if title:
        figure.text(0.055, 0.945, title, color=_INK, fontsize=13, fontweight="bold")
    panel.legend(
        handles=legend,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.0),
        frameon=False,
        fontsize=7.5,
        labelcolor=_INK,
    )
    panel.text(
        0.02,
        1.0,
        _caption(airspace, plan),
        va="top",
        ha="left",
        fontsize=7.6,
        color=_INK,
        linespacing=1.5,
        transform=panel.transAxes,
    )
    figure.savefig(str(path), facecolor=_PAPER)


def _project(frame: LocalFrame, points: Sequence[Wgs84Point]) -> np.ndarray:
    return frame.project([(point.longitude_deg, point.latitude_deg) for point in points])


def _view(
    airspace: Airspace,
    plan: FlightPlan | None,
    track: Sequence[Wgs84Point] | None,
    site: Site | None,
    incident: Wgs84Point | None,
) -> tuple[float, float, float, float]:
    points: list[Wgs84Point] = list(track or [])
    if plan is not None:
        points += [leg.end.position for legs in plan.sections().values() for leg in legs]
        points += [rally.position for rally in plan.rally_points]
    if incident is not None:
        points.append(incident)
    if not points and site is not None:
        points = [station.position for station in site.stations]
        points += [point.position for point in site.landing_points]
    if points:
        xy = _project(airspace.frame, points)
    else:
        shapes = [shape for zone in airspace.zones for shape in zone_shapes(airspace.frame, zone)]
        xy = np.array(shapely.total_bounds(shapes)).reshape(2, 2)
    low, high = xy.min(axis=0), xy.max(axis=0)
    margin = max(400.0, 0.12 * float(np.max(high - low)))
    return low[0] - margin, low[1] - margin, high[0] + margin, high[1] + margin


def _filling(
    view: tuple[float, float, float, float], width_to_height: float
) -> tuple[float, float, float, float]:
    """The view grown about its middle to the shape of the axes, so that one metre is as long both ways."""
    low_x, low_y, high_x, high_y = view
    height = max(high_y - low_y, (high_x - low_x) / width_to_height)
    width = height * width_to_height
    x, y = (low_x + high_x) / 2.0, (low_y + high_y) / 2.0
    return x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0


def _patch(shape: shapely.Polygon, **style: object) -> PathPatch:
    rings = [shape.exterior, *shape.interiors]
    vertices = np.concatenate([shapely.get_coordinates(ring) for ring in rings])
    codes = np.concatenate(
        [[Outline.MOVETO, *([Outline.LINETO] * (len(ring.coords) - 2)), Outline.CLOSEPOLY] for ring in rings]
    )
    return PathPatch(Outline(vertices, codes), **style)


def _parts(shape: shapely.Geometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and not part.is_empty]


def _draw_zones(axes: Axes, airspace: Airspace, view: shapely.Geometry) -> list[Patch | Line2D]:
    legend: list[Patch | Line2D] = []
    inside = [
        shape
        for zone in airspace.zones
        if zone.restriction is Restriction.KEEP_IN
        for shape in zone_shapes(airspace.frame, zone)
    ]
    if inside:
        area = shapely.union_all(inside)
        for part in _parts(shapely.difference(view, area)):
            axes.add_patch(_patch(part, fc=_OUTSIDE, ec="none", zorder=1))
        for part in _parts(area):
            axes.add_patch(_patch(part, fc="none", ec=_INK, lw=1.4, ls=(0, (6, 3)), zorder=2))
        legend.append(Line2D([], [], color=_INK, lw=1.4, ls=(0, (6, 3)), label="operating area"))
    opened = _opened_everywhere(airspace)
    seen: set[Restriction | None] = set()
    # Big zones first, so that small ones stay visible on top.
    drawn = [
        (shape, zone)
        for zone in airspace.zones
        if zone.restriction in _ZONES
        for shape in zone_shapes(airspace.frame, zone)
        if shape.intersects(view)
    ]
    labelled: set[str] = set()
    for shape, zone in sorted(drawn, key=lambda pair: -pair[0].area):
        style = None if zone.zone_id in opened else zone.restriction
        colour, hatch, label = _AUTHORISED if style is None else _ZONES[style]
        strong = style is Restriction.PROHIBITED
        for part in _parts(shape):
            axes.add_patch(_patch(part, fc=colour, ec="none", alpha=0.16 if strong else 0.09, zorder=3))
            axes.add_patch(
                _patch(
                    part, fc="none", ec=colour, lw=0.9, hatch=hatch, alpha=0.55, hatch_linewidth=0.4, zorder=3
                )
            )
        if style not in seen:
            seen.add(style)
            legend.append(Patch(fc=colour, alpha=0.35, hatch=hatch, ec=colour, label=label))
        if zone.zone_id not in labelled and not shape.contains(view):
            labelled.add(zone.zone_id)
            _label_zone(axes, shape, zone, view, colour)
    for authorisation in airspace.authorisations:
        for shape in area_shapes(airspace.frame, [authorisation.area] if authorisation.area else []):
            for part in _parts(shapely.intersection(shape, view)):
                axes.add_patch(_patch(part, fc="none", ec=_AUTHORISED[0], lw=1.2, ls=(0, (1, 1)), zorder=3))
    return legend


def _opened_everywhere(airspace: Airspace) -> set[str]:
    """Zones that a standing authorisation opens over the whole of their area."""
    return {
        zone_id
        for authorisation in airspace.authorisations
        if authorisation.area is None
        for zone_id in authorisation.zone_ids
    }


def _label_zone(axes: Axes, shape: shapely.Geometry, zone: Zone, view: shapely.Geometry, colour: str) -> None:
    visible = shapely.intersection(shape, view)
    if visible.is_empty or visible.area < 0.002 * view.area:
        return
    at = visible.representative_point()
    name = zone.name or zone.zone_id
    axes.text(
        at.x, at.y, "\n".join(_wrapped(name, 22)), ha="center", va="center", fontsize=6.3, color=colour,
        path_effects=_HALO, zorder=6, clip_on=True,
    )  # fmt: skip


def _wrapped(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]


def _way(frame: LocalFrame, legs: Sequence[Leg]) -> np.ndarray:
    return _project(frame, [legs[0].start.position, *(leg.end.position for leg in legs)])


def _draw_plan(axes: Axes, frame: LocalFrame, plan: FlightPlan) -> list[Patch | Line2D]:
    fence = shapely.Polygon(
        _project(frame, plan.autopilot_fence.inclusion),
        [_project(frame, ring) for ring in plan.autopilot_fence.exclusions],
    )
    axes.add_patch(_patch(fence, fc="none", ec=_FENCE, lw=0.8, ls=(0, (2, 2)), zorder=5))
    chains = {name: _way(frame, legs) for name, legs in plan.sections().items() if legs}
    ways = shapely.union_all([shapely.LineString(chain) for chain in chains.values()])
    for part in _parts(shapely.buffer(ways, plan.corridor_half_width_m)):
        axes.add_patch(_patch(part, fc=_OUT, ec="none", alpha=0.10, zorder=4))
    for name, chain in chains.items():
        if name == "outbound":
            axes.plot(chain[:, 0], chain[:, 1], color=_OUT, lw=3.0, solid_capstyle="round", zorder=7)
        elif name == "inbound":
            axes.plot(chain[:, 0], chain[:, 1], color=_BACK, lw=1.6, ls=(0, (4, 3)), zorder=7)
        elif name != "retrace":
            colour = _OUT if name.startswith("transfer") else _BACK
            axes.plot(chain[:, 0], chain[:, 1], color=colour, lw=0.8, ls=(0, (1, 2)), zorder=6)
    for alternate in plan.alternates:
        x, y = _project(frame, [alternate.delivery.position])[0]
        axes.plot(x, y, marker="v", ms=7, mfc="white", mec=_INK, mew=0.8, ls="", zorder=10)
    for rally in plan.rally_points:
        x, y = _project(frame, [rally.position])[0]
        axes.plot(x, y, marker="P", ms=7, mfc=_RALLY, mec="white", mew=0.8, ls="", zorder=9)
    x, y = _project(frame, [plan.delivery.position])[0]
    axes.plot(x, y, marker="v", ms=11, mfc="#ffb300", mec=_INK, mew=1.0, ls="", zorder=11)
    return [
        Line2D([], [], color=_OUT, lw=3.0, label="planned way out"),
        Line2D([], [], color=_BACK, lw=1.6, ls=(0, (4, 3)), label="planned way back"),
        Patch(fc=_OUT, alpha=0.15, label=f"corridor, {plan.corridor_half_width_m:.0f} m each side"),
        Line2D([], [], color=_FENCE, lw=0.8, ls=(0, (2, 2)), label="autopilot fence"),
        Line2D([], [], marker="P", ms=7, mfc=_RALLY, mec="white", ls="", label="rally point"),
        Line2D([], [], marker="v", ms=8, mfc="#ffb300", mec=_INK, ls="", label="delivery"),
    ]


def _draw_site(
    axes: Axes, frame: LocalFrame, site: Site, plan: FlightPlan | None, view: shapely.Geometry
) -> list[Patch | Line2D]:
    for point in site.landing_points:
        x, y = _project(frame, [point.position])[0]
        axes.plot(x, y, marker="v", ms=5.5, mfc="white", mec=_INK, mew=0.9, ls="", zorder=9)
        if plan is not None and point.landing_point_id == plan.landing_point_id:
            _label(axes, float(x), float(y), point.name, view, bold=True)
    for station in site.stations:
        x, y = _project(frame, [station.position])[0]
        axes.plot(x, y, marker="s", ms=8, mfc=_INK, mec="white", mew=1.0, ls="", zorder=10)
        chosen = plan is not None and station.station_id == plan.station_id
        _label(axes, float(x), float(y), station.name, view, bold=chosen)
    return [
        Line2D([], [], marker="s", ms=7, mfc=_INK, mec="white", ls="", label="station"),
        Line2D([], [], marker="v", ms=5.5, mfc="white", mec=_INK, ls="", label="landing point"),
    ]


def _label(axes: Axes, x: float, y: float, text: str, view: shapely.Geometry, *, bold: bool) -> None:
    if not view.contains(shapely.Point(x, y)):
        return
    right = x < view.centroid.x
    axes.annotate(
        text, (x, y), xytext=(8 if right else -8, 6), textcoords="offset points", fontsize=7.2, color=_INK,
        ha="left" if right else "right", fontweight="bold" if bold else "normal", path_effects=_HALO,
        zorder=13,
    )  # fmt: skip


def _decorate(axes: Axes, frame: LocalFrame) -> None:
    (low_x, high_x), (low_y, high_y) = axes.get_xlim(), axes.get_ylim()
    middle_x, middle_y = (low_x + high_x) / 2.0, (low_y + high_y) / 2.0

    def longitude(x: float, _: object) -> str:
        return f"{frame.to_wgs84(EnuOffset(x, middle_y)).longitude_deg:.3f}°E"

    def latitude(y: float, _: object) -> str:
        return f"{frame.to_wgs84(EnuOffset(middle_x, y)).latitude_deg:.3f}°N"

    for axis, formatter in ((axes.xaxis, longitude), (axes.yaxis, latitude)):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(FuncFormatter(formatter))
    axes.tick_params(labelsize=6.5, colors=_INK, length=3)
    for label in axes.get_yticklabels():
        label.set_rotation(90)
        label.set_verticalalignment("center")
    for spine in axes.spines.values():
        spine.set_color(_INK)
        spine.set_linewidth(0.8)
    span_x, span_y = high_x - low_x, high_y - low_y
    length_m = _round_length(span_x / 5.0)
    x, y = low_x + 0.04 * span_x, low_y + 0.045 * span_y
    axes.plot([x, x + length_m], [y, y], color=_INK, lw=3.0, solid_capstyle="butt", zorder=14)
    text = f"{length_m / 1000.0:g} km" if length_m >= 1000.0 else f"{length_m:g} m"
    axes.text(
        x + length_m / 2.0, y + 0.012 * span_y, text, ha="center", va="bottom", fontsize=7.5, color=_INK,
        path_effects=_HALO, zorder=14,
    )  # fmt: skip
    arrow_m = 0.07 * span_y
    x, y = high_x - 0.045 * span_x, high_y - 0.13 * span_y
    axes.add_patch(
        FancyArrow(
            x,
            y,
            0.0,
            arrow_m,
            width=0.18 * arrow_m,
            head_width=0.5 * arrow_m,
            head_length=0.45 * arrow_m,
            length_includes_head=True,
            fc=_INK,
            ec="white",
            lw=0.6,
            zorder=14,
        )
    )
    axes.text(x, y + 1.08 * arrow_m, "N", ha="center", va="bottom", fontsize=8.5, color=_INK, zorder=14)


def _round_length(about_m: float) -> float:
    """The largest of 1, 2, 5 × 10ⁿ that is not above ``about_m``."""
    power = 10.0 ** math.floor(math.log10(about_m))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= about_m)


def _caption(airspace: Airspace, plan: FlightPlan | None) -> str:
    lines = []
    if plan is not None:
        length_m = sum(leg.length_m for leg in plan.outbound)
        cruise_m = [leg.end.altitude_amsl_m for leg in (*plan.outbound[:-1], *plan.inbound[:-1])]
        low_m, high_m = min(cruise_m), max(cruise_m)
        heights = f"{low_m:.0f}" if high_m - low_m < 0.5 else f"{low_m:.0f} to {high_m:.0f}"
        timing, energy = plan.timing, plan.energy
        lines += [
            f"{plan.drone_id}: {plan.station_id} → {plan.landing_point_id}",
            f"way out {length_m / 1000.0:.2f} km, {plan.route_objective.value.lower().replace('_', ' ')}",
            f"cruise {heights} m AMSL",
            f"AED on the ground after {timing.time_to_aed_on_ground_s:.0f} s",
            f"at the patient after {timing.time_to_patient_s:.0f} s",
            f"whole flight {timing.total_s:.0f} s",
            f"energy {energy.total_wh:.0f} ± {energy.uncertainty_wh:.0f} Wh",
            f"of {energy.usable_wh - energy.reserve_wh:.0f} Wh above the reserve",
            f"wind {plan.wind.speed_m_s:.1f} m/s from {plan.wind.from_deg:.0f}°",
            f"delivery: {plan.delivery_method.value.lower().replace('_', ' ')}",
        ]
    lines += [f"airspace {airspace.version}", *_wrapped(airspace.terrain.description, 34)]
    return "\n".join(lines)
