"""Personal data at rest: sealed with AES-256-GCM before it reaches a database, a back-up or a log.

Each sealed text is bound to the record it belongs to (associated data), so that nobody with write
access to the database can move one patient's text to another order unnoticed.
"""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import ErrorCode, InternalError
from hub_api.keyring import Keyring

_VERSION = "v1"
_NONCE_BYTES = 12
"""NIST SP 800-38D, 8.2: 96 bits; random nonces are safe for 2³² texts under one key."""


class Vault:
    """Seals and opens small JSON objects."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys

    def seal(self, content: dict[str, Any], *, record: str) -> str:
        """``content`` sealed for ``record`` with the key in use."""
        name, key = self._keys.current
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        sealed = AESGCM(key).encrypt(nonce, plain, f"{name}|{record}".encode())
        return f"{_VERSION}.{name}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, text: str, *, record: str) -> dict[str, Any]:
        """What :meth:`seal` was given. Raises 5003 for a missing key, another record, or a changed text."""
        version, _, rest = text.partition(".")
        name, _, encoded = rest.partition(".")
        key = self._keys.find(name)
        if version != _VERSION or key is None:
            raise InternalError(
                ErrorCode.BROKEN_INVARIANT, f"personal data of {record} is sealed with a key that is not set"
            )
        try:
            raw = base64.urlsafe_b64decode(encoded)
            plain = AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], f"{name}|{record}".encode())
        except (InvalidTag, ValueError):
            raise InternalError(
                ErrorCode.BROKEN_INVARIANT, f"personal data of {record} was changed or belongs elsewhere"
            ) from None
        content: dict[str, Any] = json.loads(plain)
        return content

    def uses_current_key(self, text: str) -> bool:
        """Whether ``text`` need not be sealed anew after a rotation."""
        return text.startswith(f"{_VERSION}.{self._keys.current[0]}.")
