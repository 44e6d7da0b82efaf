"""Real autopilots as processes: what the environment names is started, nothing is looked for.

``DRONE_AED_ARDUCOPTER`` and ``DRONE_AED_PX4`` are paths of software-in-the-loop programs built outside this
project. Beside ArduCopter's program its source tree is expected (for the vehicle's default parameters; or
``DRONE_AED_ARDUCOPTER_DEFAULTS`` names the file), beside PX4's its ``etc`` folder. ``DRONE_AED_SITL_SPEED``
sets how much faster than real time they run (default 5; PX4 loses messages above).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

VARIABLES = {"ardupilot": "DRONE_AED_ARDUCOPTER", "px4": "DRONE_AED_PX4"}
DEFAULTS_VARIABLE = "DRONE_AED_ARDUCOPTER_DEFAULTS"
SPEED_VARIABLE = "DRONE_AED_SITL_SPEED"
INSTANCE = 3
"""Ports of instance 0 are where people and other tests work."""


def named_program(kind: str) -> Path | None:
    """The program that the environment names for a kind of autopilot, if it does."""
    value = os.environ.get(VARIABLES[kind], "")
    return Path(value) if value else None


def speed() -> float:
    """How much faster than real time."""
    return float(os.environ.get(SPEED_VARIABLE, "5"))


class Process:
    """One program that runs until it is stopped."""

    def __init__(self, arguments: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        self._log = (folder / "autopilot.log").open("ab")
        self._process = subprocess.Popen(
            arguments,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=environment,
        )

    async def stop(self) -> None:
        """End it; by force where asking does not help within 5 s."""
        self._process.terminate()
        for _ in range(50):
            if self._process.poll() is not None:
                break
            await asyncio.sleep(0.1)
        else:
            self._process.kill()
            self._process.wait()
        self._log.close()


def start_arducopter(
    program: Path, folder: Path, home: str, parameters: dict[str, float], *, wipe: bool
) -> Process:
    """ArduCopter on TCP 5760 + 10·instance and 5762 + 10·instance."""
    named = os.environ.get(DEFAULTS_VARIABLE)
    defaults = (
        Path(named) if named else program.parents[3] / "Tools" / "autotest" / "default_params" / "copter.parm"
    )
    assert defaults.is_file(), f"{defaults} does not exist; name it in {DEFAULTS_VARIABLE}"
    own = folder / "own.parm"
    own.write_text("".join(f"{name} {value:g}\n" for name, value in parameters.items()))
    return Process(
        [
            str(program),
            *(["-w"] if wipe else []),
            *("--model", "+", "--speedup", f"{speed():g}", "--home", f"{home},0", "-I", str(INSTANCE)),
            *("--serial0", "tcp:0", "--defaults", f"{defaults},{own}"),
        ],
        folder,
    )


def start_px4(program: Path, folder: Path, home: str, parameters: dict[str, float], *, wipe: bool) -> Process:
    """PX4 with its built-in quadcopter, on UDP 14580 + instance (ours) and 18570 + instance (the witness's)."""
    if wipe:
        for old in folder.glob("parameters*.bson"):
            old.unlink()
    etc = program.parent.parent / "etc"
    assert etc.is_dir(), f"{etc} does not exist: PX4's etc folder is expected beside its bin"
    latitude, longitude, altitude = home.split(",")
    environment = {
        "PATH": f"{program.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "PX4_SIM_MODEL": "sihsim_quadx",
        "PX4_SIMULATOR": "sihsim",
        "PX4_SIM_SPEED_FACTOR": f"{speed():g}",
        "PX4_HOME_LAT": latitude,
        "PX4_HOME_LON": longitude,
        "PX4_HOME_ALT": altitude,
        **{f"PX4_PARAM_{name}": f"{value:g}" for name, value in parameters.items()},
    }
    arguments = ["-d", "-i", str(INSTANCE), "-w", str(folder), "-s", "etc/init.d-posix/rcS", str(etc)]
    return Process([str(program), *arguments], folder, environment)
