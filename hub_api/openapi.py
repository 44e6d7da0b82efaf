"""The OpenAPI document, and ``python -m hub_api.openapi`` which prints it for ``docs/openapi.json``."""

from __future__ import annotations

import json
import sys
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from hub_api.features.orders.schemas import OrderEventView
from hub_api.only_watching import LOGGING_IN, READING
from hub_api.problems import Problem, declared

DESCRIPTION = """\
An emergency centre orders an AED to a patient; the hub decides, sends a drone, and tells what happens.

* Positions name their reference system (`GCJ-02`, `BD-09`, `WGS-84`). One that does not is refused.
* `POST /v1/orders` needs an `Idempotency-Key`: repeat the request with it until it is answered.
* A declined order is an answer (201) with every candidate's reasons, in English and Chinese.
* Errors are problem details (RFC 9457) with a number from one catalogue.
* Credentials: `X-API-Key: …` or `Authorization: Bearer …`. Machines exchange a key for a short-lived token at
  `/v1/auth/token` (OAuth 2.0 client credentials) or send the key itself; people log in at `/v1/auth/login`.
* Callers and patients' notes are shown only to credentials with `personal:read` of the same client.
* A query parameter that an operation does not know is refused (422), never ignored.
* 429 says in `Retry-After` when to ask again; placing orders has a budget of its own.
"""

_FORM_EXAMPLES = {
    "Body_issue_token_v1_auth_token_post": {
        "grant_type": "client_credentials",
        "client_id": "key_01KJM6JM008GQ741755PS246JR",
        "client_secret": "daed_…",
        "scope": "orders:write orders:read",
    }
}
"""FastAPI makes the schema of a form itself; an example of the whole can only be added here."""


def install(app: FastAPI) -> None:
    """Let ``app.openapi()`` carry the schemas that only responses by hand refer to."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def build(app: FastAPI) -> dict[str, Any]:
    """The complete document."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _, extra = models_json_schema(
        [(Problem, "serialization"), (OrderEventView, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    for name, schema in extra["$defs"].items():
        schemas.setdefault(name, schema)
    for name, example in _FORM_EXAMPLES.items():
        schemas[name]["examples"] = [example]
    # Validation faults are problem details here, not FastAPI's own shape.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method.upper() not in READING and not path.startswith(LOGGING_IN):
                for status, response in declared(421).items():
                    operation["responses"].setdefault(str(status), response)
            # A query parameter that is not declared is refused everywhere.
            for status, response in declared(422).items():
                operation["responses"].setdefault(str(status), response)
            if operation.get("security"):
                # Whoever has to show credentials may be refused, asked to slow down, or meet a database that is away.
                for status, response in declared(401, 403, 429, 503).items():
                    operation["responses"].setdefault(str(status), response)
            if "requestBody" in operation:
                for status, response in declared(408, 415).items():
                    operation["responses"].setdefault(str(status), response)
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                operation["responses"] |= {str(k): v for k, v in declared(422).items()}
    return document


def rendered() -> str:
    """The document as committed: stable order, one newline at the end."""
    from hub_api.main import create_app
    from hub_api.settings import Settings

    app = create_app(Settings(_env_file=None))
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
