"""Collects figures, prints them as a table and writes them as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: ``n`` is the number of measurements behind it."""

    name: str
    value: float
    unit: str
    n: int
    note: str = ""


class Report:
    """The figures of one run, in the order in which they came."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def add(self, name: str, value: float, unit: str, n: int, note: str = "") -> None:
        """Add a figure. A name may come once; a value must be a finite number."""
        if name in self._figures:
            raise ValueError(f"{name} was reported twice")
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}, not a figure")
        self._figures[name] = Figure(name, float(value), unit, n, note)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures so far."""
        return tuple(self._figures.values())

    def print(self, console: Console | None = None) -> None:
        """Print the table."""
        table = Table()
        table.add_column("figure", no_wrap=True)
        for column in ("value", "unit", "n", "note"):
            table.add_column(column)
        for figure in self.figures:
            table.add_row(figure.name, f"{figure.value:.4g}", figure.unit, str(figure.n), figure.note)
        (console or Console()).print(table)

    def write(self, path: Path) -> None:
        """Write ``{name: {value, unit, n, note}}``."""
        content = {
            figure.name: {"value": figure.value, "unit": figure.unit, "n": figure.n, "note": figure.note}
            for figure in self.figures
        }
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
