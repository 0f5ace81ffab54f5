"""What somebody fills in who asks which account made a file."""

from django import forms
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models import Case
from haechi.server.desk.forms import reason_field
from haechi.server.tracing.asking import Question
from haechi.server.tracing.models import Purpose


class TraceForm(forms.Form):
    """A file, and why."""

    use_required_attribute = False

    file = forms.FileField(
        label=_("Picture, video or sound"),
        help_text=_(
            "Choose it, or drop it on the field. The file is not kept, only a digest with a key by"
            " which it is known again."
        ),
        error_messages={"required": _("Choose a file.")},
    )
    purpose = forms.ChoiceField(label=_("What for"), choices=Purpose.choices)
    case = forms.IntegerField(
        label=_("Number of the case"), min_value=1, max_value=10**15, required=False
    )
    reason = reason_field(_("It is sealed. Whoever agrees that an account is named reads it."))

    def clean_case(self) -> int | None:
        """A case there is, or none."""
        number: int | None = self.cleaned_data["case"]
        if number is not None and not Case.objects.filter(pk=number).exists():
            raise forms.ValidationError(_("There is no such case."))
        return number

    def question(self) -> Question:
        """What was written."""
        given = self.cleaned_data
        return Question(Purpose(given["purpose"]), given["reason"], given["case"])


class NameForm(forms.Form):
    """Why an account must be named."""

    use_required_attribute = False

    finding = forms.IntegerField(widget=forms.HiddenInput)
    reason = reason_field(_("A colleague reads this and decides. It is sealed."))
