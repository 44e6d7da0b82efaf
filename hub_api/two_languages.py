"""Every refusal in English and Chinese: what a problem says is split, and what a library says is put into Chinese.

Refusals are written as «English · 中文» where they are made. What comes from elsewhere has no Chinese of its own: a
validation error is told by its kind, what readers of zone and site files say by :mod:`hub_api.readers_in_chinese`, the
rest by what it is called, with the original behind it, because a line number or an element's name must not be lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub_api.readers_in_chinese import in_chinese

_BETWEEN = " · "
_HAN = re.compile(r"[\u4e00-\u9fff]")

_KINDS = {
    "missing": "缺少该字段",
    "extra_forbidden": "不支持该字段",
    "string_type": "须为文本",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "string_pattern_mismatch": "格式不符合要求",
    "int_type": "须为整数",
    "int_parsing": "须为整数",
    "int_parsing_size": "数值过大",
    "int_from_float": "须为整数",
    "float_type": "须为数字",
    "float_parsing": "须为数字",
    "finite_number": "须为有限数字",
    "bool_type": "须为 true 或 false",
    "bool_parsing": "须为 true 或 false",
    "list_type": "须为列表",
    "dict_type": "须为对象",
    "model_type": "须为对象",
    "model_attributes_type": "须为对象",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "greater_than": "须大于 {gt}",
    "greater_than_equal": "须大于或等于 {ge}",
    "less_than": "须小于 {lt}",
    "less_than_equal": "须小于或等于 {le}",
    "literal_error": "可选值：{expected}",
    "enum": "可选值：{expected}",
    "none_required": "须为空",
    "datetime_parsing": "须为带时区的时间",
    "datetime_from_date_parsing": "须为带时区的时间",
    "datetime_type": "须为带时区的时间",
    "timezone_aware": "时间须带时区",
    "date_type": "须为日期",
    "date_parsing": "须为日期",
    "date_from_datetime_parsing": "须为日期",
    "date_from_datetime_inexact": "须为日期，不带时间",
    "url_parsing": "须为有效网址",
    "url_type": "须为有效网址",
    "url_scheme": "网址类型须为 {expected_schemes}",
    "url_too_long": "网址最长 {max_length} 个字符",
    "json_invalid": "不是有效的 JSON",
}
"""Kinds of pydantic's errors, by what they tell of themselves."""


def both_languages(text: str, *, otherwise_zh: str) -> tuple[str, str]:
    """«English · 中文» as two; where there is no Chinese, ``otherwise_zh`` with the English behind it."""
    english, _, chinese = text.partition(_BETWEEN)
    if _HAN.search(chinese):
        return english, chinese
    return text, f"{otherwise_zh}（{text}）"


def of_reader(text: str, *, otherwise_zh: str) -> tuple[str, str]:
    """What a reader of files says, which may quote anything: never split."""
    return text, in_chinese(text) or f"{otherwise_zh}（{text}）"


def of_validation(error: Mapping[str, Any]) -> tuple[str, str]:
    """What a validation error says, in English and by its kind in Chinese."""
    said, kind = str(error["msg"]).removeprefix("Value error, "), _KINDS.get(str(error["type"]))
    if kind is None or _HAN.search(said):
        return both_languages(said, otherwise_zh="该值不符合要求")
    return said, kind.format_map(error.get("ctx") or {})
