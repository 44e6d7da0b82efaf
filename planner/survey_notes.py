"""The condition that a plan carries where nobody has surveyed a place: one sentence, and the same in Chinese.

Plans carry their conditions in one language, as airspace authorities write theirs; whoever shows them translates the one
that the planner words itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from planner.site import PositionQuality

PAD, LANDING_POINT = "pad of ", "landing point "
_SENTENCE = re.compile(rf"position of (?:{PAD}|{LANDING_POINT})(.+) is (\w+), not surveyed")
_QUALITY_ZH = {PositionQuality.APPROXIMATE: "近似位置", PositionQuality.PUBLISHED: "公布位置"}


def not_surveyed(place: str, name: str, quality: PositionQuality) -> str:
    """``place``: :data:`PAD` or :data:`LANDING_POINT`."""
    return f"position of {place}{name} is {quality.value}, not surveyed"


def in_chinese(condition: str, names_zh: Mapping[str, str]) -> str:
    """The condition in Chinese; what an authority wrote stays as it was written. ``names_zh``: by English name."""
    found = _SENTENCE.fullmatch(condition)
    if found is None:
        return condition
    name, quality = found.groups()
    return f"{names_zh.get(name) or name}的坐标为{_QUALITY_ZH[PositionQuality(quality)]}，未经测量"
