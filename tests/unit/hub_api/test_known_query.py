"""No operation ignores a query parameter that it does not declare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import BaseModel

from hub_api import problems
from hub_api.known_query import refuse_unknown_query
from tests.unit.hub_api.world import play, world

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"


def of_document() -> list[tuple[str, str, list[dict[str, Any]]]]:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return [
        (method.upper(), path, [p for p in operation.get("parameters", ()) if p["in"] == "query"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_names_what_it_does_not_know_and_what_it_knows(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for method, path, parameters in of_document():
                answer = await w.client.request(method, path, params={"nobody_knows": "1"})
                said = answer.json()
                assert answer.status_code == 422, (method, path, answer.text)
                assert [e["field"] for e in said["errors"]] == ["query.nobody_knows"], (method, path)
                assert said["errors"][0]["reason"] == "parameter_unknown"
                assert "nobody_knows" in said["detail"]
                for parameter in parameters:
                    assert parameter["name"] in said["detail"], (method, path)

    play(main())


def test_no_declared_parameter_is_taken_for_an_unknown_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for method, path, parameters in of_document():
                if not parameters or "/stream" in path or path.endswith("/events"):
                    # Streams do not end; that they take theirs is tested where they are followed.
                    continue
                query = [(p["name"], "x") for p in parameters]
                query += [(p["name"], "y") for p in parameters if p["schema"].get("type") == "array"]
                answer = await w.client.request(method, path, params=query)
                for error in answer.json().get("errors", ()) if answer.content else ():
                    assert not error["reason"].startswith("parameter_"), (method, path, error)

    play(main())


def test_a_report_is_not_made_for_another_period_than_was_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            answer = await w.client.get("/v1/reports/take-off-share?from=2026-01-01&limit=3")
            said = answer.json()
            assert (answer.status_code, said["code"]) == (422, 4001)
            assert {e["field"] for e in said["errors"]} == {"query.from", "query.limit"}
            assert "since" in said["errors"][0]["detail"]

    play(main())


def test_a_parameter_that_is_taken_once_is_refused_twice(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            doubled = await w.client.get("/v1/orders?limit=1&limit=2")
            assert doubled.status_code == 422
            assert doubled.json()["errors"][0]["reason"] == "parameter_doubled"
            assert (await w.client.get("/v1/orders?state=CLOSED&state=FAILED")).status_code == 200

    play(main())


class Filter(BaseModel):
    since: int = 0
    kinds: list[str] = []


async def paging(limit: Annotated[int, Query()] = 5) -> int:
    return limit


def test_parameters_of_dependencies_and_of_models_are_known() -> None:
    app = FastAPI(dependencies=[Depends(refuse_unknown_query)])
    problems.install(app)
    router = APIRouter()

    @router.get("/things")
    async def things(
        chosen: Annotated[Filter, Query()], limit: Annotated[int, Depends(paging)]
    ) -> dict[str, Any]:
        return {"limit": limit, **chosen.model_dump()}

    app.include_router(router)

    async def main() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
            answer = await client.get("/things?limit=2&since=3&kinds=a&kinds=b")
            assert answer.json() == {"limit": 2, "since": 3, "kinds": ["a", "b"]}
            refused = (await client.get("/things?sinse=3")).json()
            assert "kinds, limit, since" in refused["detail"]
            assert (await client.get("/things?since=3&since=4")).status_code == 422

    play(main())
