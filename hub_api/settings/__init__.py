"""Everything that may be set from outside: environment ``DRONE_AED_*`` or a ``.env`` file.

Each field says its unit in its name and its reason in its description. Settings that contradict
each other are refused at start (5002) rather than repaired, and so is a name that is none.
"""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from core.errors import ErrorCode, InternalError
from hub_api.settings.console import ConsoleMapSettings
from hub_api.settings.demo import DEMO_API_KEY, DEMO_CLIENT, DEMO_PASSWORD
from hub_api.settings.fleet import FleetSettings, named_quantities
from hub_api.settings.group import SettingsGroup
from hub_api.settings.names import PREFIX, refuse_unknown_names
from hub_api.settings.orders import OrderSettings
from hub_api.settings.outside import OutsideSettings
from hub_api.settings.people import PeopleSettings
from hub_api.settings.place import PlaceSettings
from hub_api.settings.service import ServiceSettings
from planner.weather import Quantity

__all__ = ["DEMO_API_KEY", "DEMO_CLIENT", "DEMO_PASSWORD", "GROUPS", "Settings", "load_settings"]

ENV_FILE = ".env"
"""Looked for in the working directory."""
GROUPS: tuple[type[SettingsGroup], ...] = (
    PlaceSettings,
    ServiceSettings,
    OrderSettings,
    FleetSettings,
    OutsideSettings,
    PeopleSettings,
    ConsoleMapSettings,
)
"""In the order of the documentation."""


class Settings(
    ConsoleMapSettings,
    PeopleSettings,
    OutsideSettings,
    FleetSettings,
    OrderSettings,
    ServiceSettings,
    PlaceSettings,
    BaseSettings,
):
    """The hub's settings. Tests pass values; whoever starts a hub calls :func:`load_settings`, which refuses what
    ``Settings()`` does not look at."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        # Names that are none of the hub's are refused by name: see load_settings.
        dotenv_filtering="only_existing",
        extra="forbid",
        frozen=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    @property
    def effective_links_signed_only(self) -> bool:
        """``links_signed_only``, or what the mode asks for."""
        return not self.demo if self.links_signed_only is None else self.links_signed_only

    @property
    def effective_weather_required(self) -> frozenset[Quantity]:
        """``weather_required``, or what the mode asks for."""
        if self.weather_required is None:
            return frozenset() if self.demo else frozenset(Quantity)
        return named_quantities(self.weather_required)


def load_settings(**given: object) -> Settings:
    """Settings from the environment, ``.env`` and, before both, ``given``; 5002 names each field at fault."""
    refuse_unknown_names(Settings.model_fields, ENV_FILE)
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'settings'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise InternalError(ErrorCode.SETTINGS_INVALID, faults) from None
    except SettingsError as error:
        # Lists and mappings are written as JSON; the value is not shown, it may be a secret.
        raise InternalError(ErrorCode.SETTINGS_INVALID, f"{error}: is it JSON?") from None
