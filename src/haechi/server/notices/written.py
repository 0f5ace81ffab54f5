"""A letter as an e-mail with XARF, as a document for another Haechi, as fields of a form."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext, override

from haechi.formats import notice as wire
from haechi.formats import xarf
from haechi.server.law_words import REGIMES
from haechi.server.notices.letter import Item, Letter, when
from haechi.server.notices.models import Kind, Notice
from haechi.server.notices.own_address import message_id, own_address

# So many places are named in the words; more are listed in manifest.csv and manifest.json alone.
NAMED_IN_WORDS = 25
# With more digests than this, only the first item carries them, and says so.
MOST_DIGESTS = 50_000


def email(letter: Letter, notice: Notice) -> EmailMessage:
    """The e-mail: words in the receiver's language, a XARF document, and the list of a batch.

    It carries no picture. Bounces and answers come back to the notice's own address. Raises
    InvalidDocument.
    """
    sender = settings.HAECHI.mail_from
    message = xarf.email(
        report_of(letter, letter.items[0], notice.pk),
        sender=sender,
        recipient=letter.email,
        subject=subject(letter, notice),
        words=words(letter, notice),
        at=notice.created_at,
    )
    message["Reply-To"] = own_address(notice.pk)
    if letter.first:
        message["In-Reply-To"] = message["References"] = message_id(UUID(letter.first))
    if len(letter.items) > 1:
        message.attach(_attached(manifest_csv(letter, notice).encode(), "text", "csv"))
        listed = wire.to_bytes(document(letter, notice, key=None))
        message.attach(_attached(listed, "application", "json"))
    return message


def report_of(letter: Letter, item: Item, report_id: UUID) -> dict[str, Any]:
    """The XARF document about one place."""
    sender = settings.HAECHI.mail_from
    contact: xarf.Contact = {
        "org": settings.HAECHI.organisation,
        "contact": sender,
        "domain": sender.rpartition("@")[2],
    }
    return xarf.notice(
        item.url,
        host_domain=urlsplit(item.url).hostname or letter.host,
        report_id=report_id,
        at=when(letter.received_at),
        reporter=contact,
        sender=contact,
        minor=letter.minor,
        synthetic=letter.synthetic,
        description=letter.ground,
        sha256=letter.sha256,
    )


def subject(letter: Letter, notice: Notice) -> str:
    """One line in the receiver's language, which names no place."""
    with override(letter.language):
        said = (
            gettext("Reminder: takedown notice: non-consensual intimate content [{reference}]")
            if notice.kind == Kind.REMINDER
            else gettext("Takedown notice: non-consensual intimate content [{reference}]")
        )
    return said.format(reference=notice.pk)


def words(letter: Letter, notice: Notice) -> str:
    """The text for people, in the receiver's language, built from the facts alone."""
    template = "counter" if notice.kind == Kind.COUNTER else "takedown"
    with override(letter.language):
        return render_to_string(
            f"notices/{template}.txt",
            {
                "letter": letter,
                "step": notice.step,
                "reminder": notice.kind == Kind.REMINDER,
                "organisation": settings.HAECHI.organisation,
                "named": letter.items[:NAMED_IN_WORDS],
                "more": len(letter.items) > NAMED_IN_WORDS,
                "batch": len(letter.items) > 1,
                "decided_at": when(letter.decided_at),
                "before": [(name, when(at)) for name, at in letter.before],
                "laws": [REGIMES[law] for law in letter.laws if law in REGIMES],
                "fingerprints": [
                    *(f"SHA-256 {each}" for each in letter.sha256),
                    *(f"PDQ {each}" for each in letter.pdq),
                ],
                "reference": notice.pk,
            },
        )


def document(letter: Letter, notice: Notice, *, key: str | None) -> wire.Document:
    """The same as haechi-notice/1. `key`: our public key, or None in the unsigned list of a mail.

    A reminder to another Haechi is the first document once more: it acts once, and answers again.
    """
    prints = {"sha256": list(letter.sha256), "pdq": list(letter.pdq)}
    every = len(letter.items) * (len(letter.sha256) + len(letter.pdq)) <= MOST_DIGESTS
    facts: dict[str, object] = {
        "minor": letter.minor,
        "synthetic": letter.synthetic,
        "declared": letter.declared,
        "ground": letter.ground,
        "harms": list(letter.harms),
        "received_at": letter.received_at,
        "decided_at": letter.decided_at,
    }
    if not every:
        facts["fingerprints"] = "those of the first item are those of every item"
    undoes = notice.kind == Kind.COUNTER
    return wire.document(
        "counter" if undoes else "takedown",
        document_id=UUID(letter.first) if letter.first else notice.pk,
        in_reply_to=notice.parent_id if undoes else None,
        sender={
            "name": settings.HAECHI.organisation,
            "address": settings.HAECHI.public_url,
            "key": key,
        },
        receiver=letter.name or letter.host,
        receiver_address=letter.haechi_url or None,
        issued_at=notice.created_at,
        facts=facts,
        law=letter.laws,
        statement=words(replace(letter, items=letter.items[:1]), notice)[:20_000],
        items=[
            {
                "number": item.number,
                "url": item.url,
                "content_id": None,
                "fingerprints": prints if every or not place else {"sha256": [], "pdq": []},
                "xarf": None,
            }
            for place, item in enumerate(letter.items)
        ],
    )


def manifest_csv(letter: Letter, notice: Notice) -> str:
    """number, url, reference: one line a place, for whoever works with a table."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\r\n")
    rows.writerow(["number", "url", "reference"])
    rows.writerows([item.number, item.url, f"{notice.pk}/{item.number}"] for item in letter.items)
    return table.getvalue()


def fields(letter: Letter, notice: Notice) -> Mapping[str, str]:
    """What a person copies into a form: addresses, words, digests, reference."""
    return {
        "addresses": "\n".join(item.url for item in letter.items),
        "words": words(letter, notice),
        "fingerprints": "\n".join([*letter.sha256, *letter.pdq]),
        "reference": str(notice.pk),
        "contact": own_address(notice.pk),
    }


def _attached(data: bytes, kind: str, form: str) -> EmailMessage:
    part = EmailMessage(policy=SMTP)
    part.set_content(data, kind, form, filename=f"manifest.{form}")
    return part
