"""PX4's software-in-the-loop program with its built-in quadcopter (SIH) as an instance on loopback.

Instance N has system id N + 1. It sends to UDP 14540 + N before anybody spoke to it, from 14580 + N, and
listens for a ground station on 18570 + N. Each link answers for ever to the first address that speaks to it:
whoever connects again must come from the same port (observed, 1.17).
"""

from __future__ import annotations

import os
import socket

from sitl.launchers.programs import LOOPBACK, Launched, LaunchError, Order, check_free, in_words

INSTANCES_MAX = 10
"""From instance 10 on PX4's start script gives all instances one port to speak to."""
PROFILE: dict[str, float] = {
    "SIH_KDV": 0.3, "SIM_BAT_DRAIN": 3600, "SDLOG_BACKEND": 0, "PWM_MAIN_FUNC5": 430,
    "NAV_DLL_ACT": 2, "COM_DLL_EXCEPT": 1, "COM_LOW_BAT_ACT": 3, "GF_ACTION": 3,
    "MIS_COMMAND_TOUT": 0, "COM_PREARM_MODE": 2,
}  # fmt: skip
"""Gripper on output 5, failsafes as the flight controller wants them (flight/autopilots). SIH_KDV 0.3: the
built-in quadcopter's drag holds it below 10 m/s otherwise (observed). SIM_BAT_DRAIN: a battery that lasts.
Names and meanings: PX4's parameter reference, version 1.17."""
GRIPPER_OUTPUT = 5


def start(order: Order) -> Launched:
    """Start it. Raises :class:`LaunchError` for a busy port, a missing ``etc`` folder or too high a number."""
    number = order.number
    if not 0 <= number < INSTANCES_MAX:
        raise LaunchError(f"PX4 has ports of its own for instances 0 to {INSTANCES_MAX - 1} only")
    ports = (14540, 14580, 18570, 14280, 13030, 19450)
    if not order.again:
        check_free({port + number: socket.SOCK_DGRAM for port in ports})
    program = order.program.absolute()
    etc = program.parent.parent / "etc"
    if not etc.is_dir():
        raise LaunchError(f"{etc} does not exist: PX4's etc folder is expected beside the program's bin")
    folder = order.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if order.wipe and not order.again:
        for old in (*folder.glob("parameters*.bson"), folder / "dataman"):
            old.unlink(missing_ok=True)
    home = order.home
    # A clean environment: PX4 reads many variables, and one left from another run would change the vehicle.
    environment = {
        "PATH": f"{program.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C",
        "PX4_SIM_MODEL": "sihsim_quadx",
        "PX4_SIMULATOR": "sihsim",
        "PX4_SIM_SPEED_FACTOR": f"{order.speed:g}",
        "PX4_HOME_LAT": f"{home.place.latitude_deg:.7f}",
        "PX4_HOME_LON": f"{home.place.longitude_deg:.7f}",
        "PX4_HOME_ALT": f"{home.altitude_amsl_m:g}",
        **{name: os.environ[name] for name in ("LD_PRELOAD",) if name in os.environ},
        **{f"PX4_PARAM_{name}": in_words(value) for name, value in order.parameters.items()},
    }
    arguments = [
        str(program),
        "-d",
        "-i",
        str(number),
        "-w",
        str(folder),
        "-s",
        "etc/init.d-posix/rcS",
        str(etc),
    ]
    return Launched(
        order,
        arguments,
        system_id=number + 1,
        link=f"udpin:{LOOPBACK}:{14540 + number}",
        spare_link=f"udpout:{LOOPBACK}:{18570 + number}",
        environment=environment,
    )
