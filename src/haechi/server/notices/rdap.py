"""Who hosts a site and who registered its name, asked through RDAP (RFC 9083).

Off unless HAECHI_RDAP_URL names a service, such as https://rdap.org: the registry then learns that
somebody asked about a domain, never about which page.
"""

import ipaddress
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from haechi.server.notices.directory import Answering
from haechi.server.notices.models import Step

TIMEOUT_S = 15.0
LONGEST_BYTES = 1 << 20
MOST_NAMES = 3


def ask(step: Step, host: str, *, base_url: str) -> list[Answering]:
    """The abuse mailbox of a site's hosting company or registrar; none where RDAP tells none.

    base_url  of a service that answers /domain/<name> and /ip/<address> or redirects; "" asks nobody.
    Never raises for what a server answers or that it does not.
    """
    if not base_url or step not in (Step.HOST, Step.REGISTRAR):
        return []
    paths = _addresses(host) if step == Step.HOST else _names(host)
    with httpx.Client(
        timeout=TIMEOUT_S, follow_redirects=True, max_redirects=4, trust_env=False
    ) as client:
        for path in paths:
            told = _answer(client, f"{base_url.rstrip('/')}/{path}")
            email = abuse_mailbox(told)
            if email:
                return [Answering(host, step, email.rpartition("@")[2], email=email, source=path)]
    return []


def abuse_mailbox(told: Mapping[str, Any]) -> str:
    """The mailbox of the entity with the role "abuse", at whatever depth; "" for none."""
    for entity in _entities(told, levels=4):
        if "abuse" in _list(entity.get("roles")):
            for card in _list(entity.get("vcardArray"))[1:]:
                for line in _list(card):
                    if _list(line)[:1] == ["email"] and _is_mailbox(_list(line)[-1]):
                        return str(line[-1]).lower()
    return ""


def _entities(told: Mapping[str, Any], *, levels: int) -> Iterator[Mapping[str, Any]]:
    if levels:
        for entity in _list(told.get("entities"))[:50]:
            if isinstance(entity, dict):
                yield entity
                yield from _entities(entity, levels=levels - 1)


def _is_mailbox(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and (3 <= len(value) <= 254 and value.count("@") == 1 and " " not in value)
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(host: str) -> list[str]:
    """The host and what it is under: RDAP knows only names that are registered."""
    labels = host.split(".")
    names = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    return [f"domain/{name}" for name in reversed(names[-MOST_NAMES:])]


def _addresses(host: str) -> list[str]:
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}
    except OSError:
        return []
    return [f"ip/{each}" for each in sorted(found) if ipaddress.ip_address(each).is_global][:2]


def _answer(client: httpx.Client, url: str) -> dict[str, Any]:
    try:
        with client.stream("GET", url, headers={"accept": "application/rdap+json"}) as response:
            if response.status_code != httpx.codes.OK:
                return {}
            body = b""
            for piece in response.iter_bytes():
                body += piece
                if len(body) > LONGEST_BYTES:
                    return {}
        told = httpx.Response(200, content=body).json()
    except (httpx.HTTPError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
