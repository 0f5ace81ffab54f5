"""What people at the desk fill in about banks and their members."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from haechi.errors import ReasonRequired
from haechi.index import DEFAULT, policy, thresholds
from haechi.server.matching import floods
from haechi.server.matching.banks import NOTE_LIMIT
from haechi.server.matching.models import Bank, BankPolicy
from haechi.server.words import words_for

YES_NO = [("yes", pgettext_lazy("answer", "yes")), ("no", pgettext_lazy("answer", "no"))]

NUMBERS = {
    "pdq_same_bits": _("PDQ: the same picture, up to so many bits"),
    "pdq_edited_bits": _("PDQ: an edited copy, up to so many bits"),
    "sscd_similarity": _("Likeness of whole pictures, from"),
    "sscd_view_similarity": _("Likeness of parts of pictures, from"),
    "sscd_certain": _("Likeness from which no person has to look"),
    "count": _("Held after more edited copies than"),
    "times": _("and more than so many times the usual number"),
    "window_s": _("Seconds in which they are counted"),
}
"""What thresholds (index.thresholds) and floods (matching.floods) are called at the desk."""


class BankForm(forms.Form):
    """A bank's settings. An empty number is the usual one; its hint has that and its name."""

    use_required_attribute = False

    policy = forms.ChoiceField(
        label=_("What a match does"), choices=BankPolicy.choices, widget=forms.RadioSelect
    )
    enabled = forms.ChoiceField(label=_("It matches"), choices=YES_NO, widget=forms.RadioSelect)
    trusted = forms.ChoiceField(
        label=_("Pictures that nobody here has seen are in force"),
        choices=YES_NO,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("It is kept in the log."),
        max_length=NOTE_LIMIT,
        error_messages={"required": words_for(ReasonRequired.code)},  # type: ignore[dict-item]
    )

    def __init__(self, bank: Bank, data: Mapping[str, object] | None = None) -> None:
        super().__init__(
            data,
            initial={
                "policy": bank.policy,
                "enabled": _word(bank.enabled),
                "trusted": _word(bank.trusted),
                **bank.thresholds,
                **bank.flood,
            },
        )
        usual = floods.Flood()
        for name in thresholds.NAMES:
            self.fields[name] = _number(name, getattr(DEFAULT, name), *policy.span(name))
        for name, span in floods.RANGES.items():
            self.fields[name] = _number(name, getattr(usual, name), *span)
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    @property
    def numbers(self) -> list[forms.BoundField]:
        """The fields of thresholds and floods."""
        return [self[name] for name in (*thresholds.NAMES, *floods.RANGES)]

    def given(self, names: tuple[str, ...]) -> dict[str, object]:
        """Those of `names` that were filled in."""
        typed = self.cleaned_data
        return {name: typed[name] for name in names if typed[name] is not None}


class MemberForm(forms.Form):
    """What is to be done with a member, and a note for its source and the log."""

    use_required_attribute = False

    act = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            ("confirm", _("Rightly listed: let it match")),
            ("withdraw", _("Wrongly listed: let it match nothing")),
            ("dispute", _("In doubt: a person looks at each match, and its source is told")),
            ("hold", _("Hold: a person looks at each match for now")),
            ("release", _("Release: hold it no more")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of these.")},
    )
    note = forms.CharField(
        label=_("Note"),
        help_text=_("Goes to the source with the opinion. Name nobody."),
        max_length=NOTE_LIMIT,
        required=False,
    )


class EndForm(forms.Form):
    """The last day on which a member matches."""

    use_required_attribute = False

    last_day = forms.DateField(
        label=_("Last day on which it matches"),
        help_text=_("The day ends by UTC. Leave it empty for no end."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("It is kept in the log."),
        max_length=NOTE_LIMIT,
        required=False,
    )

    def __init__(
        self, data: Mapping[str, object] | None = None, *, ends: dt.datetime | None, today: dt.date
    ) -> None:
        last = None if ends is None else (ends - dt.timedelta(microseconds=1)).astimezone(dt.UTC)
        super().__init__(data, initial={"last_day": last and last.date()}, auto_id="id_end_%s")
        self._today = today

    @property
    def at(self) -> dt.datetime | None:
        """From when on it matches nothing."""
        day = self.cleaned_data["last_day"]
        midnight = dt.datetime.min.time()
        return day and dt.datetime.combine(day + dt.timedelta(days=1), midnight, dt.UTC)

    def clean_last_day(self) -> dt.date | None:
        """A day that has passed is a slip; who wants it gone withdraws it."""
        day: dt.date | None = self.cleaned_data["last_day"]
        if day is not None and not self._today <= day <= self._today.replace(year=9998):
            raise forms.ValidationError(_("Choose today or a day to come."), code="past")
        return day


def _word(value: bool) -> str:  # noqa: FBT001
    return "yes" if value else "no"


def _number(name: str, usual: float, low: float, high: float) -> forms.Field:
    kind: Any = forms.IntegerField if isinstance(usual, int) else forms.FloatField
    made: forms.Field = kind(
        label=NUMBERS[name],
        help_text=_("{name}: usually {usual}; {low} to {high}").format(
            name=name, usual=usual, low=low, high=high
        ),
        min_value=low,
        max_value=high,
        required=False,
    )
    return made
