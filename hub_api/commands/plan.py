"""``drone-aed plan``: decide and plan without flying; writes the plan, its exports and a map."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from core.clock import LoopClock
from core.errors import AirspaceError, ErrorCode
from core.gcj02 import ReferenceSystem, to_wgs84
from core.geodesy import Wgs84Point
from core.ids import IdSource
from geofences.site_airspace import load_demo_airspace
from planner.airframe import load_airframes
from planner.choice import Decision, DispatchRequest, DroneState, Severity, choose
from planner.export.geojson import to_geojson
from planner.export.kml import to_kml
from planner.export.png import draw_map
from planner.export.qgc_plan import to_qgc_plan
from planner.flight_plan import FlightPlan
from planner.site import Site, load_site
from planner.wind import Wind

_SHOWN_REFUSALS = 8


def plan(
    patient: Annotated[str, typer.Argument(help="Latitude,longitude in degrees, e.g. 22.5706,113.8945")],
    reference_system: Annotated[
        ReferenceSystem, typer.Option(help="Reference system of the position; it is never guessed.")
    ],
    site: Annotated[
        Path, typer.Option(help="Stations, drones, landing points.", exists=True, dir_okay=False)
    ] = Path("examples/sites/baoan.json"),
    floor: Annotated[int | None, typer.Option(help="Floor of the patient; 1 is street level.")] = None,
    wind_from_deg: Annotated[float, typer.Option(min=0, max=360, help="Where the wind comes from.")] = 0.0,
    wind_speed_m_s: Annotated[float, typer.Option(min=0, help="Wind speed at flight height.")] = 0.0,
    charge_fraction: Annotated[float, typer.Option(min=0, max=1, help="Charge of every drone.")] = 1.0,
    out: Annotated[Path, typer.Option(help="Folder for the plan and its exports.")] = Path("plan"),
) -> None:
    """Choose drone and landing point for a patient as if every drone stood ready; exit code 1 if none can fly."""
    place = read_position(patient, reference_system, field="patient")
    ground = load_site(site)
    airspace = load_demo_airspace()

    async def decide() -> Decision:
        clock = LoopClock()
        wind = Wind(from_deg=wind_from_deg % 360.0, speed_m_s=wind_speed_m_s, measured_at=clock.now())
        return choose(
            DispatchRequest(patient=place, severity=Severity.I, floor_of_building=floor, at=clock.now()),
            site=ground,
            drone_states=[
                DroneState(
                    drone=drone, ready=True, not_ready_reasons=(), charge_fraction=charge_fraction, wind=wind
                )
                for drone in ground.drones
            ],
            airspace=airspace,
            airframes=load_airframes(),
            ids=IdSource(clock),
            clock=clock,
        )

    decision = asyncio.run(decide())
    _show(decision)
    if decision.accepted is None:
        raise typer.Exit(1)
    out.mkdir(parents=True, exist_ok=True)
    write_exports(decision.accepted, out)
    draw_map(
        out / "map.png",
        airspace,
        plan=decision.accepted,
        site=ground,
        incident=place,
        title=_title(ground, decision.accepted),
    )
    typer.echo(f"written to {out}/: plan.json mission.plan plan.geojson plan.kml map.png")


def write_exports(flight_plan: FlightPlan, folder: Path) -> None:
    """``plan.json`` (the value itself), ``mission.plan`` (QGroundControl), GeoJSON and KML."""
    (folder / "plan.json").write_bytes(TypeAdapter(FlightPlan).dump_json(flight_plan, indent=1))
    (folder / "mission.plan").write_text(json.dumps(to_qgc_plan(flight_plan), indent=1), encoding="utf-8")
    (folder / "plan.geojson").write_text(
        json.dumps(to_geojson(flight_plan), ensure_ascii=False, indent=1), encoding="utf-8"
    )
    (folder / "plan.kml").write_text(to_kml(flight_plan), encoding="utf-8")


def read_position(text: str, system: ReferenceSystem, *, field: str) -> Wgs84Point:
    """«latitude,longitude» in a named reference system → WGS-84; raises 3001 with ``field``."""
    parts = text.split(",")
    try:
        latitude_deg, longitude_deg = (float(part) for part in parts)
    except ValueError:
        raise AirspaceError(
            ErrorCode.POSITION_INVALID, f"{text!r} is not latitude,longitude in degrees", field=field
        ) from None
    return to_wgs84(system, latitude_deg, longitude_deg)


def _title(site: Site, flight_plan: FlightPlan) -> str:
    return f"{site.name}: {flight_plan.station_id} to {flight_plan.landing_point_id}"


def _show(decision: Decision) -> None:
    refused = 0
    for candidate in decision.candidates:
        if candidate.verdict == "refused":
            refused += 1
            if refused > _SHOWN_REFUSALS:
                continue
        time_s = candidate.time_to_patient_s
        typer.echo(
            f"{candidate.verdict:9} {candidate.drone_id} {candidate.landing_point_id:20} "
            f"{'' if time_s is None else f'{time_s:.0f} s':>7}  "
            + "; ".join(reason.detail for reason in candidate.reasons)
        )
    if refused > _SHOWN_REFUSALS:
        typer.echo(f"… and {refused - _SHOWN_REFUSALS} more refused")
    if decision.declined_reason is not None:
        typer.echo(f"declined: {decision.declined_reason.detail} {decision.declined_reason.detail_zh}")
