"""``drone-aed secrets``: fresh keys in the form of the settings."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from hub_api.keyring import new_key


def make_secrets() -> None:
    """Print lines for a .env file: keys that seal personal data, sign tokens, and sign network identification.

    To rotate, put the new key before the old one, separated by a comma, and restart; `drone-aed personal-data
    reseal` then makes the old one unnecessary.
    """
    name = f"k{datetime.now(UTC):%Y%m%d}"
    typer.echo(f"DRONE_AED_PERSONAL_KEYS={new_key(name)}")
    typer.echo(f"DRONE_AED_TOKEN_KEYS={new_key(name)}")
    typer.echo(f"DRONE_AED_IDENTIFICATION_KEYS={new_key(name)}")
