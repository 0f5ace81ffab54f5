"""What the laws ask of a request, in plain words, and how far a report is with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from haechi import law

# Name of a law a reader may have heard of; the first half of each entry of words.LAWS is longer.
REGIMES: dict[str, Promise] = {
    "us_tida": _("United States: TAKE IT DOWN Act"),
    "kr_tba": _("Korea: Telecommunications Business Act"),
    "eu_dsa16": _("European Union: Digital Services Act"),
    "uk_osa_s20a": _("United Kingdom: Online Safety Act"),
    "in_it_rules": _("India: IT Rules"),
    "cn_civil_1195": _("China: Civil Code, article 1195"),
}
# What stands in the form for an element, and where to give it: the id of a field, or "".
ELEMENTS: dict[tuple[str, str], tuple[Promise, str]] = {
    ("us_tida", "signature"): (_("A name or a sign under the statement"), "id_signature"),
    ("us_tida", "locate"): (_("An address where it is, or the picture itself"), "id_locations"),
    ("us_tida", "good_faith_nonconsent"): (
        _("The statement that there was no consent, said in good faith"),
        "id_declared",
    ),
    ("us_tida", "contact"): (_("A way to answer you: your code does that"), ""),
    ("kr_tba", "reporter"): (_("A name and an address where one may write"), "id_contact"),
    ("kr_tba", "locate"): (_("The address, room or account where it is"), "id_locations"),
    ("kr_tba", "explanation"): (_("What was done, or what it shows"), "id_harms"),
    ("kr_tba", "evidence"): (_("The picture itself (helps, but is not needed)"), "id_files"),
    ("eu_dsa16", "explanation"): (_("What happened, and why it is wrong"), "id_harms"),
    ("eu_dsa16", "exact_url"): (_("The address, room or account where it is"), "id_locations"),
    ("eu_dsa16", "name_email"): (
        _("A name and an e-mail address (not when the person is under 18)"),
        "id_contact",
    ),
    ("eu_dsa16", "bona_fide"): (
        _("The statement that this is true as far as you know"),
        "id_declared",
    ),
    ("uk_osa_s20a", "declares_intimate"): (
        _("That it shows a naked body or something sexual"),
        "id_shows",
    ),
    ("uk_osa_s20a", "standing"): (
        _("That it is you, or how you are allowed to act for the person"),
        "id_declared",
    ),
    ("uk_osa_s20a", "good_faith_true"): (
        _("The statement that this is true as far as you know"),
        "id_declared",
    ),
    ("uk_osa_s20a", "identify"): (
        _("An address where it is, or the picture itself"),
        "id_locations",
    ),
    ("uk_osa_s20a", "contact"): (_("An address where one may write to you"), "id_contact"),
    ("in_it_rules", "prima_facie"): (
        _("The statement, and what was done or what it shows"),
        "id_declared",
    ),
    ("in_it_rules", "locate"): (_("The address, room or account where it is"), "id_locations"),
    ("cn_civil_1195", "prima_facie"): (
        _("First evidence: the picture, or where it is"),
        "id_locations",
    ),
    ("cn_civil_1195", "true_identity"): (
        _("Proof of who you are: we never ask for it. A lawyer can send such a notice."),
        "",
    ),
}


@dataclass(frozen=True)
class Item:
    """One element in words. `ways` and `waived` are for the script that keeps them current."""

    words: Promise
    anchor: str
    given: bool
    needed: bool
    ways: str
    waived: str


@dataclass(frozen=True)
class Shown:
    """One law: its name, whether the report is complete for it, and what for.

    limit   the time the law gives, in words, or "" where it names none that can be counted here
    always  True where that time runs for every report, complete or not
    """

    name: Promise
    limit: str
    always: bool
    complete: bool
    items: list[Item]

    @property
    def missing(self) -> list[Item]:
        """What is needed and not there."""
        return [item for item in self.items if item.needed and not item.given]


def shown(standings: Iterable[law.Standing], known: Mapping[str, law.Rule]) -> list[Shown]:
    """For parts/elements.html; laws whose time limit runs come first. `known` are the rules here."""
    rows = [
        Shown(
            name=REGIMES[each.regime],
            limit=limit(known[each.clock.id]),
            always=known[each.clock.id].event == "report" and known[each.clock.id].enabled,
            complete=each.complete,
            items=[_item(each.regime, asked) for asked in each.asked],
        )
        for each in standings
    ]
    return sorted(rows, key=lambda row: not row.limit)


def limit(rule: law.Rule) -> str:
    """The time a law gives, or "" where it is no clock."""
    if not rule.enabled or rule.amount is None:
        return ""
    return span(rule.amount, rule.unit)


def span(amount: int, unit: str) -> str:
    """A count of one of law.UNITS in words."""
    said = {
        "hours": ngettext("%(n)s hour", "%(n)s hours", amount),
        "days": ngettext("%(n)s day", "%(n)s days", amount),
        "working days": ngettext("%(n)s working day", "%(n)s working days", amount),
        "months": ngettext("%(n)s month", "%(n)s months", amount),
        "years": ngettext("%(n)s year", "%(n)s years", amount),
    }
    return said[unit] % {"n": amount}


def _item(regime: str, asked: law.Asked) -> Item:
    named, anchor = ELEMENTS[regime, asked.key]
    return Item(
        words=named,
        anchor=anchor,
        given=asked.given,
        needed=asked.needed,
        ways="|".join(" ".join(sorted(way)) for way in asked.given_by),
        waived=" ".join(sorted(asked.waived_by)),
    )
