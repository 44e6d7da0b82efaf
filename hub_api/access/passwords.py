"""Passwords of people: argon2id, the parameters of the RFC 9106 low-memory profile or better."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import DispatchError, ErrorCode

LEAST_CHARACTERS = 12
"""NIST SP 800-63B asks for at least 8 and no rules of composition; chosen: longer, since a drone hangs on it."""
MOST_CHARACTERS = 256
_HASHER = PasswordHasher()


class Passwords:
    """Hashes and checks on a thread of its own: argon2 is slow on purpose and must not stop orders."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Raises 4001 for a password that is too short, too long or no text."""
        if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
            raise DispatchError(
                ErrorCode.ORDER_INVALID,
                f"a password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters · "
                f"口令须为 {LEAST_CHARACTERS} 至 {MOST_CHARACTERS} 个字符",
                field="password",
            )
        if _encoded(password) is None:
            raise DispatchError(
                ErrorCode.ORDER_INVALID, "the password is no text · 口令不是有效文本", field="password"
            )
        return await asyncio.get_running_loop().run_in_executor(self._thread, _HASHER.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the right one. Without an account a hash is checked all the same, so that the
        time of the answer does not tell which names exist."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._matches, password, stored)

    def _matches(self, password: str, stored: str | None) -> bool:
        if stored is None:
            if self._nobody is None:
                self._nobody = _HASHER.hash("nobody has this password")
            _verify(self._nobody, password)
            return False
        return _verify(stored, password)

    def close(self) -> None:
        self._thread.shutdown()


def _encoded(password: str) -> bytes | None:
    """None for half a character, as a command line or a JSON escape may give one."""
    try:
        return password.encode()
    except UnicodeEncodeError:
        return None


def _verify(stored: str, password: str) -> bool:
    encoded = _encoded(password)
    try:
        return encoded is not None and _HASHER.verify(stored, encoded)
    except (VerificationError, InvalidHashError):
        return False
