"""Names of people, clients and keys: one rule for the API and the command line."""

from __future__ import annotations

import unicodedata

from core.errors import DispatchError, ErrorCode

NAME_CHARACTERS = 80
"""Most characters in the name of a person or a client."""
LABEL_CHARACTERS = 120
"""Most characters in the words that say what a key is for."""


def plain(name: str) -> str:
    """The name, if it looks like itself; else ``ValueError``.

    Who reads a name in a list or in the audit log must not take it for another: nothing invisible, nothing that turns
    the direction of writing, no other form of the same letters (Unicode UTS 39).
    """
    if not name.isprintable() or name != name.strip() or unicodedata.normalize("NFKC", name) != name:
        raise ValueError("invisible characters and other forms of letters are not allowed in a name")
    return name


def require_name(name: str, field: str, *, most_characters: int = NAME_CHARACTERS) -> str:
    """The name. Raises 4001 where it is empty, too long or not :func:`plain`."""
    if not 1 <= len(name) <= most_characters:
        raise DispatchError(
            ErrorCode.ORDER_INVALID,
            f"{field} has 1 to {most_characters} characters · {field} 须为 1 至 {most_characters} 个字符",
            field=field,
        )
    try:
        return plain(name)
    except ValueError as error:
        raise DispatchError(
            ErrorCode.ORDER_INVALID, f"{field}: {error} · {field} 含有不允许的字符", field=field
        ) from None
