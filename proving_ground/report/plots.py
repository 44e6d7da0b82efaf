"""Drawings of a run as SVG text: the map, height and speed over time, phases and faults over time."""

from __future__ import annotations

import io
import itertools
import math
import re

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Patch, Polygon
from matplotlib.ticker import MaxNLocator

from flight.model.words import AIRBORNE_PHASES, Phase
from geofences.model import CircleArea, PolygonArea, Restriction
from planner.site import load_site
from proving_ground.loader import Loaded
from proving_ground.play import FaultSeen
from proving_ground.result import Run
from proving_ground.tracks import TrackPoint

COLOURS = ("#0b63ce", "#b35900", "#1a7f37", "#8250df", "#bf3989", "#57606a")
_ZONE = {
    Restriction.PROHIBITED: "#cf222e",
    Restriction.REQ_AUTHORISATION: "#bf8700",
    Restriction.CONDITIONAL: "#bf8700",
}
_FAULT = "#a40e26"
_IN_AIR = [phase for phase in Phase if phase in AIRBORNE_PHASES]
_ON_GROUND = [phase for phase in Phase if phase not in AIRBORNE_PHASES]
MARGIN_DEG = 0.004
METRES_PER_DEGREE = 110_750.0
"""Of latitude, in the south of China; a drawing needs no better."""


def draw_map(item: Loaded, run: Run) -> str:
    """Zones, stations, landing points and the true tracks."""
    figure, axes = plt.subplots(figsize=(9, 6))
    points = [point for track in run.tracks.values() for point in track]
    west = min(point.longitude_deg for point in points) - MARGIN_DEG
    east = max(point.longitude_deg for point in points) + MARGIN_DEG
    south = min(point.latitude_deg for point in points) - MARGIN_DEG
    north = max(point.latitude_deg for point in points) + MARGIN_DEG
    lat_per_lon = math.cos(math.radians((south + north) / 2.0))
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    everywhere: list[str] = []
    for from_s, zone in run.zones:
        colour = _ZONE.get(zone.restriction)
        for volume in zone.volumes if colour else ():
            name = zone.zone_id if math.isinf(from_s) else f"{zone.zone_id} from {from_s:.0f} s"
            shape = _shape(volume.area, lat_per_lon)
            if _contains(shape, [(west, south), (west, north), (east, south), (east, north)]):
                everywhere.append(name)
            else:
                _draw_zone(axes, shape, colour or "", name, later=math.isfinite(from_s))
    if everywhere:
        axes.set_title(
            f"all of it lies in {', '.join(dict.fromkeys(everywhere))}",
            fontsize=7,
            color="#57606a",
            loc="left",
        )
    site = load_site(item.site_file)
    for station in site.stations:
        axes.plot(station.position.longitude_deg, station.position.latitude_deg, "s", color="#1b1f24", ms=6)
    for landing_point in site.landing_points:
        place = (landing_point.position.longitude_deg, landing_point.position.latitude_deg)
        if not (west < place[0] < east and south < place[1] < north - 0.02 * (north - south)):
            continue
        axes.plot(*place, "x", color="#57606a", ms=5)
        is_right = place[0] > east - 0.2 * (east - west)
        axes.annotate(
            landing_point.landing_point_id,
            place,
            xytext=(-4 if is_right else 4, 3),
            textcoords="offset points",
            ha="right" if is_right else "left",
            fontsize=6,
            color="#57606a",
        )
    for number, (drone_id, track) in enumerate(_flown(run)):
        axes.plot(
            [point.longitude_deg for point in track],
            [point.latitude_deg for point in track],
            color=COLOURS[number % len(COLOURS)],
            lw=1.8,
            label=drone_id,
        )
        _mark_faults(axes, track, [fault for fault in run.faults if fault.drone_id == drone_id])
    axes.set_aspect(1.0 / lat_per_lon)
    axes.legend(loc="best", fontsize=8)
    axes.set_xlabel("longitude, °")
    axes.set_ylabel("latitude, °")
    # Coordinates are read off and typed elsewhere: whole, not as a distance from some number at the edge.
    axes.xaxis.set_major_formatter("{x:.3f}")
    axes.yaxis.set_major_formatter("{x:.3f}")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    return _svg(figure)


def _mark_faults(axes: Axes, track: tuple[TrackPoint, ...], faults: list[FaultSeen]) -> None:
    """Where the vehicle was when each fault came; names of those that came at one place stand below each other."""
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    named: list[tuple[float, float]] = []
    for fault in faults:
        point = min(track, key=lambda each: abs(each.at_s - fault.at_s))
        place = (point.longitude_deg, point.latitude_deg)
        beside = sum(
            abs(place[0] - x) < 0.15 * (east - west) and abs(place[1] - y) < 0.02 * (north - south)
            for x, y in named
        )
        named.append(place)
        axes.plot(*place, "o", color=_FAULT, ms=5)
        axes.annotate(
            fault.fault,
            place,
            xytext=(7, -9 - 9 * beside),
            textcoords="offset points",
            fontsize=7,
            color=_FAULT,
        )


def _shape(area: PolygonArea | CircleArea, lat_per_lon: float) -> Ellipse | Polygon:
    if isinstance(area, CircleArea):
        high_deg = 2.0 * area.radius_m / METRES_PER_DEGREE
        return Ellipse(
            (area.centre.longitude_deg, area.centre.latitude_deg), high_deg / lat_per_lon, high_deg
        )
    return Polygon([(point.longitude_deg, point.latitude_deg) for point in area.exterior])


def _contains(shape: Ellipse | Polygon, places: list[tuple[float, float]]) -> bool:
    path = shape.get_patch_transform().transform_path(shape.get_path())
    return bool(path.contains_points(places).all())


def _draw_zone(axes: Axes, shape: Ellipse | Polygon, colour: str, name: str, *, later: bool) -> None:
    """Named where its middle is, or as near to that as the map reaches. ``later``: it came into force while the scenario
    ran, and its edge is dashed."""
    shape.set(facecolor=to_rgba(colour, 0.1), edgecolor=colour, linewidth=1.6 if later else 0.8)
    shape.set_linestyle("--" if later else "-")
    axes.add_patch(shape)
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    box = shape.get_patch_transform().transform_path(shape.get_path()).get_extents()
    x = min(max((box.x0 + box.x1) / 2.0, west + 0.06 * (east - west)), east - 0.06 * (east - west))
    y = min(max((box.y0 + box.y1) / 2.0, south + 0.02 * (north - south)), north - 0.03 * (north - south))
    if box.contains(x, y):
        axes.text(x, y, name, fontsize=6, color=colour, ha="center", va="center")


def draw_profile(item: Loaded, run: Run) -> str:
    """Altitude, speed and charge of every flown vehicle over time."""
    figure, (height, speed, charge) = plt.subplots(3, 1, figsize=(9, 6), sharex=True)
    for number, (drone_id, track) in enumerate(_flown(run)):
        times = [point.at_s for point in track]
        colour = COLOURS[number % len(COLOURS)]
        height.plot(times, [point.altitude_amsl_m for point in track], color=colour, label=drone_id)
        speed.plot(times, [point.speed_m_s for point in track], color=colour)
        charge.plot(times, [100.0 * point.charge_fraction for point in track], color=colour)
    height.set_ylabel("altitude, m AMSL")
    speed.set_ylabel("speed, m/s")
    charge.set_ylabel("charge, %")
    charge.set_xlabel("seconds after the drones were ready")
    height.legend(loc="best", fontsize=8)
    for axes in (height, speed, charge):
        axes.grid(alpha=0.3)
        axes.set_xlim(*_span_s(run))
        for fault in run.faults:
            axes.axvline(fault.at_s, color=_FAULT, lw=1, ls="--")
    return _svg(figure)


def draw_timeline(item: Loaded, run: Run) -> str:
    """Phases of every drone as bars, each phase in its colour, faults as marks; over the same seconds as the profile."""
    drones = [drone_id for drone_id, _ in _flown(run)]
    figure, axes = plt.subplots(figsize=(9, 1.7 + 0.6 * len(drones)))
    start_s, end_s = _span_s(run)
    seen: dict[str, None] = {}
    for row, drone_id in enumerate(drones):
        own = [(at_s, phase) for at_s, name, phase in run.phases if name == drone_id]
        for (at_s, phase), (until_s, _) in itertools.pairwise([*own, (end_s, "")]):
            if until_s <= at_s:
                continue
            seen[phase] = None
            axes.barh(row, until_s - at_s, left=at_s, color=_phase_colour(phase))
            if until_s - at_s > 0.011 * len(phase) * (end_s - start_s):
                axes.text((at_s + until_s) / 2.0, row, phase, va="center", ha="center", fontsize=7)
    before_s: list[float] = []
    for fault in sorted(run.faults, key=lambda each: each.at_s):
        axes.axvline(fault.at_s, color=_FAULT, lw=1, ls="--")
        # Above those whose names would reach into it.
        level = sum(fault.at_s - other_s < 0.15 * (end_s - start_s) for other_s in before_s)
        before_s.append(fault.at_s)
        axes.annotate(
            fault.fault,
            (fault.at_s, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(1, 3 + 9 * level),
            textcoords="offset points",
            fontsize=7,
            color=_FAULT,
        )
    axes.set_xlim(start_s, end_s)
    axes.set_yticks(range(len(drones)), drones)
    axes.set_xlabel("seconds after the drones were ready")
    colours = [Patch(color=_phase_colour(phase), label=phase) for phase in seen]
    figure.legend(handles=colours, loc="lower center", ncols=8, fontsize=6, frameon=False)
    lines = math.ceil(len(colours) / 8)
    return _svg(figure, below=0.14 * lines / figure.get_figheight())


def _phase_colour(phase: str) -> tuple[float, float, float, float]:
    """The same in every row and report: a grey on the ground, a colour of its own in the air."""
    if phase in _ON_GROUND:
        grey = 0.6 + 0.3 * _ON_GROUND.index(Phase(phase)) / len(_ON_GROUND)
        return grey, grey, grey, 1.0
    return plt.get_cmap("tab20")(_IN_AIR.index(Phase(phase)) * 7 % 20, alpha=0.7)


def _span_s(run: Run) -> tuple[float, float]:
    """The first and the last second of any track."""
    times = [point.at_s for _, track in _flown(run) for point in (track[0], track[-1])]
    return min(times), max(times)


def _flown(run: Run) -> list[tuple[str, tuple[TrackPoint, ...]]]:
    return [(drone_id, track) for drone_id, track in run.tracks.items() if track]


def _svg(figure: Figure, *, below: float = 0.0) -> str:
    """``below``: the share of the height that is kept free for what stands under the axes."""
    buffer = io.StringIO()
    figure.tight_layout(rect=(0.0, below, 1.0, 1.0))
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close(figure)
    return re.sub(r"^.*?(?=<svg)", "", buffer.getvalue(), count=1, flags=re.DOTALL)
