"""Names that are none: a misspelt setting would leave its default in force, and nobody would know."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from dotenv.parser import parse_stream

from core.errors import ErrorCode, InternalError
from core.similar import meant

PREFIX = "DRONE_AED_"
_LIKE_PREFIX = re.compile(r"DRONE[^A-Z0-9]*AED[^A-Z0-9]*")
NOT_OF_THE_HUB: Mapping[str, str] = {
    "DRONE_AED_ARDUCOPTER": "program of a real ArduCopter, for `drone-aed sim run --against` and conformance",
    "DRONE_AED_ARDUCOPTER_DEFAULTS": "its parameter file",
    "DRONE_AED_PX4": "program of a real PX4, likewise",
    "DRONE_AED_SITL_SPEED": "how much faster than real time those run in conformance",
    "DRONE_AED_CONFORMANCE": "whether pytest collects the tests on real autopilots",
    "DRONE_AED_TOOLS": "where foreign ground stations for tests are",
    "DRONE_AED_CHROMIUM": "the browser of the browser tests",
    "DRONE_AED_EVERY_STEP": "whether a test of crash points takes all of them",
    "DRONE_AED_TEST_PG_DURABLE": "whether the tests' PostgreSQL waits for its disk",
}
"""Other names with our prefix, and what reads them. A shell in which somebody measures may run a hub too."""


def refuse_unknown_names(settings: Collection[str], env_file: str) -> None:
    """Raise 5002 for the first name in the environment or in ``env_file`` that looks like ours and is none, and for
    what else of that file would not count: a line that cannot be read, a name without a value, a name given twice."""
    seen: dict[str, str] = {}
    for name in os.environ:
        _refuse_unknown(name, settings, "the environment")
        if _ours(name):
            before = seen.setdefault(name.upper(), name)
            if before != name:
                raise _refused(f"{before} and {name} are one setting, given twice in the environment")
    for line, name in _names_in(Path(env_file)):
        _refuse_unknown(name, settings, f"{env_file}, line {line}")


def _names_in(file: Path) -> list[tuple[int, str]]:
    if not file.is_file():
        return []
    lines: dict[str, int] = {}
    found: list[tuple[int, str]] = []
    try:
        with file.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except UnicodeDecodeError:
        raise _refused(f"{file} is not UTF-8") from None
    except OSError as error:
        raise _refused(f"{file} cannot be read: {error.strerror}") from error
    for binding in bindings:
        text = binding.original.string
        line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
        if binding.error:
            raise _refused(f"{file}, line {line} cannot be read; a line is NAME=value")
        name = binding.key
        if name is None or not _ours(name):
            continue
        if binding.value is None:
            raise _refused(f"{file}, line {line}: {name} has no value; a line is NAME=value")
        if (before := lines.setdefault(name.upper(), line)) != line:
            raise _refused(f"{file}, line {line}: {name} is given already in line {before}")
        found.append((line, name))
    return found


def _ours(name: str) -> bool:
    """Also with a slip in the prefix, as in DRONEAED_PORT and drone-aed-port."""
    return _LIKE_PREFIX.match(name.upper()) is not None


def _refuse_unknown(name: str, settings: Collection[str], where: str) -> None:
    upper = name.upper()
    known = upper in NOT_OF_THE_HUB or (
        upper.startswith(PREFIX) and upper.removeprefix(PREFIX).lower() in settings
    )
    if _ours(name) and not known:
        short = _LIKE_PREFIX.sub("", upper).replace("-", "_")
        near = meant(short, [setting.upper() for setting in settings], prefix=PREFIX)
        raise _refused(f"{name} in {where} is no setting{near}")


def _refused(detail: str) -> InternalError:
    return InternalError(ErrorCode.SETTINGS_INVALID, detail)
