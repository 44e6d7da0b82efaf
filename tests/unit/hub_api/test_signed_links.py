"""Real drones fly on signed links, unless somebody answers for the opposite (docs/decisions/0024)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from core.clock import LoopClock
from core.errors import ErrorCode, InternalError, LinkError
from core.virtual_time import run_virtual
from flight.links.mavlink.hub import LinkHub
from hub_api.rooms import open_links
from hub_api.settings import Settings


def open_(of: Settings) -> LinkHub:
    async def inside() -> LinkHub:
        return open_links(of, LoopClock())

    return run_virtual(inside())


def settings(tmp_path: Path, **changes: Any) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, **changes)


def test_outside_the_demo_the_hub_does_not_start_without_keys(tmp_path: Path) -> None:
    with pytest.raises(InternalError) as refused:
        open_(settings(tmp_path))
    assert refused.value.code is ErrorCode.SETTINGS_INVALID
    assert refused.value.field == "link_keys_file"


def test_a_drone_without_a_key_is_refused_then(tmp_path: Path) -> None:
    links = open_(settings(tmp_path, link_keys_file=tmp_path / "keys.json"))
    with pytest.raises(LinkError, match="signing key"):
        links.claim("udpin:127.0.0.1:24999", 11, owner="bao-01")


def test_who_flies_unsigned_says_so_and_is_reminded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hub_api.rooms"):
        open_(settings(tmp_path, links_signed_only=False))
    assert "unsigned" in caplog.text


def test_the_demo_needs_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hub_api.rooms"):
        open_(settings(tmp_path, demo=True))
    assert not caplog.text
