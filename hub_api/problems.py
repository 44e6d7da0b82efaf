"""Errors as RFC 9457 problem details: one shape for everything that is not a success.

``code`` and ``reason`` come from the numbered catalogue of :mod:`core.errors`, so that a 120 centre
can match on them. Nothing internal leaks: an unexpected fault shows its number and an instance id
that the log knows.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from core.errors import AirspaceError, DispatchError, DroneAedError, ErrorCode, InternalError
from hub_api import known_query
from hub_api.access.gate import RateLimited
from hub_api.two_languages import both_languages, of_reader, of_validation

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:drone-aed:error:"

_STATUS = {
    ErrorCode.POSITION_INVALID: 422,
    ErrorCode.REFERENCE_SYSTEM_UNKNOWN: 422,
    ErrorCode.ORDER_INVALID: 422,
    ErrorCode.ORDER_UNKNOWN: 404,
    ErrorCode.RESOURCE_UNKNOWN: 404,
    ErrorCode.BODY_TOO_LARGE: 413,
    ErrorCode.BODY_TOO_SLOW: 408,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.NOT_AT_THIS_HUB: 421,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.IDEMPOTENCY_CONFLICT: 409,
    ErrorCode.SEVERITY_CODE_UNKNOWN: 422,
    ErrorCode.MESSAGE_UNMAPPABLE: 422,
    ErrorCode.TRANSITION_REFUSED: 409,
    ErrorCode.CREDENTIALS_MISSING: 401,
    ErrorCode.CREDENTIALS_INSUFFICIENT: 403,
    ErrorCode.ZONE_FILE_INVALID: 422,
    ErrorCode.ZONE_INVALID: 422,
    ErrorCode.SITE_FILE_INVALID: 422,
    ErrorCode.STORE_FAILED: 503,
}
_BY_STATUS = {
    404: ErrorCode.RESOURCE_UNKNOWN,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    408: ErrorCode.BODY_TOO_SLOW,
    413: ErrorCode.BODY_TOO_LARGE,
}
_TITLES = {
    ErrorCode.POSITION_INVALID: ("The position cannot be used", "位置无法使用"),
    ErrorCode.REFERENCE_SYSTEM_UNKNOWN: ("Unknown reference system", "未知坐标系"),
    ErrorCode.ORDER_INVALID: ("The request is not valid", "请求无效"),
    ErrorCode.ORDER_UNKNOWN: ("There is no such order", "订单不存在"),
    ErrorCode.RESOURCE_UNKNOWN: ("There is nothing here", "未找到"),
    ErrorCode.BODY_TOO_LARGE: ("The body is too large", "请求体过大"),
    ErrorCode.BODY_TOO_SLOW: ("The body came too slowly", "请求体传输过慢"),
    ErrorCode.METHOD_NOT_ALLOWED: ("The method is not allowed here", "不支持该方法"),
    ErrorCode.NOT_AT_THIS_HUB: ("This hub only watches", "本系统仅供查看"),
    ErrorCode.RATE_LIMITED: ("Too many requests", "请求过于频繁"),
    ErrorCode.IDEMPOTENCY_CONFLICT: (
        "The idempotency key belongs to another request",
        "幂等键已用于另一请求",
    ),
    ErrorCode.SEVERITY_CODE_UNKNOWN: ("The severity code has no grade", "未知的病情分级代码"),
    ErrorCode.MESSAGE_UNMAPPABLE: ("The message cannot be mapped to an incident", "报文无法映射为急救事件"),
    ErrorCode.TRANSITION_REFUSED: ("Not possible in this state", "当前状态不允许此操作"),
    ErrorCode.CREDENTIALS_MISSING: ("Credentials are missing or not valid", "缺少凭证或凭证无效"),
    ErrorCode.CREDENTIALS_INSUFFICIENT: ("The credentials lack a scope", "凭证权限不足"),
    ErrorCode.ZONE_FILE_INVALID: ("The zone file is refused", "空域文件被拒绝"),
    ErrorCode.ZONE_INVALID: ("The zones do not fit together", "空域数据无效"),
    ErrorCode.SITE_FILE_INVALID: ("The site data is refused", "站点数据被拒绝"),
    ErrorCode.STORE_FAILED: ("The database is not available", "数据库不可用"),
    ErrorCode.BROKEN_INVARIANT: ("Internal fault", "内部故障"),
}


_ELSEWHERE_ZH = "系统无法完成该请求"
"""Errors of links, vehicles and settings, which no request causes."""


class FieldProblem(BaseModel):
    """One field at fault."""

    field: str = Field(description="Where, as a dotted path; `header.…` and `query.…` outside the body.")
    reason: str = Field(description="Machine-readable word.")
    detail: str = Field(description="One sentence.")
    detail_zh: str = Field(description="The same in Chinese.")


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:drone-aed:error:4001",
                    "title": "The request is not valid",
                    "title_zh": "请求无效",
                    "status": 422,
                    "detail": "1 field is not valid",
                    "detail_zh": "1 个字段无效",
                    "code": 4001,
                    "reason": "order_invalid",
                    "errors": [
                        {
                            "field": "position.latitude_deg",
                            "reason": "less_than_equal",
                            "detail": "Input should be less than or equal to 90",
                            "detail_zh": "须小于或等于 90",
                        }
                    ],
                }
            ]
        }
    )

    type: str = Field(description="URN with the catalogue number.")
    title: str
    title_zh: str
    status: int
    detail: str
    detail_zh: str = Field(description="The same in Chinese.")
    code: int = Field(description="Number in the error catalogue.")
    reason: str = Field(description="Name in the error catalogue.")
    errors: list[FieldProblem] = Field(default_factory=list)


def titles(code: ErrorCode) -> tuple[str, str]:
    """What an error is called, in English and Chinese."""
    return _TITLES.get(code, (code.name.replace("_", " ").capitalize(), _ELSEWHERE_ZH))


def problem(
    code: ErrorCode,
    detail: str | tuple[str, str],
    *,
    status: int | None = None,
    errors: list[FieldProblem] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """The response for one error of the catalogue. ``detail`` as refusals say it, «English · 中文», or as two."""
    title, title_zh = titles(code)
    said, said_zh = both_languages(detail, otherwise_zh=title_zh) if isinstance(detail, str) else detail
    body = Problem(
        type=f"{TYPE_PREFIX}{int(code)}",
        title=title,
        title_zh=title_zh,
        status=status or _STATUS.get(code, 500),
        detail=said,
        detail_zh=said_zh,
        code=int(code),
        reason=code.name.lower(),
        errors=errors or [],
    )
    return JSONResponse(body.model_dump(), status_code=body.status, media_type=MEDIA_TYPE, headers=headers)


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI ``responses`` for problem details of these status codes."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def _field_problem(error: dict[str, Any]) -> FieldProblem:
    location = [str(part) for part in error.get("loc", ())]
    if location[:1] == ["body"]:
        location = location[1:] or ["body"]
    detail, detail_zh = of_validation(error)
    return FieldProblem(
        field=".".join(location), reason=str(error["type"]), detail=detail, detail_zh=detail_zh
    )


async def _on_domain_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DroneAedError)
    if isinstance(error, InternalError):
        log.error("internal error while serving %s %r: %s", request.method, request.url.path, error)
        shown = (
            "The fault is logged. Try again with the same idempotency key; nothing is doubled. · "
            "故障已记录。请使用同一幂等键重试，不会重复执行。"
        )
        return problem(error.code, shown)
    # Geometry, zones and the site are judged in rooms that speak English only.
    speaks = of_reader if isinstance(error, AirspaceError) else both_languages
    said, said_zh = speaks(error.detail, otherwise_zh=titles(error.code)[1])
    errors = []
    if error.field:
        reason = error.code.name.lower()
        errors = [FieldProblem(field=error.field, reason=reason, detail=said, detail_zh=said_zh)]
    headers = None
    if error.code is ErrorCode.CREDENTIALS_MISSING:
        headers = {"WWW-Authenticate": "Bearer"}
    if isinstance(error, RateLimited):
        headers = {"Retry-After": str(error.retry_after_s)}
    status = _STATUS.get(error.code, 422 if isinstance(error, DispatchError) else 500)
    return problem(error.code, (said, said_zh), status=status, errors=errors, headers=headers)


async def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [_field_problem(dict(item)) for item in error.errors()[:50]]
    malformed = any(item["type"] == "json_invalid" for item in error.errors())
    if malformed:
        return problem(
            ErrorCode.ORDER_INVALID,
            "the body is not valid JSON · 请求体不是有效的 JSON",
            status=400,
            errors=found,
        )
    if any(item.field == "body" and item.reason in _NO_OBJECT for item in found) and not _is_json(request):
        said = "send Content-Type: application/json · 请使用 Content-Type: application/json"
        return problem(ErrorCode.ORDER_INVALID, said, status=415, errors=found)
    if any(item.field == "header.idempotency-key" for item in found):
        return problem(
            ErrorCode.ORDER_INVALID,
            "the header Idempotency-Key is missing or not valid · 缺少请求头 Idempotency-Key 或其值无效",
            status=400,
            errors=found,
        )
    system = [item for item in found if item.field.endswith("reference_system")]
    if system:
        detail = "name the reference system of the position: GCJ-02, BD-09 or WGS-84 · 请注明坐标系：GCJ-02、BD-09 或 WGS-84"
        return problem(ErrorCode.REFERENCE_SYSTEM_UNKNOWN, detail, errors=found)
    misnamed = [item for item in found if item.reason in (known_query.UNKNOWN, known_query.DOUBLED)]
    if misnamed:
        first = misnamed[0]
        detail = f"{first.field}: {first.detail} · {first.field}：{first.detail_zh}"
        return problem(ErrorCode.ORDER_INVALID, detail, errors=found)
    count = len(error.errors())
    detail = "1 field is not valid" if count == 1 else f"{count} fields are not valid"
    detail += f" · {count} 个字段无效"
    return problem(ErrorCode.ORDER_INVALID, detail, errors=found)


_NO_OBJECT = frozenset({"model_attributes_type", "model_type", "dict_type", "list_type"})


def _is_json(request: Request) -> bool:
    """As the framework decides whether it reads JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _BY_STATUS.get(error.status_code, ErrorCode.ORDER_INVALID)
    headers = dict(error.headers) if error.headers else None
    said = str(error.detail)
    if code is ErrorCode.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_allowed(request))
        headers = {"Allow": allowed}
        said = f"here are allowed: {allowed} · 此处可用方法：{allowed}"
    return problem(code, _SAID_BY_OTHERS.get(said, said), status=error.status_code, headers=headers)


_SAID_BY_OTHERS = {
    "Not Found": "there is nothing at this address · 该地址下没有内容",
    "There was an error parsing the body": "the body is no JSON in UTF-8 · 请求体不是 UTF-8 编码的 JSON",
}
"""Sentences of the framework, told better and in both languages."""


def _allowed(request: Request) -> list[str]:
    """The methods of all operations at this address; the framework names those of the first."""
    methods: set[str] = set()
    for route in (*getattr(request.app.state, "operations", ()), *request.app.routes):
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return sorted(methods)


async def _on_unexpected(request: Request, error: Exception) -> JSONResponse:
    log.exception("unexpected error while serving %s %r", request.method, request.url.path, exc_info=error)
    return problem(ErrorCode.BROKEN_INVARIANT, "The fault is logged. · 故障已记录。", status=500)


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` as problem details."""
    app.add_exception_handler(DroneAedError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_unexpected)
