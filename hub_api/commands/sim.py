"""``drone-aed sim …``: the proving ground, as a process of its own, because nothing here may import a simulator."""

from __future__ import annotations

import importlib.util
import os
import sys

import typer

app_settings = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def sim(context: typer.Context) -> None:
    """Play scenario files in virtual time: `drone-aed sim run FILE… --seeds 25 --jobs 2` · 运行仿真场景."""
    if importlib.util.find_spec("proving_ground") is None:
        typer.echo("error: the proving ground is not installed here; use a full checkout", err=True)
        raise typer.Exit(2)
    sys.stdout.flush()
    # In our place, not beside us: a signal to this process must reach the one that stops the autopilots.
    os.execv(sys.executable, [sys.executable, "-m", "proving_ground", *context.args])
