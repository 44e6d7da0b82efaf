"""A world that forks at its faults tells the same as worlds that were played one by one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from proving_ground import branches, campaign, runner
from proving_ground.branches import play_branches
from proving_ground.campaign import scenario_of
from proving_ground.loader import SITES, load_scenario
from proving_ground.result import Run
from proving_ground.runner import run_scenario
from proving_ground.schema import Scenario

SITE = SITES / "baoan.json"
SEED = 3
FAULTS = ("hub_killed", "gps_noise", "database_down", "second_call", "hub_clock_wrong")


def scenario(fault: str, phase: str) -> Scenario:
    return Scenario.model_validate({**scenario_of(fault, phase), "name": "any"})


def told(run: Run) -> tuple[str, str, float, object, object]:
    return run.error, run.log_sha256, run.virtual_s, run.verdicts, run.tracks


def test_every_branch_ends_as_if_played_from_its_beginning() -> None:
    scenarios = [scenario(fault, "releasing") for fault in FAULTS]
    # The first once more at the end: whatever the others left behind would show.
    *grown, again = play_branches([*scenarios, scenarios[0]], seed=SEED, site_file=SITE, result_of=told)
    whole = [told(run_scenario(each, seed=SEED, site_file=SITE)) for each in scenarios]
    for fault, branch, alone in zip(FAULTS, grown, whole, strict=True):
        assert branch == alone, fault
    assert again == whole[0]
    assert len({log for _, log, *_ in whole}) > 2, "faults leave traces, or nothing was compared"


def test_where_the_moment_never_comes_all_are_the_same_run() -> None:
    never = {"phase": "recovering_line"}
    scenarios = []
    for fault in ("gps_noise", "motor_loss"):
        document = scenario_of(fault, "climbing")
        scenarios.append(
            Scenario.model_validate({**document, "name": "any", "faults": [{"fault": fault, "when": never}]})
        )
    first, second = play_branches(scenarios, seed=SEED, site_file=SITE, result_of=lambda run: run)
    assert first.error == ""
    assert first.faults == second.faults == ()
    assert [verdict.name for verdict in first.verdicts if not verdict.ok] == ["every fault happened"]


def test_worlds_that_differ_before_their_fault_are_not_one() -> None:
    with pytest.raises(ValueError, match="no world in common"):
        play_branches(
            [scenario("gps_noise", "climbing"), scenario("gps_noise", "inbound")],
            seed=SEED,
            site_file=SITE,
            result_of=told,
        )


def test_a_branch_that_dies_is_a_failure_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    trunk = os.getpid()
    collect = runner.played

    async def dies(*arguments: object) -> Run:
        run = await collect(*arguments)  # type: ignore[arg-type]
        if os.getpid() != trunk:
            os._exit(7)
        return run

    monkeypatch.setattr(branches, "played", dies)
    (only,) = play_branches(
        [scenario("gps_noise", "climbing")], seed=SEED, site_file=SITE, result_of=lambda run: run
    )
    assert "the process that played it died" in only.error


def test_the_worlds_files_are_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "MEMORY", tmp_path)
    open_before = len(os.listdir("/dev/fd"))
    play_branches([scenario("hub_killed", "climbing")], seed=SEED, site_file=SITE, result_of=told)
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/dev/fd")) == open_before


def test_a_campaign_keeps_what_passed_and_reproduces_what_broke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "PHYSICALLY_FATAL", {})
    results, small = tmp_path / "results.jsonl", tmp_path / "small.yaml"
    with pytest.raises(SystemExit) as ended:
        campaign.main(
            seeds=1, jobs=1, faults="gps_noise,motors_cut", phases="climbing", out=small, results=results
        )
    assert ended.value.code == 1
    assert [json.loads(line)["fault"] for line in results.read_text().splitlines()] == ["gps_noise"]
    loaded = load_scenario(small)
    run = run_scenario(loaded.scenario, seed=1, site_file=SITE)
    assert "nothing falls" in [verdict.name for verdict in run.verdicts if not verdict.ok]
    assert "weather" not in small.read_text(), "what does not matter is gone"


def test_what_breaks_in_a_branch_only_is_said_and_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small.yaml"
    campaign._write_reproduction(scenario_of("gps_noise", "climbing"), 1, SITE, "nothing falls", small)
    assert "played from its beginning it holds" in capsys.readouterr().out
    assert not small.exists()
