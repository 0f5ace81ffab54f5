"""Pictures that are known: confirmed in a bank, looked for in what is hosted."""

import datetime as dt
import logging

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.server.audit import services as audit
from haechi.server.cases.models import Decision, Verdict
from haechi.server.evidence import services as evidence
from haechi.server.flow.jobs import KeepTrying
from haechi.server.flow.outward import locked, remove_hosted
from haechi.server.matching import backwards, banks, floods
from haechi.server.matching import services as matching
from haechi.server.matching.models import BankPolicy, Member, Sighting

log = logging.getLogger(__name__)


@transaction.atomic
def confirm_member(member: Member, *, actor: str, now: dt.datetime, note: str = "") -> bool:
    """Bring a member into force, and look for it in what is hosted already: both, or neither.

    False if it was in force before.
    """
    won = banks.confirm(member, actor=actor, now=now, note=note)
    search_backwards.defer()
    return won


@app.task(name="search_backwards", retry=KeepTrying(), lock="search_backwards")
def search_backwards() -> None:
    """Look for members that came into force in what is hosted; one job does all that is due."""
    done = 1
    while done:
        with transaction.atomic():
            now = timezone.now()
            done, members = backwards.take(matching.known(), now=now)
            for member in members:
                act_on_sightings(member, now=now)


@transaction.atomic
def act_on_sightings(member: Member, *, now: dt.datetime) -> None:
    """Ask for removal of what was found, each piece once, as far as a machine may.

    It may where a person of ours decided on this very picture after seeing it, the match is
    certain, and the reviewer did not have the same piece before them and leave it. Everything else
    waits at the desk.
    """
    if member.held or member.exhibit is None or member.bank.policy != BankPolicy.BLOCK:
        return
    if not evidence.seen_by_person(member.exhibit):
        return
    number = Decision.objects.filter(
        case__report__exhibits=member.exhibit, verdict=Verdict.REMOVE
    ).values_list("pk", flat=True)
    if not number:
        return
    decision = locked(number[0])
    left = decision.case.report.hits.filter(found_at__lte=decision.made_at).values("hosted_id")
    waiting = backwards.waiting(member).exclude(hosted_id__in=left.filter(hosted__isnull=False))
    for sighting in filter(matching.certain, waiting):
        mine = backwards.settle(sighting, now=now)
        if mine and not decision.actions.filter(hosted=sighting.hosted).exists():
            remove_hosted(decision, sighting.hosted, actor="worker", by_machine=True, now=now)


@transaction.atomic
def settle_sighting(sighting: Sighting, *, actor: str, now: dt.datetime) -> bool:
    """A person has dealt with one find. False if somebody had before."""
    won = backwards.settle(sighting, now=now)
    if won:
        audit.record("sighting:settled", subject=sighting, actor=actor, at=now)
    return won


@app.periodic(cron="* * * * * */3")
@app.task(name="keep_banks", queueing_lock="keep_banks")
def keep_banks(timestamp: int) -> None:
    """Every three seconds: stay ready to look backwards, and do what others than the desk asked.

    HMA's API and the commands confirm members too; the database has put those down.
    """
    matching.known().catch_up()
    search_backwards()


@app.periodic(cron="* * * * * */10")
@app.task(name="watch_floods", queueing_lock="watch_floods")
def watch_floods(timestamp: int) -> None:
    """Every ten seconds: a member that matches far too much is held and put before a person."""
    for surge in floods.watch(now=timezone.now()):
        log.warning("member %s matches unusually often (held: %s)", surge.member_id, surge.held)
