"""The OpenAPI document as a promise: everything it allows is answered as it says, by a client made from it too.

Schemathesis sends what the document allows and what it forbids to a running hub: no answer may be a 5xx,
undeclared, or of another shape than declared. A Python client is generated from the document and flies an
order.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub_api.settings import DEMO_API_KEY
from tests.unit.hub_api.server import running_hub
from tests.unit.hub_api.test_live_airspace import feed

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "openapi.json"
KEY = {"X-API-Key": DEMO_API_KEY}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ENDLESS = {"/v1/stream/events", "/v1/orders/{order_id}/events"}
"""Streams end when the client leaves; tests of their own follow them."""
READY = "/v1/health/ready"


def operations() -> list[tuple[str, str]]:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return [
        (method, path)
        for path, methods in document["paths"].items()
        for method in methods
        if path not in ENDLESS
    ]


@pytest.fixture(scope="module")
def hub_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_hub(tmp_path_factory.mktemp("contract"), request_rate_s=1e6, order_rate_s=1e6) as (url, _):
        yield url


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A hub to be bombarded, and what its paths may name."""
    with (
        running_hub(tmp_path_factory.mktemp("probed"), request_rate_s=1e6, order_rate_s=1e6) as (url, _),
        httpx.Client(base_url=url, headers=KEY, trust_env=False, timeout=30.0) as client,
    ):
        yield url, existing(client)


def existing(client: httpx.Client) -> dict[str, str]:
    """One of each kind of thing, so that requests get past «unknown»; by the name of the path parameter."""

    def done(method: str, path: str, **content: Any) -> dict[str, Any]:
        answer = client.request(method, path, **content)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    body = {
        "position": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901},
        "severity": "I",
        "caller": {"name": "王", "phone": "+8613800000000"},
    }
    order = done("POST", "/v1/orders", json=body, headers={"Idempotency-Key": "first"})
    station = done("GET", "/v1/stations")["stations"][0]
    drone = done("GET", "/v1/drones")["drones"][0]
    point = done("GET", "/v1/landing-points")["landing_points"][0]
    key = done("POST", "/v1/keys", json={"client": "other", "name": "k", "scopes": ["fleet:read"]})
    account = {"name": "somebody", "client": "other", "role": "viewer", "password": "correct horse battery"}
    return {
        "order_id": order["order_id"],
        "incident_id": order["incident_id"],
        "flight_id": order["flights"][0]["flight_id"],
        "drone_id": drone["drone_id"],
        "station_id": station["station_id"],
        "airframe_id": drone["airframe_id"],
        "landing_point_id": point["landing_point_id"],
        "key_id": key["key_id"],
        "account_id": done("POST", "/v1/accounts", json=account)["account_id"],
        "party_id": "caller",
        "name": "kml",
    }


@pytest.mark.parametrize(("method", "path"), operations())
def test_every_operation_answers_as_its_document_says(
    probed: tuple[str, dict[str, str]], method: str, path: str
):
    url, known = probed
    probe(url, json.loads(DOCUMENT.read_text(encoding="utf-8")), method, path, known)


def probe(
    hub_url: str, document: dict[str, Any], method: str, path: str, known: Mapping[str, str] | None = None
) -> None:
    """Send what the document allows and forbids, to what exists and to what does not; raises what the answers break."""
    operation = schemathesis.openapi.from_dict(document)[path][method.upper()]
    modes = st.one_of(
        operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE),
    )

    @given(case=modes, names_what_exists=st.booleans())
    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: Any, names_what_exists: bool) -> None:
        if names_what_exists and known:
            case.path_parameters |= {name: known[name] for name in case.path_parameters if name in known}
        response = case.call(base_url=hub_url, headers=KEY, timeout=10, session=session)
        case.validate_response(response, checks=CHECKS)

    with requests.Session() as session:
        answers()


@pytest.mark.parametrize("missing", ["200", "422"])
def test_the_judge_notices_an_answer_that_is_not_declared(hub_url: str, missing: str):
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    del document["paths"]["/v1/orders"]["get"]["responses"][missing]
    with pytest.raises((FailureGroup, Failure, ExceptionGroup)):
        probe(hub_url, document, "get", "/v1/orders")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The client package that openapi-python-client makes of the committed document."""
    folder = tmp_path_factory.mktemp("client")
    configuration = folder / "config.yaml"
    configuration.write_text(
        "package_name_override: hub_client\nproject_name_override: hub-client\npost_hooks: []\n"
    )
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", str(DOCUMENT), "--config", str(configuration)),
            *("--output-path", str(folder / "out"), "--meta", "none"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    package = folder / "hub_client"
    (folder / "out").rename(package)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("hub_client")
    sys.path.remove(str(folder))


def test_the_generated_client_has_every_operation(generated: ModuleType):
    """The generator leaves out what it cannot express, with a warning that nobody would read."""
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    promised = {
        re.sub("_+", "_", operation["operationId"])
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    folder = Path(str(generated.__file__)).parent / "api"
    modules = {path.stem: path for path in folder.glob("*/*.py") if path.stem != "__init__"}
    # Its body is XML, which the generator does not write.
    assert promised - set(modules) == {"take_cap_v1_adapters_cap_post"}
    assert set(modules) <= promised
    for path in modules.values():
        module = importlib.import_module(f"hub_client.api.{path.parent.name}.{path.stem}")
        assert callable(module.sync_detailed), path


def test_a_generated_client_orders_an_aed_and_follows_it_home(hub_url: str, generated: ModuleType):
    # Ships its own httpx client, which must not look for a proxy.
    with generated.Client(base_url=hub_url, headers=KEY, httpx_args={"trust_env": False}) as client:
        order_and_follow(client)


def order_and_follow(client: Any) -> None:
    place_order = importlib.import_module("hub_client.api.orders.place_order_v1_orders_post")
    get_order = importlib.import_module("hub_client.api.orders.get_order_v1_orders_order_id_get")
    models = importlib.import_module("hub_client.models")
    request = models.OrderRequest(
        position=models.Position(
            reference_system=models.PositionReferenceSystem("GCJ-02"),
            latitude_deg=22.5567,
            longitude_deg=113.8889,
        ),
        severity=models.OrderRequestSeverity("I"),
        notes="generated client",
    )
    deadline_s = time.monotonic() + 30.0
    while True:
        # Orders of the other tests may have every drone for a moment.
        key = f"generated-{time.monotonic_ns()}"
        order = place_order.sync(client=client, body=request, idempotency_key=key)
        assert isinstance(order, models.OrderView)
        while order.decision is None:
            # A drone that it takes from a less urgent order is being called back.
            assert time.monotonic() < deadline_s, order
            time.sleep(0.1)
            order = get_order.sync(client=client, order_id=order.order_id)
            assert isinstance(order, models.OrderView)
        if order.decision.outcome == "accepted":
            break
        assert time.monotonic() < deadline_s, order
        time.sleep(0.2)
    while True:
        seen = get_order.sync(client=client, order_id=order.order_id)
        assert isinstance(seen, models.OrderView)
        if seen.state == "CLOSED":
            break
        assert time.monotonic() < deadline_s, seen
        time.sleep(0.1)
    assert seen.aed_on_ground_at is not None
    assert seen.notes == "generated client"


def filled(path: str, operation: dict[str, Any]) -> str:
    """The path with the document's own examples; a part without one stays as it is written, which names nothing."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and (given := parameter["schema"].get("examples")):
            path = path.replace(f"{{{parameter['name']}}}", given[0])
    return path


def query_of(operation: dict[str, Any]) -> dict[str, Any]:
    """What the query must hold, by the document's own examples."""
    return {
        parameter["name"]: parameter["schema"]["examples"][0]
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query" and parameter["required"] and "examples" in parameter["schema"]
    }


def test_the_document_s_own_examples_are_accepted(hub_url: str):
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]
    # The example of an approval opens a zone of the demonstration; this hub has an airspace of its own.
    httpx.put(
        f"{hub_url}/v1/airspace/feeds/examples",
        params={"format": "geojson", "reason": "examples"},
        content=feed("BA-STAD", restriction="REQ_AUTHORISATION"),
        headers=KEY,
        trust_env=False,
    ).raise_for_status()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None or "$ref" not in content["schema"]:
                continue
            for example in schemas[content["schema"]["$ref"].rsplit("/", 1)[1]].get("examples", ()):
                answer = httpx.request(
                    method,
                    hub_url + filled(path, operation),
                    params=query_of(operation),
                    json=example,
                    headers=KEY | {"Idempotency-Key": "x"},
                    trust_env=False,
                    # The first weather report loads its parser.
                    timeout=60.0,
                )
                assert answer.status_code not in (400, 422), (method, path, answer.text)
