"""Rules of law in words, for the pages of the desk."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from haechi import law
from haechi.server import words
from haechi.server.law_words import span

PLACES: dict[str, Promise] = {
    "US": _("United States"),
    "EU": _("European Union"),
    "UK": _("United Kingdom"),
    "AU": _("Australia"),
    "KR": _("Korea"),
    "CN": _("China"),
    "IN": _("India"),
}
UNITS: dict[str, Promise] = {
    "hours": _("hours"),
    "days": _("days"),
    "working days": _("working days"),
    "months": _("months"),
    "years": _("years"),
}
EVENTS: dict[str, Promise] = {
    "report": _("a report is received"),
    "valid_request": _("a request is complete"),
    "order": _("an order of an authority is received"),
    "decision": _("a person decides that it must go"),
    "threat": _("a threat to life or safety is noticed"),
}
ENDS: dict[str, Promise] = {
    "removal": _("it is seen to be gone"),
    "decision": _("a person has decided"),
}
PAUSES: dict[str, Promise] = {
    "": _("runs on: the law has no rule on pausing that we know"),
    law.ASKED: _("stands until it has come, as the law says"),
}
KINDS: dict[str, Promise] = {
    "act": _("to act"),
    "answer": _("to answer"),
    "report": _("to tell an authority"),
    "keep": _("to keep"),
    "publish": _("to publish"),
}
ROLES: dict[str, Promise] = {
    "platform": _("services on which people publish"),
    "search": _("search services"),
    "authority": _("authorities and courts"),
    "provider": _("providers of systems that generate content"),
    "controller": _("whoever processes personal data"),
}
OFF: dict[str, Promise] = {
    "kind": _("It is no limit to act within in a case."),
    "no_event": _("Nothing that happens here starts it."),
    "unsure": _("It is not known well enough: nobody has confirmed the text."),
    "no_date": _("It is not known since when it is in force."),
    "no_count": _("The law names no limit that can be counted."),
    "switched_off": _("An administrator switched it off."),
    "refused": _("What was confirmed about it can no longer run. Confirm it anew."),
}
CONFIDENCE: dict[str, Promise] = {
    "verified in a stored text": _("read in the text of the law"),
    "verified, secondary source only": _("read only in a secondary source"),
    "verified in public code that implements it": _("read in a program that follows it"),
    "from memory": _("from memory"),
    "not verified": _("not verified"),
    "confirmed here": _("confirmed here"),
}


@dataclass(frozen=True)
class Told:
    """A rule in words, for the desk."""

    rule: law.Rule

    @property
    def name(self) -> str:
        """The law, in the reader's language where we have it."""
        return words.law_name(self.rule.id, self.rule.law)

    @property
    def action(self) -> str:
        """What it asks for, likewise."""
        return words.law_action(self.rule.id, self.rule.action)

    @property
    def translated(self) -> bool:
        """False where name and action are as the table has them."""
        return self.rule.id in words.LAWS

    @property
    def place(self) -> Promise:
        """Where it holds."""
        return PLACES[self.rule.jurisdiction]

    @property
    def limit(self) -> str:
        """The limit in words; as the law says it where it cannot be counted."""
        if self.rule.amount is None:
            return self.rule.unit_text
        return span(self.rule.amount, self.rule.unit)

    @property
    def counted(self) -> bool:
        """True where the limit is a number."""
        return self.rule.amount is not None

    @property
    def event(self) -> Promise | str:
        """What starts it."""
        return EVENTS.get(self.rule.event or "", _("nothing that happens here"))

    @property
    def end(self) -> Promise | str:
        """What stops it."""
        return ENDS.get(self.rule.stopped_by or "", "")

    @property
    def pause(self) -> Promise:
        """What becomes of the clock while the reporter is asked."""
        return PAUSES[self.rule.paused_by]

    @property
    def kind(self) -> Promise:
        """What sort of duty it is."""
        return KINDS[self.rule.kind]

    @property
    def bound(self) -> str:
        """Whom it binds."""
        return ", ".join(str(ROLES[role]) for role in law.ROLES if role in self.rule.bound)

    @property
    def confidence(self) -> Promise | str:
        """How well it is known."""
        return CONFIDENCE.get(self.rule.confidence, self.rule.confidence)

    @property
    def off(self) -> list[Promise]:
        """Why it starts no clocks."""
        return [OFF[code] for code in self.rule.off]

    @property
    def zone(self) -> str:
        """Where its days are counted."""
        return str(law.time_zone(self.rule.jurisdiction))

    def lines(self) -> list[tuple[Promise, str]]:
        """What a version may say otherwise: name and value."""
        rule = self.rule
        until = rule.in_force_until.isoformat() if rule.in_force_until else gettext("no end named")
        return [
            (
                _("It starts clocks"),
                pgettext("answer", "yes") if rule.enabled else pgettext("answer", "no"),
            ),
            (_("Limit"), self.limit),
            (_("What starts the clock"), str(self.event)),
            (_("What stops it"), str(self.end)),
            (_("While the reporter is asked for what is missing"), str(self.pause)),
            (
                _("Only where the person shown is or may be under 18"),
                pgettext("answer", "yes") if rule.only_minors else pgettext("answer", "no"),
            ),
            (
                _("In force from"),
                rule.in_force_from.isoformat() if rule.in_force_from else gettext("not known"),
            ),
            (_("Last day in force"), until),
            (_("Source"), rule.source),
        ]
