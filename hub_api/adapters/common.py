"""What every adapter gives and how it refuses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import ValidationError

from core.errors import DispatchError, ErrorCode
from hub_api.features.incidents.requests import IncidentRequest

MOST_ELEMENTS = 2000
"""Chosen: ten times what a full alert has; more is no incident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One message as a report. ``key`` is its own identity: the same message again is the same incident.

    ``ignored`` names what was in it and found no place here.
    """

    key: str
    request: IncidentRequest
    ignored: tuple[str, ...] = field(default=())


def unmappable(where: str, why: str, why_zh: str) -> DispatchError:
    """4009: understood, and not usable as an incident."""
    return DispatchError(ErrorCode.MESSAGE_UNMAPPABLE, f"{why} · {why_zh}", field=where)


def malformed(why: str, why_zh: str) -> DispatchError:
    """4009 for what is not even the format that it says to be."""
    return DispatchError(ErrorCode.MESSAGE_UNMAPPABLE, f"{why} · {why_zh}", field="body")


def parse_xml(content: bytes | str, *, what: str) -> Element:
    """The document's root. No DTD, no entity, nothing fetched: an alert needs none, an attack does."""
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise malformed(
            f"{what} has a document type or entities, which are refused", "XML 含 DTD 或实体，已拒绝"
        ) from None
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise malformed(f"{what} is not well-formed XML: {str(error)[:100]}", "XML 格式错误") from None
    if sum(1 for _ in root.iter()) > MOST_ELEMENTS:
        raise malformed(f"{what} has more than {MOST_ELEMENTS} elements", "XML 元素过多")
    return root


def request_of(values: dict[str, Any], sources: dict[str, str]) -> IncidentRequest:
    """The report, checked as if it had come by the API; faults are named by ``sources``, where they came from."""
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return IncidentRequest.model_validate_json(json.dumps(given))
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        source = next((sources[name] for name in sources if place.startswith(name)), place)
        raise unmappable(source, str(first["msg"]), "字段内容无效") from None
