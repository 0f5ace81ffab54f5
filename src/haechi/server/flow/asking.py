"""What a valid request still lacks is asked of the reporter, and the laws' rules on pausing are kept."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from haechi import law
from haechi.errors import NothingMissing
from haechi.server import law_words
from haechi.server.audit import services as audit
from haechi.server.cases import clocks, queue, rules
from haechi.server.cases.models import Case
from haechi.server.flow.returning import write_to_reporter
from haechi.server.reports import holds, messages, requirements
from haechi.server.reports import services as reports
from haechi.server.reports.models import Message, Sender
from haechi.server.staff.models import User


class Effect(TextChoices):
    """What asking does to the clock of a law: said to the reporter, and to whoever asks."""

    BEGINS = "begins", _("The deadline of this law begins when it is there.")
    STANDS = "stands", _("The law lets its deadline stand until it is there.")
    RUNS_ON = "runs_on", _("The law has no rule on pausing that we know: its deadline runs on.")


@dataclass(frozen=True)
class Lacking:
    """One law whose request is not complete, what it lacks in words, and what asking does."""

    name: str
    items: tuple[str, ...]
    effect: Effect


def lacking(case: Case) -> list[Lacking]:
    """What is missing, law by law, in the active language; only laws whose clock can run here.

    Opens the report: the caller has logged that. Raises KeyMissing or CannotOpen.
    """
    report, known = case.report, rules.current()
    standings = requirements.elements_of(
        report,
        reports.story_of(report),
        places=reports.addresses_of(report).values(),
        pictures=report.exhibits.count() + report.told.count(),
    )
    return [
        Lacking(
            name=str(law_words.REGIMES[each.regime]),
            items=tuple(
                str(law_words.ELEMENTS[each.regime, asked.key][0]) for asked in each.missing
            ),
            effect=_effect(known[each.clock.id]),
        )
        for each in standings
        if each.missing and known[each.clock.id].enabled
    ]


def question(case: Case) -> str:
    """The message that asks for what is missing, in her language. Raises NothingMissing."""
    with override(case.report.language):
        found = lacking(case)
        if not found:
            raise NothingMissing(case.pk)
        return _words(found)


@transaction.atomic
def ask_for_missing(case: Case, *, actor: User, now: dt.datetime) -> Message | None:
    """Write to the reporter what her request still lacks; None where that was the last thing said.

    Clocks whose law lets them stand while she is asked stand from now on. Raises NothingMissing.
    """
    holds.take_first(case.report_id)
    queue.lock(case)
    text = question(case)
    said = messages.thread(case.report)
    if said and said[-1].sender == Sender.STAFF and said[-1].text == text:
        return None
    message = write_to_reporter(case.report, text, actor=actor, now=now)
    paused = clocks.pause(case, now=now)
    queue.refresh(case)
    audit.record(
        "report:asked",
        subject=case.report,
        actor=actor.name_in_log,
        at=now,
        detail={"paused": [clock.rule for clock in paused]},
    )
    return message


def _effect(rule: law.Rule) -> Effect:
    if rule.event == "valid_request":
        return Effect.BEGINS
    return Effect.STANDS if rule.paused_by == law.ASKED else Effect.RUNS_ON


def _words(found: list[Lacking]) -> str:
    lines = [
        gettext("Your report is with us, and we are working on it."),
        gettext("Here is what the law asks for beside what you sent. Only you can add it:"),
    ]
    for one in found:
        lines += ["", one.name, *(f"- {item}" for item in one.items), str(one.effect.label)]
    lines += [
        "",
        gettext(
            "You can add it on the page of your report, under “Add places or pictures” and “Change what you wrote”. "
            "You need not: we go on all the same."
        ),
    ]
    return "\n".join(lines)
