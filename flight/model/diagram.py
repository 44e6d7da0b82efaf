"""Draws the phase machine and the failsafe table from the tables, as Markdown with Mermaid.

``python -m flight.model.diagram docs/state-machines.md`` writes the page; a test fails when it is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from flight.model import failsafe
from flight.model.faults import RULES, Fault
from flight.model.phases import TABLE, Phase, Refuse, Row, Trigger
from flight.model.words import (
    AIRBORNE_PHASES,
    COMMAND_TRIGGERS,
    GROUND_PHASES,
    LINE_OUT_PHASES,
    MOTORS_ON_PAD_PHASES,
)

_ENDINGS = frozenset(
    {
        Trigger.DISARMED_ON_PAD,
        Trigger.DISARMED_AT_RALLY,
        Trigger.DISARMED_ELSEWHERE,
        Trigger.ENDURANCE_EXCEEDED,
    }
)
_SAFETY = frozenset(trigger for trigger in Trigger if trigger.value.startswith("safety_"))
_DRAWN_APART = _ENDINGS | _SAFETY | COMMAND_TRIGGERS


def _edges(triggers: frozenset[Trigger]) -> list[tuple[Phase, str, str]]:
    """(from, to, label) of every move by one of ``triggers`` that changes the phase, labels joined."""
    labels: dict[tuple[Phase, str], list[str]] = {}
    for phase, answers in TABLE.items():
        for trigger in Trigger:
            answer = answers[trigger]
            if trigger not in triggers or not isinstance(answer, Row):
                continue
            target = answer.target.value if isinstance(answer.target, Phase) else "held_phase"
            if target != phase.value:
                labels.setdefault((phase, target), []).append(trigger.value)
    return [(phase, target, ", ".join(names)) for (phase, target), names in labels.items()]


def _mermaid(triggers: frozenset[Trigger]) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    if triggers & {Trigger.CONNECTED}:
        lines.append("    [*] --> disconnected")
    lines += [f"    {phase.value} --> {target}: {label}" for phase, target, label in _edges(triggers)]
    return "\n".join([*lines, "```"])


def _commands_table() -> str:
    commands = sorted(COMMAND_TRIGGERS, key=list(Trigger).index)
    lines = [
        "| phase | " + " | ".join(command.value for command in commands) + " |",
        "|---" * (len(commands) + 1) + "|",
    ]
    for phase in Phase:
        cells = []
        for command in commands:
            answer = TABLE[phase][command]
            if isinstance(answer, Refuse):
                cells.append(f"refused: {answer.code}")
            elif isinstance(answer, Row):
                target = answer.target.value if isinstance(answer.target, Phase) else "held phase"
                cells.append(f"→ {target}" if target != phase.value else "accepted, stays")
        lines.append(f"| {phase.value} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _failsafe_table() -> str:
    lines = [
        "| fault | " + " | ".join(failsafe.GROUPS) + " | set after | cleared when |",
        "|---" * (len(failsafe.GROUPS) + 3) + "|",
    ]
    for fault in Fault:
        rule = RULES[fault]
        cells = [failsafe.TABLE[fault][min(phases)].name for phases in failsafe.GROUPS.values()]
        lines.append(
            f"| {fault.value} | " + " | ".join(cells) + f" | {rule.set_after_s:g} s | {rule.clear_when} |"
        )
    return "\n".join(lines)


def _groups() -> str:
    return "\n".join(
        f"- **{name}**: " + ", ".join(phase.value for phase in Phase if phase in phases)
        for name, phases in failsafe.GROUPS.items()
    )


def page() -> str:
    """The whole page."""
    observed = frozenset(Trigger) - _DRAWN_APART
    named = {
        "On the ground": GROUND_PHASES,
        "Motors turn on the pad": MOTORS_ON_PAD_PHASES,
        "In the air": AIRBORNE_PHASES,
        "Line out (also in the air)": LINE_OUT_PHASES,
    }
    listed = "\n".join(
        f"- **{name}**: " + ", ".join(phase.value for phase in Phase if phase in phases)
        for name, phases in named.items()
    )
    return f"""# State machines of a flight

Generated from the tables by `python -m flight.model.diagram docs/state-machines.md`; do not edit.

{listed}

## What the vehicle shows, or fails to show

{_mermaid(observed)}

From every phase in the air a stop of the motors ends the flight (`ended`): on the pad, at a rally point
or elsewhere, by where it happened; a vehicle that is not heard for longer than its battery lasts is `lost`.

## Commands

{_commands_table()}

## What a fault leads to

Actions are ordered NONE < WARN < HOLD < RETURN < DIVERT < LAND < TERMINATE; the strongest one wins. A return
whose way is closed becomes a diversion; a diversion whose way is closed becomes a hold, and a landing where
the vehicle is as soon as the battery forbids waiting. Over the pad RETURN and DIVERT mean straight down.

{_failsafe_table()}

The columns:

{_groups()}

## Where safety actions lead

{_mermaid(_SAFETY)}
"""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
