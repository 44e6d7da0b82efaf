"""JUnit XML: one test suite for each scenario, one case for each seed, as CI systems read it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

from proving_ground.result import Run


def write_junit(path: Path, runs: list[Run]) -> None:
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
            for verdict in run.verdicts:
                if not verdict.ok:
                    ElementTree.SubElement(case, "failure", message=verdict.name).text = verdict.detail
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
