"""A scenario file is read whole or refused with its line; the shipped ones are well formed."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from proving_ground.fault_names import all_faults
from proving_ground.judge import INVARIANTS
from proving_ground.loader import ScenarioFileError, library, load_scenario
from proving_ground.schema import InvariantName

GOOD = """\
name: a-test
why: "Something that an operator fears."
why_zh: "操作员担心的事。"
world: {drones: [bao-01]}
orders:
  - patient: {reference_system: WGS-84, latitude_deg: 22.56, longitude_deg: 113.89}
faults:
  - fault: winch_jam
    when: {phase: lowering, after_s: 2}
expect:
  - state: CLOSED
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "a.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_good_file_is_read(tmp_path: Path) -> None:
    loaded = load_scenario(written(tmp_path, GOOD))
    assert loaded.scenario.name == "a-test"
    assert loaded.scenario.faults[0].when.after_s == 2.0
    assert loaded.site_file.name == "baoan.json"


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("latitude_deg: 22.56", "latitude_deg: 91", 6, "orders[0].patient.latitude_deg"),
        ("reference_system: WGS-84", "reference_system: MARS", 6, "reference_system"),
        ("fault: winch_jam", "fault: winch_jamm", 8, "did you mean winch_jam"),
        ("phase: lowering", "phase: dancing", 9, "faults[0].when.phase"),
        ("after_s: 2}", "after_s: 2, at_s: 3}", 9, "either at_s or phase"),
        ("state: CLOSED", "stat: CLOSED", 11, "expect[0]"),
        (
            "state: CLOSED",
            "order: call-7\n    state: CLOSED",
            11,
            "expect[0].order: there is no order 'call-7'",
        ),
        (
            "phase: lowering",
            "order: call-7, phase: lowering",
            9,
            "there is no order 'call-7'; orders: call-1",
        ),
        ("after_s: 2}", "afer_s: 2}", 9, "no such field here; did you mean after_s"),
        ("state: CLOSED", "state: CLOSD", 11, "expect[0].state: there is no 'CLOSD'; did you mean CLOSED?"),
        ("state: CLOSED", "ends: on_pd", 11, "there is no 'on_pd'; did you mean on_pad?"),
        ("state: CLOSED", "fault: dragon", 11, "there is no 'dragon'; known: link_stale, "),
        ("reference_system: WGS-84, ", "", 6, "orders[0].patient.reference_system: is missing"),
        ("drones: [bao-01]", "drones: [bao-77]", 4, "world.drones[0]: the site has no drone 'bao-77'"),
        ("drones: [bao-01]", "drones: []", 4, "world.drones: at least one is needed"),
        ("fault: winch_jam", "fault: winch_jam\n    drone: bao-02", 9, "no drone 'bao-02' takes part"),
        ("fault: winch_jam", "fault: winch_jam\n    strength: .nan", 9, "faults[0].strength"),
        ("fault: winch_jam", "fault: winch_jam\n    duration_s: .inf", 9, "faults[0].duration_s"),
        (
            "drones: [bao-01]",
            "parameters: {WPNAV_SPED: 3}",
            4,
            "the simulated ardupilot has no such parameter; did you mean WPNAV_SPEED",
        ),
        (
            "state: CLOSED",
            "state: CLOSED\nwaive:\n  - {invariant: no zone enterd, because: it is a test}",
            13,
            "there is no 'no zone enterd'; did you mean no zone entered?",
        ),
        ("name: a-test", "name: a-test\nname: again", 2, "given twice"),
        ("world: {drones: [bao-01]}", "world: {site: atlantis}", 4, "no site 'atlantis'"),
        ("world: {drones: [bao-01]}", "world: {drones: [bao-01", 5, ""),
        ("expect:\n  - state: CLOSED", "expect: []", 10, "expect"),
        ('why: "Something that an operator fears."', "why: no", 2, "why"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, word: str) -> None:
    assert old in GOOD
    with pytest.raises(ScenarioFileError) as caught:
        load_scenario(written(tmp_path, GOOD.replace(old, new)))
    said = str(caught.value)
    assert "\n" not in said
    assert f"a.yaml:{line}: " in said
    assert word in said


def test_what_is_no_text_and_what_is_not_there(tmp_path: Path) -> None:
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioFileError, match="not UTF-8"):
        load_scenario(binary)
    with pytest.raises(ScenarioFileError, match="No such file"):
        load_scenario(tmp_path / "none.yaml")
    with pytest.raises(ScenarioFileError, match="empty"):
        load_scenario(written(tmp_path, ""))


def test_an_order_named_twice_and_a_site_that_is_none_are_named_where_they_stand(tmp_path: Path) -> None:
    order = GOOD.splitlines()[5]
    with pytest.raises(ScenarioFileError, match=r"a\.yaml:7: orders\[1\]: two orders have the name 'call-1'"):
        load_scenario(written(tmp_path, GOOD.replace(order, f"{order}\n{order}")))
    (tmp_path / "mine.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ScenarioFileError, match=r"a\.yaml:4: world\.site: .*WGS-84"):
        load_scenario(written(tmp_path, GOOD.replace("drones: [bao-01]", "site: mine.json")))


def test_what_may_be_waived_is_what_is_judged() -> None:
    assert set(get_args(InvariantName)) == set(INVARIANTS)


@pytest.mark.parametrize("file", library(), ids=lambda file: file.stem)
def test_every_shipped_scenario_is_well_formed_and_named_like_its_file(file: Path) -> None:
    scenario = load_scenario(file).scenario
    assert scenario.name == file.stem


def test_there_are_at_least_forty_faults_each_explained() -> None:
    faults = all_faults()
    assert len(faults) >= 40
    assert all(explanation.strip() for explanation in faults.values())
