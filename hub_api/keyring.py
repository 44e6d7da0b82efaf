"""Secret keys from the settings: named, in order, the first one in use, the others still accepted.

A key is written ``name:base64``; several are separated by commas. Rotation is: put a new one in
front, restart, and drop the old one when nothing is left that needs it.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass

from pydantic import SecretStr

from core.errors import ErrorCode, InternalError

KEY_BYTES = 32
"""256 bits: AES-256-GCM takes exactly that, and HMAC-SHA256 should not have less (RFC 7518, 3.2)."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class Keyring:
    """Named keys; the first is the one in use."""

    keys: tuple[tuple[str, bytes], ...]

    @property
    def current(self) -> tuple[str, bytes]:
        return self.keys[0]

    def find(self, name: str) -> bytes | None:
        return next((key for known, key in self.keys if known == name), None)

    def __repr__(self) -> str:
        return f"Keyring({', '.join(name for name, _ in self.keys)})"


def new_key(name: str) -> str:
    """A fresh key in the form that the settings take."""
    return f"{name}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def demo_key(purpose: str) -> str:
    """The well-known key of demo mode; refused everywhere else."""
    return f"demo:{base64.b64encode(f'demo {purpose} known to everybody'.ljust(KEY_BYTES)[:KEY_BYTES].encode()).decode()}"


def keyring(text: SecretStr | None, *, field: str, demo: bool) -> Keyring:
    """The keys of one setting. Raises 5002 if it is missing or well-known outside demo mode, or malformed.

    The message never repeats a key.
    """
    well_known = demo_key(field)
    if text is None:
        if not demo:
            raise InternalError(
                ErrorCode.SETTINGS_INVALID,
                f"{field} is not set; `drone-aed secrets` makes the lines for your .env file",
                field=field,
            )
        text = SecretStr(well_known)
    keys = tuple(_parse(item.strip(), field) for item in text.get_secret_value().split(","))
    names = [name for name, _ in keys]
    if len(set(names)) != len(names):
        raise InternalError(ErrorCode.SETTINGS_INVALID, f"{field} names a key twice", field=field)
    if not demo and _parse(well_known, field)[1] in {key for _, key in keys}:
        raise InternalError(
            ErrorCode.SETTINGS_INVALID, f"{field} holds the demo's key, which everybody knows", field=field
        )
    return Keyring(keys)


def _parse(item: str, field: str) -> tuple[str, bytes]:
    name, _, encoded = item.partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _NAME.fullmatch(name) or len(key) != KEY_BYTES:
        raise InternalError(
            ErrorCode.SETTINGS_INVALID,
            f"{field} must be name:base64 of {KEY_BYTES} bytes, several separated by commas",
            field=field,
        )
    return name, key
