"""``drone-aed serve``: the hub on one address, until it is told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub_api.commands.loading import without_collector
from hub_api.planner_process.spawned import dismiss_early, started_early
from hub_api.rooms import load_airspace
from hub_api.settings import load_settings
from planner.site import load_site


def _say(url: str) -> None:
    typer.echo(f"hub ready on {url}, console: {url}/console/")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 lets the system choose.")] = None,
    site: Annotated[Path | None, typer.Option(help="Site file: stations, drones, landing points.")] = None,
    airspace: Annotated[
        Path | None, typer.Option(help="Airspace manifest; only the demo may do without one.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Database, journals and records.")] = None,
    demo: Annotated[bool | None, typer.Option("--demo", help="Demo mode; never with real drones.")] = None,
    speedup: Annotated[float | None, typer.Option(help="Clock seconds per real second (demo only).")] = None,
) -> None:
    """Run the hub. Every setting can also come from the environment (DRONE_AED_…); see docs/settings.md."""
    with started_early():
        with without_collector():
            from hub_api.event_loop import run
            from hub_api.hub import Parts
            from hub_api.main import serve as serving

        settings = load_settings(
            host=host,
            port=port,
            site_file=site,
            airspace_file=airspace,
            data_dir=data_dir,
            demo=demo,
            speedup=speedup,
        )
        if not settings.decides_in_a_process:
            # It would sit there with a hundred megabytes.
            dismiss_early()
        # A site or an airspace that can't be read is the commonest mistake: say it before anything starts.
        parts = Parts(site=load_site(settings.site_file), airspace=load_airspace(settings))
        run(serving(settings, on_ready=_say, parts=parts))
