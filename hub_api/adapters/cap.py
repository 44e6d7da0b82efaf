"""OASIS Common Alerting Protocol 1.2: alerts in as incidents, incidents out as alerts.

Source: OASIS, Common Alerting Protocol Version 1.2 (1 July 2010), sections 3.2 and 3.3. Positions in CAP are WGS-84 by
definition (3.3.1), so none is guessed; a sender whose maps give another system names it in the parameter
``reference_system``. CAP's own severity is about threats to life in general and no triage: it becomes a grade only
through the client's table of codes (``CAP:Extreme`` …), or a parameter ``severity`` names the grade itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from hub_api.adapters.common import Reported, parse_xml, request_of, unmappable
from hub_api.dispatch.incident_states import IncidentState
from hub_api.store.incident_records import IncidentRecord

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
_IN = f"{{{NAMESPACE}}}"
_SENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
"""3.2.1: with an offset, never Z."""
_CIRCLE = re.compile(r"\s*(-?\d{1,2}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)\s+(\d{1,4}(?:\.\d+)?)\s*")
_NAME = re.compile(r"[^\s,<&]+")
"""3.2.1: identifier and sender hold no spaces, commas and restricted characters."""
LARGEST_RADIUS_KM = 0.5
"""Chosen: what is larger is an area and no place where a patient lies."""
_CATEGORIES = {"Health", "Rescue"}
_STATUS = ("Actual", "Exercise", "System", "Test", "Draft")
_TYPES = ("Alert", "Update", "Cancel", "Ack", "Error")
_PARAMETERS = {
    "severity",
    "reference_system",
    "floor",
    "caller_name",
    "caller_phone",
    "called_at",
    "ambulance_unit",
    "ambulance_eta_at",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert: to report, or (``cancels`` set) to take back what was reported under that key."""

    report: Reported | None
    cancels: str | None


def read(content: bytes) -> Alert:
    """The alert. Raises 4009 naming the element that has no place in an incident."""
    root = parse_xml(content, what="the alert")
    if root.tag != f"{_IN}alert":
        raise unmappable("alert", f"the root is no alert of {NAMESPACE}", "根元素不是 CAP 1.2 alert")
    identifier, sender = _named(root, "identifier"), _named(root, "sender")
    sent = _text(root, "sent")
    if sent is None or not _SENT.fullmatch(sent):
        raise unmappable(
            "alert.sent", "the time is written with its offset, as CAP 1.2 asks", "发送时间格式错误"
        )
    status = _one_of(root, "status", _STATUS)
    if status not in ("Actual", "Exercise"):
        raise unmappable(
            "alert.status", f"{status} is no incident, its recipients disregard it", "非实际或演练状态"
        )
    kind = _one_of(root, "msgType", _TYPES)
    if kind == "Cancel":
        return Alert(report=None, cancels=_referred(root))
    if kind not in ("Alert", "Update"):
        raise unmappable("alert.msgType", f"{kind} reports no incident", "该消息类型不报告事件")
    return Alert(report=_report(root, identifier, sender, exercise=status == "Exercise"), cancels=None)


def key_of(sender: str, identifier: str) -> str:
    """An alert's identity: unique by sender and identifier (3.2.1)."""
    return f"cap:{sender},{identifier}"


def _referred(root: Element) -> str:
    """Which alert a Cancel takes back: the first of ``references`` («sender,identifier,sent», 3.2.1)."""
    first = (_text(root, "references") or "").split()[:1]
    parts = first[0].split(",") if first else []
    if len(parts) != 3:
        raise unmappable(
            "alert.references", "a Cancel names the alert: sender,identifier,sent", "取消消息须引用原警报"
        )
    return key_of(parts[0], parts[1])


def _report(root: Element, identifier: str, sender: str, *, exercise: bool) -> Reported:
    info = root.find(f"{_IN}info")
    if info is None:
        raise unmappable("alert.info", "the alert says nothing about what happened", "缺少 info")
    categories = {(item.text or "").strip() for item in info.findall(f"{_IN}category")}
    if not categories & _CATEGORIES:
        raise unmappable(
            "alert.info.category", "neither Health nor Rescue: no patient is reported", "非医疗救援类别"
        )
    told = _parameters(info)
    place, address = _place(info, told.get("reference_system"))
    severity, code = _severity(info, told)
    values: dict[str, Any] = {
        "reference": ((_text(root, "incidents") or "").split() or [identifier])[0],
        "position": place,
        "exercise": exercise,
        "address": address,
        "notes": _notes(info),
        "severity": severity,
        "severity_code": code,
        "floor": _whole(told.get("floor"), "floor"),
        "called_at": told.get("called_at"),
        "caller": _pair(told, {"name": "caller_name", "phone": "caller_phone"}),
        "ambulance": _pair(told, {"unit": "ambulance_unit", "eta_at": "ambulance_eta_at"}),
    }
    sources = {
        "reference": "alert.incidents",
        "position": "alert.info.area.circle",
        "address": "alert.info.area.areaDesc",
        "notes": "alert.info.description",
        "severity": "alert.info.parameter.severity",
        **{name: f"alert.info.parameter.{name}" for name in ("floor", "called_at", "caller", "ambulance")},
    }
    return Reported(
        key=key_of(sender, identifier),
        request=request_of(values, sources),
        ignored=_ignored(root, info, told),
    )


def _place(info: Element, system: str | None) -> tuple[dict[str, Any], str | None]:
    for area in info.findall(f"{_IN}area"):
        for circle in area.findall(f"{_IN}circle"):
            found = _CIRCLE.fullmatch(circle.text or "")
            if found is None:
                raise unmappable(
                    "alert.info.area.circle", "a circle is «latitude,longitude radius»", "circle 格式错误"
                )
            if float(found[3]) > LARGEST_RADIUS_KM:
                raise unmappable(
                    "alert.info.area.circle",
                    f"{found[3]} km is an area, no place: at most {LARGEST_RADIUS_KM} km",
                    "范围过大，不是具体地点",
                )
            place = {
                "reference_system": system or "WGS-84",
                "latitude_deg": float(found[1]),
                "longitude_deg": float(found[2]),
            }
            return place, _text(area, "areaDesc")
    raise unmappable(
        "alert.info.area",
        "no circle says where the patient is; a polygon is no place",
        "缺少患者位置（circle）",
    )


def _severity(info: Element, told: dict[str, str]) -> tuple[str | None, str | None]:
    if "severity" in told:
        return told["severity"], None
    code = info.find(f"{_IN}eventCode/{_IN}value")
    if code is not None and (code.text or "").strip():
        return None, (code.text or "").strip()
    severity = _text(info, "severity")
    if severity is None:
        raise unmappable("alert.info.severity", "the alert has no severity", "缺少 severity")
    return None, f"CAP:{severity}"


def _parameters(info: Element) -> dict[str, str]:
    told: dict[str, str] = {}
    for item in info.findall(f"{_IN}parameter"):
        name, value = _text(item, "valueName"), _text(item, "value")
        if name is None or value is None:
            continue
        if name in told and name in _PARAMETERS:
            raise unmappable(f"alert.info.parameter.{name}", "it is given twice", "参数重复")
        told[name] = value
    return told


def _notes(info: Element) -> str | None:
    texts = [_text(info, name) for name in ("event", "headline", "description", "instruction")]
    return "\n".join(text for text in texts if text)[:2000] or None


def _ignored(root: Element, info: Element, told: dict[str, str]) -> tuple[str, ...]:
    """What has no place in an incident: further info blocks (other languages), resources, unknown parameters."""
    found = [f"alert.info.parameter.{name}" for name in told if name not in _PARAMETERS]
    if len(root.findall(f"{_IN}info")) > 1:
        found.append("alert.info (further blocks)")
    found += [
        f"alert.info.{name}"
        for name in ("resource", "web", "contact")
        if info.find(f"{_IN}{name}") is not None
    ]
    return tuple(found)


def _text(parent: Element, name: str) -> str | None:
    found = parent.find(f"{_IN}{name}")
    text = "" if found is None else (found.text or "").strip()
    return text or None


def _named(root: Element, name: str) -> str:
    text = _text(root, name)
    if text is None or len(text) > 150 or not _NAME.fullmatch(text):
        raise unmappable(
            f"alert.{name}", "it is missing, too long, or has spaces, commas, < or &", "标识缺失或格式错误"
        )
    return text


def _one_of(root: Element, name: str, allowed: tuple[str, ...]) -> str:
    text = _text(root, name)
    if text not in allowed:
        raise unmappable(f"alert.{name}", f"one of {', '.join(allowed)}", "取值无效")
    return text


def _whole(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"-?\d{1,3}", text):
        raise unmappable(f"alert.info.parameter.{name}", "it is no whole number", "应为整数")
    return int(text)


def _pair(told: dict[str, str], names: dict[str, str]) -> dict[str, str] | None:
    found = {name: told[source] for name, source in names.items() if source in told}
    return found or None


_OUT_SEVERITY = {"I": "Extreme", "II": "Severe", "III": "Moderate", "IV": "Minor"}
"""For readers of alerts in general; the grade itself goes along as a parameter."""


def write(incident: IncidentRecord, *, sender: str, now: datetime) -> bytes:
    """The incident as an alert for partner systems; a closed one as the Cancel of it. No personal data."""
    closed = incident.state is IncidentState.CLOSED
    root = Element("alert", {"xmlns": NAMESPACE})
    _add(root, "identifier", f"{incident.incident_id}{'-closed' if closed else ''}")
    _add(root, "sender", sender)
    _add(root, "sent", _moment(incident.closed_at or now if closed else incident.received_at))
    _add(root, "status", "Exercise" if incident.exercise else "Actual")
    _add(root, "msgType", "Cancel" if closed else "Alert")
    _add(root, "scope", "Restricted")
    _add(root, "restriction", "Partners of the emergency medical service")
    if closed:
        _add(root, "references", f"{sender},{incident.incident_id},{_moment(incident.received_at)}")
    _add(root, "incidents", incident.incident_id)
    info = SubElement(root, "info")
    _add(info, "language", "zh-CN")
    for category in ("Rescue", "Health"):
        _add(info, "category", category)
    _add(info, "event", "院前医疗急救事件 · medical emergency")
    _add(info, "urgency", "Past" if closed else "Immediate")
    _add(info, "severity", _OUT_SEVERITY[incident.severity])
    _add(info, "certainty", "Observed")
    for name, value in (("severity", incident.severity), ("reference_system", "WGS-84")):
        parameter = SubElement(info, "parameter")
        _add(parameter, "valueName", name)
        _add(parameter, "value", value)
    area = SubElement(info, "area")
    where = f"{incident.latitude_deg:.6f},{incident.longitude_deg:.6f}"
    _add(area, "areaDesc", f"WGS-84 {where}")
    _add(area, "circle", f"{where} 0.05")
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _moment(at: datetime) -> str:
    """With an offset and whole seconds; Z is not allowed (3.2.1)."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat()
