"""What readers of zone, authorisation and site files say, put into Chinese sentence by sentence.

Those readers know no user and write English (they serve commands and tests too). Here stands each of their sentences
with its Chinese; what is in braces is taken over, and ``{why}`` and ``{found}`` are put into Chinese themselves. A test
collects every sentence of the readers from their source and fails for one that is missing here.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial

_LONGEST = 1_000
"""Chosen: no sentence of a reader is longer; whatever is, is told as it is."""

SENTENCES: dict[str, str] = {
    # Files as a whole.
    "the file has {n} bytes, at most {most} are read": "文件共 {n} 字节，最多读取 {most} 字节",
    "the file has {n} features, at most {most} are read": "文件含 {n} 个要素，最多读取 {most} 个",
    "the file has {n} points, at most {most} are read": "文件含 {n} 个点，最多读取 {most} 个",
    "the file is not UTF-8: {what} at byte {at}": "文件不是 UTF-8 编码：第 {at} 字节（{what}）",
    "the file is not JSON: {why} in line {line}, column {column}": "文件不是 JSON：第 {line} 行第 {column} 列，{why}",
    "the file is nested too deeply": "文件嵌套过深",
    "the file is nested deeper than {n} elements": "文件嵌套超过 {n} 层",
    "the file is not usable JSON: {why}": "文件不是可用的 JSON：{why}",
    "the file is not XML: {what}": "文件不是 XML：{what}",
    "the file is not acceptable XML: {what}": "文件含不允许的 XML 内容：{what}",
    "the file is not KML: its root is {found}": "文件不是 KML：根元素为 {found}",
    "the file is a KMZ archive: read it as kmz": "文件是 KMZ 压缩包，请按 kmz 格式提交",
    "the file is not a readable KMZ archive: {what}": "文件不是可读取的 KMZ 压缩包：{what}",
    "the archive has {n} entries, at most {most} are read": "压缩包含 {n} 个条目，最多读取 {most} 个",
    "the archive has no KML file in its top folder{what}": "压缩包顶层没有 KML 文件{what}",
    "is encrypted": "已加密",
    "unpacks to more than {most} bytes; split it": "解压后超过 {most} 字节，请拆分",
    "refers to another file, {found}, which is not read: join them first": "引用了不会读取的文件 {found}，请先合并",
    "the file holds no zone; to end a feed, delete it": "文件不含任何空域；如需停用该数据源，请将其删除",
    "{n} zones are more than {most}": "空域共 {n} 个，超过上限 {most} 个",
    "{n} corners are more than {most}": "顶点共 {n} 个，超过上限 {most} 个",
    "{found} is none of {allowed}": "{found} 不在可选值之中：{allowed}",
    # Members of JSON.
    "{what} is no number": "{what} 不是数字",
    "is missing": "缺少该字段",
    "is missing; expected one of {allowed}": "缺少该字段，可选值：{allowed}",
    "is missing: a Point needs it to be a circle": "缺少该字段：点须有半径才能成为圆",
    "is missing: the ground where there is no raster": "缺少该字段：没有栅格处的地面高程",
    "expected an object, found {found}": "须为对象，实为 {found}",
    "expected text, found {found}": "须为文本，实为 {found}",
    "expected a number, found {found}": "须为数字，实为 {found}",
    "expected a whole number, found {found}": "须为整数，实为 {found}",
    "expected a position, found {found}": "须为坐标，实为 {found}",
    "expected rings, found {found}": "须为环的列表，实为 {found}",
    "expected a ring, found {found}": "须为环，实为 {found}",
    "expected a list of features, found {found}": "须为要素列表，实为 {found}",
    "an object of {n} members": "含 {n} 个成员的对象",
    "a list of {n}": "含 {n} 项的列表",
    "{found} is not one of {allowed}": "{found} 不在可选值之中：{allowed}",
    "{found} is not one of {allowed}, ANY": "{found} 不在可选值之中：{allowed}, ANY",
    "{found} is not a finite number": "{found} 不是有限数字",
    "{found} is outside [{low}, {high}]": "{found} 超出范围 [{low}, {high}]",
    "{found} is not a coordinate": "{found} 不是坐标",
    "is not JSON: {what}": "不是 JSON：{what}",
    "is not a JSON object": "不是 JSON 对象",
    "only {what} is known here": "此处只支持 {what}",
    "{found} is not an ISO 3166-1 alpha-3 code": "{found} 不是 ISO 3166-1 三位国家代码",
    "a position needs latitude_deg and longitude_deg": "位置须有 latitude_deg 和 longitude_deg",
    # Reference systems and positions.
    "names a reference system of its own; RFC 7946 is WGS 84 only": "文件自带坐标系声明；RFC 7946 只允许 WGS 84",
    "longitude and latitude are in another order than in feature {id}, by the bounds of the countries": (
        "按国家边界判断，经纬度顺序与要素 {id} 不一致"
    ),
    "{found} is not longitude,latitude[,height]": "{found} 不是“经度,纬度[,高度]”",
    "{found} is not on Earth": "{found} 不在地球范围内",
    "{point} is more than 100 km from the frame's origin": "{point} 距本地坐标原点超过 100 km",
    "a coordinate is more than 100 km from the frame's origin": "有坐标距本地坐标原点超过 100 km",
    "the GCJ-02 position lies on the border between shifted and unshifted maps; send WGS-84": (
        "该 GCJ-02 位置处于加偏与不加偏地图的分界处，请提交 WGS-84 坐标"
    ),
    # Outlines.
    "has no geometry": "没有几何图形",
    "{found} has no area": "{found} 没有面积",
    "has no outer boundary": "没有外边界",
    "is no circle: {what}": "不是圆：{what}",
    "a ring needs three different points": "环至少要有三个不同的点",
    "a ring of {n} points is more than {most}: simplify it": "环有 {n} 个点，超过上限 {most} 个，请简化",
    "the ring spans 180° of longitude or more": "环的经度跨度达到或超过 180°",
    "the outline is not a simple polygon: {why}": "轮廓不是简单多边形：{why}",
    "{why}, and there is more than one way to repair it": "{why}，且修复方式不唯一",
    "the holes do not lie inside the outline: {why}": "内孔不在轮廓之内：{why}",
    "the outline encloses nothing": "轮廓没有围成区域",
    "the outline falls into several parts": "轮廓分成了几部分",
    "a radius of {n} m is not in (0, {most}]": "半径 {n} m 不在 (0, {most}] 范围内",
    "{n} volumes for {m} geometries": "{m} 个几何图形对应 {n} 个高度层，数目不符",
    "Self-intersection[{at}]": "边线自相交 [{at}]",
    "Ring Self-intersection[{at}]": "环自相交 [{at}]",
    "Hole lies outside shell[{at}]": "内孔在外环之外 [{at}]",
    "Holes are nested[{at}]": "内孔相互嵌套 [{at}]",
    "Interior is disconnected[{at}]": "内部不连通 [{at}]",
    "Duplicate Rings[{at}]": "环重复 [{at}]",
    "Too few points in geometry component[{at}]": "图形的点过少 [{at}]",
    "Invalid Coordinate[{at}]": "坐标无效 [{at}]",
    "a runway has two ends": "跑道须有两个端点",
    "the two ends of a runway are one point": "跑道的两个端点为同一点",
    # Heights.
    "the floor {floor} is above the ceiling {ceiling}": "下限 {floor} 高于上限 {ceiling}",
    "a second {which} limit": "{which} 高度限制重复",
    "{found} is not a finite altitude": "{found} 不是有限高度",
    "an unlimited limit has no height": "不限高的界限没有高度值",
    "a zone has no home to measure from": "空域没有起飞点，无法以其为基准测高",
    # Times.
    "{found} is not a date and time (RFC 3339)": "{found} 不是日期时间（RFC 3339）",
    "{found} names no time zone": "{found} 未注明时区",
    "{found} is out of range": "{found} 超出范围",
    "{found} is not a time of day such as 07:30Z or 07:30:00.00Z": "{found} 不是一天中的时刻，例如 07:30Z 或 07:30:00.00Z",
    "{found} is no time of day": "{found} 不是一天中的时刻",
    "{found} s is no time of day": "{found} 秒不是一天中的时刻",
    "{found} s is no civil UTC offset": "{found} 秒不是民用时区偏移",
    "both {one} and {other} are given": "{one} 与 {other} 不能同时给出",
    "a weekly period names no day": "每周时段未注明星期",
    "start and end are in different UTC offsets": "起止时刻的时区偏移不同",
    "a period cannot start at 24:00": "时段不能从 24:00 开始",
    "the period ends at {end}, before it starts at {start}": "时段于 {end} 结束，早于开始时间 {start}",
    "the window ends at {end}, before it starts at {start}": "时间窗于 {end} 结束，早于开始时间 {start}",
    "a schedule cannot be asked over {n} days, at most {most}": "时刻表查询跨度为 {n} 天，最多 {most} 天",
    # OpenAir.
    "comes before the first AC": "出现在第一个 AC 之前",
    "a second AY": "AY 重复",
    "a second {command}": "{command} 重复",
    "airways (DY) have no outline of their own": "航路（DY）没有自己的轮廓",
    "{found} is not a command of OpenAir": "{found} 不是 OpenAir 命令",
    "{found} is not a variable of OpenAir": "{found} 不是 OpenAir 变量",
    "{found} is not radius, start angle, end angle": "{found} 不是“半径, 起始角, 终止角”",
    "direction {found} is neither + nor -": "方向 {found} 既不是 + 也不是 -",
    "no centre (V X=) was given": "未给出圆心（V X=）",
    "{found} is not a number from 0 up": "{found} 不是非负数",
    "{found} is not a position such as 47:26:30 N 008:33:00 E": "{found} 不是位置，例如 47:26:30 N 008:33:00 E",
    "{found} has more than 59 minutes or seconds": "{found} 的分或秒大于 59",
    "{found} is not a height such as 2500 FT AMSL, 1000 AGL, FL 65, GND, UNL": (
        "{found} 不是高度，例如 2500 FT AMSL、1000 AGL、FL 65、GND、UNL"
    ),
    "{found} is not two positions": "{found} 不是两个位置",
    "the arc's ends are {one} m and {other} m from its centre": "圆弧两端距圆心分别为 {one} m 和 {other} m",
    "lacks its floor (AL) or ceiling (AH)": "缺少下限（AL）或上限（AH）",
    "has both a circle and an outline": "同时有圆和轮廓",
    "{found} is not an interval such as 2026-11-22T04:00Z/2026-11-22T06:00Z": (
        "{found} 不是时间段，例如 2026-11-22T04:00Z/2026-11-22T06:00Z"
    ),
    "{found} is not a UTC time such as 2026-11-22T04:00Z": "{found} 不是 UTC 时间，例如 2026-11-22T04:00Z",
    "{found} is not in UTC (Z)": "{found} 不是 UTC 时间（Z）",
    "{found} is no moment: {what}": "{found} 不是有效时刻：{what}",
    # Zones beside each other, and authorisations.
    "a zone needs an identifier": "空域须有编号",
    "zone {id} has no volume": "空域 {id} 没有空间范围",
    "U-space airspace is a REQ_AUTHORISATION zone": "U-space 空域须为 REQ_AUTHORISATION 类",
    "two zones are called {id}": "有两个空域编号都是 {id}",
    "zone {id} is in the site's own airspace already": "站点自带空域中已有空域 {id}",
    "zone {id} is in feed {feed} already": "数据源 {feed} 中已有空域 {id}",
    "no zone is called {id}": "没有编号为 {id} 的空域",
    "authorisation {id} names the unknown zone {zone}": "批件 {id} 所列空域 {zone} 不存在",
    "authorisation {id} names zone {zone}, which is {kind} and cannot be authorised": (
        "批件 {id} 所列空域 {zone} 为 {kind} 类，不能批准"
    ),
    "a list of authorisations is expected": "须为批件列表",
    "an authorisation needs valid_from and valid_until": "批件须有 valid_from 和 valid_until",
    "an authorisation needs {field}": "批件须有 {field}",
    "valid_until is before valid_from": "valid_until 早于 valid_from",
    "an airspace without zones needs an origin": "没有空域的数据须给出原点",
    # The site.
    "must be a JSON object": "须为 JSON 对象",
    "must be a list": "须为列表",
    "not JSON: {what}": "不是 JSON：{what}",
    "can't be read: {what}": "无法读取：{what}",
    "is no field of a site": "站点数据没有该字段",
    "is no field of an airframe": "机型数据没有该字段",
    "is not known here": "此处没有该字段",
    "the file must say that its positions are WGS-84": "文件须注明其坐标为 WGS-84",
    "{found} must be days from 1 to 7": "{found} 须为 1 至 7 的星期",
    "{found} must be after {start}": "{found} 须晚于 {start}",
    "{found} is not HH:MM": "{found} 不是 HH:MM 格式",
    "{found} is after 24:00": "{found} 晚于 24:00",
    "{found} is outside 1…254 (255 is the ground controller)": "{found} 不在 1…254 之内（255 为地面站）",
    "at least one is needed": "至少需要一项",
    "{found} is no ISO date": "{found} 不是 ISO 日期",
    "say when it may be used; always is 00:00 to 24:00 on all days": "请注明可用时间；全天可用为每天 00:00 至 24:00",
    "{found} is no IANA time zone": "{found} 不是 IANA 时区",
    "there is no station {found}": "没有站点 {found}",
    "{found} is no other landing point": "{found} 不是另一个投送点",
    "there is no airframe {found} for drone {id}": "没有无人机 {id} 所用的机型 {found}",
    "airframe {id} is defined twice": "机型 {id} 重复定义",
    "{autopilot} drives no winch: WINCH can't be offered": "{autopilot} 不能驱动绞车，不能选 WINCH",
    "an airframe that can't deliver is of no use here": "机型至少要有一种投送方式",
    "every figure needs its source or «chosen»": "每个数值须注明来源，或写 «chosen»",
    "{found} must be above {low} and at most {high}": "{found} 须大于 {low} 且不超过 {high}",
    "{found} must be at least {low} and at most {high}": "{found} 须在 {low} 至 {high} 之间",
    "{found} is not a text": "{found} 不是文本",
    "{found} is not a time with a time zone": "{found} 不是带时区的时间",
    "{found} occurs twice": "{found} 重复",
    # What pydantic says of a site's items.
    "Field required": "缺少该字段",
    "Unexpected keyword argument": "不支持该字段",
    "Input should be a valid string": "须为文本",
    "Input should be a valid number": "须为数字",
    "Input should be a valid number, unable to parse string as a number": "须为数字",
    "Input should be a valid integer": "须为整数",
    "Input should be a valid integer, unable to parse string as an integer": "须为整数",
    "Input should be a valid integer, got a number with a fractional part": "须为整数",
    "Input should be a valid boolean": "须为 true 或 false",
    "Input should be a valid boolean, unable to interpret input": "须为 true 或 false",
    "Input should be a valid tuple": "须为列表",
    "Input should be a valid list": "须为列表",
    "Input should be a valid dictionary": "须为对象",
    "Input should be an object": "须为对象",
    "Input should be a dictionary or an instance of {what}": "须为 {what} 对象",
    "Input should be {allowed}": "可选值：{allowed}",
    # What JSON readers say.
    "Expecting value": "此处应有值",
    "Expecting property name enclosed in double quotes": "此处应有双引号括起的名称",
    "Expecting ',' delimiter": "此处应有逗号",
    "Expecting ':' delimiter": "此处应有冒号",
    "Illegal trailing comma before end of {what}": "末尾多余逗号（{what}）",
    "Extra data": "结尾之后还有内容",
    "Unterminated string starting at": "字符串没有结束",
    "Invalid control character at": "含控制字符",
    "Invalid \\escape": "转义无效",
    "Invalid \\uXXXX escape": "\\uXXXX 转义无效",
    # Notes about what was repaired, tolerated or ignored.
    "the ring was not closed": "环未闭合，已补全",
    "{n} repeated points were dropped": "删去了 {n} 个重复点",
    "{n} spikes without width were dropped": "删去了 {n} 处无宽度的尖刺",
    "{why}; every reading agrees within {n} m": "{why}；各种解读相差不超过 {n} m",
    "heights in positions: limits come from the feature": "坐标中的高度不采用，以要素的高度限制为准",
    "heights in coordinates: limits come from the properties": "坐标中的高度不采用，以属性中的高度限制为准",
    "used more than once: read as {id}": "编号重复，读作 {id}",
    "positions lie outside the country named": "位置在所注国家之外",
    "the file writes latitude before longitude": "文件先写纬度后写经度",
    "longer than {n} characters": "超过 {n} 个字符",
    "beside heights in feet: taken as metres, the larger reading": "高度以英尺计，半径按米理解（取较大者）",
    "properties nested": "属性嵌套",
    "AMSL limits refer to {what}: taken as mean sea level": "AMSL 高度以 {what} 为基准，按平均海平面理解",
    "the layer of the whole feature": "采用整个要素的高度层",
    "no layer: taken as all heights": "未注明高度层，按所有高度理解",
    "other languages: {what}": "其他语言：{what}",
    "a number written as text": "数字写成了文本",
    "true/false written for YES/NO": "以 true/false 代替 YES/NO",
    "a single value where a list belongs": "应为列表，实为单个值",
    "written for {name}": "应写作 {name}",
    "{found} read as {word}": "{found} 读作 {word}",
    "a pin, line or picture without an area": "没有面积的点、线或图片",
    "limits of another number of outlines: taken as all heights": "高度限制与轮廓数目不符，按所有高度理解",
    "the circle's outline was edited: taken as drawn": "圆的轮廓被改动过，按所绘轮廓理解",
    "0 to 0 without unit: taken as all heights": "高度 0 至 0 且无单位，按所有高度理解",
    "floor 0 without datum: the ground": "下限 0 未注明基准，按地面理解",
    "a flight level: widened for the weather": "飞行高度层：已按气压变化放宽",
    "not UTF-8: read as Latin-1, only names depend on it": "不是 UTF-8 编码，按 Latin-1 读取，只影响名称",
    "class {found}: taken as needing approval": "类别 {found}：按需要批准理解",
    "type {found}: taken as needing approval": "类型 {found}：按需要批准理解",
    "activation by NOTAM (AA NONE): taken as permanent": "由航行通告启用（AA NONE）：按长期有效理解",
    "no time zone in a date of record: taken as UTC": "记录日期未注明时区，按 UTC 理解",
    "an empty schedule entry: no limit": "时刻表条目为空：没有限制",
    "marked permanent and limited: taken as permanent": "既标为长期又有期限，按长期有效理解",
    "not permanent yet without limits: taken as permanent": "未标为长期也无期限，按长期有效理解",
}
_FEATURE = "feature "
_COLONS = 5
"""Chosen: in a name; each is another look through the table."""
_HOLE = re.compile(r"\{(\w+)\}")
_NESTED = ("why", "found")


def in_chinese(text: str) -> str | None:
    """The Chinese of a reader's sentence; None for one that is not known."""
    if len(text) > _LONGEST:
        return None
    if text.startswith(_FEATURE):
        # A feature's name may hold a colon of its own.
        for colon in list(re.finditer(": ", text))[:_COLONS]:
            if (said := _of_sentence(text[colon.end() :])) is not None:
                return f"要素 {text[len(_FEATURE) : colon.start()]}：{said}"
    return _of_sentence(text)


def _of_sentence(text: str) -> str | None:
    for pattern, chinese in _patterns():
        if (match := pattern.fullmatch(text)) is not None:
            return _HOLE.sub(partial(_held, match), chinese)
    return None


def _held(match: re.Match[str], hole: re.Match[str]) -> str:
    """What the sentence quotes there."""
    held: str = match[hole[1]]
    return (_of_sentence(held) or held) if hole[1] in _NESTED else held


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The sentences that say most by themselves first: a shorter one may fit what a longer one means."""
    ordered = sorted(SENTENCES, key=lambda english: -len(_HOLE.sub("", english)))
    return [(_pattern(english), SENTENCES[english]) for english in ordered]


def _pattern(english: str) -> re.Pattern[str]:
    pieces = _HOLE.split(english)
    # Every second piece is the name of a hole. What is quoted may be empty nowhere.
    made = [f"(?P<{piece}>.*)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)]
    return re.compile("".join(made), re.DOTALL)
