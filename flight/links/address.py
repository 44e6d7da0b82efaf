"""Link strings: where a vehicle answers.

- ``udpin:host:port`` listens and answers whoever speaks.
- ``udpout:host:port`` speaks first; ``udpout:host:port:source_port`` always from the same port, for
  autopilots that hold on to the first address they heard (PX4).
- ``tcp:host:port`` connects.
- ``serial:device:baud``, as ``serial:/dev/ttyACM0:57600``; 8 data bits, no parity, 1 stop bit.

An IPv6 address stands in brackets: ``udpout:[::1]:14550``.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import ErrorCode, LinkError

SCHEMES = ("udpin", "udpout", "tcp", "serial")


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """A parsed link string. For ``serial``, ``host`` is the device and ``port`` the speed in baud."""

    scheme: str
    host: str
    port: int
    source_port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.scheme != "serial" and ":" in self.host else self.host
        source = "" if self.source_port is None else f":{self.source_port}"
        return f"{self.scheme}:{host}:{self.port}{source}"


def parse_link(link: str) -> LinkAddress:
    """The address that a link string means. Raises LinkError 1003 with what is wrong."""
    scheme, _, rest = link.partition(":")
    if scheme == "serial":
        device, _, baud = rest.rpartition(":")
        if not device or not baud.isdigit() or not int(baud):
            raise _refuse(f"{link!r} is not serial:device:baud")
        return LinkAddress(scheme, device, int(baud))
    if rest.startswith("["):
        host, _, ports = rest[1:].partition("]")
        ports = ports.removeprefix(":")
    else:
        host, _, ports = rest.partition(":")
    numbers = ports.split(":")
    if scheme not in SCHEMES or not host or len(numbers) > (2 if scheme == "udpout" else 1):
        raise _refuse(
            f"{link!r} is not udpin:host:port, udpout:host:port[:source_port], tcp:host:port "
            "or serial:device:baud"
        )
    for number in numbers:
        if not number.isdigit() or not 0 < int(number) < 65536:
            raise _refuse(f"{number!r} is no port number")
    return LinkAddress(scheme, host, int(numbers[0]), int(numbers[1]) if len(numbers) == 2 else None)


def _refuse(detail: str) -> LinkError:
    return LinkError(ErrorCode.LINK_ADDRESS_INVALID, detail, field="link")
