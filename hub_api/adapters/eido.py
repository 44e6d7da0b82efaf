"""NENA Emergency Incident Data Object (EIDO) 1.0 in JSON, as an incident.

Source: NENA-STA-021.1 and its schema (github.com/NENA911/EIDO-JSON, ``Schema/openapi.yaml``). Components refer to one
another by ``$id``/``$ref``; only what an incident needs is followed, the rest is named as ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

from hub_api.adapters.common import Reported, request_of, unmappable
from hub_api.adapters.pidf_lo import position_of
from hub_api.features.fields import refuse_control_characters

VERSION = "1.0"
_REQUIRED = ("$id", "lastUpdateTimeStamp", "eidoVersion", "issuingElementIdentification", "agencyComponent")
_USED = {
    *(*_REQUIRED, "updatedByAgencyReference", "updatedByAgentReference", "@context"),
    *("incidentComponent", "callComponent", "callbackComponent", "locationComponent", "personComponent"),
    *("notesComponent", "emergencyResourceComponent", "agentComponent"),
}


def read(document: Any) -> Reported:
    """The report. Raises 4009 naming the component that is missing or cannot be used."""
    eido = _object(document, "eido")
    try:
        refuse_control_characters({name: eido.get(name) for name in ("$id", "lastUpdateTimeStamp")})
    except ValueError as fault:
        raise unmappable("eido.$id", str(fault), "标识含控制字符") from None
    for name in _REQUIRED:
        if not eido.get(name):
            raise unmappable(f"eido.{name}", "EIDO 1.0 requires it", "EIDO 必填字段缺失")
    if eido["eidoVersion"] != VERSION:
        raise unmappable("eido.eidoVersion", f"only {VERSION} is known", "不支持的版本")
    incident = _object(eido.get("incidentComponent"), "eido.incidentComponent")
    priority = incident.get("incidentPriorityInternalText")
    number = incident.get("incidentCommonPriorityNumber")
    code = priority if isinstance(priority, str) else None if number is None else f"EIDO:{number}"
    if code is None:
        raise unmappable(
            "eido.incidentComponent.incidentPriorityInternalText",
            "no priority; with one, PUT /v1/severity-codes says which grade it means",
            "缺少优先级",
        )
    place, address = _place(eido, incident)
    values: dict[str, Any] = {
        "reference": _string(incident.get("internalIncidentId")) or _string(eido["$id"]),
        "position": place,
        "address": address,
        "severity_code": code,
        "notes": _notes(eido, incident),
        "called_at": _called_at(eido),
        "caller": _caller(eido),
        "ambulance": _ambulance(eido),
    }
    sources = {
        "reference": "eido.incidentComponent.internalIncidentId",
        "position": "eido.locationComponent.locationByValue",
        "severity_code": "eido.incidentComponent.incidentPriorityInternalText",
        "notes": "eido.notesComponent",
        "called_at": "eido.callComponent.callStartTimestamp",
        "caller": "eido.callbackComponent",
        "ambulance": "eido.emergencyResourceComponent",
    }
    key = f"eido:{str(eido['$id'])[:200]}@{str(eido['lastUpdateTimeStamp'])[:60]}"
    return Reported(
        key=key,
        request=request_of(values, sources),
        ignored=tuple(f"eido.{name}" for name in sorted(set(eido) - _USED))[:50],
    )


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise unmappable(where, "it is missing, or no object", "缺失或类型错误")
    return value


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _components(eido: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The components of a kind by their ``$id``."""
    listed = eido.get(name) or []
    if not isinstance(listed, list):
        raise unmappable(f"eido.{name}", "it is no list", "应为数组")
    return {str(item["$id"]): item for item in listed if isinstance(item, dict) and "$id" in item}


def _referred(component: dict[str, Any], name: str) -> Iterator[str]:
    """The ids that a component refers to; EIDO has single references and lists of them."""
    found = component.get(name) or []
    for item in found if isinstance(found, list) else [found]:
        if isinstance(item, dict) and isinstance(item.get("$ref"), str):
            yield item["$ref"]


def _place(eido: dict[str, Any], incident: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The incident's own location; a caller may be somewhere else, and is not asked."""
    known = _components(eido, "locationComponent")
    by_reference = False
    for reference in _referred(incident, "locationReference"):
        location = known.get(reference, {})
        by_value = location.get("locationByValue")
        if isinstance(by_value, str):
            return position_of(by_value, "eido.locationComponent.locationByValue")
        by_reference = by_reference or "locationByReferenceUrl" in location
    if by_reference:
        raise unmappable(
            "eido.locationComponent.locationByReferenceUrl",
            "a location is not fetched from elsewhere: send it by value",
            "不从外部地址获取位置",
        )
    raise unmappable(
        "eido.incidentComponent.locationReference", "the incident has no location", "事件缺少位置"
    )


class _Text(HTMLParser):
    """The text of a note; notes are HTML5."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _notes(eido: dict[str, Any], incident: dict[str, Any]) -> str | None:
    texts = [
        _string(incident.get("incidentTypeCommonRegistryText")),
        _string(incident.get("incidentTypeInternalText")),
    ]
    known = _components(eido, "notesComponent")
    for reference in _referred(incident, "notesReference"):
        note = known.get(reference, {}).get("notesActionComments")
        if isinstance(note, str):
            reader = _Text()
            reader.feed(note)
            texts.append("".join(reader.parts).strip())
    clean = "\n".join(text for text in texts if text)
    return "".join(c for c in clean if ord(c) >= 32 or c in "\n\t")[:2000] or None


def _called_at(eido: dict[str, Any]) -> str | None:
    """When the first call began."""
    calls = _components(eido, "callComponent").values()
    told = [text for call in calls if (text := _string(call.get("callStartTimestamp"))) is not None]
    moments = []
    for text in told:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise unmappable(
                "eido.callComponent.callStartTimestamp", "it is no time", "时间格式错误"
            ) from None
        if moment.tzinfo is None:
            raise unmappable("eido.callComponent.callStartTimestamp", "it names no offset", "时间缺少时区")
        moments.append(moment)
    return min(moments).isoformat() if moments else None


def _caller(eido: dict[str, Any]) -> dict[str, str] | None:
    """The telephone number of the person whose role is Caller."""
    callbacks = _components(eido, "callbackComponent")
    for person in _components(eido, "personComponent").values():
        if "Caller" not in _listed(person.get("personIncidentRoleRegistryText")):
            continue
        for reference in _referred(person, "callBackReference"):
            for uri in _listed(callbacks.get(reference, {}).get("callBackInformationUri")):
                if isinstance(uri, str) and uri.startswith("tel:"):
                    return {"phone": uri.removeprefix("tel:").partition(";")[0][:40]}
    return None


def _ambulance(eido: dict[str, Any]) -> dict[str, str] | None:
    for unit in _components(eido, "emergencyResourceComponent").values():
        kind = _string(unit.get("emergencyResourceTypeCommonRegistryText")) or ""
        if "ambulance" not in kind.lower():
            continue
        found = {
            "unit": (_string(unit.get("emergencyResourceName")) or str(unit["$id"]))[:40],
            "eta_at": _string(unit.get("eta")),
            "status": (_string(unit.get("primaryUnitStatusRegistryText")) or "")[:40] or None,
        }
        return {name: value for name, value in found.items() if value is not None}
    return None
