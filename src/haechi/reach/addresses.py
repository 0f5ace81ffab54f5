"""Which places of a network may be fetched from on behalf of others. Pure.

A service that fetches what it is told to fetches from inside: from a neighbour's admin page, or from
the address where a cloud tells a machine its credentials. So only addresses of the public Internet
are fetched from, and an address that carries another one inside is judged by the one inside.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

from haechi.errors import AddressRefused

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

URL_LIMIT = 2_000
PORTS = {"http": 80, "https": 443}

_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # where Azure tells a machine about itself, though it is public
        "192.0.0.0/24",  # protocol assignments; Oracle's cloud does the same at .192
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # protocol assignments, Teredo among them: an IPv4 address inside
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)
_HOST = re.compile(r"(?!-)[a-z0-9_.-]{1,253}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """An address as it is fetched: `host` in ASCII and lower case, without the brackets of IPv6."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the header `Host` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def target(url: str) -> Target:
    """What to fetch for `url`: http or https, without user name, in plain characters.

    Raises AddressRefused.
    """
    if len(url) > URL_LIMIT or not url.isprintable() or set(url) & set(' "<>\\^`{|}'):
        raise AddressRefused("the address is too long, or holds characters no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
        bracketed = ("[" in parts.netloc) == (":" in host)
        plain = bracketed and "@" not in parts.netloc and not parts.netloc.endswith(":")
    except ValueError as error:
        raise AddressRefused("the address is of no known form") from error
    if parts.scheme not in PORTS or not host or not plain:
        raise AddressRefused("only http and https addresses without a user name are fetched")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    ascii_path = "".join(one if one.isascii() else _percent(one) for one in path)
    return Target(parts.scheme, _host(host), port or PORTS[parts.scheme], ascii_path)


def judge(
    host: str, port: int, found: Sequence[str], *, allow: Sequence[Network], ports: frozenset[int]
) -> list[str]:
    """`found`, every address that `host` resolved to, if all of them may be fetched from.

    One inner address among several refuses the host: which of them is connected to must not be a
    matter of luck. Raises AddressRefused.
    """
    if not found:
        raise AddressRefused(f"{host} has no address")
    for text in found:
        address = unpacked(ipaddress.ip_address(text.partition("%")[0]))
        if any(address in network for network in allow):
            continue
        if port not in ports or not public(address):
            raise AddressRefused("this service does not fetch from there")
    return list(found)


def unpacked(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped or a NAT64 one; else `address` itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def public(address: Address) -> bool:
    """True for an address of the public Internet: routed everywhere, one machine, not special.

    By the registries of special-purpose addresses (RFC 6890), as Python's ipaddress has them and
    _NEVER completes them. Private, loopback, link-local, shared (CGNAT), multicast, reserved and
    unspecified ones are not public.
    """
    if isinstance(address, ipaddress.IPv6Address) and address not in _PUBLIC_V6:
        return False
    special = address.is_multicast or address.is_reserved or not address.is_global
    return not special and not any(address in network for network in _NEVER)


def _host(host: str) -> str:
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError as error:
            raise AddressRefused("the address is of no known form") from error
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise AddressRefused("the name in the address is no name") from error
    if not _HOST.fullmatch(name.lower()):
        raise AddressRefused("the name in the address is no name")
    return name.lower()


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
