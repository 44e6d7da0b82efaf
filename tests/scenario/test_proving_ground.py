"""Scenario files played: what they promise holds, what is broken is found, and equal seeds give equal logs."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from proving_ground.loader import LIBRARY, Loaded, load_scenario
from proving_ground.report.html import write_html
from proving_ground.report.junit import write_junit
from proving_ground.report.plots import draw_map
from proving_ground.result import Run
from proving_ground.runner import run_scenario

DIGEST = """
import sys
from pathlib import Path
from proving_ground.loader import load_scenario
from proving_ground.runner import run_scenario
loaded = load_scenario(Path(sys.argv[1]))
run = run_scenario(loaded.scenario, seed=int(sys.argv[2]), site_file=loaded.site_file)
assert not run.error, run.error
print(run.log_sha256)
"""


def play(name: str, seed: int = 1) -> tuple[Loaded, Run]:
    loaded = load_scenario(LIBRARY / f"{name}.yaml")
    return loaded, run_scenario(loaded.scenario, seed=seed, site_file=loaded.site_file, file=name)


def broken(run: Run) -> list[str]:
    return [run.error] if run.error else [f"{v.name}: {v.detail}" for v in run.verdicts if not v.ok]


@pytest.mark.parametrize(
    "name",
    [
        "plain-delivery",
        "landing-not-noticed",
        "intruder-crosses",
        "database-down-when-called",
        "winch-jams-while-lowering",
        "hub-dies-while-lowering",
        "authorisation-revoked-outbound",
        "dock-door-stuck-in-flight",
        "hub-clock-jumps-ahead",
        "hub-clock-falls-back-hub-dies",
        "rain-turns-it-back",
        "second-caller-same-patient",
        "px4-delivery",
    ],
)
def test_a_shipped_scenario_passes(name: str) -> None:
    _, run = play(name)
    assert not broken(run)
    assert run.orders[0].final["flights"]
    assert len(next(iter(run.tracks.values()))) > 50


def test_a_promise_that_is_not_kept_is_found_and_reported(tmp_path: Path) -> None:
    text = (LIBRARY / "plain-delivery.yaml").read_text(encoding="utf-8")
    file = tmp_path / "too-fast.yaml"
    file.write_text(text.replace("delivered_within_s: 90", "delivered_within_s: 20"), encoding="utf-8")
    loaded = load_scenario(file)
    run = run_scenario(loaded.scenario, seed=1, site_file=loaded.site_file, file=file.name)
    assert not run.passed
    assert len(broken(run)) == 1
    assert "delivered within" in broken(run)[0]
    write_junit(tmp_path / "r.xml", [run])
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()[0]
    assert suite.attrib["failures"] == "1"
    write_html(tmp_path / "r.html", [loaded], [run])
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    assert "broken" in page
    # One file for any office computer: no line of it is fetched or run.
    assert "<script" not in page
    assert 'src="http' not in page


def test_what_the_hub_logs_is_kept_with_a_run_that_fails_and_not_thrown_at_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = (LIBRARY / "disk-full-while-lowering.yaml").read_text(encoding="utf-8")
    file = tmp_path / "impossible.yaml"
    file.write_text(re.sub(r"delivered_within_s: \d+", "delivered_within_s: 5", text), encoding="utf-8")
    failing = load_scenario(file)
    run = run_scenario(failing.scenario, seed=1, site_file=failing.site_file, file=file.name)
    assert any("could not be stored" in line for line in run.logged)
    write_html(tmp_path / "r.html", [failing], [run])
    assert "could not be stored" in (tmp_path / "r.html").read_text(encoding="utf-8")
    _, passing = play("disk-full-while-lowering")
    assert passing.passed
    assert passing.logged == ()
    assert "could not be stored" not in capfd.readouterr().err


def test_the_report_draws_the_zones_of_the_run_and_when_they_came() -> None:
    """A zone that closed in flight is what the picture is looked at for."""
    loaded, run = play("zone-closes-ahead")
    came = {zone.zone_id: from_s for from_s, zone in run.zones}
    assert came["BA-SUB1"] == -math.inf
    assert 0.0 < came["CLOSED-AHEAD"] < 60.0
    drawn = draw_map(loaded, run)
    assert f"CLOSED-AHEAD from {came['CLOSED-AHEAD']:.0f} s" in drawn
    assert "BA-SUB1 from" not in drawn


def test_equal_seeds_give_equal_logs_whatever_the_order_of_hashes() -> None:
    file = LIBRARY / "same-order-twice.yaml"
    digests = [
        subprocess.run(
            [sys.executable, "-c", DIGEST, str(file), str(seed)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed, hash_seed in ((1, "1"), (1, "2"), (2, "1"))
    ]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_the_command_line_refuses_a_bad_file_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("name: x\nworld: {speed: 3}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "proving_ground", "run", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "bad.yaml:" in done.stderr
