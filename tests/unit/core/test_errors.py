"""The catalogue: numbers are for ever, and each class of error keeps to its thousand."""

import pytest

from core import errors
from core.errors import ErrorCode, ZoneFileError

RELEASED = {
    "LINK_UNREACHABLE": 1001,
    "POSITION_INVALID": 3001,
    "IDEMPOTENCY_CONFLICT": 4003,
    "STORE_FAILED": 5001,
}


def test_numbers_are_unique_and_in_their_thousand() -> None:
    # IntEnum would silently make a second member with the same number an alias.
    assert len(ErrorCode.__members__) == len({int(code) for code in ErrorCode})
    assert all(1000 < int(code) < 6000 for code in ErrorCode)


@pytest.mark.parametrize(("name", "number"), RELEASED.items())
def test_released_numbers_do_not_move(name: str, number: int) -> None:
    assert ErrorCode[name] == number


def test_a_zone_file_error_names_feature_field_and_reason() -> None:
    error = ZoneFileError("lower limit above upper limit", feature="ZSZ01", field="geometry[0].lowerLimit")
    assert str(error) == (
        "3101 zone_file_invalid: feature ZSZ01: lower limit above upper limit [geometry[0].lowerLimit]"
    )
    assert isinstance(error, errors.AirspaceError)
    assert (error.feature, error.field) == ("ZSZ01", "geometry[0].lowerLimit")
