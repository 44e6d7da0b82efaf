"""What an adapter answers, and an example of what it takes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from hub_api.features.incidents.schemas import IncidentView


class AdapterView(BaseModel):
    """What became of a message."""

    incident: IncidentView
    order_id: str | None = Field(description="The order placed for it; null unless `order=true`.")
    ignored: list[str] = Field(description="What was in the message and has no place in an incident.")


CAP_EXAMPLE = """\
<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>BA-120-2026-000888</identifier>
  <sender>cad@120.example</sender>
  <sent>2026-03-01T16:02:05+08:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Private</scope>
  <addresses>drone-aed</addresses>
  <incidents>BA-120-2026-000888</incidents>
  <info>
    <language>zh-CN</language>
    <category>Health</category>
    <event>心脏骤停</event>
    <urgency>Immediate</urgency>
    <severity>Extreme</severity>
    <certainty>Observed</certainty>
    <description>男，58岁，无意识无呼吸</description>
    <parameter><valueName>severity</valueName><value>I</value></parameter>
    <parameter><valueName>floor</valueName><value>3</value></parameter>
    <parameter><valueName>caller_phone</valueName><value>13800000000</value></parameter>
    <area>
      <areaDesc>宝安区新安街道示例路1号2栋301</areaDesc>
      <circle>22.5792,113.8876 0.02</circle>
    </area>
  </info>
</alert>
"""

_PROLOGUE: dict[str, Any] = {
    "lastUpdateTimeStamp": "2026-03-01T08:02:05Z",
    "updatedByAgencyReference": {"$ref": "120.example"},
}
EIDO_EXAMPLE: dict[str, Any] = {
    "$id": "urn:emergency:uid:incidentid:a56e556d999:120.example",
    **_PROLOGUE,
    "eidoVersion": "1.0",
    "issuingElementIdentification": "cad.120.example",
    "incidentComponent": {
        "$id": "incident-1",
        **_PROLOGUE,
        "incidentTypeCommonRegistryText": "Medical",
        "internalIncidentId": "BA-120-2026-000999",
        "incidentPriorityInternalText": "9-E-1",
        "locationReference": [{"$ref": "location-1"}],
    },
    "locationComponent": [
        {
            "$id": "location-1",
            **_PROLOGUE,
            "locationTypeDescriptionRegistryText": "Incident",
            "locationByValue": (
                '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10" '
                'xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:gml="http://www.opengis.net/gml" '
                'entity="pres:incident@120.example"><dm:device id="d1"><gp:geopriv><gp:location-info>'
                '<gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>22.5792 113.8876</gml:pos></gml:Point>'
                "</gp:location-info><gp:usage-rules/></gp:geopriv></dm:device></presence>"
            ),
        }
    ],
    "agencyComponent": [
        {
            "$id": "120.example",
            **_PROLOGUE,
            "agencyRoleDescriptionRegistryText": ["CallReceiving"],
            "agencyType": ["ems"],
        }
    ],
}
