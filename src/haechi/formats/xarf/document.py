"""The XARF document itself (https://xarf.org, specification 4.2.0)."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

import idna
import xarf

from haechi.errors import InvalidDocument

VERSION = "4.2.0"
# Extra fields at the top are allowed by the specification; this one is Haechi's.
OWN_FIELD = "ncii"
CLASSIFICATIONS = ("baseline", "A1", "A2", "B1", "B2")
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]+(-+[a-z0-9]+)*\.)*[a-z0-9]+(-+[a-z0-9]+)*")
_MAIL = re.compile(r"[^\s@<>(),;:\\\"\[\]]{1,64}@[^\s@<>(),;:\\\"\[\]]{1,253}")
# The schema's own pattern for `domain`; addresses and names like xn--... do not fit it.
_PLAIN_DOMAIN = re.compile(r"([a-z0-9]+(-[a-z0-9]+)*\.)+[a-z]{2,}")
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_URL_CHARACTERS = 4096
# What stays as it is in a web address; everything else is percent-encoded as UTF-8.
_SAFE = "!#$%&'()*+,/:;=?@[]~"


class Contact(TypedDict):
    """Who reports or sends: organisation, e-mail address, domain."""

    org: str
    contact: str
    domain: str


def notice(
    url: str,
    *,
    host_domain: str,
    report_id: UUID,
    at: datetime,
    reporter: Contact,
    sender: Contact,
    minor: bool,
    description: str,
    synthetic: bool = True,
    exposure: str = "intentional_leak",
    sha256: Sequence[str] = (),
    classification: str | None = None,
) -> dict[str, Any]:
    """Give a notice that asks a host to take one web address down, checked by validate().

    url             http or https, with a host; other scripts are percent-encoded.
    host_domain     Whose service it is on: a domain or an address.
    at              When the content was seen there, aware; not when the notice is written.
    reporter        For whom the notice is made; sender, who sends it.
    minor           The person depicted is, or may be, under age.
    description     For people, in any language, at most 1,000 characters, without names.
    synthetic       Made or changed by a machine (tag ncii:deepfake), or a real picture.
    exposure        XARF's exposure_method: "intentional_leak", "forum_post", "other", ...
    sha256          Digests of the file as 64 lower-case hexadecimal digits.
    classification  What a person who is allowed to classified it as: "baseline", "A1", "A2",
                    "B1" or "B2". Only for minors.

    XARF has no type for intimate images of adults. The nearest valid one is exposed_data with
    personal information, plus tags and an object of our own. For minors the type is csam, but
    only with a classification: calling something child abuse material is a person's act with
    consequences in law, never a guess by a program. Without it the notice goes out as
    exposed_data with the tag ncii:minor, so that no time is lost.

    Raises InvalidDocument.
    """
    if classification is not None and not minor:
        raise InvalidDocument("classification is for minors only")
    if at.tzinfo is None:
        raise InvalidDocument("timestamp needs a time zone")
    address = web_address(url)
    host = ascii_host(host_domain, "host_domain")
    for digest in sha256:
        _match(_SHA256, digest, "sha256")
    document: dict[str, Any] = {
        "xarf_version": VERSION,
        "report_id": str(report_id),
        "timestamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reporter": dict(reporter),
        "sender": dict(sender),
        "source_identifier": host,
        "category": "content",
        "url": address,
        "evidence_source": "user_report",
        "verification_method": "manual",
        "description": description,
        "tags": [f"ncii:{'deepfake' if synthetic else 'image'}", *["ncii:minor"] * minor],
        OWN_FIELD: {"synthetic": synthetic, "minor": minor, "sha256": list(sha256)},
    }
    if _PLAIN_DOMAIN.fullmatch(host):
        document["domain"] = host
    document |= _exposed(exposure) if classification is None else _csam(classification, sha256)
    validate(document)
    return document


def _exposed(exposure: str) -> dict[str, Any]:
    return {
        "type": "exposed_data",
        "data_types": ["personal_information"],
        "exposure_method": exposure,
        "accessibility": "public",
        "discovery_source": "user_report",
    }


def _csam(classification: str, sha256: Sequence[str]) -> dict[str, Any]:
    fields = {
        "type": "csam",
        "classification": classification,
        "detection_method": "manual_review",
    }
    return fields | ({"hash_values": {"sha256": sha256[0]}} if sha256 else {})


def web_address(url: str) -> str:
    """Give a web address in ASCII that leads to the same place.

    Raises InvalidDocument unless it is http or https with a host, without control characters or
    a user name, and at most 4,096 characters long.
    """
    try:
        parts = urlsplit(url)
        # Reading the port is what checks it.
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError as error:
        raise InvalidDocument("url is not a web address") from error
    host = ascii_host(parts.hostname or "", "url")
    readable = url.isprintable() and len(url) <= _URL_CHARACTERS
    if parts.scheme not in {"http", "https"} or not readable:
        raise InvalidDocument("url is not a web address")
    if "@" in parts.netloc:
        raise InvalidDocument("url holds a user name")
    netloc = (f"[{host}]" if ":" in host else host) + port
    rest = (quote(part, safe=_SAFE) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, netloc, *rest))


def ascii_host(name: str, field: str) -> str:
    """Give a host name of any script, or an address, in lower-case ASCII (IDNA 2008, UTS 46).

    As browsers do: one sharp s stays one, where the older rules named another host with two.
    One final dot is dropped. Raises InvalidDocument that names `field`.
    """
    host = name.removesuffix(".").lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii").removesuffix(".")
        except UnicodeError as error:  # idna.IDNAError is one of these
            msg = f"{field} does not name a host"
            raise InvalidDocument(msg) from error
    _match(_HOST, host, field)
    labels = [host] if ":" in host else host.split(".")
    if not all(0 < len(label) < 64 for label in labels):
        msg = f"{field} does not name a host"
        raise InvalidDocument(msg)
    return host


def validate(document: Mapping[str, Any]) -> None:
    """Check a XARF 4 document by its schema, and what the schema leaves open.

    The library does not check web addresses, host names and times. Fields that the format does
    not know are allowed, as the format allows them.
    Raises InvalidDocument that names the field.
    """
    if not str(document.get("xarf_version", "")).startswith("4."):
        raise InvalidDocument("xarf_version is not 4")
    # Only the errors count: the library's typed report is missing for some valid documents too
    # (its confidence is an integer, the format's a number from 0 to 1).
    for problem in xarf.parse(dict(document)).errors:
        msg = f"{problem.field or 'document'}: {problem.message}"
        raise InvalidDocument(msg)
    _check_open_formats(document)


def _check_open_formats(document: Mapping[str, Any]) -> None:
    for role in ("reporter", "sender"):
        _match(_DOMAIN, document[role]["domain"], f"{role}.domain")
        _match(_MAIL, document[role]["contact"], f"{role}.contact")
        if not document[role]["org"].isprintable():
            msg = f"{role}.org has control characters"
            raise InvalidDocument(msg)
    if "url" in document:
        web_address(document["url"])
    _match(_UUID, document["report_id"].lower(), "report_id")
    try:
        aware = datetime.fromisoformat(document["timestamp"]).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise InvalidDocument("timestamp is not a time with a time zone")


def _match(pattern: re.Pattern[str], text: object, field: str) -> None:
    if not isinstance(text, str) or not pattern.fullmatch(text):
        msg = f"{field} is malformed"
        raise InvalidDocument(msg)
