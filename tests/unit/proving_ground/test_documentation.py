"""What docs/proving-ground.md shows is true: its scenario loads, its tables name what there is, the fault page is fresh."""

from __future__ import annotations

import re
from pathlib import Path

from proving_ground.fault_page import fault_page
from proving_ground.judge import INVARIANTS
from proving_ground.loader import load_scenario
from proving_ground.schema import Scenario

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "proving-ground.md").read_text(encoding="utf-8")


def test_the_fault_page_is_not_stale() -> None:
    assert (DOCS / "faults.md").read_text(encoding="utf-8") == fault_page(), "run `make docs`"


def test_the_scenario_shown_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "shown.yaml"
    file.write_text(text, encoding="utf-8")
    assert len(load_scenario(file).scenario.faults) == 2


def test_every_part_and_every_invariant_is_explained() -> None:
    rows = re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE)
    assert set(Scenario.model_fields) <= set(re.findall(r"`(\w+)`", " ".join(rows)))
    assert set(INVARIANTS) <= set(rows)
