"""ArduCopter's software-in-the-loop program as an instance on loopback.

Instance N listens on TCP 5760 + 10·N, 5762 + 10·N and 5763 + 10·N (one client each) and on UDP 5501 + 10·N
(its remote control); so does ArduPilot's own sim_vehicle.py.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from sitl.launchers.programs import LOOPBACK, Launched, LaunchError, Order, check_free, in_words

DEFAULTS_VARIABLE = "DRONE_AED_ARDUCOPTER_DEFAULTS"
"""Names the file of the frame's default parameters, where the program does not lie in its source tree."""
DEFAULTS_IN_TREE = Path("Tools", "autotest", "default_params", "copter.parm")
PROFILE: dict[str, float] = {
    "WINCH_TYPE": 1, "WINCH_RATE_MAX": 2, "SERVO9_FUNCTION": 88,
    "GRIP_ENABLE": 1, "GRIP_TYPE": 1, "SERVO10_FUNCTION": 28,
    "FS_GCS_ENABLE": 1, "FS_OPTIONS": 26, "BATT_FS_LOW_ACT": 2, "BATT_FS_CRT_ACT": 1,
    "FENCE_ENABLE": 1, "FENCE_TYPE": 5, "FENCE_ACTION": 1, "RALLY_LIMIT_KM": 20,
    "BATT_CAPACITY": 40000, "ANGLE_MAX": 6000,
}  # fmt: skip
"""Winch on output 9, gripper on output 10, failsafes as the flight controller wants them (flight/autopilots).
ANGLE_MAX 60° because the simulator's default frame reaches the planned speed only leaning so far (observed:
30° hold it to 10 m/s). Names and meanings: ArduPilot's parameter list, version 4.6."""
GRIPPER_OUTPUT = 10


def start(order: Order) -> Launched:
    """Start it. Raises :class:`LaunchError` for a busy port or a missing file of defaults."""
    base = 10 * order.number
    if not order.again:
        check_free(
            {
                5760 + base: socket.SOCK_STREAM,
                5762 + base: socket.SOCK_STREAM,
                5763 + base: socket.SOCK_STREAM,
                5501 + base: socket.SOCK_DGRAM,
            }
        )
    defaults = _defaults(order.program)
    order.folder.mkdir(parents=True, exist_ok=True)
    parameters = {"SYSID_THISMAV": float(order.number + 1), **order.parameters}
    own = order.folder / "own.parm"
    own.write_text(
        "".join(f"{name} {in_words(value)}\n" for name, value in parameters.items()), encoding="ascii"
    )
    home = order.home
    where = (
        f"{home.place.latitude_deg:.7f},{home.place.longitude_deg:.7f},"
        f"{home.altitude_amsl_m:g},{home.heading_deg:g}"
    )
    arguments = [
        str(order.program.absolute()),
        *(["-w"] if order.wipe and not order.again else []),
        *("--model", "+", "--speedup", f"{order.speed:g}", "--home", where, "-I", str(order.number)),
        *("--serial0", "tcp:0", "--defaults", f"{defaults},{own.absolute()}"),
    ]
    return Launched(
        order,
        arguments,
        system_id=int(parameters["SYSID_THISMAV"]),
        link=f"tcp:{LOOPBACK}:{5760 + base}",
        spare_link=f"tcp:{LOOPBACK}:{5762 + base}",
        sticks_port=5501 + base,
    )


def _defaults(program: Path) -> Path:
    named = os.environ.get(DEFAULTS_VARIABLE)
    if named:
        file = Path(named)
    else:
        # build/sitl/bin/arducopter lies three folders below the source tree's root.
        parents = program.absolute().parents
        file = (parents[3] if len(parents) > 3 else parents[-1]) / DEFAULTS_IN_TREE
    if not file.is_file():
        raise LaunchError(f"{file} does not exist; name ArduCopter's copter.parm in {DEFAULTS_VARIABLE}")
    return file.absolute()
