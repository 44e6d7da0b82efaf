"""Entry point of ``drone-aed``: the commands by name, and what becomes of an error."""

from __future__ import annotations

import typer

from core.errors import DroneAedError
from hub_api.commands import (
    accounts,
    airspace,
    audit,
    backup,
    demo,
    fly,
    keys,
    link_key,
    plan,
    retention,
    secrets,
    serve,
    sim,
    site,
    webhooks,
)

app = typer.Typer(
    name="drone-aed",
    help="Drone AED delivery control: hub, planner and flight controller.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("fly")(fly.fly)
app.command("plan")(plan.plan)
app.command("link-key")(link_key.link_key)
app.command("site")(site.site)
app.command("sim", context_settings=sim.app_settings, add_help_option=False)(sim.sim)
app.add_typer(keys.app, name="keys")
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("secrets")(secrets.make_secrets)
app.add_typer(accounts.app, name="accounts")
app.add_typer(audit.app, name="audit")
app.add_typer(retention.app, name="personal-data")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(airspace.app, name="airspace")


def main() -> None:
    """Run the command; a numbered error becomes one line and exit code 2, never a traceback."""
    try:
        app()
    except DroneAedError as error:
        typer.echo(f"error {error}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
