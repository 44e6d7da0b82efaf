"""What every group of settings is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SettingsGroup(BaseModel):
    """Some of the settings; the first line of its docstring is their heading in ``docs/settings.md``."""

    model_config = ConfigDict(frozen=True, validate_default=True, allow_inf_nan=False)
