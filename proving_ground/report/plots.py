"""Drawings of a run as SVG text: the map, height and speed over time, phases and faults over time."""

from __future__ import annotations

import io
import math
import re

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Polygon
from matplotlib.ticker import MaxNLocator

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
    for from_s, zone in run.zones:
        colour = _ZONE.get(zone.restriction)
        for volume in zone.volumes if colour else ():
            name = zone.zone_id if math.isinf(from_s) else f"{zone.zone_id} from {from_s:.0f} s"
            _draw_area(axes, volume.area, colour or "", name, lat_per_lon, later=math.isfinite(from_s))
    site = load_site(item.site_file)
    for station in site.stations:
        axes.plot(station.position.longitude_deg, station.position.latitude_deg, "s", color="#1b1f24", ms=6)
    for landing_point in site.landing_points:
        place = landing_point.position
        axes.plot(place.longitude_deg, place.latitude_deg, "x", color="#57606a", ms=5)
        axes.annotate(
            landing_point.landing_point_id,
            (place.longitude_deg, place.latitude_deg),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=6,
            color="#57606a",
            annotation_clip=True,
        )
    for number, (drone_id, track) in enumerate(_flown(run)):
        axes.plot(
            [point.longitude_deg for point in track],
            [point.latitude_deg for point in track],
            color=COLOURS[number % len(COLOURS)],
            lw=1.8,
            label=drone_id,
        )
        for fault in run.faults:
            if fault.drone_id == drone_id:
                _mark_fault(axes, track, fault)
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect(1.0 / lat_per_lon)
    axes.legend(loc="best", fontsize=8)
    axes.set_xlabel("longitude, °")
    axes.set_ylabel("latitude, °")
    # Coordinates are read off and typed elsewhere: whole, not as a distance from some number at the edge.
    axes.xaxis.set_major_formatter("{x:.3f}")
    axes.yaxis.set_major_formatter("{x:.3f}")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    return _svg(figure)


def _mark_fault(axes: Axes, track: tuple[TrackPoint, ...], fault: FaultSeen) -> None:
    """Where the vehicle was when the fault came."""
    point = min(track, key=lambda each: abs(each.at_s - fault.at_s))
    place = (point.longitude_deg, point.latitude_deg)
    axes.plot(*place, "o", color="#a40e26", ms=5)
    axes.annotate(fault.fault, place, xytext=(5, -9), textcoords="offset points", fontsize=7, color="#a40e26")


def _draw_area(
    axes: Axes,
    area: PolygonArea | CircleArea,
    colour: str,
    name: str,
    lat_per_lon: float,
    *,
    later: bool,
) -> None:
    """Lightly filled, since some cover the whole map; named where their middle is on it. ``later``: it came into force
    while the scenario ran, and its edge is dashed."""
    shape: Ellipse | Polygon
    if isinstance(area, CircleArea):
        middle = (area.centre.longitude_deg, area.centre.latitude_deg)
        high_deg = 2.0 * area.radius_m / METRES_PER_DEGREE
        shape = Ellipse(middle, high_deg / lat_per_lon, high_deg)
    else:
        ring = [(point.longitude_deg, point.latitude_deg) for point in area.exterior]
        shape = Polygon(ring)
        middle = (sum(lon for lon, _ in ring) / len(ring), sum(lat for _, lat in ring) / len(ring))
    shape.set(facecolor=to_rgba(colour, 0.1), edgecolor=colour, linewidth=1.6 if later else 0.8)
    shape.set_linestyle("--" if later else "-")
    axes.add_patch(shape)
    axes.text(*middle, name, fontsize=6, color=colour, ha="center", clip_on=True)


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
        for fault in run.faults:
            axes.axvline(fault.at_s, color="#a40e26", lw=1, ls="--")
    return _svg(figure)


def draw_timeline(item: Loaded, run: Run) -> str:
    """Phases of every drone as bars, faults as marks."""
    drones = [drone_id for drone_id, _ in _flown(run)]
    figure, axes = plt.subplots(figsize=(9, 1.0 + 0.7 * len(drones)))
    end_s = max(point.at_s for _, track in _flown(run) for point in track)
    for row, drone_id in enumerate(drones):
        own = [(at_s, phase) for at_s, name, phase in run.phases if name == drone_id]
        for number, (at_s, phase) in enumerate(own):
            until_s = own[number + 1][0] if number + 1 < len(own) else end_s
            if until_s <= at_s:
                continue
            axes.barh(row, until_s - at_s, left=at_s, color=COLOURS[number % len(COLOURS)], alpha=0.5)
            if until_s - at_s > 0.03 * end_s:
                axes.text(at_s, row, f" {phase}", va="center", fontsize=7)
    for fault in run.faults:
        axes.axvline(fault.at_s, color="#a40e26", lw=1, ls="--")
        axes.text(fault.at_s, len(drones) - 0.45, fault.fault, rotation=20, fontsize=7, color="#a40e26")
    axes.set_yticks(range(len(drones)), drones)
    axes.set_xlabel("seconds after the drones were ready")
    return _svg(figure)


def _flown(run: Run) -> list[tuple[str, tuple[TrackPoint, ...]]]:
    return [(drone_id, track) for drone_id, track in run.tracks.items() if track]


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.tight_layout()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close(figure)
    return re.sub(r"^.*?(?=<svg)", "", buffer.getvalue(), count=1, flags=re.DOTALL)
