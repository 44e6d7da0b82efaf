"""``drone-aed site``: the example runs, and bad input is one clear line with exit code 2."""

from __future__ import annotations

import csv
import json
import runpy
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from hub_api.commands.main import main
from planner.siting import SitingProposal
from planner.siting_files import read_candidates, read_incidents

EXAMPLES = Path(__file__).parents[3] / "examples" / "siting"
INCIDENTS, CANDIDATES = EXAMPLES / "incidents.csv", EXAMPLES / "candidates.csv"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["drone-aed", "site", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def asked(incidents: Path = INCIDENTS, candidates: Path = CANDIDATES, *more: object) -> list[object]:
    return ["--incidents", incidents, "--candidates", candidates, "--max-stations", 2, *more]


def test_the_example_gives_a_proposal_a_map_and_a_curve(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *asked(INCIDENTS, CANDIDATES, "--out", tmp_path)) == 0
    said = capsys.readouterr().out
    assert "model de_maio" in said
    assert "lower bound" in said
    proposal = TypeAdapter(SitingProposal).validate_json((tmp_path / "proposal.json").read_bytes())
    assert [point.proved_optimal for point in proposal.curve] == [True, True]
    assert 0 < proposal.curve[0].gained_survivors < proposal.curve[1].gained_survivors
    collection = json.loads((tmp_path / "proposal.geojson").read_text(encoding="utf-8"))
    kinds = [feature["properties"]["kind"] for feature in collection["features"]]
    assert (kinds.count("station"), kinds.count("incident")) == (2, 150)
    served = [one for one in proposal.assignments if one.station_id is not None]
    assert kinds.count("way") == len(served)
    for picture in ("map.png", "gain.png"):
        assert (tmp_path / picture).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_examples_incidents_are_what_their_seed_makes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "make_incidents.py"
    script.write_bytes((EXAMPLES / "make_incidents.py").read_bytes())
    runpy.run_path(str(script), run_name="__main__")
    assert (tmp_path / "incidents.csv").read_bytes() == INCIDENTS.read_bytes()
    assert all(incident.incident_id.startswith("invented-") for incident in read_incidents(INCIDENTS))


def test_geojson_says_the_same_as_csv(tmp_path: Path) -> None:
    for path, read in ((INCIDENTS, read_incidents), (CANDIDATES, read_candidates)):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        features = []
        for row in rows:
            place = [float(row.pop("longitude_deg")), float(row.pop("latitude_deg"))]
            del row["reference_system"]
            features.append(
                {
                    "type": "Feature",
                    "geometry": {"type": "Point", "coordinates": place},
                    "properties": {key: value for key, value in row.items() if value},
                }
            )
        collection = {"type": "FeatureCollection", "reference_system": "WGS-84", "features": features}
        other = tmp_path / f"{path.stem}.geojson"
        other.write_text(json.dumps(collection), encoding="utf-8")
        assert read(other) == read(path)


def test_a_gcj_02_row_is_moved_and_a_wgs_84_row_is_not(tmp_path: Path) -> None:
    lines = [
        "incident_id,latitude_deg,longitude_deg,reference_system,weight",
        "a,22.57,113.89,WGS-84,1",
        "b,22.57,113.89,GCJ-02,1",
    ]
    path = written(tmp_path, "\n".join(lines))
    here, moved = read_incidents(path)
    assert (here.position.latitude_deg, here.position.longitude_deg) == (22.57, 113.89)
    # In Shenzhen the two systems lie some hundred metres apart.
    assert abs(moved.position.longitude_deg - 113.89) > 0.003
    assert abs(moved.position.latitude_deg - 22.57) > 0.001


def written(folder: Path, text: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


HEAD = "incident_id,latitude_deg,longitude_deg,reference_system,weight\n"


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (HEAD, "f.csv", "holds no incident"),
        ("", "f.csv", "holds no incident"),
        (HEAD + "a,22.5,113.9,,1\n", "f.csv", "[line 2.reference_system]"),
        (HEAD + "a,22.5,113.9,Mars,1\n", "f.csv", "[line 2.reference_system]"),
        (HEAD + "a,22.5,113.9,WGS-84,0\n", "f.csv", "[line 2.weight]"),
        (HEAD + "a,22.5,113.9,WGS-84,nan\n", "f.csv", "[line 2.weight]"),
        (HEAD + "a,x,113.9,WGS-84,1\n", "f.csv", "[line 2.latitude_deg]"),
        (HEAD + "a,113.9,22.5,WGS-84,1\n", "f.csv", "[line 2.latitude_deg]"),
        (HEAD + "a,22.5,113.9,WGS-84\n", "f.csv", "[line 2]"),
        (HEAD + "a,22.5,113.9,WGS-84,1\na,22.5,113.9,WGS-84,1\n", "f.csv", "occurs twice"),
        ("name," + HEAD, "f.csv", "[column name]"),
        (HEAD, "f.txt", "must end in"),
        ("{", "f.geojson", "not JSON"),
        ('{"type": "FeatureCollection", "features": []}', "f.geojson", "[reference_system]"),
    ],
)
def test_bad_incidents_are_one_line_and_exit_code_2(
    text: str,
    name: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = written(tmp_path, text, name)
    assert run(monkeypatch, *asked(path, CANDIDATES, "--out", tmp_path / "out")) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error 3")
    assert said in lines[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--max-stations", 99], "[max_stations]"),
        (["--max-landing-points", 0], "[max_landing_points]"),
        (["--airframe", "zeppelin"], "[airframe]"),
        (["--model", "larsen"], "[cpr_min]"),
        (["--cover-s", "nan"], "[cover_s]"),
        (["--incidents", "nowhere.csv"], "[nowhere.csv]"),
        (["--candidates", INCIDENTS], "[column incident_id]"),
    ],
)
def test_bad_options_are_one_line_and_exit_code_2(
    more: list[object],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, *asked(), *more, "--out", tmp_path / "out") == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert said in lines[0]
