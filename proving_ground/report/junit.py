"""JUnit XML: one test suite for each scenario, one case for each seed, as CI systems read it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

from proving_ground.against import Unplayable
from proving_ground.result import Run


def write_junit(path: Path, runs: list[Run], unplayable: Sequence[Unplayable] = ()) -> None:
    """Write all runs to ``path``."""
    root = ElementTree.Element("testsuites")
    for name, group in groupby(runs, key=lambda run: run.scenario):
        own = list(group)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(own)),
            failures=str(sum(not run.passed and not run.error for run in own)),
            errors=str(sum(bool(run.error) for run in own)),
            time=f"{sum(run.real_s for run in own):.3f}",
        )
        for run in own:
            case = ElementTree.SubElement(
                suite, "testcase", classname=name, name=f"seed {run.seed}", time=f"{run.real_s:.3f}"
            )
            if run.error:
                ElementTree.SubElement(case, "error", message="the play itself broke").text = run.error
            if run.notes:
                ElementTree.SubElement(case, "system-out").text = "\n".join(run.notes)
            if run.logged:
                ElementTree.SubElement(case, "system-err").text = "\n".join(run.logged)
            for verdict in run.verdicts:
                if not verdict.ok:
                    ElementTree.SubElement(case, "failure", message=verdict.name).text = verdict.detail
    for left_out in unplayable:
        name = left_out.item.scenario.name
        suite = ElementTree.SubElement(
            root, "testsuite", name=name, tests="1", failures="0", errors="0", skipped="1", time="0"
        )
        case = ElementTree.SubElement(suite, "testcase", classname=name, name="not playable", time="0")
        ElementTree.SubElement(case, "skipped", message=left_out.reason)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
