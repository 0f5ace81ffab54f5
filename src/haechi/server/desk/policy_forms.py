"""What an administrator fills in about a ground of the policy catalogue."""

from collections.abc import Mapping

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from haechi.errors import ReasonRequired
from haechi.server.cases.models import PolicyKind, Verdict
from haechi.server.cases.models.policy import LONGEST_EXPLANATION, LONGEST_LEGAL_GROUND, Policy
from haechi.server.desk.bank_forms import YES_NO
from haechi.server.desk.deciding_form import LABELS
from haechi.server.words import words_for

LONGEST_TITLE = 200
LONGEST_SOURCE = 300
LONGEST_REASON = 300
TEXTS = (
    "kind", "verdicts", "title_ko", "title_zh", "title_en", "legal_ground", "explanation", "source",
)  # fmt: skip
ANSWERS = ("synthetic", "minor", "offered")


def _text(label: object, most: int, *, rows: int = 2, **more: object) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=most, widget=widget, **more)  # type: ignore[arg-type]


def _answer(label: object) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=YES_NO, widget=forms.RadioSelect)  # type: ignore[arg-type]


class PolicyForm(forms.Form):
    """One version of one ground."""

    use_required_attribute = False

    key = forms.CharField(
        label=_("Key"),
        help_text=_("Small letters, digits and underscores; decisions and orders carry it."),
        max_length=40,
        validators=[
            RegexValidator(r"\A[a-z][a-z0-9_]*\Z", _("Small letters, digits, underscores."))
        ],
    )
    offered = _answer(_("It may be decided on"))
    kind = forms.ChoiceField(label=_("It is"), choices=PolicyKind.choices, widget=forms.RadioSelect)
    verdicts = forms.MultipleChoiceField(
        label=_("It allows"),
        choices=[(each.value, LABELS[each]) for each in (Verdict.REMOVE, Verdict.RESTRICT)],
        widget=forms.CheckboxSelectMultiple,
    )
    title_ko = _text(_("What it is called in Korean"), LONGEST_TITLE)
    title_zh = _text(_("What it is called in Chinese"), LONGEST_TITLE)
    title_en = _text(_("What it is called in English"), LONGEST_TITLE)
    legal_ground = _text(
        _("Ground, as the statement of reasons gives it (English)"), LONGEST_LEGAL_GROUND
    )
    explanation = _text(_("Why it applies, in fixed words (English)"), LONGEST_EXPLANATION, rows=4)
    source = _text(
        _("Source"),
        LONGEST_SOURCE,
        required=False,
        help_text=_("The article of the law, or where the rule is published."),
    )
    synthetic = _answer(_("It speaks of what is made or altered by a machine"))
    minor = _answer(_("It speaks of somebody under 18"))
    reason = _text(
        _("Reason"),
        LONGEST_REASON,
        help_text=_("Why it is changed. It is kept in the log."),
        error_messages={"required": words_for(ReasonRequired.code)},
    )
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, before: Policy | None, data: Mapping[str, object] | None = None) -> None:
        """`before` is the newest version, or None for a ground that is new."""
        super().__init__(data, initial=_initial(before))
        if before is not None:
            del self.fields["key"]

    @property
    def said(self) -> dict[str, object]:
        """Fields of the new version; only of a form without errors."""
        typed = self.cleaned_data
        return {name: typed[name] for name in TEXTS} | {
            name: typed[name] == "yes" for name in ANSWERS
        }


def _initial(before: Policy | None) -> dict[str, object]:
    if before is None:
        return {
            "version": 1,
            "offered": "yes",
            "kind": PolicyKind.RULE,
            "verdicts": [Verdict.REMOVE],
            "synthetic": "no",
            "minor": "no",
        }
    return (
        {name: getattr(before, name) for name in TEXTS}
        | {name: "yes" if getattr(before, name) else "no" for name in ANSWERS}
        | {"version": before.version + 1}
    )
