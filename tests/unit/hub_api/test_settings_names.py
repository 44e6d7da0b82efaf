"""A setting that does not count keeps the hub from starting: a misspelt name, an unreadable line, a value without sense."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.errors import InternalError
from hub_api.settings import GROUPS, Settings, load_settings
from hub_api.settings.names import NOT_OF_THE_HUB, PREFIX

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused() -> str:
    with pytest.raises(InternalError) as error:
        load_settings()
    said = str(error.value)
    assert said.startswith("5002 settings_invalid: ")
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("DRONE_AED_DATABSE_URL", "DRONE_AED_DATABASE_URL"),
        ("DRONE_AED_PERSONAL_KEY", "DRONE_AED_PERSONAL_KEYS"),
        ("drone_aed_weather_stale", "DRONE_AED_WEATHER_STALE_S"),
        ("DRONEAED_PORT", "DRONE_AED_PORT"),
        ("DRONE-AED-MAX-BODY-BYTES", "DRONE_AED_MAX_BODY_BYTES"),
        ("DRONE_AED__PORT", "DRONE_AED_PORT"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(
    name: str, nearest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    said = refused()
    assert f"{name} in the environment is no setting; did you mean" in said
    assert nearest in said
    monkeypatch.delenv(name)
    Path(".env").write_text(f"# ours\n\n{name}=1\n", encoding="utf-8")
    said = refused()
    assert f"{name} in .env, line 3 is no setting; did you mean" in said
    assert nearest in said


def test_a_name_like_none_is_refused_without_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRONE_AED_XYZZY", "geheim")
    said = refused()
    assert said.endswith("DRONE_AED_XYZZY in the environment is no setting")
    assert "geheim" not in said


@pytest.mark.parametrize("name", sorted(NOT_OF_THE_HUB))
def test_what_other_tools_read_is_none_of_the_hubs_business(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("DRONE_PORT", "1")
    Path(".env").write_text("AED_PORT=1\nPORT=2\n", encoding="utf-8")
    assert load_settings().port == 8120


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DRONE_AED_PORT 8121\n", ".env, line 1 cannot be read"),
        ("# keys\n\n\nDRONE_AED_OPERATOR_ID='somebody\n", ".env, line 4 cannot be read"),
        ("DRONE_AED_DEMO\n", ".env, line 1: DRONE_AED_DEMO has no value"),
        ("DRONE_AED_PORT=1\nX=1\ndrone_aed_port=2\n", "line 3: drone_aed_port is given already in line 1"),
    ],
)
def test_a_line_that_would_not_count_is_refused(text: str, said: str) -> None:
    Path(".env").write_text(text, encoding="utf-8")
    assert said in refused()


def test_a_file_that_is_no_text_is_refused() -> None:
    Path(".env").write_bytes("DRONE_AED_OPERATOR_ID=急救".encode("gb18030"))
    assert ".env is not UTF-8" in refused()


def test_one_setting_under_two_spellings_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRONE_AED_PORT", "8121")
    monkeypatch.setenv("drone_aed_port", "8122")
    assert "are one setting, given twice" in refused()


def test_the_file_counts_and_the_environment_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(
        'export DRONE_AED_PORT=8121\ndrone_aed_operator_id="急救"\nDRONE_AED_CLIENT_MODES={"desk": "drill"}\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("DRONE_AED_PORT", "8122")
    found = load_settings(demo=True)
    assert (found.port, found.operator_id, found.client_modes) == (8122, "急救", {"desk": "drill"})
    assert load_settings(port=8123).port == 8123


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("client_modes", '{"desk": geheim', "client_modes"),
        ("database_url", "", "database_url"),
        ("order_max_age_s", "inf", "order_max_age_s"),
        ("order_max_age_s", "nan", "order_max_age_s"),
        ("weather_required", "rain,snow", "weather_required"),
        ("port", "eighty", "port"),
    ],
)
def test_a_value_without_sense_is_refused_by_field(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    found = refused()
    assert said in found
    assert "geheim" not in found


def test_a_program_that_gives_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(InternalError, match="databse_url"):
        load_settings(databse_url="sqlite:///x")


def test_every_setting_is_in_one_group() -> None:
    names = [name for group in GROUPS for name in group.model_fields]
    assert sorted(names) == sorted(Settings.model_fields)


def test_every_name_that_this_project_reads_is_known() -> None:
    """Whoever adds a variable for a test or a tool says so in ``NOT_OF_THE_HUB``, or no hub starts in that shell."""
    named: set[str] = set()
    folders = [
        "bench",
        "core",
        "docs",
        "flight",
        "geofences",
        "hub_api",
        "planner",
        "proving_ground",
        "sitl",
        "tests",
    ]
    found = (file for folder in folders for end in ("py", "md") for file in (ROOT / folder).rglob(f"*.{end}"))
    sources = [file for file in found if "node_modules" not in file.parts]
    for file in [*sources, ROOT / "Makefile", *(ROOT / ".ci").glob("*")]:
        if file.is_file() and file != Path(__file__).resolve():
            named.update(re.findall(rf"\b{PREFIX}[A-Z0-9_]*[A-Z0-9]\b", file.read_text(encoding="utf-8")))
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    assert named - settings - set(NOT_OF_THE_HUB) == set()
    assert set(NOT_OF_THE_HUB) - named == set()
    assert settings.isdisjoint(NOT_OF_THE_HUB)
