"""Spans of time in words."""

from __future__ import annotations

import pytest

from core.spans import span, span_zh


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0.0, "0 s", "0秒"),
        (94.4, "94 s", "94秒"),
        (99.6, "1 min 40 s", "1分40秒"),
        (120.0, "2 min", "2分钟"),
        (1038.0, "17 min 18 s", "17分18秒"),
        (-1038.0, "−17 min 18 s", "−17分18秒"),
    ],
)
def test_long_spans_are_said_in_minutes(seconds: float, english: str, chinese: str):
    assert (span(seconds), span_zh(seconds)) == (english, chinese)
