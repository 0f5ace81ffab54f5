"""Where something an AI service made hangs: with platforms, and in cases here."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.fingerprint import frames, joined
from haechi.index import Query
from haechi.server.cases import searching
from haechi.server.cases.models import Case
from haechi.server.matching import services as matching
from haechi.server.matching.models import Hosted
from haechi.server.staff.models import User
from haechi.server.tracing import registry
from haechi.server.tracing.models import Generation

AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Hanging:
    """Where copies were found.

    hosted   still published by a platform that registers what it publishes
    banks    by name: banks that hold the picture
    cases    those that whoever asks may see
    """

    hosted: list[Hosted]
    banks: list[str]
    cases: list[Case]


def where_it_hangs(generation: Generation, *, actor: User, now: datetime) -> Hanging | None:
    """Look for it in what is hosted, known and reported; None where its record has no fingerprint.

    That somebody looked is in the log, as for every search of cases.
    """
    query = _query(generation)
    if query is None:
        return None
    met = matching.known().search(query, now=now)[:AT_MOST]
    hosted = Hosted.objects.filter(pk__in=[key for table, key, _ in met if table is Hosted])
    members = [key for table, key, _ in met if table is not Hosted]
    return Hanging(
        list(hosted.filter(removed_at=None).select_related("platform").order_by("pk")),
        matching.banks_of(members),
        searching.by_picture(query, actor, now=now),
    )


def _query(generation: Generation) -> Query | None:
    if generation.sha256 is None and generation.pdq is None:
        return None
    return Query(
        sha256=bytes(generation.sha256 or b""),
        turns=joined.hashes(bytes(generation.turns)),
        pdq_quality=generation.pdq_quality,
        embedding=bytes(generation.embedding) if generation.embedding is not None else None,
        views=joined.embeddings(bytes(generation.views)),
        frames=frames.unpack(bytes(generation.frames)),
    )


@app.periodic(cron="*/5 * * * *")
@app.task(name="forget_generations", queueing_lock="forget_generations")
def forget_generations(timestamp: int) -> None:
    """Every five minutes: erase what services asked to have erased, and what is over."""
    registry.forget(now=timezone.now())
