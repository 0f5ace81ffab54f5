"""What people at the desk fill in."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from haechi.errors import ReasonRequired
from haechi.server.appeals.models import Outcome
from haechi.server.cases.models import Purpose
from haechi.server.cases.notes import LONGEST_NOTE
from haechi.server.reports.messages import LONGEST_MESSAGE
from haechi.server.words import words_for

LONGEST_REASON = 2_000


def reason_field(help_text: object) -> forms.CharField:
    """A reason somebody writes; `help_text` says who reads it."""
    return forms.CharField(
        label=_("Reason"),
        help_text=help_text,  # type: ignore[arg-type]  # a lazy text is one
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": words_for(ReasonRequired.code)},  # type: ignore[dict-item]
    )


class LoginForm(forms.Form):
    """Everything at once, so that nothing is said about which part was wrong."""

    use_required_attribute = False

    username = forms.CharField(
        label=_("User name"),
        max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    token = forms.CharField(
        label=_("Token"),
        help_text=_("The six digits your second factor shows now."),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class OpenForm(forms.Form):
    """Why somebody opens a case that they have not taken."""

    use_required_attribute = False

    purpose = forms.ChoiceField(
        label=_("I open it"),
        choices=[(each.value, each.label) for each in Purpose],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of these.")},
    )


class UndoForm(forms.Form):
    """Why somebody wants to be shown a case again that they set aside."""

    use_required_attribute = False

    reason = reason_field(
        _("An administrator reads this and decides. Name nobody and say nothing of the report.")
    )


class AnswerUndoingForm(forms.Form):
    """What an administrator says to it; the button tells which."""

    use_required_attribute = False

    reason = reason_field(_("Your colleague reads this."))
    agreed = forms.ChoiceField(choices=[("yes", ""), ("no", "")])


class IdentityForm(OpenForm):
    """Why somebody needs the reporter's name or contact."""

    purpose = forms.ChoiceField(
        label=_("I need it"),
        choices=[
            (each.value, each.label) for each in (Purpose.REPORTER, Purpose.LAW, Purpose.APPEAL)
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of these.")},
    )
    note = reason_field(_("A colleague reads this and decides. It is sealed with the report."))


class AppealForm(forms.Form):
    """The answer to an objection."""

    use_required_attribute = False

    outcome = forms.ChoiceField(
        label=_("Answer"),
        choices=[
            (Outcome.UPHELD.value, _("The decision stands")),
            (Outcome.GRANTED.value, _("Reverse the decision")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the two.")},
    )
    reason = reason_field(_("Whoever appealed reads this."))


class MessageForm(forms.Form):
    """A message to the reporter."""

    text = forms.CharField(
        label=_("Message to the reporter"),
        help_text=_(
            "Read with the return code. Never ask for a code, and for no more than you need."
        ),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class NoteForm(forms.Form):
    """A note for those who work on the case."""

    use_required_attribute = False

    text = forms.CharField(
        label=_("New note"),
        help_text=_(
            "Sealed with the report, read by whoever opens the case; it cannot be changed."
        ),
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("A note needs words.")},
    )

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data, auto_id="note_%s")
