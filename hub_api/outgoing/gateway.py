"""A request that a file describes: so that a carrier, a video service or an authority needs no code of its own.

The file names the address, the headers, the body with ``${placeholders}``, what is signed and how, and where in the
answer success and results stand. Everything in it is checked when it is read: an unknown placeholder or a
host that is not allowed stops the hub at its start, not a message in the night. Secrets come from the
settings and are never in the file.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from core.clock import Clock
from core.errors import ErrorCode, InternalError
from hub_api.outgoing.destinations import (
    LONGEST_IN_LIMITS,
    DestinationRefused,
    Destinations,
    GuardedTransport,
)
from hub_api.settings import Settings

_PLACEHOLDER = re.compile(r"\$\{([a-z_]+)\}")
_COMMON = frozenset({"message_id", "timestamp_s", "secret"})
_LONGEST_ANSWER_BYTES = 65536
"""Chosen: an answer is a number and a word; more is read by nobody."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SignatureFile(_File):
    """HMAC-SHA256 with the secret. ``over`` may hold ``${message_id}``, ``${timestamp_s}`` and ``${body}``."""

    header: str
    value: str = "${signature}"
    over: str = "${message_id}.${timestamp_s}.${body}"
    encoding: Literal["hex", "base64"] = "hex"


class SuccessFile(_File):
    """Where a 2xx answer says that it is one after all: many services answer 200 to everything."""

    pointer: str
    equals: str | int | bool


class GatewayFile(_File):
    """One request. ``results``: name → JSON pointer into the answer."""

    description: str = ""
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    body: dict[str, Any]
    encoding: Literal["json", "form"] = "json"
    signature: SignatureFile | None = None
    success: SuccessFile | None = None
    results: dict[str, str] = Field(default_factory=dict)
    timeout_s: float = Field(5.0, gt=0, le=60, strict=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """The other side took it; what of its answer was asked for."""

    results: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not, or nobody answered. Holds nothing that was sent."""

    why: str


def read_gateway(
    path: Path, *, field: str, known: frozenset[str], destinations: Destinations, demo: bool
) -> GatewayFile:
    """Read and check a file. ``known``: the placeholders of this kind of request. Raises 5002."""

    def fault(what: str) -> InternalError:
        return InternalError(ErrorCode.SETTINGS_INVALID, f"{path.name}: {what}", field=field)

    try:
        file = GatewayFile.model_validate(json.loads(path.read_bytes()))
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise fault(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except ValueError as error:
        raise fault(f"is not JSON: {error}") from None
    unknown = _placeholders([file.url, file.headers, file.body]) - known - _COMMON
    if unknown:
        raise fault(f"${{{min(unknown)}}} is not known here; known are {', '.join(sorted(known | _COMMON))}")
    if "secret" in _placeholders(file.url):
        raise fault("a secret in an address ends up in logs; put it into a header")
    try:
        host = urlsplit(file.url).hostname
    except ValueError:
        host = None
    if not file.url.startswith("https://") and not demo:
        raise fault("outside the demo the address begins with https://")
    if not host or _PLACEHOLDER.search(file.url.partition("://")[2].partition("/")[0]):
        raise fault("the address names no host")
    if not demo and not destinations.names(host):
        raise fault(f"{host} is not in DRONE_AED_GATEWAY_HOSTS")
    if file.signature is not None:
        extra = _placeholders(file.signature.over) - {"message_id", "timestamp_s", "body"}
        if extra or "body" not in _placeholders(file.signature.over):
            raise fault("signature.over covers ${body}, and may hold ${message_id} and ${timestamp_s}")
        if _placeholders(file.signature.value) != {"signature"}:
            raise fault("signature.value holds ${signature}")
    for name, pointer in [
        *file.results.items(),
        *([("success", file.success.pointer)] if file.success else []),
    ]:
        if not pointer.startswith("/"):
            raise fault(f"{name}: {pointer!r} is no JSON pointer")
    return file


def _placeholders(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(_PLACEHOLDER.findall(value))
    if isinstance(value, Mapping):
        return set().union(*(_placeholders(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_placeholders(item) for item in value))
    return set()


def _filled(value: Any, fields: Mapping[str, Any]) -> Any:
    """Placeholders replaced, once: what comes in is never looked through for more of them.

    A string that is one placeholder becomes the value itself, so that lists and numbers stay what they are.
    """
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole is not None:
            return fields[whole[1]]
        return _PLACEHOLDER.sub(lambda found: str(fields[found[1]]), value)
    if isinstance(value, Mapping):
        return {name: _filled(item, fields) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, fields) for item in value]
    return value


def _pointed(document: Any, pointer: str) -> Any:
    """RFC 6901; None where there is nothing."""
    for part in pointer.removeprefix("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, Mapping) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isascii() and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


async def _read_some(response: httpx.Response) -> bytes | None:
    """The answer, or None if it is longer than anybody would read."""
    found = b""
    async for chunk in response.aiter_bytes():
        found += chunk
        if len(found) > _LONGEST_ANSWER_BYTES:
            return None
    return found


class Gateway:
    """Sends such requests, over one client with the guarded way out."""

    def __init__(
        self,
        file: GatewayFile,
        *,
        secret: SecretStr | None,
        clock: Clock,
        destinations: Destinations,
        transport: httpx.AsyncBaseTransport | None = None,
        field: str,
    ) -> None:
        if secret is None and (file.signature or "secret" in _placeholders([file.headers, file.body])):
            raise InternalError(
                ErrorCode.SETTINGS_INVALID, "the gateway's file needs a secret", field=f"{field}_secret"
            )
        self._file = file
        self._secret = secret
        self._clock = clock
        self._client = httpx.AsyncClient(
            transport=transport or GuardedTransport(destinations),
            timeout=file.timeout_s,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "drone-aed"},
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def ask(self, message_id: str, fields: Mapping[str, Any]) -> Taken | Refused:
        """Send one request under an id that stays the same when it is repeated."""
        timestamp_s = int(self._clock.now().timestamp())
        secret = "" if self._secret is None else self._secret.get_secret_value()
        known = {**fields, "message_id": message_id, "timestamp_s": timestamp_s, "secret": secret}
        url = _PLACEHOLDER.sub(lambda found: quote(str(known[found[1]]), safe=""), self._file.url)
        body, content_type = self._body(_filled(self._file.body, known))
        headers = {
            "Content-Type": content_type,
            "Idempotency-Key": message_id,
            **{name: str(_filled(value, known)) for name, value in self._file.headers.items()},
            **self._signature(secret, message_id, timestamp_s, body),
        }
        try:
            # The client's own limit is for each step: a name that is not resolved and an answer that trickles in
            # have none, and whatever is sent together waits for this.
            async with (
                asyncio.timeout(LONGEST_IN_LIMITS * self._file.timeout_s),
                self._client.stream("POST", url, content=body, headers=headers) as response,
            ):
                content = await _read_some(response)
        except TimeoutError:
            return Refused("no whole answer in time")
        except DestinationRefused:
            return Refused("the host is not one the hub may call")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as fault:
            # Its kind only: the text of a fault may repeat the address with what was filled in.
            return Refused(type(fault).__name__)
        return self._judged(response, content)

    def _body(self, filled: dict[str, Any]) -> tuple[bytes, str]:
        if self._file.encoding == "form":
            return urlencode(filled).encode(), "application/x-www-form-urlencoded"
        text = json.dumps(filled, ensure_ascii=False, separators=(",", ":"))
        return text.encode(), "application/json; charset=utf-8"

    def _signature(self, secret: str, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
        asked = self._file.signature
        if asked is None:
            return {}
        over = _filled(
            asked.over, {"message_id": message_id, "timestamp_s": timestamp_s, "body": body.decode()}
        )
        digest = hmac.new(secret.encode(), str(over).encode(), hashlib.sha256).digest()
        text = digest.hex() if asked.encoding == "hex" else base64.b64encode(digest).decode()
        return {asked.header: _PLACEHOLDER.sub(lambda _: text, asked.value)}

    def _judged(self, response: httpx.Response, content: bytes | None) -> Taken | Refused:
        if not response.is_success:
            return Refused(f"status {response.status_code}")
        if self._file.success is None and not self._file.results:
            return Taken({})
        if content is None:
            return Refused("the answer is too long")
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            return Refused("the answer is not JSON")
        success = self._file.success
        if success is not None:
            found = _pointed(document, success.pointer)
            if type(found) is not type(success.equals) or found != success.equals:
                return Refused(f"the answer's {success.pointer} is not {success.equals!r}")
        results: dict[str, str] = {}
        for name, pointer in self._file.results.items():
            found = _pointed(document, pointer)
            if not isinstance(found, (str, int)) or isinstance(found, bool):
                return Refused(f"the answer has no {pointer}")
            results[name] = str(found)
        return Taken(results)


def gateway_of(
    settings: Settings,
    name: str,
    path: Path,
    known: frozenset[str],
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None,
    *,
    secret: str | None = None,
) -> Gateway:
    """The gateway that ``path`` describes, with the secret of the setting ``NAME_secret``, or of another name's.
    Raises 5002."""
    hosts = Destinations.parse(settings.gateway_hosts, field="gateway_hosts", anywhere=settings.demo)
    file = read_gateway(path, field=f"{name}_file", known=known, destinations=hosts, demo=settings.demo)
    return Gateway(
        file,
        secret=getattr(settings, f"{secret or name}_secret"),
        clock=clock,
        destinations=hosts,
        transport=transport,
        field=name,
    )
