"""``drone-aed airspace``: look at zone files and ask the airspace, without a hub."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import AirspaceError, ErrorCode
from core.geodesy import Wgs84Point
from geofences.readers import (
    ReadResult,
    parse_ed269,
    parse_ed318,
    parse_geojson,
    parse_kml,
    parse_openair,
)
from geofences.site_airspace import load_demo_airspace
from geofences.verdict import Allowed

app = typer.Typer(help="Zone files and airspace questions.", no_args_is_help=True)

_READERS: dict[str, Callable[[Any], ReadResult]] = {
    "ed269": parse_ed269,
    "ed318": parse_ed318,
    "geojson": parse_geojson,
    "kml": parse_kml,
    "openair": parse_openair,
}


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="Zone file.", exists=True, dir_okay=False, readable=True)],
    form: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(_READERS)}.")],
) -> None:
    """Read a zone file, list its zones and what was repaired, tolerated or ignored; a bad file is refused."""
    if form not in _READERS:
        raise AirspaceError(
            ErrorCode.ZONE_FILE_INVALID, f"{form!r} is none of {', '.join(_READERS)}", field="format"
        )
    result = _READERS[form](file.read_bytes())
    for note in result.notes:
        typer.echo(f"{note.kind}: {note.feature} {note.field}: {note.what}")
    for zone in result.zones:
        typer.echo(f"{zone.zone_id:12} {zone.restriction:18} {len(zone.volumes)} volume(s)  {zone.name}")
    typer.echo(f"{len(result.zones)} zones, {len(result.notes)} notes")


@app.command("ask")
def ask(
    latitude_deg: Annotated[float, typer.Option(help="WGS-84.")],
    longitude_deg: Annotated[float, typer.Option(help="WGS-84.")],
    altitude_amsl_m: Annotated[float, typer.Option(help="Metres above mean sea level.")],
    at: Annotated[datetime | None, typer.Option(help="UTC; now by default.")] = None,
) -> None:
    """May a drone be at this point of the demo airspace? Exit code 1 if not."""
    airspace = load_demo_airspace()
    moment = datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
    verdict = airspace.check_point(Wgs84Point(latitude_deg, longitude_deg), altitude_amsl_m, moment)
    if isinstance(verdict, Allowed):
        typer.echo("allowed" + "".join(f"; {condition}" for condition in verdict.conditions))
        return
    typer.echo(f"forbidden: {verdict.detail} {verdict.detail_zh}")
    raise typer.Exit(1)
