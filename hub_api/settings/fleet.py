"""What must be known of drones, of what they carry, of the weather and of the links."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from hub_api.settings.group import SettingsGroup
from planner.weather import Quantity


class FleetSettings(SettingsGroup):
    """Drones, docks, weather and links."""

    telemetry_stale_s: float = Field(
        5.0, gt=0, description="A drone not heard for longer is not ready. Telemetry comes 4 times a second."
    )
    ambulance_stale_s: float = Field(
        30.0,
        gt=0,
        description="A place of an ambulance that is older is not shown as where it is. Crews' devices tell it "
        "every few seconds.",
    )
    fleet_settle_s: float = Field(
        15.0,
        ge=0,
        description="After a start, how long decisions wait for drones to come up before doing without them.",
    )
    command_repeat_s: float = Field(
        2.0, gt=0, description="An unanswered command is published again after this time, same id."
    )
    command_answer_s: float = Field(
        10.0, gt=0, description="A drone that has not answered its flight command by then is replaced."
    )
    link_keys_file: Path | None = Field(
        None,
        description="Keys with which vehicles sign (MAVLink 2), made by `drone-aed link-key`; none: links are not signed.",
    )
    links_signed_only: bool | None = Field(
        None,
        description="Refuse vehicles without a key. Needs link_keys_file. Default: true outside demo mode. `false` there "
        "says that somebody answers for it: whoever reaches an unsigned link can command the drone and be believed.",
    )
    aed_report_required: bool = Field(
        False,
        description="Whether a drone stays on the ground while nobody reported its AED's battery, pads and self-test. "
        "Not every AED model reports; switch it on where all of yours do or people enter it.",
    )
    dock_silent_s: float = Field(
        900.0, gt=0, description="A dock that reported once and then nothing for longer is shown as silent."
    )
    weather_stale_s: float = Field(
        600.0, gt=0, description="Wind older than this is not known; unknown wind is a reason to refuse."
    )
    weather_report_stale_s: float = Field(
        4500.0,
        gt=0,
        description="A METAR older than this is not used. They come every half hour or hour; chosen: one may be missing.",
    )
    weather_required: str | None = Field(
        None,
        description="What must be known at a station beside wind before its drones fly, of `rain,visibility,temperature`; "
        "empty for nothing. None: all three, and in demo mode nothing. What is known always counts.",
    )
    weather_keep_s: float = Field(
        30 * 86400.0, ge=86400, description="How long readings and weather reports are kept for looking back."
    )

    @model_validator(mode="after")
    def _keys_for_signed_links(self) -> Self:
        if self.links_signed_only and self.link_keys_file is None:
            raise ValueError(
                "links_signed_only needs link_keys_file: without keys every vehicle would be refused"
            )
        return self

    @field_validator("weather_required")
    @classmethod
    def _weather_quantities(cls, required: str | None) -> str | None:
        try:
            named_quantities(required or "")
        except ValueError:
            raise ValueError("names something else than rain, visibility, temperature") from None
        return required


def named_quantities(text: str) -> frozenset[Quantity]:
    """What ``weather_required`` names, separated by commas. Raises ValueError for a name that is none."""
    return frozenset(Quantity(name) for part in text.split(",") if (name := part.strip()))
