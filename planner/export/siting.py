"""A siting proposal for people: GeoJSON for a map program, a map and the gain curve as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from core.geodesy import LocalFrame, Wgs84Point
from planner.siting import Assignment, SitingProposal, SitingTask

_PAPER, _INK, _STATION, _PATIENT, _GAIN = "#faf8f3", "#22303c", "#0b57d0", "#c62828", "#00695c"


def siting_geojson(task: SitingTask, proposal: SitingProposal) -> dict[str, Any]:
    """A FeatureCollection: chosen stations and landing points, incidents, and a line for each that a drone serves."""
    stations = {station.station_id: station for station in task.stations}
    points = {point.landing_point_id: point for point in task.landing_points}
    features = []
    for station_id in proposal.station_ids:
        served = [one for one in proposal.assignments if one.station_id == station_id]
        features.append(
            _feature(
                "Point",
                _lon_lat(stations[station_id].position),
                {
                    "kind": "station",
                    "id": station_id,
                    "name": stations[station_id].name,
                    "serves": len(served),
                },
            )
        )
    for point_id in proposal.landing_point_ids:
        features.append(
            _feature(
                "Point",
                _lon_lat(points[point_id].position),
                {"kind": "landing_point", "id": point_id, "name": points[point_id].name},
            )
        )
    for incident, assignment in zip(task.incidents, proposal.assignments, strict=True):
        features.append(
            _feature(
                "Point",
                _lon_lat(incident.position),
                {
                    "kind": "incident",
                    "id": incident.incident_id,
                    "weight": incident.weight,
                    "station_id": assignment.station_id,
                    "landing_point_id": assignment.landing_point_id,
                    "drone_s": _rounded(assignment.drone_s, 1),
                    "survival": _rounded(assignment.survival, 4),
                    "survival_without": _rounded(assignment.survival_without, 4),
                },
            )
        )
    for way in _ways(task, proposal):
        features.append(_feature("LineString", [_lon_lat(point) for point in way], {"kind": "way"}))
    return {
        "type": "FeatureCollection",
        "reference_system": "WGS-84",
        "model": proposal.model,
        "objective": proposal.objective.value,
        "features": features,
    }


def draw_siting(path: str | Path, task: SitingTask, proposal: SitingProposal, *, title: str) -> None:
    """The map: who is served from where; straight lines, no zones. Metres with equal axes around the incidents."""
    frame = LocalFrame(task.incidents[0].position)

    def xy_km(positions: list[Wgs84Point]) -> np.ndarray:
        lon_lat = [(point.longitude_deg, point.latitude_deg) for point in positions]
        return frame.project(lon_lat) / 1000.0 if lon_lat else np.zeros((0, 2))

    figure = Figure(figsize=(10.0, 7.2), dpi=160, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.08, 0.08, 0.88, 0.84))
    axes.set_facecolor(_PAPER)
    axes.set_aspect("equal")
    ways = [xy_km(way) for way in _ways(task, proposal)]
    axes.add_collection(LineCollection(ways, colors=_STATION, linewidths=0.7, alpha=0.45, zorder=2))
    unused = [one.position for one in task.stations if one.station_id not in proposal.station_ids]
    chosen = [one for one in task.stations if one.station_id in proposal.station_ids]
    put = [one.position for one in task.landing_points if one.landing_point_id in proposal.landing_point_ids]
    weights = np.array([incident.weight for incident in task.incidents])
    served = np.array([one.station_id is not None for one in proposal.assignments])
    at = xy_km([incident.position for incident in task.incidents])
    sizes = 60.0 * weights / weights.max()
    for which, colour, label in (
        (served, _PATIENT, "incident, a drone is first"),
        (~served, "#8a8f94", "incident, no drone gains"),
    ):
        axes.scatter(
            at[which, 0], at[which, 1], s=sizes[which], c=colour, alpha=0.7, lw=0, label=label, zorder=3
        )
    for positions, marker, size, face, label in (
        (unused, "s", 26, "white", "candidate station, not chosen"),
        (put, "v", 34, "#ffb300", "landing point used"),
        ([one.position for one in chosen], "s", 90, _STATION, "station proposed"),
    ):
        where = xy_km(positions)
        axes.scatter(
            where[:, 0], where[:, 1], s=size, marker=marker, c=face, ec=_INK, lw=0.8, label=label, zorder=5
        )
    for station, (x, y) in zip(chosen, xy_km([one.position for one in chosen]), strict=True):
        axes.annotate(
            station.station_id,
            (x, y),
            xytext=(7, 5),
            textcoords="offset points",
            fontsize=8,
            color=_INK,
            zorder=6,
        )
    axes.margins(0.06)
    axes.set_xlabel("km east of the first incident", fontsize=8, color=_INK)
    axes.set_ylabel("km north", fontsize=8, color=_INK)
    axes.tick_params(labelsize=7, colors=_INK)
    axes.legend(loc="best", fontsize=7.5, framealpha=0.9, labelcolor=_INK)
    figure.text(0.08, 0.945, title, fontsize=12, fontweight="bold", color=_INK)
    figure.savefig(str(path), facecolor=_PAPER)


def draw_gain_curve(path: str | Path, proposal: SitingProposal, *, title: str) -> None:
    """Gained survivors over the number of stations; an answer that was not proved carries its bound."""
    figure = Figure(figsize=(8.0, 5.0), dpi=160, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.1, 0.13, 0.86, 0.74))
    axes.set_facecolor(_PAPER)
    numbers = [0, *(point.stations for point in proposal.curve)]
    gains = [0.0, *(point.gained_survivors for point in proposal.curve)]
    axes.plot(numbers, gains, color=_GAIN, lw=2.2, marker="o", ms=6, mec="white", zorder=3)
    for point in proposal.curve:
        if not point.proved_optimal and np.isfinite(point.gap) and point.gap < 1.0:
            bound = point.gained_survivors / (1.0 - point.gap)
            axes.vlines(point.stations, point.gained_survivors, bound, color=_PATIENT, lw=1.5, zorder=2)
        if point.mean_drone_s is not None:
            axes.annotate(
                f"{point.mean_drone_s:.0f} s", (point.stations, point.gained_survivors), xytext=(6, -13),
                textcoords="offset points", ha="left", fontsize=7, color=_INK,
            )  # fmt: skip
    axes.set_xticks(numbers)
    axes.set_ylim(bottom=0.0)
    axes.margins(y=0.1)
    axes.grid(True, alpha=0.25)
    axes.set_xlabel(
        "stations (below each point: mean time to the patient where a drone is first)", fontsize=8
    )
    axes.set_ylabel(f"survivors gained ({proposal.model}; ranking, not prognosis)", fontsize=8)
    axes.tick_params(labelsize=7, colors=_INK)
    figure.text(0.1, 0.92, title, fontsize=12, fontweight="bold", color=_INK)
    figure.savefig(str(path), facecolor=_PAPER)


def _ways(task: SitingTask, proposal: SitingProposal) -> list[list[Wgs84Point]]:
    """Station, landing point, incident for each assignment."""
    stations = {station.station_id: station.position for station in task.stations}
    points = {point.landing_point_id: point.position for point in task.landing_points}

    def way(one: Assignment, end: Wgs84Point) -> list[Wgs84Point]:
        between = [points[one.landing_point_id]] if one.landing_point_id else []
        return [stations[one.station_id or ""], *between, end]

    return [
        way(one, incident.position)
        for incident, one in zip(task.incidents, proposal.assignments, strict=True)
        if one.station_id is not None
    ]


def _feature(kind: str, coordinates: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }


def _lon_lat(point: Wgs84Point) -> list[float]:
    return [point.longitude_deg, point.latitude_deg]


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
