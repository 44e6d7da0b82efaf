"""Reading scenario files: YAML, checked against the schema, every mistake with its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from proving_ground.schema import Scenario

LIBRARY = Path(__file__).parent / "library"
SITES = Path(__file__).parents[1] / "examples" / "sites"
MAX_FILE_BYTES = 1_000_000


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
    lines: dict[tuple[str | int, ...], int] = {}
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
        raise ScenarioFileError(
            f"{file}:{_line(lines, first['loc'])}: {_path(first['loc'])}: {first['msg']}"
        ) from error
    return Loaded(scenario, file, _site(scenario.world.site, file, lines))


def library() -> list[Path]:
    """The shipped scenarios."""
    return sorted(LIBRARY.glob("*.yaml"))


def _site(name: str, file: Path, lines: dict[tuple[str | int, ...], int]) -> Path:
    for candidate in (SITES / f"{name}.json", file.parent / name):
        if candidate.is_file():
            return candidate
    raise ScenarioFileError(
        f"{file}:{_line(lines, ('world', 'site'))}: world.site: there is no site {name!r}"
    )


def _plain(
    node: yaml.Node, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], file: Path
) -> Any:
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


def _line(lines: dict[tuple[str | int, ...], int], location: Sequence[str | int]) -> int:
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
