"""What a notice says: which places, about whom, in which form. Pure, and never raises for a mail.

Nothing is dropped: a notice in which no place is found has no items, and goes before a person.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from haechi.errors import InvalidDocument
from haechi.formats import arf, letter, xarf
from haechi.formats import notice as documents
from haechi.formats.letter import Letter
from haechi.formats.xarf.document import OWN_FIELD
from haechi.server.notices.incoming_models import Form
from haechi.server.reports import places
from haechi.server.reports.places import Kind

MOST_ITEMS = 10_000
MOST_LINES = 50_000
LONGEST_STATEMENT = 20_000
MOST_HASHES = 300
_FANGS = ((re.compile(r"\bhxxp", re.IGNORECASE), "http"), (re.compile(r"\[\.\]|\(\.\)|\[dot\]", re.IGNORECASE), "."),
          (re.compile(r"\[:\]"), ":"))  # fmt: skip
_HANGUL, _HAN = re.compile(r"[가-힣]"), re.compile(r"[一-鿿]")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WORTH = (Kind.ROOM, Kind.MESSAGE, Kind.ACCOUNT)


@dataclass(frozen=True)
class Item:
    """One place that is complained about, under the sender's own number."""

    number: int
    address: str
    pdq: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A notice as it was understood.

    kind        takedown, withdrawal, counter, receipt or answer
    minor       None where nothing is said
    document    the id of a haechi-notice/1 document, or None
    about       the document it replies to, or None
    name        what the sender calls this message (Message-ID), or ""
    unread      how many parts nobody here reads
    """

    form: Form
    kind: str = "takedown"
    items: tuple[Item, ...] = ()
    statement: str = ""
    minor: bool | None = None
    harms: tuple[str, ...] = ()
    law: tuple[str, ...] = ()
    document: UUID | None = None
    about: UUID | None = None
    name: str = ""
    language: str = "en"
    unread: int = 0
    said: Mapping[str, Any] = field(default_factory=dict, repr=False)


def of_document(read: Mapping[str, Any]) -> Reading:
    """A haechi-notice/1 document that parse() has checked."""
    items = (
        Item(
            each["number"],
            each.get("url") or "",
            tuple((each.get("fingerprints") or {}).get("pdq", ())),
            tuple((each.get("fingerprints") or {}).get("sha256", ())),
        )
        for each in read["items"]
    )
    facts = read["facts"]
    harms = facts.get("harms")
    return Reading(
        form=Form.NOTICE,
        kind=read["kind"],
        items=tuple(item for item in items if item.address),
        statement=read["statement"],
        minor=facts.get("minor"),
        harms=tuple(map(str, harms)) if isinstance(harms, list) else (),
        law=tuple(read["law"]),
        document=UUID(read["id"]),
        about=UUID(read["in_reply_to"]) if read["in_reply_to"] else None,
        name=read["id"],
        language=language_of(read["statement"]),
        said=read,
    )


def of_xarf(documents_: Sequence[Mapping[str, Any]]) -> Reading:
    """XARF documents that validate() has checked: one item each."""
    found = [
        Item(number, str(each["url"]), (), _digests(each))
        for number, each in enumerate(documents_[:MOST_ITEMS], start=1)
        if each.get("url")
    ]
    said = "\n".join(dict.fromkeys(str(each.get("description") or "") for each in documents_))
    minor = [_minor(each) for each in documents_]
    ids = sorted(str(each["report_id"]) for each in documents_)
    return Reading(
        form=Form.XARF,
        items=tuple(found),
        statement=said[:LONGEST_STATEMENT].strip(),
        minor=True if True in minor else (False if False in minor else None),
        name=" ".join(ids),
        language=language_of(said),
    )


def of_keyed(raw: bytes) -> Reading:
    """One XARF document, or a list of up to 10,000. Raises InvalidDocument that names the field."""
    try:
        held = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument("document: not JSON") from error
    listed = held if isinstance(held, list) else [held]
    if not 0 < len(listed) <= MOST_ITEMS:
        raise InvalidDocument(f"document: not 1 to {MOST_ITEMS} documents")
    for place, each in enumerate(listed, start=1):
        if not isinstance(each, dict):
            raise InvalidDocument(f"number {place}: not an object")
        try:
            xarf.validate(each)
        except InvalidDocument as error:
            raise InvalidDocument(f"number {place}: {error}") from error
    return of_xarf(listed)


def of_letter(opened: Letter) -> Reading:
    """A mail: XARF or ARF where it holds one, or else whatever places stand in its words."""
    documents_ = [each for part in opened.parts for each in _documents(part)]
    name = opened.first("message-id")[:1_000]
    words = opened.words()
    if documents_ and all("format" in each for each in documents_):
        return _with(of_document(documents_[0]), opened, name=name)
    known = [each for each in documents_ if "format" not in each]
    if known:
        return _with(of_xarf(known), opened, name=name, statement=words)
    reports = [
        arf.read(part.data) for part in opened.parts if part.kind == "message/feedback-report"
    ]
    listed = [each for report in reports for each in (report.addresses or report.domains)]
    tables = [part.text for part in opened.parts if part.kind != "text/plain" and _table(part)]
    own = opened.author.rpartition("@")[2]
    found = places_in([*listed] if listed else [*words.splitlines(), *_lines(tables)], own=own)
    return Reading(
        form=Form.ARF if reports else Form.TEXT,
        items=tuple(Item(number, each) for number, each in enumerate(found, start=1)),
        statement=f"{opened.subject}\n\n{words}".strip()[:LONGEST_STATEMENT],
        name=name,
        language=language_of(f"{opened.subject} {words}"),
        unread=opened.unread + (not opened.whole),
    )


def places_in(lines: Iterable[str], *, own: str = "") -> list[str]:
    """The places that lines name: web addresses, rooms, accounts; not what merely is said.

    own   the sender's domain: a link to itself is a signature, no complaint.
    """
    found: dict[str, str] = {}
    for place in places.read(map(_refanged, list(lines)[:MOST_LINES])):
        if not place.link and place.kind not in _WORTH:
            continue
        host = re.sub(r"^https?://(www\.)?", "", place.address).partition("/")[0]
        if own and (host == own or host.endswith(f".{own}")):
            continue
        found.setdefault(place.address, (place.link or place.typed)[: places.LONGEST_PLACE])
        if len(found) == MOST_ITEMS:
            break
    return list(found.values())


def language_of(text: str) -> str:
    """The language an answer is written in: Korean, Chinese, or else English."""
    sample = text[:4_000]
    if _HANGUL.search(sample):
        return "ko"
    return "zh-hans" if _HAN.search(sample) else "en"


def _with(read: Reading, opened: Letter, *, name: str, statement: str = "") -> Reading:
    values = {each: getattr(read, each) for each in Reading.__dataclass_fields__}
    said = f"{opened.subject}\n\n{statement or read.statement}".strip()[:LONGEST_STATEMENT]
    return Reading(**values | {"name": name, "statement": said, "unread": opened.unread})


def _documents(part: letter.Part) -> list[dict[str, Any]]:
    """The valid documents in a part of JSON: one, or a list of them."""
    if not part.kind.endswith("json") and not part.name.lower().endswith(".json"):
        return []
    try:
        held = json.loads(part.data)
    except (ValueError, RecursionError):
        return []
    return [each for one in (held if isinstance(held, list) else [held]) for each in _valid(one)]


def _valid(held: object) -> list[dict[str, Any]]:
    if not isinstance(held, dict):
        return []
    try:
        if held.get("format") == documents.FORMAT:
            documents.validate(held)
        else:
            xarf.validate(held)
    except InvalidDocument:
        return []
    return [held]


def _digests(document: Mapping[str, Any]) -> tuple[str, ...]:
    own = document.get(OWN_FIELD)
    told = own.get("sha256") if isinstance(own, dict) else None
    hashes = document.get("hash_values")
    listed = [
        *(told if isinstance(told, list) else []),
        *([hashes.get("sha256")] if isinstance(hashes, dict) else []),
    ]
    return tuple(
        each for each in listed[:MOST_HASHES] if isinstance(each, str) and _SHA256.fullmatch(each)
    )


def _minor(document: Mapping[str, Any]) -> bool | None:
    own = document.get(OWN_FIELD)
    said = own.get("minor") if isinstance(own, dict) else None
    tags = document.get("tags")
    if document.get("type") in ("csam", "csem") or (
        isinstance(tags, list) and "ncii:minor" in tags
    ):
        return True
    return said if isinstance(said, bool) else None


def _table(part: letter.Part) -> bool:
    return part.kind in ("text/csv", "text/tab-separated-values") or part.name.lower().endswith(
        ".csv"
    )


def _lines(tables: Iterable[str]) -> list[str]:
    """Cells of tables, each a line."""
    return [
        cell.strip().strip('"')
        for table in tables
        for line in table[: letter.LONGEST_TEXT].splitlines()
        for cell in re.split(r"[,;\t]", line)
    ]


def _refanged(line: str) -> str:
    """An address that somebody made harmless to click, as it was."""
    for pattern, plain in _FANGS:
        line = pattern.sub(plain, line)
    return line
