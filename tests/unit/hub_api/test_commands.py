"""The command line on bad input: one line on standard error, exit code 2, no traceback."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub_api.commands.main import main
from hub_api.settings import DEMO_PASSWORD

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def drone_aed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs the command as the shell would, in this process."""
    monkeypatch.chdir(ROOT)

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["drone-aed", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("plan", "22.57;113.89", "--reference-system", "WGS-84"), "patient"),
        (("plan", "91,113.89", "--reference-system", "WGS-84"), "latitude_deg"),
        (("plan", "22.57,113.89", "--reference-system", "WGS84"), "WGS84"),
        (("plan", "22.57,113.89"), "reference-system"),
        (("airspace", "check", "README.md", "--format", "ed269"), "3101"),
        (("airspace", "check", "README.md", "--format", "shapefile"), "shapefile"),
        (("demo", "--order", "nowhere.json"), "nowhere.json"),
        (("serve", "--port", "70000"), "port"),
        (("serve", "--speedup", "5"), "demo"),
        (("serve", "--site", "nowhere.json"), "nowhere.json"),
        (("serve",), "airspace_file"),
        (("serve", "--airspace", "nowhere.json"), "nowhere.json"),
        (("keys", "create", "shenzhen-120", "--scope", "fly:everything"), "scope"),
    ],
)
def test_bad_input_is_refused_in_a_line(
    drone_aed, arguments: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    extra = ("--data-dir", str(tmp_path)) if arguments[0] in ("serve", "keys") else ()
    done = drone_aed(*arguments, *extra)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_is_made_listed_and_revoked(drone_aed, tmp_path: Path) -> None:
    folder = ("--data-dir", str(tmp_path))
    made = drone_aed("keys", "create", "shenzhen-120", "--scope", "orders:write", *folder)
    assert made.returncode == 0, made.stderr
    secret, key_id = made.stdout.strip(), made.stderr.split()[0]
    listed = drone_aed("keys", "list", *folder).stdout
    assert key_id in listed
    assert secret not in listed
    assert secret.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("hub.db*"))
    assert drone_aed("keys", "revoke", key_id, *folder).returncode == 0
    assert "revoked" in drone_aed("keys", "list", *folder).stdout
    assert drone_aed("keys", "revoke", "key_nobody", *folder).returncode == 2


def test_a_plan_is_written_with_its_exports_and_a_map(drone_aed, tmp_path: Path) -> None:
    done = drone_aed(
        "plan", "22.5706,113.8945", "--reference-system", "WGS-84", "--floor", "3", "--out", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("chosen")
    plan = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    # Which drone depends on the hour: schools close their grounds while pupils are there.
    assert plan["drone_id"] in done.stdout
    for name in ("mission.plan", "plan.geojson", "plan.kml", "map.png"):
        assert (tmp_path / name).stat().st_size > 500


def test_where_nothing_can_fly_the_exit_code_is_1_and_the_reasons_are_shown(
    drone_aed, tmp_path: Path
) -> None:
    done = drone_aed("plan", "22.40,113.60", "--reference-system", "WGS-84", "--out", str(tmp_path))
    assert done.returncode == 1
    assert "declined" in done.stdout
    assert not (tmp_path / "plan.json").exists()


BAD_NAMES = ["", " li.na", "li\u200bna", "li\u202ena", "li\x1b[2J", "ｌｉ", "li\nna", "li\udcff", "x" * 81]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_the_command_line_holds_names_to_the_rule_of_the_api(drone_aed, tmp_path: Path, name: str) -> None:
    folder = ("--data-dir", str(tmp_path))
    person = ("--role", "operator", "--password", "correct horse battery")
    for field, arguments in (
        ("name", ("accounts", "create", name, "--client", "shenzhen-120", *person)),
        ("client", ("accounts", "create", "li.na", "--client", name, *person)),
        ("client", ("keys", "create", name, "--scope", "orders:read")),
        ("name", ("keys", "create", "shenzhen-120", "--scope", "orders:read", "--name", name * 2)),
    ):
        done = drone_aed(*arguments, *folder)
        assert (done.returncode, done.stdout) == (2, ""), (arguments, done)
        assert field in done.stderr
        assert "Traceback" not in done.stderr
    assert drone_aed("accounts", "list", *folder).stdout == ""
    assert drone_aed("keys", "list", *folder).stdout == ""


@pytest.mark.parametrize("password", ["too short", "x" * 257, DEMO_PASSWORD, "half a character \udcff"])
def test_the_command_line_holds_passwords_to_the_rule_of_the_api(
    drone_aed, tmp_path: Path, password: str
) -> None:
    who = ("accounts", "create", "li.na", "--client", "shenzhen-120", "--role", "operator")
    done = drone_aed(*who, "--password", password, "--data-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "password" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("grace_s", ["nan", "-1", "604801", "inf"])
def test_a_grace_that_is_none_is_refused(drone_aed, tmp_path: Path, grace_s: str) -> None:
    folder = ("--data-dir", str(tmp_path))
    key_id = drone_aed("keys", "create", "c", "--scope", "orders:read", *folder).stderr.split()[0]
    done = drone_aed("keys", "rotate", key_id, "--grace-s", grace_s, *folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
