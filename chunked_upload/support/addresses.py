"""Network addresses as servers and proxies write them."""

from __future__ import annotations

import ipaddress
import re

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: An IPv4 address with a port, or one in brackets, with or without.
_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)(?:%[^\]]*)?\](?::\d+)?|([0-9.]+):\d+)")

#: Bits of an IPv6 address that a provider gives to one customer; the others are the customer's.
_CUSTOMER_BITS = 64


def parse_address(text: str) -> Address | None:
    """Return the address in ``203.0.113.7``, ``203.0.113.7:4711``, ``[2001:db8::7]:4711`` …

    None when there is none. An IPv4 address in IPv6 form is one of IPv4.
    """
    text = text.strip()
    if match := _WITH_PORT.fullmatch(text):
        text = match[1] or match[2]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network(text: str) -> str:
    """Return what addresses of one caller have in common: an IPv4 address, or a /64 of IPv6.

    Text that is no address, as proxies may send it (``unknown``), is returned as it is.
    """
    address = parse_address(text)
    if address is None:
        return text
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, _CUSTOMER_BITS), strict=False))
