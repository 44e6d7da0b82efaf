"""Which vehicles stand where: read from a site file, or laid out for a number of vehicles."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ErrorCode, InternalError
from core.geodesy import Wgs84Point, destination, geodesic_distance_m
from sitl.autopilot import Personality
from sitl.body import Terrain

GROUND_REACH_M = 150.0
"""Chosen: a listed ground height counts this far around its point; beyond it the launch height does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Berth:
    """One vehicle's place and address."""

    name: str
    system_id: int
    port: int
    place: Wgs84Point
    ground_amsl_m: float
    airframe_id: str
    autopilot: Personality | None = None
    """None: what the airframe flies with."""


@dataclass(frozen=True, slots=True)
class SiteLayout:
    berths: tuple[Berth, ...]
    ground_points: tuple[tuple[Wgs84Point, float], ...] = ()
    """Places whose ground height is known (stations and landing points)."""

    def terrain(self, launch: Berth) -> Terrain:
        """Ground height: the nearest listed point's within 150 m, else the launch point's."""
        points = self.ground_points

        def ground(place: Wgs84Point) -> float:
            best, height_m = GROUND_REACH_M, launch.ground_amsl_m
            for point, point_m in points:
                # A quick look in degrees first: geodesics are for the few that are near.
                if abs(point.latitude_deg - place.latitude_deg) > 0.002:
                    continue
                if abs(point.longitude_deg - place.longitude_deg) > 0.004:
                    continue
                distance_m = geodesic_distance_m(place, point)
                if distance_m < best:
                    best, height_m = distance_m, point_m
            return height_m

        return ground


def _wrong(path: Path, detail: str, where: str | None = None) -> InternalError:
    return InternalError(ErrorCode.SITE_FILE_INVALID, f"{path}: {detail}", field=where)


def _number(entry: Any, where: str, path: Path) -> float:
    if isinstance(entry, bool) or not isinstance(entry, (int, float)) or not math.isfinite(entry):
        raise _wrong(path, f"{entry!r} is not a number", where)
    return float(entry)


def _personality(word: Any, where: str, path: Path) -> Personality | None:
    try:
        return None if word is None else Personality(word)
    except ValueError as error:
        known = ", ".join(Personality)
        raise _wrong(path, f"{word!r} is no autopilot ({known})", where) from error


def read_site(path: Path, *, autopilot: Personality | None = None) -> SiteLayout:
    """The drones of a site file with their stations. Raises 3103 with the field at fault.

    ``autopilot`` is that of drones whose entry names none; None leaves it to their airframe.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(path, f"cannot be read ({error.strerror})") from error
    except json.JSONDecodeError as error:
        raise _wrong(path, f"is not JSON ({error})") from error
    stations: dict[str, tuple[Wgs84Point, float]] = {}
    grounds: list[tuple[Wgs84Point, float]] = []
    try:
        for section in ("stations", "landing_points"):
            for index, entry in enumerate(content.get(section, [])):
                where = f"{section}[{index}]"
                place = Wgs84Point(
                    _number(entry["position"]["latitude_deg"], f"{where}.position.latitude_deg", path),
                    _number(entry["position"]["longitude_deg"], f"{where}.position.longitude_deg", path),
                )
                height_m = _number(entry["ground_amsl_m"], f"{where}.ground_amsl_m", path)
                grounds.append((place, height_m))
                if section == "stations":
                    stations[entry["station_id"]] = (place, height_m)
        berths = []
        for index, entry in enumerate(content["drones"]):
            where = f"drones[{index}]"
            scheme, host, port = str(entry["link"]).rsplit(":", 2)
            if scheme != "udpout" or host not in ("127.0.0.1", "localhost", "::1") or not port.isdigit():
                raise _wrong(path, f"link {entry['link']!r} is no udpout on loopback", f"{where}.link")
            if entry["station_id"] not in stations:
                raise _wrong(path, f"unknown station {entry['station_id']!r}", f"{where}.station_id")
            place, height_m = stations[entry["station_id"]]
            berths.append(
                Berth(
                    name=str(entry["drone_id"]),
                    system_id=int(_number(entry["system_id"], f"{where}.system_id", path)),
                    port=int(port),
                    place=place,
                    ground_amsl_m=height_m,
                    airframe_id=str(entry.get("airframe_id", "hex10")),
                    autopilot=_personality(entry.get("autopilot", autopilot), f"{where}.autopilot", path),
                )
            )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _wrong(path, f"is not a site file ({type(error).__name__}: {error})") from error
    return SiteLayout(tuple(berths), tuple(grounds))


def lay_out(
    count: int,
    *,
    base_port: int,
    home: Wgs84Point,
    ground_amsl_m: float,
    airframe_id: str,
    autopilot: Personality | None = None,
) -> SiteLayout:
    """``count`` vehicles in a row of pads 10 m apart, eastwards from ``home``."""
    return SiteLayout(
        tuple(
            Berth(
                name=f"vehicle-{index + 1}",
                system_id=index + 1,
                port=base_port + index,
                place=destination(home, 90.0, 10.0 * index) if index else home,
                ground_amsl_m=ground_amsl_m,
                airframe_id=airframe_id,
                autopilot=autopilot,
            )
            for index in range(count)
        )
    )
