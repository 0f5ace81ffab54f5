"""Everything of one report, as a ZIP of open formats that is made while it is sent.

    report.json       all that can be read by a program
    report.txt        the same for people
    messages.txt      what was written both ways
    files/1 me.jpg    each file exactly as it was sent

It is opened with the key of the visit, piece by piece; no plaintext touches a disk.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from django.db import transaction
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from haechi import seal
from haechi.errors import HaechiError
from haechi.server.appeals import services as appeals
from haechi.server.audit import services as audit
from haechi.server.evidence.models import Exhibit
from haechi.server.evidence.storage import storage
from haechi.server.public.progress import Progress
from haechi.server.public.times import moment
from haechi.server.reports import additions, messages
from haechi.server.reports import services as reports
from haechi.server.reports.models import Sender
from haechi.server.reports.visits import Visiting

LONGEST_NAME = 80


def pack(visit: Visiting, *, now: datetime) -> Iterator[bytes]:
    """The pieces of the ZIP. What the database has is read, and the taking logged, before the first.

    Raises CannotOpen where the records cannot be opened. A file that cannot is left out, and a text
    in its place says so.
    """
    with transaction.atomic():
        audit.record("report:taken_home", subject=visit.report, actor="reporter", at=now)
    records = _records(visit, now=now)
    names = reports.story_of(visit.report, visit.identity).files
    texts = {
        "report.json": json.dumps(records, ensure_ascii=False, indent=2),
        "report.txt": _plain(visit, records, now=now),
        "messages.txt": _conversation(visit),
    }
    exhibits = [
        (f"files/{exhibit.number} {_safe(names.get(str(exhibit.number), ''))}".strip(), exhibit)
        for exhibit in visit.report.exhibits.all()
    ]
    return _zip(texts, exhibits, visit.identity, get_language() or "en")


def _zip(
    texts: dict[str, str], exhibits: list[tuple[str, Exhibit]], identity: str, language: str
) -> Iterator[bytes]:
    out = _Outgoing()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for name, text in texts.items():
            packed.writestr(name, text.encode())
        yield out.take()
        for name, exhibit in exhibits:
            failed = False
            with packed.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
                try:
                    for chunk in _opened(exhibit, identity):
                        entry.write(chunk)
                        yield out.take()
                except HaechiError:
                    failed = True
            if failed:
                with override(language):
                    packed.writestr(f"{name}.txt", _("This file could not be opened completely."))
    yield out.take()


def _opened(exhibit: Exhibit, identity: str) -> Iterator[bytes]:
    with (
        storage().open(exhibit.blob) as sealed,
        seal.open_stream(sealed, identity) as plain,
    ):
        yield from plain


def _records(visit: Visiting, *, now: datetime) -> dict[str, Any]:
    report, identity = visit.report, visit.identity
    progress = Progress(report, identity, now=now)
    decision = progress.decision
    return {
        "received_at": report.received_at.isoformat(),
        "taken_home_at": now.isoformat(),
        "state": report.state,
        "language": report.language,
        "age": report.age,
        "harms": report.harms,
        "told": asdict(reports.story_of(report, identity)),
        "told_before": [
            {"until": at.isoformat(), **asdict(story)}
            for at, story in additions.earlier_stories(report, identity)
        ],
        "files": [
            {
                "number": exhibit.number,
                "sha256": bytes(exhibit.sha256).hex(),
                "bytes": exhibit.size,
                "kind": exhibit.kind,
                "sealed_at": exhibit.sealed_at.isoformat(),
                "state": exhibit.state,
            }
            for exhibit in progress.exhibits
        ],
        "places": [
            {
                "address": place.address,
                "added_at": place.added_at.isoformat(),
                "removed_at": _iso(place.action.done_at if place.action else None),
                "notice_to": place.notice_to,
                "notice_sent_at": _iso(place.notice.sent_at if place.notice else None),
                "notice_answer": place.notice.answer if place.notice else "",
                "asked": [
                    {
                        "who": asked.step,
                        "to": asked.to,
                        "sent_at": _iso(asked.notice.sent_at),
                        "answered_at": _iso(asked.notice.answered_at),
                        "outcome": asked.outcome,
                    }
                    for asked in place.asked
                ],
            }
            for place in progress.places
        ],
        "deadlines": [
            {
                "law": clock.law,
                "started_at": clock.started_at.isoformat(),
                "due_at": clock.due_at.isoformat(),
                "stopped_at": _iso(clock.stopped_at),
            }
            for clock in progress.clocks
        ],
        "decision": decision
        and {
            "verdict": decision.verdict,
            "ground": decision.ground,
            "made_at": decision.made_at.isoformat(),
        },
        "objections": [
            {
                "text": appeals.text_of(one, identity),
                "received_at": one.received_at.isoformat(),
                "outcome": one.outcome,
                "answer": appeals.answer_of(one, identity),
            }
            for one in appeals.by_reporter(report)
        ],
        "messages": [
            {"from": said.sender.value, "at": said.sent_at.isoformat(), "text": said.text}
            for said in messages.thread(report, identity)
        ],
    }


def _plain(visit: Visiting, records: dict[str, Any], *, now: datetime) -> str:
    lines = [
        _("Your report"),
        f"{_('Arrived')}: {moment(visit.report.received_at)}",
        f"{_('Taken home')}: {moment(now)}",
        "",
        _("In your own words"),
        records["told"]["told"] or "-",
        "",
        _("The places you named"),
        *[f"- {place['address']}" for place in records["places"]],
        "",
        _("Files and their SHA-256 digests"),
        *[f"- {file['number']}: {file['sha256']}" for file in records["files"]],
        "",
    ]
    return "\r\n".join(str(line) for line in lines)


def _conversation(visit: Visiting) -> str:
    who = {Sender.REPORTER: _("You"), Sender.STAFF: _("We")}
    return "\r\n".join(
        f"{who[said.sender]}, {moment(said.sent_at)}\r\n{said.text}\r\n"
        for said in messages.thread(visit.report, visit.identity)
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _safe(name: str) -> str:
    """The file's own name without anything a path could mean (B16)."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(sign for sign in last if sign.isprintable() and sign not in '<>:"|?*')[
        -LONGEST_NAME:
    ].lstrip(".")


class _Outgoing(io.RawIOBase):
    """Where the ZIP is written: it cannot seek, and hands on what it was given."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401  # any buffer
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self._held = bytes(self._held), bytearray()
        return taken
