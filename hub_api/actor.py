"""Who is acting: the person, machine or part of the hub that a change is written down to.

A context variable, set once where a request is authenticated or a command begins, so that no
function between there and the audit log has to pass it on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["person", "machine", "hub", "command_line"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. ``actor_id`` is an account, a key, or the name of a part; ``client`` whose it is."""

    kind: ActorKind
    actor_id: str
    client: str | None = None


HUB = Actor("hub", "hub")
"""The hub itself: what flights report, what time brings about."""

_current: ContextVar[Actor] = ContextVar("actor", default=HUB)


def current_actor() -> Actor:
    """Who acts in this task; the hub itself unless somebody was named."""
    return _current.get()


def set_actor(actor: Actor) -> None:
    """Name the actor for the rest of this task (a request)."""
    _current.set(actor)


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Name the actor inside this block."""
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)
