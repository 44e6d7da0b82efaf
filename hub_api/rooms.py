"""The ordinary parts that other rooms make: the airspace and the planning on it."""

from __future__ import annotations

from collections.abc import Callable

from core.clock import Clock
from core.ids import IdSource
from geofences.airspace import Airspace
from geofences.site_airspace import load_demo_airspace
from hub_api.dispatch.planning import Planning, SitePlanning
from planner.airframe import load_airframes
from planner.site import Site


def load_airspace() -> Airspace:
    """The airspace of the demonstration site; every zone says how far its outline may be trusted."""
    return load_demo_airspace()


def default_planning(site: Site, airspace: Callable[[], Airspace], ids: IdSource, clock: Clock) -> Planning:
    """The planner on this site, always on the airspace in force."""
    return SitePlanning(site, airspace, load_airframes(), ids, clock)
