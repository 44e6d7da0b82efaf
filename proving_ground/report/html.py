"""One HTML file for all runs: no network, no script; opens on any office computer.

For each scenario the table of its seeds, and for the first that passed and those that failed the map, height and
speed, and the timeline of phases and faults.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from proving_ground.against import Unplayable
from proving_ground.loader import Loaded
from proving_ground.report.plots import draw_map, draw_profile, draw_timeline
from proving_ground.result import Run

MAX_DRAWN = 5
"""Drawn runs for each scenario: further failures are in the table."""

_STYLE = """
body { font: 15px/1.45 system-ui, "Noto Sans SC", sans-serif; margin: 2rem auto; max-width: 70rem; color: #1b1f24; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100%; }
td, th { border: 1px solid #d0d7de; padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: #f6f8fa; }
.pass { color: #0a5c2b; } .fail { color: #a40e26; font-weight: 600; } .waived { color: #7a4f00; }
figure { margin: .5rem 0; } figure svg { width: 100%; height: auto; } .why { color: #57606a; }
"""


def write_html(
    path: Path, loaded: list[Loaded], runs: list[Run], unplayable: Sequence[Unplayable] = ()
) -> None:
    """Write the report of all runs to ``path``."""
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Scenarios · 场景报告</title>",
        f"<style>{_STYLE}</style></head><body><h1>Scenarios · 场景报告</h1>",
        _summary(runs),
        _left_out(unplayable),
    ]
    scenarios = {item.scenario.name: item for item in loaded}
    for name, group in groupby(runs, key=lambda run: run.scenario):
        parts.append(_section(scenarios[name], list(group)))
    parts.append("</body></html>")
    path.write_text("\n".join(parts), encoding="utf-8")


def _summary(runs: list[Run]) -> str:
    rows = []
    for name, group in groupby(runs, key=lambda run: run.scenario):
        own = list(group)
        passed = sum(run.passed for run in own)
        word = "pass" if passed == len(own) else "fail"
        rows.append(
            f"<tr><td><a href='#{html.escape(name)}'>{html.escape(name)}</a></td>"
            f"<td class='{word}'>{passed}/{len(own)}</td>"
            f"<td>{sum(run.virtual_s for run in own):.0f}</td><td>{sum(run.real_s for run in own):.1f}</td></tr>"
        )
    return (
        "<table><tr><th>scenario · 场景</th><th>passed · 通过</th><th>virtual s</th><th>real s</th></tr>"
        + "".join(rows)
        + "</table>"
    )


def _left_out(unplayable: Sequence[Unplayable]) -> str:
    if not unplayable:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(left.item.scenario.name)}</td><td>{html.escape(left.reason)}</td></tr>"
        for left in unplayable
    )
    return f"<table><tr><th>not playable · 无法执行</th><th>why · 原因</th></tr>{rows}</table>"


def _section(item: Loaded, runs: list[Run]) -> str:
    scenario = item.scenario
    parts = [
        f"<h2 id='{html.escape(scenario.name)}'>{html.escape(scenario.name)}</h2>",
        f"<p class='why'>{html.escape(scenario.why)}<br>{html.escape(scenario.why_zh)}</p>",
    ]
    failed = [run for run in runs if not run.passed]
    drawn = ([run for run in runs if run.passed][:1] + failed)[:MAX_DRAWN]
    for run in drawn:
        parts.append(_run(item, run))
    rest = len(failed) - sum(not run.passed for run in drawn)
    if rest > 0:
        parts.append(
            f"<p>{rest} more failed runs; seeds {', '.join(str(r.seed) for r in failed[-rest:])}.</p>"
        )
    return "\n".join(parts)


def _run(item: Loaded, run: Run) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(v.name)}</td>"
        f"<td class='{'pass' if v.holds else 'waived' if v.waived else 'fail'}'>"
        f"{'holds' if v.holds else 'waived' if v.waived else 'broken'}</td><td>{html.escape(v.detail)}</td></tr>"
        for v in run.verdicts
    )
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in run.notes)
    error = f"<pre>{html.escape(run.error)}</pre>" if run.error else ""
    logged = ""
    if run.logged:
        lines = html.escape("\n".join(run.logged))
        logged = f"<details><summary>logged · 日志</summary><pre>{lines}</pre></details>"
    figures = "".join(
        f"<figure>{draw(item, run)}</figure>"
        for draw in (draw_map, draw_profile, draw_timeline)
        if any(run.tracks.values())
    )
    return (
        f"<h3>seed {run.seed}</h3>{notes}{error}<table><tr><th>checked</th><th></th><th>found</th></tr>{rows}</table>"
        f"{figures}{logged}<p class='why'>log sha256 {run.log_sha256}; {run.virtual_s:.0f} s in {run.real_s:.1f} s</p>"
    )
