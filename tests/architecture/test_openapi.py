"""What is generated from the hub's code is committed and current: OpenAPI document and order diagram."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from hub_api import VERSION
from hub_api.dispatch.order_states import mermaid
from hub_api.openapi import rendered

ROOT = Path(__file__).parents[2]


OPEN = {"/v1/health", "/v1/health/live", "/v1/health/ready", "/v1/auth/login", "/v1/auth/token"}
"""Operations that need no credentials, or bring their own."""


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    document = json.loads(rendered())
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_committed_document_is_current():
    """If this fails: ``python -m hub_api.openapi > docs/openapi.json`` (part of ``make docs``)."""
    assert (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8") == rendered()


def test_every_operation_declares_its_refusals_as_problem_details():
    for method, path, operation in operations():
        declared = set(operation["responses"])
        if path not in OPEN:
            assert {"401", "403"} <= declared, (method, path)
            assert operation["security"], (method, path)
        if operation.get("requestBody"):
            assert {"400", "413", "422"} <= declared, (method, path)
        if "{" in path:
            assert "404" in declared, (method, path)
        # A query parameter that nobody declared.
        assert "422" in declared, (method, path)
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")):
                not_ready = (path, status) == ("/v1/health/ready", "503")
                media = "application/json" if not_ready else "application/problem+json"
                assert list(response["content"]) == [media], (method, path, status)


def test_every_operation_says_what_it_does_and_every_request_has_an_example():
    document = json.loads(rendered())
    for method, path, operation in operations():
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        body = operation.get("requestBody")
        if body:
            (media,) = body["content"].values()
            if media.get("examples"):
                continue
            name = media["schema"]["$ref"].rsplit("/", 1)[1]
            assert document["components"]["schemas"][name]["examples"], name


def test_every_reference_resolves():
    text = rendered()
    names = set(json.loads(text)["components"]["schemas"])
    used = {part.split('"', 1)[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= names


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION


def test_the_diagram_of_the_orders_is_current():
    """If this fails: put the output of ``hub_api.dispatch.order_states.mermaid()`` into docs/orders.md."""
    assert mermaid() in (ROOT / "docs" / "orders.md").read_text(encoding="utf-8")
