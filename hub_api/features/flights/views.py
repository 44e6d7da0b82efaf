"""From stored flights and their records to what the API shows."""

from __future__ import annotations

from pathlib import Path

from flight.record_reading import FlightFolder, TrackSample, summary_of, thinned
from geofences.airspace import Airspace
from geofences.model import CircleArea, PolygonArea
from hub_api.dispatch.planning import PLAN
from hub_api.features.flights.schemas import (
    FlightLineView,
    FlightPlanView,
    PhaseMark,
    PlannedView,
    RecordFileView,
    RecordView,
    TrackSummaryView,
    TrackView,
)
from hub_api.features.orders.views import flight_of
from hub_api.features.zones.schemas import ZoneFeature
from hub_api.features.zones.views import features_of
from hub_api.store.records import MissionRecord
from hub_api.store.repositories.flights import FlightLine, outcome_of
from planner.export.geojson import to_geojson
from planner.flight_plan import FlightPlan

NEAR_DEG = 0.02
"""Chosen: about 2 km; what a person looks at around a flight."""


def air_s(mission: MissionRecord) -> float | None:
    """Seconds in the air, once it is over."""
    if mission.airborne_at is None or mission.ended_at is None:
        return None
    return max(0.0, (mission.ended_at - mission.airborne_at).total_seconds())


def line_of(line: FlightLine) -> FlightLineView:
    """One line of the list."""
    mission = line.mission
    return FlightLineView(
        **flight_of(mission, drill=line.drill).model_dump(),
        order_id=mission.order_id,
        severity=line.severity,
        incident_reference=line.incident_reference,
        outcome=outcome_of(mission),
        air_s=air_s(mission),
    )


def planned_of(plan: FlightPlan) -> PlannedView:
    """What the plan promised."""
    ways = (*plan.outbound, *plan.inbound)
    return PlannedView(
        plan_id=plan.plan_id,
        airframe_id=plan.airframe_id,
        delivery_method=str(plan.delivery_method),
        airspace_version=plan.airspace_version,
        terrain=plan.terrain,
        authorisation_ids=list(plan.authorisation_ids),
        conditions=list(plan.conditions),
        alternate_ids=[alternate.landing_point_id for alternate in plan.alternates],
        route_m=sum(leg.length_m for leg in ways),
        highest_amsl_m=max(leg.end.altitude_amsl_m for leg in ways),
        time_to_aed_on_ground_s=plan.timing.time_to_aed_on_ground_s,
        time_to_patient_s=plan.timing.time_to_patient_s,
        total_s=plan.timing.total_s,
        energy_wh=plan.energy.total_wh,
        energy_usable_wh=plan.energy.usable_wh,
        wind_from_deg=plan.wind.from_deg,
        wind_speed_m_s=plan.wind.speed_m_s,
        created_at=plan.created_at,
    )


def record_of(folder: FlightFolder, mission: MissionRecord) -> RecordView:
    """What can be downloaded now. The report needs no record: it says where it lacks one."""
    base = f"/v1/flights/{mission.flight_id}/files"
    sizes = folder.files()
    files = [
        RecordFileView(name=name, url=f"{base}/{name}", size_bytes=sizes[stored])
        for name, stored in (("tlog", "flight.tlog"), ("kml", "track.kml"))
        if stored in sizes
    ]
    files.append(RecordFileView(name="report.pdf", url=f"{base}/report.pdf", size_bytes=None))
    if not folder.here:
        status = "not_here"
    else:
        status = "complete" if folder.finished and not mission.open else "recording"
    return RecordView(status=status, files=files)


def plans_of(folder: FlightFolder, mission: MissionRecord) -> list[FlightPlan]:
    """Every plan that the flight followed, in order; the stored last one alone where the record is not here."""
    last = PLAN.validate_python(mission.plan)
    recorded = [_read_plan(path) for path in folder.plans()]
    if not recorded or recorded[-1].plan_id != last.plan_id:
        recorded.append(last)
    return recorded


def _read_plan(path: Path) -> FlightPlan:
    return PLAN.validate_json(path.read_bytes())


def plan_view(plans: list[FlightPlan], number: int, airspace: Airspace) -> FlightPlanView:
    """Plan ``number`` (from 1) with the zones around it."""
    plan = plans[number - 1]
    document = to_geojson(plan)
    return FlightPlanView(
        properties=document["properties"],
        features=document["features"],
        plan_number=number,
        plan_count=len(plans),
        zones=zones_near(plan, airspace),
        zones_version=airspace.version,
        zones_as_planned=airspace.version == plan.airspace_version,
    )


def zones_near(plan: FlightPlan, airspace: Airspace) -> list[ZoneFeature]:
    """Zones whose box comes within :data:`NEAR_DEG` of the plan's."""
    ends = [leg.end.position for legs in plan.sections().values() for leg in legs]
    ends += [plan.home.position, plan.delivery.position]
    west = min(point.longitude_deg for point in ends) - NEAR_DEG
    east = max(point.longitude_deg for point in ends) + NEAR_DEG
    south = min(point.latitude_deg for point in ends) - NEAR_DEG
    north = max(point.latitude_deg for point in ends) + NEAR_DEG
    near = []
    for zone in airspace.zones:
        boxes = [_box(volume.area) for volume in zone.volumes]
        if any(w <= east and e >= west and s <= north and n >= south for w, s, e, n in boxes):
            near.append(zone)
    return features_of(near)


def _box(area: PolygonArea | CircleArea) -> tuple[float, float, float, float]:
    """(west, south, east, north), never too small."""
    if isinstance(area, PolygonArea):
        longitudes = [point.longitude_deg for point in area.exterior]
        latitudes = [point.latitude_deg for point in area.exterior]
        return min(longitudes), min(latitudes), max(longitudes), max(latitudes)
    # A degree of latitude has at least 110.5 km, one of longitude at 60° north half of that.
    reach_deg = area.radius_m / 55_000.0
    centre = area.centre
    return (
        centre.longitude_deg - reach_deg,
        centre.latitude_deg - reach_deg,
        centre.longitude_deg + reach_deg,
        centre.latitude_deg + reach_deg,
    )


def track_view(mission: MissionRecord, recorded: list[TrackSample], every_s: float) -> TrackView:
    """The track as time series, thinned to one sample each ``every_s`` seconds."""
    shown = thinned(recorded, every_s)
    started_at = recorded[0].at if recorded else None
    times = [] if started_at is None else [round((s.at - started_at).total_seconds(), 3) for s in shown]

    def figures(name: str) -> list[float | None]:
        return [_rounded(sample.figures[name], 4) for sample in shown]

    phases: list[PhaseMark] = []
    for t_s, sample in zip(times, shown, strict=True):
        if not phases or phases[-1].phase != sample.phase:
            phases.append(PhaseMark(t_s=t_s, phase=sample.phase))
    summary = summary_of(recorded)
    return TrackView(
        flight_id=mission.flight_id,
        started_at=started_at,
        complete=not mission.open,
        samples_recorded=len(recorded),
        every_s=every_s,
        summary=TrackSummaryView(
            **{name: getattr(summary, name) for name in TrackSummaryView.model_fields},
        ),
        phases=phases,
        t_s=times,
        latitude_deg=[round(sample.position.latitude_deg, 7) for sample in shown],
        longitude_deg=[round(sample.position.longitude_deg, 7) for sample in shown],
        altitude_amsl_m=figures("altitude_amsl_m"),
        height_above_home_m=figures("height_above_home_m"),
        ground_speed_m_s=[_rounded(sample.ground_speed_m_s, 3) for sample in shown],
        climb_rate_m_s=figures("velocity_up_m_s"),
        heading_deg=figures("heading_deg"),
        charge_fraction=figures("charge_fraction"),
        battery_voltage_v=figures("battery_voltage_v"),
        line_length_m=figures("line_length_m"),
        wind_from_deg=figures("wind_from_deg"),
        wind_speed_m_s=figures("wind_speed_m_s"),
        link_age_s=figures("link_age_s"),
        eta_s=figures("eta_s"),
        phase=[sample.phase for sample in shown],
    )


def _rounded(figure: float | None, decimals: int) -> float | None:
    return None if figure is None else round(figure, decimals)
