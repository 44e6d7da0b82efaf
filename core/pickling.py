"""Frozen values between two processes of one program."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


def pickle_by_slots(*classes: type) -> None:
    """Let frozen slotted dataclasses be pickled and copied through their slots.

    The state that :mod:`dataclasses` gives such a class looks its fields up anew for every value, on both sides: of a
    flight's plan, with its hundred parts, that took longer than everything else about it. Nothing is checked on the way
    back, as before.
    """
    for each in classes:
        _by_slots(each)


def _by_slots(of: type) -> None:
    slots = [getattr(of, field.name) for field in fields(of)]
    read = tuple(slot.__get__ for slot in slots)
    write = tuple(slot.__set__ for slot in slots)

    def state(self: Any) -> list[Any]:
        return [get(self) for get in read]

    def take(self: Any, values: list[Any]) -> None:
        for put, value in zip(write, values, strict=True):
            put(self, value)

    for name, method in (("__getstate__", state), ("__setstate__", take)):
        setattr(of, name, method)
