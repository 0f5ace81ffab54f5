"""Open a mail from anybody: what it says in words, and its parts, within limits.

Python's parser keeps a list of all boundaries it is inside of and asks each for every line, and it
calls itself for each level. So what nests deeply, or has very many lines or parts, is not parsed at
all: such a letter has its headers and `whole` False, and a person looks at it. Nothing is unpacked
(no archive, no compressed part) and nothing in it is fetched.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from html.parser import HTMLParser

MOST_BOUNDARIES = 24
MOST_LINES = 400_000
MOST_PARTS = 200
MOST_DELIMITERS = 2_000
MOST_HEADERS = 400
LONGEST_HEADER = 8_000
LONGEST_LIST = 1_000
"""Of a list of addresses so much is read."""
LONGEST_TEXT = 1_000_000
_HEAD_BYTES = 256 * 1024
_BLANK = re.compile(rb"\r?\n\r?\n")
# Names and comments, in which anybody may write anything.
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|\([^()]*\)")
_FOLD = re.compile(r"\r?\n[ \t]")
_ADDRESS = re.compile(r"[^\s@<>(),;:\\\"\[\]\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,253}")
_TEXTS = ("text/plain", "text/csv", "text/html", "text/tab-separated-values")


@dataclass(frozen=True)
class Part:
    """One part of a letter that was understood: type in lower case, file name or "", bytes."""

    kind: str
    name: str
    data: bytes
    charset: str

    @property
    def text(self) -> str:
        """The bytes as text; what cannot be decoded is marked, never an error."""
        return decoded(self.data, self.charset)


@dataclass(frozen=True)
class Letter:
    """A letter as far as it was opened.

    headers   in their order, name in lower case, value on one line, at most LONGEST_HEADER long
    parts     leaves: texts, JSON, reports
    unread    how many parts nobody here reads, such as pictures and archives
    whole     False where it was not taken apart: too deep, too long, or no mail
    """

    headers: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    unread: int
    whole: bool

    def all(self, name: str) -> list[str]:
        """Every header of that name, the topmost first."""
        return [value for key, value in self.headers if key == name]

    def first(self, name: str) -> str:
        """The topmost header of that name, or ""."""
        return next(iter(self.all(name)), "")

    def addresses(self, name: str) -> list[str]:
        """The plain addresses in headers of that name, domains in lower case."""
        plain = (_QUOTED.sub(" ", value[:LONGEST_LIST]) for value in self.all(name))
        return [_lower(found) for value in plain for found in _ADDRESS.findall(value)]

    @property
    def author(self) -> str:
        """The one address in the one From header; "" where there are none or several."""
        found = self.addresses("from")
        return found[0] if len(found) == 1 and len(self.all("from")) == 1 else ""

    @property
    def subject(self) -> str:
        """In words."""
        return in_words(self.first("subject"))

    @property
    def by_machine(self) -> bool:
        """True for what must not be answered by a machine (RFC 3834): bounces, lists, auto-replies."""
        said = self.first("auto-submitted").partition(";")[0].strip().lower()
        bulk = self.first("precedence").strip().lower() in {"bulk", "junk", "list", "auto_reply"}
        lists = any(key.startswith("list-") for key, _ in self.headers)
        away = any(self.first(name) for name in ("x-autoreply", "x-autorespond", "feedback-id"))
        path = self.all("return-path")[:1]
        empty = bool(path) and not _ADDRESS.search(path[0])
        name = self.author.partition("@")[0].lower()
        robot = name.startswith(("mailer-daemon", "no-reply", "noreply", "donotreply", "bounce"))
        return (said not in {"", "no"}) or bulk or lists or away or empty or robot or not name

    def words(self) -> str:
        """What it says for people: the plain texts, or what is left of the others."""
        plain = [part.text for part in self.parts if part.kind == "text/plain"]
        texts = plain or [stripped(part.text) for part in self.parts if part.kind == "text/html"]
        return "\n".join(texts)[:LONGEST_TEXT].replace("\x00", "")


def open_letter(raw: bytes) -> Letter:
    """Open one. Never raises, whatever the bytes are."""
    headers = _headers(raw)
    if raw.lower().count(b"boundary") > MOST_BOUNDARIES or raw.count(b"\n") > MOST_LINES:
        return Letter(headers, (), 0, whole=False)
    if raw.count(b"\n--") > MOST_DELIMITERS:
        return Letter(headers, (), 0, whole=False)
    if len(headers) > MOST_HEADERS or _head_bytes(raw) > _HEAD_BYTES:
        return Letter(headers, (), 0, whole=False)
    try:
        leaves = list(_leaves(message_from_bytes(raw, policy=policy.compat32)))
        parts = tuple(part for part in leaves if part is not None)
    except (MessageError, ValueError, LookupError, RecursionError, AttributeError, TypeError):
        return Letter(headers, (), 0, whole=False)
    return Letter(headers, parts, len(leaves) - len(parts), whole=len(leaves) <= MOST_PARTS)


def decoded(data: bytes, charset: str) -> str:
    """Text in the charset that was told, or else UTF-8; what does not fit is marked."""
    for name in (charset, "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            continue
    return data.decode("utf-8", errors="replace")


def in_words(value: str) -> str:
    """A header with encoded words, decoded; as it is where they are broken."""
    try:
        found = decode_header(value[:LONGEST_HEADER])
        text = "".join(
            piece if isinstance(piece, str) else decoded(piece, name or "utf-8")
            for piece, name in found
        )
    except (MessageError, ValueError):
        text = value
    return "".join(each if each.isprintable() else " " for each in text)


def stripped(html: str) -> str:
    """The text of HTML and the addresses it links to."""
    reader = _Text()
    try:
        reader.feed(html[:LONGEST_TEXT])
    except (AssertionError, ValueError, RecursionError):
        return html[:LONGEST_TEXT]
    return "".join(reader.said)


def _headers(raw: bytes) -> tuple[tuple[str, str], ...]:
    head = raw[: min(_head_bytes(raw), _HEAD_BYTES)]
    text = _FOLD.sub(" ", head.decode("utf-8", errors="replace"))
    found = []
    for line in text.splitlines()[: MOST_HEADERS + 1]:
        name, colon, value = line.partition(":")
        if colon and name.strip() and " " not in name.strip():
            found.append((name.strip().lower(), value.strip()[:LONGEST_HEADER]))
    return tuple(found)


def _head_bytes(raw: bytes) -> int:
    end = _BLANK.search(raw)
    return end.start() if end else len(raw)


def _leaves(message: Message) -> Iterator[Part | None]:
    """Every leaf; None for one that is not read."""
    for count, part in enumerate(message.walk()):
        if count > 2 * MOST_PARTS:
            return
        kind = part.get_content_type().lower()
        if kind == "message/feedback-report":
            yield Part(kind, "", _feedback(part), "utf-8")
        elif not part.is_multipart() and part.get_content_maintype() != "multipart":
            yield _leaf(part, kind)


def _leaf(part: Message, kind: str) -> Part | None:
    name = in_words(str(part.get_filename() or ""))[:200]
    read = kind in _TEXTS or kind.endswith("json") or name.lower().endswith((".csv", ".json"))
    reports = kind in ("text/rfc822-headers", "message/delivery-status")
    if not read and not reports:
        # The fields of a feedback report are a message inside it, and were read with it.
        return Part(kind, name, b"", "") if kind == "message/rfc822" else None
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return None
    return Part(kind, name, data, str(part.get_content_charset() or "utf-8"))


def _feedback(part: Message) -> bytes:
    """The fields of RFC 5965 as they stand: Python takes them for a message or for text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return b"\r\n\r\n".join(each.as_bytes() for each in payload if isinstance(each, Message))
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _lower(address: str) -> str:
    name, _, domain = address.rpartition("@")
    return f"{name}@{domain.lower().rstrip('.')}"


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A line for each block and each link."""
        if tag in ("script", "style"):
            self._silent += 1
        if tag in ("p", "br", "div", "li", "tr", "td", "h1", "h2", "h3"):
            self.said.append("\n")
        link = dict(attrs).get("href") or ""
        if tag == "a" and link.startswith(("http://", "https://")):
            self.said.append(f"\n{link}\n")

    def handle_endtag(self, tag: str) -> None:
        """What is no text ends."""
        if tag in ("script", "style"):
            self._silent = max(0, self._silent - 1)

    def handle_data(self, data: str) -> None:
        """Text."""
        if not self._silent:
            self.said.append(data)
