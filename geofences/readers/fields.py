"""Reading JSON with names: every refusal says which feature, which field, and why.

A file is refused before it can hurt: too long, too deeply nested, numbers that are no numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from core.errors import ZoneFileError
from geofences.readers.result import Report

MAX_BYTES = 256 * 2**20
"""Chosen: the largest national feed known to us (ENAIRE's urban set) is under 200 MB."""
MAX_FEATURES = 200_000
MAX_POINTS = 2_000_000
"""Chosen: a million points read in some seconds; twice that is a mistake or an attack."""
_QUOTED_CHARACTERS = 60


def load_json(data: bytes | str | Mapping[str, Any] | list[Any]) -> Any:
    """Parsed JSON; refuses what is too long, too deep, not UTF-8, or holds NaN or Infinity."""
    if isinstance(data, (Mapping, list)):
        return data
    if len(data) > MAX_BYTES:
        raise ZoneFileError(f"the file has {len(data)} bytes, at most {MAX_BYTES} are read")
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        return json.loads(text, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ZoneFileError(f"the file is not UTF-8: {error.reason} at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise ZoneFileError(
            f"the file is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise ZoneFileError("the file is nested too deeply") from error
    except ValueError as error:
        raise ZoneFileError(f"the file is not usable JSON: {error}") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def quote(value: object) -> str:
    """A short quotation of what was found, for a message."""
    if isinstance(value, Mapping):
        return f"an object of {len(value)} members"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= _QUOTED_CHARACTERS else text[: _QUOTED_CHARACTERS - 1] + "…"


class Fields:
    """One JSON object at a known place of a known feature."""

    def __init__(self, value: object, *, feature: str, path: str, report: Report) -> None:
        self.feature = feature
        self.path = path
        self.report = report
        if not isinstance(value, Mapping):
            raise ZoneFileError(
                f"expected an object, found {quote(value)}", feature=feature, field=path or None
            )
        self._members = value

    def at(self, name: str) -> str:
        """Path of a member."""
        return f"{self.path}.{name}" if self.path else name

    def refuse(self, name: str, why: str) -> NoReturn:
        raise ZoneFileError(why, feature=self.feature, field=self.at(name))

    def raw(self, name: str) -> Any:
        """The member, or None when it is missing, null or an empty string (feeds write it for «none»)."""
        value = self._members.get(name)
        return None if value == "" else value

    def has(self, name: str) -> bool:
        return self.raw(name) is not None

    def first_of(self, *names: str) -> str:
        """The first name present (spelling variants); the first name when none is."""
        for name in names:
            if self.has(name):
                if name != names[0]:
                    self.report.tolerated(self.feature, self.at(name), f"written for {names[0]}")
                return name
        return names[0]

    def text(self, name: str, default: str | None = "") -> str:
        """A string; a number is taken as its digits. ``default`` None makes it mandatory."""
        value = self.raw(name)
        if value is None:
            if default is None:
                self.refuse(name, "is missing")
            return default
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            self.refuse(name, f"expected text, found {quote(value)}")
        return str(value)

    def choice(self, name: str, allowed: Mapping[str, Any], default: Any = None) -> Any:
        """One of the words in ``allowed`` (their case does not matter), mapped."""
        value = self.raw(name)
        if value is None:
            if default is None:
                self.refuse(name, f"is missing; expected one of {', '.join(allowed)}")
            return default
        if isinstance(value, str):
            if value in allowed:
                return allowed[value]
            for word, meaning in allowed.items():
                if word.upper() == value.strip().upper():
                    self.report.tolerated(self.feature, self.at(name), f"{quote(value)} read as {word}")
                    return meaning
        self.refuse(name, f"{quote(value)} is not one of {', '.join(allowed)}")

    def number(self, name: str) -> float | None:
        """A finite number, None when missing. Digits in a string are tolerated and noted."""
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                self.refuse(name, f"expected a number, found {quote(value)}")
            self.report.tolerated(self.feature, self.at(name), "a number written as text")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.refuse(name, f"expected a number, found {quote(value)}")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.refuse(name, f"{quote(value)} is not a finite number")
        return number

    def integer(self, name: str) -> int | None:
        number = self.number(name)
        if number is not None and number != int(number):
            self.refuse(name, f"expected a whole number, found {number}")
        return None if number is None else int(number)

    def yes_no(self, name: str) -> bool | None:
        if isinstance(self.raw(name), bool):
            self.report.tolerated(self.feature, self.at(name), "true/false written for YES/NO")
            return bool(self.raw(name))
        result: bool | None = self.choice(name, {"YES": True, "NO": False}, default=_ABSENT)
        return None if result is _ABSENT else result

    def items(self, name: str) -> list[Any]:
        """A list; missing is empty, and a lone value where a list belongs is tolerated and noted."""
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.report.tolerated(self.feature, self.at(name), "a single value where a list belongs")
            return [value]
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """A list of strings without empty ones."""
        result = []
        for i, value in enumerate(self.items(name)):
            if not isinstance(value, str):
                self.refuse(f"{name}[{i}]", f"expected text, found {quote(value)}")
            if value.strip():
                result.append(value.strip())
        return tuple(result)

    def sentences(self, name: str) -> str:
        """Text that feeds write as one string or as a list of them."""
        value = self.raw(name)
        return "; ".join(self.words(name)) if isinstance(value, list) else self.text(name)

    def child(self, name: str) -> Fields:
        if not self.has(name):
            self.refuse(name, "is missing")
        return Fields(self.raw(name), feature=self.feature, path=self.at(name), report=self.report)

    def children(self, name: str) -> Iterator[Fields]:
        for i, value in enumerate(self.items(name)):
            yield Fields(value, feature=self.feature, path=self.at(f"{name}[{i}]"), report=self.report)


_ABSENT = object()
