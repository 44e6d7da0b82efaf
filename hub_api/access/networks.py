"""Where somebody asks from, as far as wrong credentials are counted by it.

An address alone counts nothing: whoever has an IPv6 connection has 2^64 of them, and a rented IPv4 network costs little
more than one address of it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def host_of(address: str) -> str:
    """What one machine has: its IPv4 address, or the /64 of its IPv6 address. Other names are themselves."""
    return _within(address, 32, 64)


def network_of(address: str) -> str:
    """Where a person sits: the IPv4 /24 or the IPv6 /64. Other names are themselves."""
    return _within(address, 24, 64)


def neighbourhood_of(address: str) -> str:
    """What one customer of a provider has: the IPv4 /24 or the IPv6 /48. Other names are themselves."""
    return _within(address, 24, 48)


def _within(address: str, bits_v4: int, bits_v6: int) -> str:
    try:
        # The zone of a link-local address is our own interface, not theirs.
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    bits = bits_v4 if isinstance(found, IPv4Address) else bits_v6
    return str(ip_network((found, bits), strict=False))
