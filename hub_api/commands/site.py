"""``drone-aed site``: where stations should stand for given incidents; writes proposal, GeoJSON, map and curve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from core.errors import AirspaceError, ErrorCode
from planner.airframe import load_airframes
from planner.export.siting import draw_gain_curve, draw_siting, siting_geojson
from planner.siting import SitingObjective, SitingProposal, SitingTask, propose
from planner.siting_files import read_candidates, read_incidents
from planner.siting_flight import StraightFlight
from planner.survival import SurvivalModelName, survival_model

_NOTE = (
    "straight flight, calm, no zones: a lower bound of the times; absolute survival is overstated for China"
)


def site(
    incidents: Annotated[Path, typer.Option(help="Incidents, .csv or .geojson.")],
    candidates: Annotated[Path, typer.Option(help="Candidate stations and landing points.")],
    max_stations: Annotated[int, typer.Option(help="Propose 1 to this many stations.")],
    model: Annotated[SurvivalModelName, typer.Option(help="Survival model.")] = SurvivalModelName.DE_MAIO,
    objective: Annotated[SitingObjective, typer.Option(help="What counts.")] = SitingObjective.P_MEDIAN,
    cover_s: Annotated[
        float, typer.Option(help="Maximal cover: an AED later than this counts nothing.")
    ] = 300.0,
    max_landing_points: Annotated[
        int | None, typer.Option(help="Choose at most this many landing points; default: all may be used.")
    ] = None,
    airframe: Annotated[str, typer.Option(help="Airframe whose times and range count.")] = "hex10",
    time_limit_s: Annotated[float, typer.Option(help="For each number of stations.")] = 60.0,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("siting"),
) -> None:
    """Propose stations and landing points that save the most, with the gain of each further station."""
    airframes = load_airframes()
    if airframe not in airframes:
        raise AirspaceError(
            ErrorCode.PLAN_INVALID, f"{airframe!r} is none of {', '.join(airframes)}", field="airframe"
        )
    frame = airframes[airframe]
    stations, landing_points = read_candidates(candidates)
    task = SitingTask(
        incidents=read_incidents(incidents),
        stations=stations,
        landing_points=landing_points,
        objective=objective,
        model=survival_model(model),
        max_stations=max_stations,
        max_landing_points=max_landing_points,
        cover_s=cover_s,
        time_limit_s=time_limit_s,
    )
    proposal = propose(task, StraightFlight(airframe=frame, terms=frame.deliveries[0]))
    _show(proposal)
    out.mkdir(parents=True, exist_ok=True)
    (out / "proposal.json").write_bytes(TypeAdapter(SitingProposal).dump_json(proposal, indent=1))
    (out / "proposal.geojson").write_text(
        json.dumps(siting_geojson(task, proposal), ensure_ascii=False, indent=1), encoding="utf-8"
    )
    title = f"{len(proposal.station_ids)} of {len(stations)} stations, {objective.value}, {model.value}"
    draw_siting(out / "map.png", task, proposal, title=title)
    draw_gain_curve(out / "gain.png", proposal, title=f"What each further station brings, {objective.value}")
    typer.echo(f"written to {out}/: proposal.json proposal.geojson map.png gain.png")


def _show(proposal: SitingProposal) -> None:
    typer.echo(f"model {proposal.model}; {_NOTE}")
    if proposal.extrapolated_weight > 0.0:
        typer.echo(
            f"{proposal.extrapolated_weight:g} of {proposal.total_weight:g} incidents wait longer than the "
            "model is trusted for"
        )
    typer.echo(f"ambulance alone: {proposal.survivors_without:.3f} of {proposal.total_weight:g} survive")
    for point in proposal.curve:
        proof = "optimal" if point.proved_optimal else f"not proved, bound {100.0 * point.gap:.2f} % above"
        mean = "" if point.mean_drone_s is None else f", mean {point.mean_drone_s:.0f} s"
        typer.echo(
            f"{point.stations:3} stations: +{point.gained_survivors:.3f} survivors, drone first for "
            f"{point.served_weight:g}{mean} ({proof}): {' '.join(point.station_ids)}"
        )
    typer.echo(f"landing points used: {' '.join(proposal.landing_point_ids) or 'none'}")
