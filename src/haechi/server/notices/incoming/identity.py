"""Who sent a mail: what DKIM, or a relay that we trust, proves; and which known sender that is.

A domain is proven only where it is that of the one address in the one From header, or above it
(alignment), and where the whole body is signed. Nothing else makes anybody an authority.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

import dkim  # type: ignore[import-untyped]  # it has no annotations

from haechi.formats.letter import Letter
from haechi.server.notices.incoming_models import NoticeSender, Proof

type Resolve = Callable[..., bytes | None]
"""Gives the TXT record of a name: resolve(name, timeout=seconds)."""

MOST_SIGNATURES = 4
TIMEOUT_S = 5
# Longer runs of blanks make the library's canonical form take minutes.
_LONGEST_BLANK = b" " * 300
_TABS = bytes.maketrans(b"\t", b" ")
_COMMENT = re.compile(r"\([^()]*\)")
_UNREADABLE = (dkim.DKIMException, ValueError, LookupError, TypeError, AttributeError, OSError)
# It writes domains of senders into its log.
_SILENT = logging.getLogger("haechi.dkim")
_SILENT.disabled = True
_PROVEN = (Proof.DKIM, Proof.RELAY)


@dataclass(frozen=True)
class Identity:
    """What is known of the sender of a mail.

    sender    the known sender whose domain or address was proven, or None
    claimed   whose own mailbox here it came to, where that is not `sender`
    author    the address it says it is from, or ""
    """

    proof: Proof
    sender: NoticeSender | None
    claimed: NoticeSender | None
    author: str

    @property
    def proven(self) -> bool:
        """True where `author` can be written to without troubling somebody who sent nothing."""
        return self.proof in _PROVEN and bool(self.author)


def of_mail(raw: bytes, letter: Letter, *, resolve: Resolve, relay: str) -> Identity:
    """Check a mail.

    relay   authserv-id of our own relay, whose Authentication-Results are believed; "" for none
    """
    author = letter.author
    proof = _relayed(letter, author, relay) if relay else _signed(raw, author, resolve)
    sender = sender_of(author) if proof in _PROVEN else None
    claimed = _owner_of(letter)
    return Identity(proof, sender, None if claimed == sender else claimed, author)


def sender_of(author: str) -> NoticeSender | None:
    """The known sender whose address, or whose domain, this is; the nearest name first."""
    labels = author.rpartition("@")[2].split(".")
    names = [author, *(".".join(labels[start:]) for start in range(len(labels) - 1))]
    rows = NoticeSender.objects.filter(enabled=True, mail_domain__in=names)
    found = {row.mail_domain: row for row in rows}
    return next((found[name] for name in names if name in found), None)


def aligned(domain: str, author: str) -> bool:
    """True where `domain` is that of the address, or above it, and no top-level domain."""
    own = author.rpartition("@")[2]
    return "." in domain and (own == domain or own.endswith(f".{domain}"))


def _owner_of(letter: Letter) -> NoticeSender | None:
    told = letter.addresses("delivered-to")
    named = told or [*letter.addresses("x-original-to"), *letter.addresses("to")]
    return NoticeSender.objects.filter(enabled=True, address__in=named[:50]).first()


def _signed(raw: bytes, author: str, resolve: Resolve) -> Proof:
    """What the signatures in the mail itself prove of its author's domain."""
    if b"dkim-signature" not in raw[:256_000].lower() or not author:
        return Proof.NONE
    if _LONGEST_BLANK in raw.translate(_TABS):
        return Proof.NONE
    asked = _Asked(resolve)
    seen = Proof.NONE
    try:
        checked = dkim.DKIM(raw, logger=_SILENT, timeout=TIMEOUT_S)
        there = sum(name.lower() == b"dkim-signature" for name, _ in checked.headers)
        for number in range(min(there, MOST_SIGNATURES)):
            seen = _one(checked, number, author, asked)
            if seen == Proof.DKIM:
                return seen
    except _UNREADABLE:
        seen = Proof.BAD
    return Proof.UNCLEAR if asked.in_vain else seen


def _one(checked: dkim.DKIM, number: int, author: str, asked: "_Asked") -> Proof:
    """What one signature proves."""
    try:
        good = checked.verify(idx=number, dnsfunc=asked)
    except _UNREADABLE:
        return Proof.BAD
    fields = checked.signature_fields
    domain = bytes(fields.get(b"d", b"")).decode("ascii", "replace").lower()
    # `l=` signs the beginning of a body: anybody can add to the rest.
    if not good or b"l" in fields:
        return Proof.BAD
    return Proof.DKIM if aligned(domain, author) else Proof.NONE


class _Asked:
    """The DNS, and whether it gave no answer: the library tells a false signature then."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self.in_vain = False

    def __call__(self, name: bytes | str, timeout: float = TIMEOUT_S) -> bytes | None:
        try:
            return self._resolve(name, timeout=timeout)
        except (dkim.DnsTimeoutError, OSError):
            self.in_vain = True
            raise


def _relayed(letter: Letter, author: str, relay: str) -> Proof:
    """What our relay wrote (RFC 8601). It removes what others wrote in its name."""
    said = [
        _COMMENT.sub(" ", value)
        for value in letter.all("authentication-results")
        if value.partition(";")[0].strip().lower().split(" ")[0] == relay.lower()
    ]
    results = [part.strip().lower() for value in said for part in value.split(";")[1:]]
    for result in results:
        if result.startswith("dmarc=pass") and _about(result, "header.from", author):
            return Proof.RELAY
        if result.startswith("dkim=pass") and _about(result, "header.d", author):
            return Proof.RELAY
    failed = any(result.startswith(("dkim=fail", "dmarc=fail")) for result in results)
    return Proof.BAD if failed else Proof.NONE


def _about(result: str, name: str, author: str) -> bool:
    found = re.search(rf"\b{re.escape(name)}=\"?@?([a-z0-9.-]+)", result)
    return found is not None and bool(author) and aligned(found[1], author)
