"""The address a request counts for, and the network it belongs to."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The address a request counts for: the one behind the proxies we were told to trust."""
    return client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
        settings.HAECHI.trusted_proxies,
    )


def client_address(
    remote: str, forwarded: str, trusted: Collection[IPv4Network | IPv6Network]
) -> str:
    """The right-most untrusted address of `forwarded`, where `remote` is a trusted proxy.

    What stands further left was written by whoever asks, so it counts for nothing. Where an entry
    is no address, or all are proxies, the last trusted one before it counts.
    """
    counted = remote
    for hop in reversed(["", *forwarded.split(",")]):
        address = _address(counted)
        if address is None or not any(address in network for network in trusted):
            break
        if _address(hop) is None:
            break
        counted = hop.strip()
    return counted


def network_of(address: str) -> str:
    """The /24 or /64 of an address, as text; "unknown" for what is none."""
    found = _address(address)
    if found is None:
        return "unknown"
    return str(ip_network(f"{found}/{24 if found.version == 4 else 64}", strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
