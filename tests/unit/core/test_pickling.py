"""Values pickled through their slots come back as they were."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, field

import pytest

from core.pickling import pickle_by_slots


@dataclass(frozen=True, slots=True)
class _Inner:
    name: str
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outer:
    inner: _Inner
    others: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.inner.name


pickle_by_slots(_Inner, _Outer)


def test_they_come_back_equal_and_frozen() -> None:
    value = _Outer(inner=_Inner("a", (1.5, 2.5)), others={"x": 1})
    for again in (pickle.loads(pickle.dumps(value, protocol=5)), copy.deepcopy(value)):
        assert again == value
        assert again is not value
        with pytest.raises(AttributeError):
            again.inner.name = "b"


def test_a_state_with_another_number_of_fields_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        object.__new__(_Inner).__setstate__(["a"])  # type: ignore[attr-defined]
