"""What the console draws beneath its map."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from hub_api.settings.group import SettingsGroup


class ConsoleMapSettings(SettingsGroup):
    """The console's map."""

    console_tiles_url: str | None = Field(
        None,
        description="Map tiles under the console's map, `https://…/{z}/{x}/{y}.png`, or a path on this host; none: the "
        "map draws what the hub itself knows.",
    )
    console_tiles_reference_system: Literal["WGS-84", "GCJ-02"] | None = Field(
        None,
        description="The tiles' reference system, never guessed: Chinese map services draw in GCJ-02, up to 600 m off.",
    )
    console_tiles_attribution: str = Field(
        "", description="What the tiles' owner wants shown on the map; also their review number (审图号)."
    )
    console_tiles_max_zoom: int = Field(
        18, ge=1, le=24, description="Deepest level of the tiles; nearer, they are enlarged."
    )

    @model_validator(mode="after")
    def _tiles_name_their_system(self) -> Self:
        if self.console_tiles_url is None:
            return self
        if any(part not in self.console_tiles_url for part in ("{z}", "{x}", "{y}")):
            raise ValueError("console_tiles_url needs {z}, {x} and {y}")
        scheme = urlsplit(self.console_tiles_url).scheme
        if scheme not in ("", "http", "https"):
            raise ValueError("console_tiles_url is http, https, or a path on this host")
        if self.console_tiles_reference_system is None:
            raise ValueError(
                "console_tiles_url needs console_tiles_reference_system: GCJ-02 tiles taken for WGS-84 show every "
                "drone in another street"
            )
        return self
