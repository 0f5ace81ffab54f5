"""What people at the desk fill in about banks and their members."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from haechi.errors import ReasonRequired
from haechi.index import DEFAULT, thresholds
from haechi.server.matching import floods
from haechi.server.matching.banks import NOTE_LIMIT
from haechi.server.matching.models import Bank, BankPolicy
from haechi.server.words import words_for

YES_NO = [("yes", _("yes")), ("no", _("no"))]


class BankForm(forms.Form):
    """A bank's settings. An empty number is the usual one, which stands in its hint."""

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
            self.fields[name] = _number(name, getattr(DEFAULT, name), *thresholds.span(name))
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


def _word(value: bool) -> str:  # noqa: FBT001
    return "yes" if value else "no"


def _number(name: str, usual: float, low: float, high: float) -> forms.Field:
    kind: Any = forms.IntegerField if isinstance(usual, int) else forms.FloatField
    made: forms.Field = kind(
        label=name,
        help_text=_("usually {usual}; {low} to {high}").format(usual=usual, low=low, high=high),
        min_value=low,
        max_value=high,
        required=False,
    )
    return made
