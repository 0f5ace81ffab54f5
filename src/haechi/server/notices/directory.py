"""Who answers for a place: rows that were added here, then those of data/directory.json.

Nobody is invented. A host that no row knows is written to at abuse@host, the mailbox RFC 2142
reserves; for the other steps of the chain, whoever is not known is passed over.
"""

import datetime as dt
import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from haechi.errors import InvalidDocument
from haechi.formats import notice as wire
from haechi.formats import xarf
from haechi.server.audit import services as audit
from haechi.server.notices.models import Channel, Receiver, Step


@dataclass(frozen=True)
class Answering:
    """Somebody who can be asked. The words are those of models.Receiver; `known`: has a row."""

    host: str
    step: Step
    name: str
    email: str = ""
    form_url: str = ""
    haechi_url: str = ""
    haechi_key: str = ""
    language: str = "en"
    laws: tuple[str, ...] = ()
    country: str = ""
    source: str = ""
    dated: dt.date | None = None
    also: tuple[str, ...] = ()
    known: bool = True

    @property
    def channel(self) -> Channel:
        """The surest way: another Haechi, then e-mail, then a form."""
        if self.haechi_url:
            return Channel.HAECHI
        return Channel.EMAIL if self.email else Channel.FORM


def host_of(address: str) -> str | None:
    """The host a notice about `address` goes to, or None where nobody can be written to.

    People paste "photos.example/a/1" as often as a whole web address; a room or an account name
    has no host.
    """
    try:
        host = urlsplit(web_address(address)).hostname
    except InvalidDocument:
        return None
    return host if host and "." in host else None


def web_address(address: str) -> str:
    """The address as a notice names it. Raises InvalidDocument."""
    typed = address.strip()
    return xarf.web_address(typed if "://" in typed else f"https://{typed}")


def answering_for(host: str) -> Answering:
    """Who answers for a site: the nearest name in the directory, or its abuse mailbox."""
    labels = host.split(".")
    names = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    rows = Receiver.objects.filter(host__in=names, step=Step.PLATFORM)
    here = {row.host: _of_row(row) for row in rows}
    shipped = {name: row for row in _shipped(Step.PLATFORM) for name in (row.host, *row.also)}
    for name in names:
        if found := here.get(name) or shipped.get(name):
            return found
    return Answering(host, Step.PLATFORM, host, email=f"abuse@{host}", known=False)


def of_step(step: Step, *, host: str = "", countries: Sequence[str] = ()) -> list[Answering]:
    """Who is asked at a later step of the chain, as far as the directory knows.

    A host or a registrar has a row under the name of the site it answers for; search engines are
    asked whatever the site; authorities, where they are of one of `countries`.
    """
    rows = {row.host: row for row in _shipped(step)}
    rows |= {row.host: _of_row(row) for row in Receiver.objects.filter(step=step)}
    if step == Step.SEARCH:
        return list(rows.values())
    if step == Step.REGULATOR:
        return [row for row in rows.values() if row.country in countries]
    labels = host.split(".")
    names = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    return [rows[name] for name in names if name in rows][:1]


def everybody() -> list[Answering]:
    """All rows in force, by name of the host."""
    rows = {(row.host, row.step): row for step in Step for row in _shipped(step)}
    rows |= {(row.host, Step(row.step)): _of_row(row) for row in Receiver.objects.all()}
    return sorted(rows.values(), key=lambda row: (list(Step).index(row.step), row.host))


@transaction.atomic
def add(row: Answering, *, actor: str, now: dt.datetime) -> Receiver:
    """Add a row, or put another in its place. Raises InvalidDocument for a host or key that is none."""
    host = host_of(row.host)
    if host is None or (row.haechi_url and not row.haechi_key):
        raise InvalidDocument("a row of the directory needs a host, and a Haechi needs its key")
    if row.haechi_key:
        wire.read_key(row.haechi_key)
    told = {field.name: getattr(row, field.name) for field in fields(row)}
    for name in ("host", "step", "also", "known"):
        del told[name]
    told["laws"] = list(row.laws)
    kept, _made = Receiver.objects.update_or_create(host=host, step=row.step, defaults=told)
    audit.record("directory:row", subject=kept, actor=actor, at=now, detail={"step": row.step})
    return kept


def _of_row(row: Receiver) -> Answering:
    told: dict[str, Any] = {
        field.name: getattr(row, field.name)
        for field in fields(Answering)
        if field.name not in ("also", "known", "laws", "step")
    }
    return Answering(**told, step=Step(row.step), laws=tuple(row.laws))


@functools.cache
def _shipped(step: Step) -> tuple[Answering, ...]:
    file = resources.files("haechi.server.notices") / "data" / "directory.json"
    rows = json.loads(file.read_text("utf-8"))["rows"]
    return tuple(_of_data(row) for row in rows if row["step"] == step)


def _of_data(row: dict[str, Any]) -> Answering:
    told = row | {
        "step": Step(row["step"]),
        "laws": tuple(row.get("laws", ())),
        "also": tuple(row.get("also", ())),
        "dated": dt.date.fromisoformat(row["dated"]),
    }
    return Answering(**told)
