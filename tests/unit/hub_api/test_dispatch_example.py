"""The example client that a dispatch vendor copies, against a running hub and against one that fails at first."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import httpx
import pytest

from hub_api.features.incidents.requests import IncidentRequest
from hub_api.settings import DEMO_API_KEY
from tests.unit.hub_api.server import running_hub

FOLDER = Path(__file__).parents[3] / "examples" / "dispatch"
KEY = {"X-API-Key": DEMO_API_KEY}


def load_client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dispatch_client", FOLDER / "client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CLIENT = load_client()


def test_the_example_incident_says_everything_that_an_incident_may_say_first():
    body = json.loads((FOLDER / "incident.json").read_text(encoding="utf-8"))
    IncidentRequest.model_validate_json(json.dumps(body))
    assert {"caller", "doctor", "ambulance", "patient", "called_at", "severity_code"} <= set(body)


def test_the_example_client_orders_an_aed_and_sees_it_on_the_ground(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with running_hub(tmp_path) as (url, _):
        assert CLIENT.main(url, DEMO_API_KEY) == 2
        assert "severity_code" in capsys.readouterr().err
        codes = json.loads((FOLDER / "severity-codes.json").read_text(encoding="utf-8"))
        httpx.put(f"{url}/v1/severity-codes", json=codes, headers=KEY, trust_env=False).raise_for_status()
        assert CLIENT.main(url, DEMO_API_KEY) == 0
        said = capsys.readouterr().out
        assert "severity I" in said
        assert "CLOSED" in said
        # Run again, it is the same incident and the same order.
        assert CLIENT.main(url, DEMO_API_KEY) == 0
        placed = httpx.get(f"{url}/v1/orders", headers=KEY, trust_env=False).json()["orders"]
        assert len(placed) == 1


class Flaky(BaseHTTPRequestHandler):
    """Fails twice, then takes it; counts what came with which key."""

    answers: ClassVar[list[tuple[int, dict[str, Any]]]] = []
    keys: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        Flaky.keys.append(self.headers["Idempotency-Key"])
        status, body = Flaky.answers.pop(0)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def flaky() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Flaky)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Flaky.keys = []
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_example_client_repeats_with_the_same_key_until_it_is_answered(
    flaky: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(CLIENT, "FIRST_PAUSE_S", 0.01)
    Flaky.answers = [(503, {}), (429, {}), (500, {}), (201, {"incident_id": "inc_1"})]
    hub = CLIENT.Hub(flaky, "key")
    assert hub.report({"reference": "R"}) == {"incident_id": "inc_1"}
    assert Flaky.keys == ["incident-R"] * 4


def test_the_example_client_does_not_repeat_what_is_refused(flaky: str):
    Flaky.answers = [(422, {"reason": "order_invalid", "errors": [{"field": "position", "detail": "no"}]})]
    with pytest.raises(CLIENT.Refused, match="position: no"):
        CLIENT.Hub(flaky, "key").report({"reference": "R"})
    assert len(Flaky.keys) == 1


def test_the_example_client_gives_up_so_that_a_person_knows(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(CLIENT, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(CLIENT, "GIVE_UP_S", 0.2)
    with pytest.raises(TimeoutError, match="未得到应答"):
        CLIENT.Hub("http://127.0.0.1:9", "key").report({"reference": "R"})
