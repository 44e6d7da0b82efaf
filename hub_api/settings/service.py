"""How it is reached, what a request may cost, and what it writes of itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from hub_api.settings.group import SettingsGroup


class ServiceSettings(SettingsGroup):
    """Address, limits and logs."""

    host: str = Field("127.0.0.1", description="Address to listen on; loopback unless told otherwise.")
    port: int = Field(8120, ge=0, le=65535, description="Port to listen on; 0 lets the system choose.")
    duty: Literal["fly", "watch"] = Field(
        "fly",
        description="`fly`: this hub takes orders and flies the drones; one does on a database, and a second one does not "
        "start. `watch`: it shows and streams what another hub does, and changes nothing.",
    )
    demo: bool = Field(
        False, description="Demo mode: the well-known demo key works. Never in front of real drones."
    )
    speedup: float = Field(
        1.0, gt=0, le=100, description="Clock seconds per real second; other than 1 only in demo mode."
    )
    planner: Literal["auto", "process", "thread"] = Field(
        "auto",
        description="Where decisions are computed. `process`: in a process of their own, on another core than what stores "
        "and speaks; it takes as much memory as the hub. `thread`: in the hub's own. `auto`: in a process where the machine "
        "gives the hub two cores or more.",
    )
    max_body_bytes: int = Field(
        64 * 1024, ge=1024, description="Largest request body; an order is about 1 kB."
    )
    max_zone_file_bytes: int = Field(
        20 * 1024 * 1024, ge=64 * 1024, description="Largest zone file; a whole country's is about 10 MB."
    )
    max_photo_bytes: int = Field(
        12 * 1024 * 1024,
        ge=64 * 1024,
        description="Largest photo that may be uploaded; a phone's is about 5 MB.",
    )
    idempotency_keep_s: float = Field(
        24 * 3600.0, ge=3600, description="How long a client's idempotency key is remembered."
    )
    request_rate_s: float = Field(
        200.0, gt=0, description="Requests per second that each key or account may make on average."
    )
    order_rate_s: float = Field(
        200.0,
        gt=0,
        description="Orders per second that each key may place: a budget of its own, which nothing else uses up.",
    )
    log_format: Literal["text", "json"] = Field("text", description="Log lines for people or for machines.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")
    report_font_file: Path | None = Field(
        None,
        description="A TrueType font (.ttf) with Chinese that PDF reports embed; none: the standard font STSong-Light, "
        "which the reader's program supplies.",
    )

    @property
    def flies(self) -> bool:
        """Whether ``duty`` is to take orders and fly."""
        return self.duty == "fly"

    @model_validator(mode="after")
    def _demo_only(self) -> Self:
        if self.speedup != 1.0 and not self.demo:
            raise ValueError(
                "speedup other than 1 is only allowed in demo mode: real drones fly in real time"
            )
        return self

    @property
    def decides_in_a_process(self) -> bool:
        """``planner``, with ``auto`` looked up; a hub that watches decides nothing."""
        if not self.flies:
            return False
        if self.planner == "auto":
            # Not every system says what a process may use of the machine.
            allowed = getattr(os, "sched_getaffinity", None)
            return (os.cpu_count() or 1 if allowed is None else len(allowed(0))) > 1
        return self.planner == "process"
