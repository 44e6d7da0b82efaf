"""Reading scenario files: YAML, checked against the schema, every mistake with its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.errors import DroneAedError
from core.similar import meant
from planner.site import load_site
from proving_ground.schema import FIELD_NAMES, AutopilotKind, Misplaced, Scenario
from sitl.ardupilot.parameters import TABLE as ARDUPILOT_PARAMETERS
from sitl.px4.parameters import TABLE as PX4_PARAMETERS

LIBRARY = Path(__file__).parent / "library"
SITES = Path(__file__).parents[1] / "examples" / "sites"
MAX_FILE_BYTES = 1_000_000

Location = tuple[str | int, ...]
Lines = dict[Location, int]
"""Where everything in a file stands."""


class ScenarioFileError(Exception):
    """One line for a person: file, line, field, reason."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A scenario, where it came from, and the site it plays on."""

    scenario: Scenario
    file: Path
    site_file: Path


def load_scenario(file: Path) -> Loaded:
    """Raises :class:`ScenarioFileError` for anything that is not a scenario."""
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise ScenarioFileError(f"{file}: larger than {MAX_FILE_BYTES} bytes")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioFileError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioFileError(f"{file}: not UTF-8 ({error.reason} at byte {error.start})") from error
    lines: Lines = {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise ScenarioFileError(f"{file}:1: the file is empty")
        document = _plain(node, (), lines, file)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        problem = getattr(error, "problem", None) or "not YAML"
        raise ScenarioFileError(f"{file}:{line}: {problem}") from error
    try:
        scenario = Scenario.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise _mistake(file, lines, _where(first), _said(first)) from error
    site_file = _site(scenario.world.site, file, lines)
    _check_names(scenario, site_file, file, lines)
    return Loaded(scenario, file, site_file)


def _mistake(file: Path, lines: Lines, location: Location, said: str) -> ScenarioFileError:
    return ScenarioFileError(f"{file}:{_line(lines, location)}: {_path(location)}: {said}")


def _where(error: ErrorDetails) -> Location:
    """Where a mistake stands, also where only the file as a whole shows it; without the names of alternatives that a
    value was tried as."""
    cause = error.get("ctx", {}).get("error")
    location = error["loc"] + (cause.location if isinstance(cause, Misplaced) else ())
    return tuple(part for part in location if isinstance(part, int) or not part.endswith("]"))


def _said(error: ErrorDetails) -> str:
    """What is wrong in words for somebody who does not know how files are checked."""
    context = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(context["error"])
        case "extra_forbidden":
            name = str(error["loc"][-1])
            return "there is no such field here" + meant(name, [each for each in FIELD_NAMES if each != name])
        case "missing":
            return "is missing"
        case "too_short":
            return "at least one is needed"
        case "model_type":
            return "is no set of fields (name: value)"
        case "enum" | "literal_error":
            known = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
            near = meant(str(error["input"]), known)
            return f"there is no {error['input']!r}{near or '; known: ' + ', '.join(known)}"
        case _:
            return error["msg"]


def _check_names(scenario: Scenario, site_file: Path, file: Path, lines: Lines) -> None:
    """Drones must be the site's, parameters the autopilot's: found before a world is built for them."""
    try:
        site = load_site(site_file)
    except (DroneAedError, ValueError) as error:
        raise _mistake(file, lines, ("world", "site"), str(error)) from error
    of_site = [drone.drone_id for drone in site.drones]
    world = scenario.world
    for number, name in enumerate(world.drones or ()):
        if name not in of_site:
            known = meant(name, of_site) or f"; known: {', '.join(of_site)}"
            raise _mistake(file, lines, ("world", "drones", number), f"the site has no drone {name!r}{known}")
    for number, line in enumerate(scenario.faults):
        playing = world.drones or of_site
        if line.drone is not None and line.drone not in playing:
            said = f"no drone {line.drone!r} takes part; known: {', '.join(playing)}"
            raise _mistake(file, lines, ("faults", number, "drone"), said)
    parameters = PX4_PARAMETERS if world.autopilot is AutopilotKind.PX4 else ARDUPILOT_PARAMETERS
    for name in world.parameters:
        if name not in parameters:
            said = f"the simulated {world.autopilot} has no such parameter{meant(name, sorted(parameters))}"
            raise _mistake(file, lines, ("world", "parameters", name), said)


def library() -> list[Path]:
    """The shipped scenarios."""
    return sorted(LIBRARY.glob("*.yaml"))


def _site(name: str, file: Path, lines: Lines) -> Path:
    for candidate in (SITES / f"{name}.json", file.parent / name):
        if candidate.is_file():
            return candidate
    raise ScenarioFileError(
        f"{file}:{_line(lines, ('world', 'site'))}: world.site: there is no site {name!r}"
    )


def _plain(node: yaml.Node, path: tuple[str | int, ...], lines: Lines, file: Path) -> Any:
    """The value of a node; notes the line of everything in it. Keys given twice are refused."""
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in found:
                raise ScenarioFileError(f"{file}:{line}: {key} is given twice")
            found[key] = _plain(value_node, (*path, key), lines, file)
            lines[(*path, key)] = line
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, number), lines, file) for number, item in enumerate(node.value)]
    return yaml.SafeLoader("").construct_object(node, deep=True)


def _line(lines: Lines, location: Sequence[str | int]) -> int:
    """The line of the deepest known part of a location."""
    path = tuple(location)
    while path not in lines and path:
        path = path[:-1]
    return lines.get(path, 1)


def _path(location: Sequence[str | int]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "scenario"
