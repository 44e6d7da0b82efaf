"""Fields and small shapes that several features share: texts, severities, positions, reasons.

Requests are strict: nothing is guessed, nothing unknown is swallowed, a position without its reference system is
refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    UrlConstraints,
    WithJsonSchema,
)

ReferenceSystemName = Literal["GCJ-02", "BD-09", "WGS-84"]
Severity = Literal["I", "II", "III", "IV"]
ModeName = Literal["automatic", "approve", "drill"]


def _no_control_characters(text: str) -> str:
    for character in text:
        if (ord(character) < 32 and character not in "\n\t") or 0xD800 <= ord(character) <= 0xDFFF:
            raise ValueError("control characters are not allowed · 不允许使用控制字符")
    return text


def _not_ground_zero(floor: int) -> int:
    if floor == 0:
        raise ValueError(
            "floors count as in China: 1 is street level, -1 the first basement; 0 is no floor · "
            "楼层按国内习惯：1 为首层，-1 为地下一层，没有 0 层"
        )
    return floor


def refuse_control_characters(value: object) -> None:
    """``ValueError`` for a text anywhere in a JSON value that holds one."""
    if isinstance(value, str):
        _no_control_characters(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            _no_control_characters(name)
            refuse_control_characters(item)
    elif isinstance(value, list):
        for item in value:
            refuse_control_characters(item)


_Clean = AfterValidator(_no_control_characters)
Text40 = Annotated[str, Field(min_length=1, max_length=40), _Clean]
Text80 = Annotated[str, Field(min_length=1, max_length=80), _Clean]
Text120 = Annotated[str, Field(min_length=1, max_length=120), _Clean]
Text300 = Annotated[str, Field(min_length=1, max_length=300), _Clean]
Note300 = Annotated[str, Field(max_length=300), _Clean]
Note500 = Annotated[str, Field(max_length=500), _Clean]
Text500 = Annotated[str, Field(min_length=1, max_length=500), _Clean]
Text2000 = Annotated[str, Field(max_length=2000), _Clean]
CallbackUrl = Annotated[
    AnyUrl, UrlConstraints(max_length=2000, allowed_schemes=["http", "https"], host_required=True)
]
Floor = Annotated[int, Field(ge=-20, le=200), AfterValidator(_not_ground_zero)]
OptionalSeverity = Annotated[
    Severity | None, WithJsonSchema({"type": "string", "enum": ["I", "II", "III", "IV"]})
]


class StrictRequest(BaseModel):
    """What is sent to us: unknown fields, other types and NaN are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Position(StrictRequest):
    """A position that names its reference system. Chinese maps deliver GCJ-02 or BD-09, GNSS WGS-84;
    the offset is up to 600 m, so it is never guessed."""

    reference_system: ReferenceSystemName = Field(description="GCJ-02 | BD-09 | WGS-84")
    latitude_deg: float = Field(ge=-90, le=90, examples=[22.5567])
    longitude_deg: float = Field(ge=-180, le=180, examples=[113.8889])


class Caller(StrictRequest):
    """Who called, if the centre wants the hub to know. Personal data: shown only to its own client."""

    name: Text80 | None = None
    phone: Text40 | None = None


class ReasonView(BaseModel):
    """A machine-readable word and a sentence in English and Chinese."""

    code: str
    detail: str
    detail_zh: str


class LocationView(BaseModel):
    """Where the patient is, as sent and in WGS-84."""

    reference_system: ReferenceSystemName
    latitude_deg: float
    longitude_deg: float
    wgs84_latitude_deg: float
    wgs84_longitude_deg: float
