"""What a short message says. Chinese first: it is read in Shenzhen, on a small screen, by a frightened person."""

from __future__ import annotations

from hub_api.messages.ports import Role

VIDEO_LINK = "video_link"
"""The purpose of a message that brings a video link."""

_VIDEO: dict[Role, str] = {
    Role.CALLER: "【120急救】请点击链接，医生将通过视频指导您施救 Video help from 120: {link}",
    Role.DOCTOR: "【120急救】现场视频链接，请出诊医生点击进入 Video of the scene: {link}",
}
DRILL = "【演练 DRILL】"


def video_text(role: Role, link: str, *, drill: bool) -> str:
    """The text that brings ``link`` to ``role``; a drill says so before anything else."""
    text = _VIDEO[role].format(link=link)
    return DRILL + text if drill else text
