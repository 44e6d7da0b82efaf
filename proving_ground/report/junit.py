"""JUnit XML: one test suite for each scenario, one case for each seed, as CI systems read it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

from proving_ground.against import Unplayable
from proving_ground.result import Run

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 file may hold, not even escaped: a log or a traceback may."""


def write_junit(path: Path, runs: list[Run], unplayable: Sequence[Unplayable] = ()) -> None:
    """Write all runs to ``path``. A case holds one verdict at most, as the readers of such files expect."""
    root = ElementTree.Element("testsuites")
    for name, group in groupby(runs, key=lambda run: run.scenario):
        own = list(group)
        suite = _suite(
            root,
            name,
            tests=len(own),
            failures=sum(not run.passed and not run.error for run in own),
            errors=sum(bool(run.error) for run in own),
            time_s=sum(run.real_s for run in own),
        )
        for run in own:
            case = _case(suite, name, f"seed {run.seed}", run.real_s)
            broken = [verdict for verdict in run.verdicts if not verdict.ok]
            if run.error:
                _said(case, "error", run.error, message="the play itself broke")
            elif broken:
                lines = "\n".join(f"{verdict.name}: {verdict.detail}" for verdict in broken)
                _said(case, "failure", lines, message="; ".join(verdict.name for verdict in broken))
            if run.notes:
                _said(case, "system-out", "\n".join(run.notes))
            if run.logged:
                _said(case, "system-err", "\n".join(run.logged))
    for left_out in unplayable:
        name = left_out.item.scenario.name
        suite = _suite(root, name, tests=1, skipped=1)
        _said(_case(suite, name, "not playable"), "skipped", message=left_out.reason)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(
    root: ElementTree.Element,
    name: str,
    *,
    tests: int,
    failures: int = 0,
    errors: int = 0,
    skipped: int = 0,
    time_s: float = 0.0,
) -> ElementTree.Element:
    return ElementTree.SubElement(
        root,
        "testsuite",
        name=name,
        tests=str(tests),
        failures=str(failures),
        errors=str(errors),
        skipped=str(skipped),
        time=f"{time_s:.3f}",
    )


def _case(suite: ElementTree.Element, scenario: str, name: str, time_s: float = 0.0) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=scenario, name=name, time=f"{time_s:.3f}")


def _said(case: ElementTree.Element, tag: str, text: str = "", **attributes: str) -> None:
    clean = {name: _NOT_IN_XML.sub("\ufffd", value) for name, value in attributes.items()}
    ElementTree.SubElement(case, tag, clean).text = _NOT_IN_XML.sub("\ufffd", text) or None
