"""``python -m sitl fleet …``: start simulated vehicles; ``python -m sitl faults`` lists what can break."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.errors import DroneAedError
from core.geodesy import Wgs84Point
from sitl.autopilot import Personality
from sitl.faults import FAULTS
from sitl.fleet import Fleet
from sitl.site import lay_out, read_site
from sitl.weather import Wind


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1000")
    return number


def _home(text: str) -> tuple[Wgs84Point, float]:
    try:
        latitude, longitude, altitude = (float(part) for part in text.split(","))
        return Wgs84Point(latitude, longitude), altitude
    except (ValueError, DroneAedError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not latitude,longitude,ground_amsl_m ({error})"
        ) from error


def _parameter(text: str) -> tuple[str, float]:
    name, separator, number = text.partition("=")
    try:
        if not separator:
            raise ValueError("no =")
        return name.strip().upper(), float(number)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=number ({error})") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sitl", description="Simulated vehicles over MAVLink 2.")
    actions = parser.add_subparsers(dest="action", required=True)
    fleet = actions.add_parser("fleet", help="vehicles behind UDP ports on loopback")
    fleet.add_argument("--site", type=Path, help="site file: its drones, places and links")
    fleet.add_argument("--count", type=int, default=1, help="vehicles, when no site file is given")
    fleet.add_argument("--base-port", type=int, default=14550, help="port of the first vehicle")
    fleet.add_argument(
        "--home", type=_home, default=_home("22.5806,113.8830,5"), help="latitude,longitude,ground_amsl_m"
    )
    fleet.add_argument("--airframe", default="hex10", help="airframe id or JSON file, when no site is given")
    fleet.add_argument(
        "--autopilot",
        type=Personality,
        choices=list(Personality),
        default=None,
        help="firmware to behave like; by default the airframe's, or what the site file says of a drone",
    )
    fleet.add_argument("--speedup", type=_positive, default=1.0, help="simulated seconds per real second")
    fleet.add_argument("--seed", type=int, default=1, help="of gusts and every other chance")
    fleet.add_argument("--wind-from-deg", type=float, default=0.0)
    fleet.add_argument("--wind-speed-m-s", type=float, default=0.0)
    fleet.add_argument("--wind-turbulence-m-s", type=float, default=0.0, help="vertical standard deviation")
    fleet.add_argument(
        "--ready-after-s",
        type=float,
        default=None,
        help="vehicle seconds until the estimator uses GPS; by default as observed of the firmware",
    )
    fleet.add_argument(
        "--param",
        type=_parameter,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="autopilot parameter",
    )
    actions.add_parser("faults", help="every fault a vehicle can have, with its strength's unit and default")
    return parser


def _list_faults() -> None:
    for group in dict.fromkeys(kind.group for kind in FAULTS.values()):
        print(f"{group}:")
        for kind in FAULTS.values():
            if kind.group == group:
                strength = f" [{kind.default_strength:g} {kind.unit}]" if kind.unit else ""
                print(f"  {kind.name:<22} {kind.explanation}{strength}")


def main(arguments: list[str] | None = None) -> int:
    """0 after a signal; 2 with one line when something given is wrong or a port is busy."""
    options = _parser().parse_args(arguments)
    if options.action == "faults":
        _list_faults()
        return 0
    try:
        if options.site is not None:
            layout = read_site(options.site, autopilot=options.autopilot)
        else:
            place, ground_amsl_m = options.home
            layout = lay_out(
                options.count,
                base_port=options.base_port,
                home=place,
                ground_amsl_m=ground_amsl_m,
                airframe_id=options.airframe,
                autopilot=options.autopilot,
            )
        fleet = Fleet(
            layout,
            wind=Wind(
                from_deg=options.wind_from_deg,
                speed_m_s=options.wind_speed_m_s,
                turbulence_m_s=options.wind_turbulence_m_s,
            ),
            seed=options.seed,
            speedup=options.speedup,
            ready_after_s=options.ready_after_s,
            parameters=dict(options.param),
        )
    except (DroneAedError, KeyError, ValueError) as error:
        detail = error.args[0] if isinstance(error, KeyError) and error.args else error
        print(f"sitl: {detail}", file=sys.stderr)
        return 2
    try:
        fleet.run()
    finally:
        fleet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
