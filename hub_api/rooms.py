"""The ordinary parts that other rooms make: the clock, the airspace, the planning on it, the flight agents."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from core.clock import Clock, LoopClock
from core.errors import ErrorCode, InternalError
from core.ids import IdSource
from flight.agent import FlightAgent
from flight.bus import Bus
from flight.journal import Journal
from flight.links.key_store import KeyStore
from flight.links.mavlink.connection import LinkClaim
from flight.links.mavlink.hub import LinkHub
from flight.links.mavlink.signing import SigningTimes
from flight.links.transport import Transport
from flight.replanner import SiteReplanner
from geofences import manifest
from geofences.airspace import Airspace
from geofences.site_airspace import load_demo_airspace
from hub_api.dispatch.airborne_planning import AirbornePlanning, SiteAirbornePlanning
from hub_api.dispatch.planning import Planning, SitePlanning
from hub_api.kept_count import COUNT_FILE, this_machine, time_at_start
from hub_api.settings import Settings
from planner.airframe import load_airframes
from planner.site import Drone, Site
from planner.weather import Quantity

log = logging.getLogger(__name__)


def load_airspace(settings: Settings) -> Airspace:
    """The airspace that the settings name; what its files needed is logged, for a person to look at.

    Only the demo may do without one: real drones on the demonstration's zones would fly through the real
    ones. Raises 5002 where it is missing, 3101 where a file is refused.
    """
    if settings.airspace_file is None:
        if not settings.demo:
            raise InternalError(
                ErrorCode.SETTINGS_INVALID,
                "name the site's airspace; the demonstration airspace is for demo mode only",
                field="airspace_file",
            )
        return load_demo_airspace()
    loaded = manifest.load_airspace(settings.airspace_file)
    for entry in loaded.notes:
        note = entry.note
        log.warning("zone file %s, %s %s %s: %s", entry.file, note.feature, note.field, note.kind, note.what)
    return loaded.airspace


def default_planning(
    site: Callable[[], Site],
    airspace: Callable[[], Airspace],
    ids: IdSource,
    clock: Clock,
    weather_required: frozenset[Quantity] = frozenset(),
) -> Planning:
    """The planner, always on the site, the airframes and the airspace in force."""
    return SitePlanning(site, airspace, load_airframes, ids, clock, weather_required=weather_required)


def default_airborne_planning(
    site: Callable[[], Site], airspace: Callable[[], Airspace], ids: IdSource
) -> AirbornePlanning:
    """Ways for drones in the air, on this site and the airspace in force."""
    return SiteAirbornePlanning(site, airspace, load_airframes, ids)


def default_agents(
    site: Site,
    bus: Bus,
    clock: Clock,
    ids: IdSource,
    *,
    journal_dir: Path,
    records_dir: Path | None,
    airspace: Callable[[], Airspace],
    links: LinkHub | None = None,
    transport_of: Callable[[Drone], Transport] | None = None,
    site_in_force: Callable[[], Site] | None = None,
) -> list[Coroutine[Any, Any, None]]:
    """One flight agent for every drone of the site, each with its own journal.

    ``airspace`` is the one in force: agents plan another way in it by themselves when a zone closes theirs, over
    ``site_in_force`` (``site`` without it). ``transport_of`` opens the way to a drone; without it ``links`` does, on
    the link that the site names.
    Raises 1004 where two drones claim one system id on one link.
    """
    if transport_of is None and links is None:
        links = LinkHub(clock)
    return [
        FlightAgent(
            drone,
            _source_of(drone, links, transport_of),
            bus,
            clock,
            ids,
            # A drone's name may hold anything; a file name may not.
            Journal(journal_dir / f"{quote(drone.drone_id, safe='')}.jsonl"),
            records_dir=records_dir,
            airspace=airspace,
            replanner=SiteReplanner(site_in_force or site, airspace, ids),
        ).run()
        for drone in site.drones
    ]


def _source_of(
    drone: Drone, links: LinkHub | None, transport_of: Callable[[Drone], Transport] | None
) -> Callable[[], Transport] | LinkClaim:
    if transport_of is not None:
        return partial(transport_of, drone)
    assert links is not None
    return links.claim(drone.link, drone.system_id, owner=drone.drone_id)


def open_clock(settings: Settings, *, busy: bool) -> Clock:
    """Real time, counted on from the process before where orders or flights are open (``busy``); or, in an accelerated
    demo, a clock that a restarted hub continues instead of jumping back."""
    if settings.speedup == 1.0:
        return LoopClock(epoch=time_at_start(settings.data_dir / COUNT_FILE, this_machine(), busy=busy))
    anchor = settings.data_dir / "demo-clock.json"
    real_now = datetime.now(UTC)
    if anchor.exists():
        kept = json.loads(anchor.read_text(encoding="utf-8"))
        if kept["speedup"] == settings.speedup:
            passed = real_now - datetime.fromisoformat(kept["real"])
            epoch = datetime.fromisoformat(kept["epoch"]) + passed * settings.speedup
            return LoopClock(speedup=settings.speedup, epoch=epoch)
    started = {"real": real_now.isoformat(), "epoch": real_now.isoformat(), "speedup": settings.speedup}
    anchor.write_text(json.dumps(started), encoding="utf-8")
    return LoopClock(speedup=settings.speedup, epoch=real_now)


def open_links(settings: Settings, clock: Clock) -> LinkHub:
    """The links to all vehicles, signed where the settings name a key file. 1005 where that can't be used, 5002 where
    real drones would fly without one (docs/decisions/0024)."""
    LinkHub.start()
    signed_only = settings.effective_links_signed_only
    if signed_only and settings.link_keys_file is None:
        raise InternalError(
            ErrorCode.SETTINGS_INVALID,
            "make keys with `drone-aed link-key`: whoever reaches an unsigned link commands the drone and is believed; "
            "`links_signed_only=false` says that somebody answers for that",
            field="link_keys_file",
        )
    if not signed_only and not settings.demo:
        log.warning(
            "links_signed_only is false: what reaches a drone's link unsigned is believed, forged or not"
        )
    if settings.link_keys_file is None:
        return LinkHub(clock)
    return LinkHub(
        clock,
        keys=KeyStore(settings.link_keys_file, clock),
        times=SigningTimes(clock, settings.link_keys_file.with_suffix(".times.json")),
        signed_only=signed_only,
    )
