"""Entry point of ``drone-aed``: the commands by name, and what becomes of an error.

Only the command that is asked for is imported: listing keys need not load the planner's compiler or the
plotting library, which take seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from core.errors import DroneAedError
from hub_api.commands.loading import without_collector

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "demo"),
    "serve": ("serve", "serve"),
    "fly": ("fly", "fly"),
    "plan": ("plan", "plan"),
    "site": ("site", "site"),
    "sim": ("sim", "sim"),
    "link-key": ("link_key", "link_key"),
    "backup": ("backup", "backup"),
    "restore": ("backup", "restore"),
    "secrets": ("secrets", "make_secrets"),
    "keys": ("keys", "app"),
    "accounts": ("accounts", "app"),
    "audit": ("audit", "app"),
    "personal-data": ("retention", "app"),
    "webhooks": ("webhooks", "app"),
    "airspace": ("airspace", "app"),
}
"""Command → module of this package and what it offers there: a function, or a group of commands."""


def build(arguments: Sequence[str]) -> typer.Typer:
    """The application with the command that ``arguments`` ask for; with all of them if they name none."""
    app = typer.Typer(
        name="drone-aed",
        help="Drone AED delivery control: hub, planner and flight controller.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )

    @app.callback()
    def group() -> None:
        """Drone AED delivery control: hub, planner and flight controller."""

    asked = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name in (asked,) if asked in COMMANDS else COMMANDS:
        file, attribute = COMMANDS[name]
        with without_collector():
            module = import_module(f"hub_api.commands.{file}")
        offered = getattr(module, attribute)
        if isinstance(offered, typer.Typer):
            app.add_typer(offered, name=name)
        else:
            # A command that hands its arguments on, help included, says so in its module.
            passes_on = getattr(module, "app_settings", None)
            app.command(name, context_settings=passes_on, add_help_option=passes_on is None)(offered)
    return app


def main() -> None:
    """Run the command; a numbered error becomes one line and exit code 2, never a traceback."""
    try:
        build(sys.argv[1:])()
    except DroneAedError as error:
        typer.echo(f"error {error}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
