"""What the hub keeps, and the place that it serves."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pydantic import Field

from core.errors import ErrorCode, InternalError
from hub_api.settings.group import SettingsGroup


class PlaceSettings(SettingsGroup):
    """Where the hub works and keeps what it knows."""

    data_dir: Path = Field(
        Path("drone-aed-data"), description="Database, agents' journals and flight records live here."
    )
    database_url: str | None = Field(
        None,
        min_length=1,
        description="SQLAlchemy URL; by default a SQLite file in data_dir. PostgreSQL by URL.",
    )
    site_file: Path = Field(
        Path("examples/sites/baoan.json"), description="Stations, drones and landing points (JSON)."
    )
    places_file: Path | None = Field(
        None,
        description="Names of the city that people search (JSON, WGS-84). None: NAME.places.json beside the site file "
        "NAME.json, if it is there.",
    )
    airspace_file: Path | None = Field(
        None,
        description="The site's airspace: a manifest as geofences/data/baoan.airspace.json. Required outside demo mode, "
        "where none means the demonstration airspace.",
    )
    geoid_undulation_m: float = Field(
        0.0,
        ge=-110.0,
        le=90.0,
        description="Height of the geoid above the WGS-84 ellipsoid at the site. Between our own flights any value "
        "gives the same answer, since it counts for all of them; set the surveyed one before intents "
        "are exchanged with other operators.",
    )

    @property
    def effective_database_url(self) -> str:
        """``database_url``, or the SQLite file in ``data_dir``."""
        return self.database_url or f"sqlite:///{self.data_dir / 'hub.db'}"

    @property
    def effective_places_file(self) -> Path | None:
        """``places_file``, or the one beside the site file; None where there is none."""
        beside = self.site_file.with_suffix(".places.json")
        return self.places_file or (beside if beside.is_file() else None)

    @property
    def journal_dir(self) -> Path:
        """Where the agents of this process keep their journals."""
        return self.data_dir / "journals"

    @property
    def records_dir(self) -> Path:
        """Where the agents of this process keep a folder for every flight."""
        return self.data_dir / "flights"

    def prepare_data_dir(self) -> None:
        """Create the data directory, readable by its owner only: it holds callers' data. Raises 5002 where it can't."""
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            os.chmod(self.data_dir, 0o700)
            for folder in (self.journal_dir, self.records_dir):
                folder.mkdir(exist_ok=True)
                # A folder that somebody else made may be there and take nothing.
                with tempfile.TemporaryFile(dir=folder):
                    pass
        except OSError as error:
            raise InternalError(
                ErrorCode.SETTINGS_INVALID,
                f"nothing can be stored in {error.filename or self.data_dir}: {error.strerror}",
                field="data_dir",
            ) from error
