"""Find cases again: by number, by a place or an account, by a picture.

Places are compared by their keyed digests, as everywhere; what was typed, and a picture that was held
up, are forgotten with the request. That somebody searched is logged, not for what.
"""

import re
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from haechi.fingerprint.address import url_digest
from haechi.index import Query
from haechi.server.audit import services as audit
from haechi.server.cases.models import Case
from haechi.server.matching import looking
from haechi.server.matching import services as matching
from haechi.server.matching.models import Hosted
from haechi.server.reports import places
from haechi.server.staff.models import User

AT_MOST = 100
_NUMBER = re.compile(r"\s*#?\s*(\d{1,15})\s*\Z", re.ASCII)
_SHORT = re.compile(r"\s*([0-9a-f]{8})\s*\Z", re.ASCII | re.IGNORECASE)


def by_words(words: str, user: User, *, now: datetime) -> list[Case]:
    """By the number of a case or the short name of a report; else by a place or an account.

    An account or a place is found where a report names it, and where something hosted there was found.
    """
    number, short = _NUMBER.match(words), _SHORT.match(words)
    wanted = Q()
    if number:
        wanted |= Q(pk=int(number[1]))
    if short:
        first = f"{short[1].lower()}-0000-0000-0000-000000000000"
        last = f"{short[1].lower()}-ffff-ffff-ffff-ffffffffffff"
        wanted |= Q(report__id__range=(first, last))
    if not number:
        wanted |= _at(words)
    return _found(wanted, user, by="words", now=now)


def by_picture(query: Query, user: User, *, now: datetime) -> list[Case]:
    """Cases whose exhibits show it, and those that met a picture of a bank, or hosted, that shows it."""
    met = matching.known().search(query, now=now)
    hosted = [key for table, key, _ in met if table is Hosted]
    members = [key for table, key, _ in met if table is not Hosted]
    wanted = (
        Q(report__exhibits__in=list(looking.exhibits(query)))
        | Q(report__told__sha256=query.sha256)
        | Q(report__hits__hosted__in=hosted)
        | Q(report__hits__member__in=members)
        | Q(report__exhibits__member__in=members)
    )
    return _found(wanted, user, by="picture", now=now)


def _at(words: str) -> Q:
    key = settings.HAECHI.digest_key
    address = places.understand(words).address
    digests = {url_digest(key, each) for each in (words, address)}
    digests |= set(matching.digests(places.link_in(words)))
    return (
        Q(report__locations__digest__in=digests)
        | Q(report__hits__hosted__url_digest__in=digests)
        | Q(report__hits__hosted__account_digest__in=digests)
    )


@transaction.atomic
def _found(wanted: Q, user: User, *, by: str, now: datetime) -> list[Case]:
    numbers = set(Case.objects.filter(wanted).values_list("pk", flat=True))
    shown = Case.objects.filter(pk__in=numbers).shown_to(user).order_by("-pk")
    found = list(
        shown.select_related("report", "claimed_by", "kept_for").prefetch_related("clocks")[
            :AT_MOST
        ]
    )
    audit.record(
        "queue:searched",
        subject=user,
        actor=user.name_in_log,
        at=now,
        detail={"by": by, "found": len(found)},
    )
    return found
