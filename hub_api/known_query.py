"""No query parameter is swallowed: one that an operation does not declare is refused, and one given twice that it takes
once.

A misspelt filter that is ignored answers another question than the one that was asked: a report for the default
period looks like one for the period that somebody meant. Bodies are refused for the same reason
(:mod:`hub_api.features.fields`, :mod:`hub_api.strict_json`).
"""

from __future__ import annotations

from collections import Counter
from types import UnionType
from typing import Any, Union, get_args, get_origin

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.requests import HTTPConnection
from pydantic import BaseModel

UNKNOWN, DOUBLED = "parameter_unknown", "parameter_doubled"
_SHOWN = 60
"""Chosen: characters of a stranger's name that an answer repeats."""


async def refuse_unknown_query(connection: HTTPConnection) -> None:
    """A dependency of the whole application. Raises what a field at fault raises (422)."""
    # A WebSocket says by a close code what it refuses, once it is open: its route asks itself.
    if connection.scope["type"] == "http" and connection.scope["query_string"]:
        found = faults(connection)
        if found:
            raise RequestValidationError(found)


def faults(connection: HTTPConnection) -> list[dict[str, Any]]:
    """What is wrong with the names in a query, in the shape of validation errors."""
    known = declared(connection.scope["route"].dependant)
    given = Counter(name for name, _ in connection.query_params.multi_items())
    takes = ", ".join(sorted(known)) or "none"
    takes_zh = "、".join(sorted(known)) or "无"
    found = []
    for name, times in given.items():
        if name not in known:
            said = f"unknown here; this operation takes: {takes} · 未知参数，本接口可用参数：{takes_zh}"
            found.append(_fault(UNKNOWN, name, said))
        elif times > 1 and not known[name]:
            found.append(
                _fault(DOUBLED, name, "given twice, which one counts? · 参数重复，无法确定以哪个为准")
            )
    return found


def _fault(kind: str, name: str, said: str) -> dict[str, Any]:
    return {"type": kind, "loc": ("query", name[:_SHOWN]), "msg": said}


def declared(dependant: Dependant) -> dict[str, bool]:
    """The query parameters of an operation and of what it depends on; True for those that may be repeated."""
    found: dict[str, bool] = {}
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = kind.model_fields.items()
            found |= {info.alias or name: _repeats(info.annotation) for name, info in fields}
        else:
            found[field.alias] = _repeats(kind)
    for inner in dependant.dependencies:
        found |= declared(inner)
    return found


def _repeats(kind: Any) -> bool:
    if get_origin(kind) in (Union, UnionType):
        return any(_repeats(part) for part in get_args(kind))
    return (get_origin(kind) or kind) in (list, set, frozenset, tuple)
