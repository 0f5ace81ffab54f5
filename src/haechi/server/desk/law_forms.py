"""What an administrator fills in about a rule of law."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from haechi import law
from haechi.errors import ReasonRequired, RuleRefused
from haechi.server.desk import rule_words
from haechi.server.desk.bank_forms import YES_NO
from haechi.server.words import words_for

LONGEST_SOURCE = 1_000
LONGEST_REASON = 1_000


class RuleForm(forms.Form):
    """One version of one rule, with what vouches for it."""

    use_required_attribute = False

    runs = forms.ChoiceField(label=_("It starts clocks"), choices=YES_NO, widget=forms.RadioSelect)
    amount = forms.IntegerField(
        label=_("Limit"),
        min_value=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    unit = forms.ChoiceField(
        label=_("Unit"),
        help_text=_(
            "Days are calendar days. Working days follow the official calendar of the place, with the"
            " weekends that are worked there."
        ),
        choices=[(unit, rule_words.UNITS[unit]) for unit in law.UNITS],
    )
    event = forms.ChoiceField(label=_("What starts the clock"), widget=forms.RadioSelect)
    stopped_by = forms.ChoiceField(
        label=_("What stops it"),
        choices=[(end, rule_words.ENDS[end]) for end in law.ENDS],
        widget=forms.RadioSelect,
    )
    paused_by = forms.ChoiceField(
        label=_("While the reporter is asked for what is missing"),
        choices=[(word, rule_words.PAUSES[word]) for word in ("", law.ASKED)],
        required=False,
        widget=forms.RadioSelect,
    )
    only_minors = forms.ChoiceField(
        label=_("Only where the person shown is or may be under 18"),
        choices=YES_NO,
        widget=forms.RadioSelect,
    )
    in_force_from = forms.DateField(
        label=_("In force from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    in_force_until = forms.DateField(
        label=_("Last day in force"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    source = forms.CharField(
        label=_("Source"),
        help_text=_("Where you read it: the law with its article, or an address."),
        max_length=LONGEST_SOURCE,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say where it was read.")},
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Why it is changed. It is kept in the log."),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": words_for(ReasonRequired.code)},  # type: ignore[dict-item]
    )
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(
        self, rule: law.Rule, *, version: int, data: Mapping[str, object] | None = None
    ) -> None:
        """`version` is the number that the new one will have."""
        super().__init__(data, initial=_initial(rule) | {"version": version})
        self.rule = rule
        valid = bool(law.regimes_of(rule.id))
        choices = [
            (event, rule_words.EVENTS[event])
            for event in law.EVENTS
            if valid or event != "valid_request"
        ]
        self.fields["event"].choices = choices  # type: ignore[attr-defined]  # of a ChoiceField

    def clean(self) -> dict[str, Any]:
        """What cannot run as a clock is said beside the form."""
        typed = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                law.confirmed(self.said())
            except RuleRefused as error:
                raise forms.ValidationError(str(words_for(error))) from error
        return typed

    def said(self) -> law.Version:
        """The version that was typed; only of a form without errors."""
        typed = self.cleaned_data
        return law.Version(
            rule=self.rule.id,
            version=typed["version"],
            runs=typed["runs"] == "yes",
            amount=typed["amount"],
            unit=typed["unit"],
            event=typed["event"],
            stopped_by=typed["stopped_by"],
            paused_by=typed["paused_by"],
            only_minors=typed["only_minors"] == "yes",
            in_force_from=typed["in_force_from"],
            in_force_until=typed["in_force_until"],
            source=typed["source"].strip(),
        )


def _initial(rule: law.Rule) -> dict[str, object]:
    return {
        "runs": "yes" if rule.enabled else "no",
        "amount": rule.amount,
        "unit": rule.unit if rule.unit in law.UNITS else "days",
        "event": rule.event,
        "stopped_by": rule.stopped_by or "decision",
        "paused_by": rule.paused_by,
        "only_minors": "yes" if rule.only_minors else "no",
        "in_force_from": rule.in_force_from,
        "in_force_until": rule.in_force_until,
        "source": rule.source,
    }
