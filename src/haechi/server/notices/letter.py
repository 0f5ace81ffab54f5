"""What a notice says, before it has the form of an e-mail, a document or fields of a form."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes, policy

from django.conf import settings
from django.utils.translation import override

from haechi import seal
from haechi.fingerprint.address import url_digest
from haechi.server.cases.models import Decision
from haechi.server.evidence.models import Fingerprint
from haechi.server.notices.directory import Answering
from haechi.server.notices.models import Notice
from haechi.server.reports import services as reports
from haechi.server.reports import vault

FORMAT = "letter/1"


@dataclass(frozen=True)
class Item:
    """One place. number: that of the location; url: as xarf.web_address gives it."""

    number: int
    url: str


@dataclass(frozen=True)
class Letter:
    """The facts, and to whom they are told. Sealed; no name of a person is in it.

    host      of the site, or whom the receiver answers for
    ground    in the language of the receiver
    declared  the person depicted, or who acts for them, signed that there was no consent
    before    names of those who were asked in vain, and when (ISO 8601)
    first     id of the notice this one reminds of, or ""
    """

    host: str
    name: str
    email: str
    form_url: str
    haechi_url: str
    haechi_key: str
    language: str
    laws: tuple[str, ...]
    items: tuple[Item, ...]
    minor: bool
    synthetic: bool
    declared: bool
    ground: str
    harms: tuple[str, ...]
    received_at: str
    decided_at: str
    sha256: tuple[str, ...]
    pdq: tuple[str, ...]
    before: tuple[tuple[str, str], ...] = ()
    first: str = ""

    @property
    def to(self) -> str:
        """Where it goes, in one line."""
        return self.email or self.haechi_url or self.form_url

    def sealed(self, recipient: str) -> bytes:
        """As an age envelope of JSON."""
        told = {"format": FORMAT, **asdict(self)}
        return seal.seal(json.dumps(told, ensure_ascii=False).encode(), recipient)


def write(
    decision: Decision,
    to: Answering,
    items: tuple[Item, ...],
    *,
    before: tuple[tuple[str, str], ...] = (),
    first: str = "",
) -> Letter:
    """Gather the facts. Opens the report, for whether it was declared and signed."""
    report = decision.case.report
    prints = list(Fingerprint.objects.filter(exhibit__report=report).order_by("exhibit__number"))
    told = reports.story_of(report)
    with override(to.language):
        ground = ground_words(decision)
    return Letter(
        host=to.host,
        name=to.name,
        email=to.email,
        form_url=to.form_url,
        haechi_url=to.haechi_url,
        haechi_key=to.haechi_key,
        language=to.language,
        laws=to.laws,
        items=items,
        minor=report.minor,
        synthetic=decision.policy.synthetic,
        declared=bool(told.declared and told.signature),
        ground=ground,
        harms=tuple(report.harms),
        received_at=report.received_at.isoformat(),
        decided_at=decision.made_at.isoformat(),
        sha256=tuple(bytes(each.sha256).hex() for each in prints),
        pdq=tuple(bytes(each.pdq).hex() for each in prints if each.pdq is not None),
        before=before,
        first=first,
    )


def ground_words(decision: Decision) -> str:
    """The ground, as a person would read it, in the active language."""
    return str(decision.get_ground_display())


def letter_of(notice: Notice, identity: str | None = None) -> Letter:
    """The letter, opened with the reporter's identity or, at the desk, with the vault's.

    Raises KeyMissing, ReportErased or CannotOpen.
    """
    opened = identity or vault.identity_of(notice.decision.case.report)
    if not notice.sealed and notice.message_sealed:
        return _of_mail(seal.open_sealed(bytes(notice.message_sealed), opened), notice)
    told = json.loads(seal.open_sealed(bytes(notice.sealed), opened))
    told.pop("format")
    told["items"] = tuple(Item(**item) for item in told["items"])
    told["before"] = tuple((name, at) for name, at in told["before"])
    for name in ("laws", "harms", "sha256", "pdq"):
        told[name] = tuple(told[name])
    return Letter(**told)


def _of_mail(data: bytes, notice: Notice) -> Letter:
    """What an e-mail tells that was written before there were letters (migration 0005)."""
    to = str(message_from_bytes(data, policy=policy.SMTP)["To"])
    report = notice.decision.case.report
    return Letter(
        host=to.rpartition("@")[2],
        name=to,
        email=to,
        form_url="",
        haechi_url="",
        haechi_key="",
        language="en",
        laws=(),
        items=(),
        minor=report.minor,
        synthetic=notice.decision.policy.synthetic,
        declared=False,
        ground=ground_words(notice.decision),
        harms=(),
        received_at=report.received_at.isoformat(),
        decided_at=notice.decision.made_at.isoformat(),
        sha256=(),
        pdq=(),
    )


def receiver_digest(to: Answering) -> bytes:
    """Who is written to, as a keyed digest: two notices to one receiver can be told to be so."""
    return url_digest(settings.HAECHI.digest_key, f"receiver:{to.step}:{to.host}")


def when(text: str) -> datetime:
    """A time of a letter."""
    return datetime.fromisoformat(text)
