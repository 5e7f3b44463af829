"""Which network addresses webhooks may have.

A name is looked up once. Every address that it has is checked, and the connection is made to one of
those that were checked, so that a second answer of the name server changes nothing (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from collections.abc import Sequence

from chunked_upload.support.addresses import Address

#: What public ranges have that is not for everybody: Azure's metadata.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})

#: IPv6 that means the IPv4 address in its last 32 bits (RFC 6052, RFC 4291 2.5.5.1, RFC 2765).
_TRANSLATED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))


class AddressRefused(OSError):
    """The name has an address that webhooks may not have."""


def resolve(host: str, port: int, *, networks: Sequence[str], seconds: float) -> list[str]:
    """Look a name up, and return its addresses.

    :param networks: that are allowed although they are not public.
    :raises AddressRefused: when one of the addresses is neither public nor allowed.
    :raises OSError: when the name is not known, or the name server does not answer in time.
    """
    addresses = _look_up(host, port, seconds)
    allowed = [ipaddress.ip_network(network) for network in networks]
    for address in addresses:
        if not _is_allowed(ipaddress.ip_address(address), allowed):
            raise AddressRefused(
                "the address is not public; CHUNKED_UPLOAD_WEBHOOK_NETWORKS may allow it"
            )
    return addresses


def _look_up(host: str, port: int, seconds: float) -> list[str]:
    """Ask the name server, in a thread, since the system's call cannot be told how long to wait."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError("not a host name"))
        else:
            answers.put([str(address[0]).partition("%")[0] for *_, address in found])

    threading.Thread(target=ask, name="webhook-name", daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0.001))
    except queue.Empty:
        raise TimeoutError("the name server did not answer in time") from None
    if isinstance(answer, OSError):
        raise answer
    return list(dict.fromkeys(answer))


def _is_allowed(
    address: Address, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]
) -> bool:
    inner = _inner(address)
    for one in (address, inner):
        if any(one.version == network.version and one in network for network in networks):
            return True
    if not inner.is_global or inner.is_multicast or inner.is_reserved or inner in _METADATA:
        return False
    return not (isinstance(inner, ipaddress.IPv6Address) and inner.is_site_local)


def _inner(address: Address) -> Address:
    """Return the IPv4 address to which an IPv6 address leads, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
