"""What a line about a place means: a web page, a room, a message, an account, or words.

People paste what they have: ten links, the name of a channel, "the class chat". Nothing typed is
dropped or refused for its form. The kind is read from the words whenever it is needed and stored
nowhere: beside a digest it would tell a stolen table more about a place than anybody needs.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from django.db import models
from django.utils.translation import gettext_lazy as _

from haechi.fingerprint.address import normalise

MOST_PLACES = 200
LONGEST_PLACE = 2_000


class Kind(models.TextChoices):
    """What a place is."""

    WEB = "web", _("A web page")
    ROOM = "room", _("A chat room, a channel or a server")
    MESSAGE = "message", _("A message in a chat")
    ACCOUNT = "account", _("An account")
    WORDS = "words", _("A place in your words; a person here reads it")


@dataclass(frozen=True)
class Place:
    """One place as it was understood.

    typed    every character of it, but for spaces around it
    kind     of what is named
    service  "Telegram", "Discord" ..., or "" where it could be any
    address  one spelling for this place (fingerprint.address.normalise); what is digested
    link     the web address in the line as it was typed, or "" where there is none
    """

    typed: str
    kind: Kind
    service: str
    address: str
    link: str

    @property
    def exact(self) -> bool:
        """True when somebody else could find it with this alone."""
        return self.kind != Kind.WORDS


_LINK = re.compile(r"(?:https?://|tg:)[^\s<>\"'，。、）」』】]+", re.IGNORECASE)  # noqa: RUF001
_NAME = re.compile(r"@[\w.]{2,64}(?:#\d{4})?|[\w.]{2,32}#\d{4}")
_NUMBERS = re.compile(r"\d{15,20}(?:[/\- ]\d{15,20}){0,2}")
# Kinds by the one spelling of an address; the first that fits.
_SERVICES: tuple[tuple[str, str, Kind], ...] = (
    (r"https://t\.me/(c/)?[^/]+/\d+(/\d+)?", "Telegram", Kind.MESSAGE),
    (r"https://t\.me/.+", "Telegram", Kind.ROOM),
    (r"https://discord\.com/channels/[^/]+/[^/]+/\d+", "Discord", Kind.MESSAGE),
    (r"https://discord\.(com/channels|gg)/.+", "Discord", Kind.ROOM),
    (r"https://discord\.com/users/\d+", "Discord", Kind.ACCOUNT),
    (r"https://open\.kakao\.com/(o|me)/.+", "KakaoTalk", Kind.ROOM),
    (r"https://pf\.kakao\.com/.+", "KakaoTalk", Kind.ACCOUNT),
    (r"https://line\.me/(R/)?ti/g2?/.+", "LINE", Kind.ROOM),
    (r"https://line\.me/(R/)?ti/p/.+", "LINE", Kind.ACCOUNT),
    (r"https://instagram\.com/(p|reel|reels|stories|tv)/.+", "Instagram", Kind.WEB),
    (r"https://instagram\.com/[\w.]+", "Instagram", Kind.ACCOUNT),
    (r"https://x\.com/(?!i$|home$|search$)\w+", "X", Kind.ACCOUNT),
    (r"https://x\.com/.+", "X", Kind.WEB),
    (r"https://.+", "", Kind.WEB),
)
_KINDS = tuple((re.compile(pattern), service, kind) for pattern, service, kind in _SERVICES)


def understand(text: str) -> Place:
    """What one line means. Never raises for any text."""
    typed = text.strip()
    link = _link(typed)
    whole = normalise(link or typed)
    if whole.startswith("https://"):
        return _known(typed, whole, link or typed)
    plain = unicodedata.normalize("NFKC", typed)
    if _NUMBERS.fullmatch(plain):
        return Place(typed, Kind.MESSAGE, "", whole, "")
    if _NAME.fullmatch(plain):
        return Place(typed, Kind.ACCOUNT, "", whole, "")
    return Place(typed, Kind.WORDS, "", normalise(typed), "")


def read(lines: Iterable[str]) -> list[Place]:
    """The places of several lines, in order, without blanks and without doubles.

    A line with several web addresses is as many places; words between them stay with the address
    before. A second spelling of a place is a double only where it is nothing but that place.
    """
    places: list[Place] = []
    known: set[str] = set()
    for line in lines:
        for text in _apart(line.replace("\x00", "")):
            place = understand(text)
            alone = place.link in ("", place.typed)
            if not place.typed or (alone and place.address in known):
                continue
            known.add(place.address)
            places.append(place)
    return places


def counted(places: Iterable[Place]) -> dict[tuple[Kind, str], int]:
    """How many of each kind and service, in the order of their first."""
    found: dict[tuple[Kind, str], int] = {}
    for place in places:
        found[place.kind, place.service] = found.get((place.kind, place.service), 0) + 1
    return found


def _link(typed: str) -> str:
    """The one web address in a line, or "": for a line that is nothing else, and for none."""
    found = _LINK.search(typed)
    if found:
        return found[0].rstrip(".,;:!?)]")
    words = typed.split()
    bare = (word for word in words if "/" in word and normalise(word).startswith("https://"))
    return next(bare, "") if len(words) > 1 else ""


def _apart(line: str) -> list[str]:
    starts = [match.start() for match in _LINK.finditer(line)][1:]
    cuts = [0, *starts, len(line)]
    return [line[begin:end] for begin, end in pairwise(cuts)]


def _known(typed: str, address: str, link: str) -> Place:
    for pattern, service, kind in _KINDS:
        if pattern.fullmatch(address):
            return Place(typed, kind, service, address, link)
    return Place(typed, Kind.WEB, "", address, link)


def link_in(text: str) -> str:
    """The web address in a line, or the line as it is."""
    return understand(text).link or text
