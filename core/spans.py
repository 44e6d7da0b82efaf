"""Spans of time as people say them: seconds while they are few, then minutes. «1038 s» has to be worked out first."""

from __future__ import annotations

FEW_S = 100.0
"""Chosen: up to here a dispatcher counts in seconds anyway; a time-out of 90 s stays one."""


def span(seconds: float) -> str:
    """«95 s», «17 min 18 s», «5 min»; rounded to whole seconds."""
    whole = round(seconds)
    if abs(whole) < FEW_S:
        return f"{whole} s"
    minutes, rest = divmod(abs(whole), 60)
    sign = "−" if whole < 0 else ""
    return f"{sign}{minutes} min {rest} s" if rest else f"{sign}{minutes} min"


def span_zh(seconds: float) -> str:
    """«95秒», «17分18秒», «5分钟»."""
    whole = round(seconds)
    if abs(whole) < FEW_S:
        return f"{whole}秒"
    minutes, rest = divmod(abs(whole), 60)
    sign = "−" if whole < 0 else ""
    return f"{sign}{minutes}分{rest}秒" if rest else f"{sign}{minutes}分钟"
