"""What people at the desk fill in to keep a report, or to have it erased."""

import datetime as dt

from django import forms
from django.utils.translation import gettext_lazy as _

from haechi.errors import ReasonRequired
from haechi.server.desk.forms import LONGEST_REASON
from haechi.server.reports.models import ErasureReason
from haechi.server.words import words_for


def _text(label: object, help_text: object = "", rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,  # type: ignore[arg-type]  # a lazy text is one
        help_text=help_text,  # type: ignore[arg-type]  # a lazy text is one
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": words_for(ReasonRequired.code)},  # type: ignore[dict-item]
    )


class HoldForm(forms.Form):
    """Why a report must be kept, on what authority, and until when."""

    use_required_attribute = False

    why = _text(_("Why it must be kept"), _("Sealed with the report."))
    authority = _text(_("Who asked, and the number of the proceeding"), rows=2)
    until = forms.DateField(
        label=_("Last day"),
        help_text=_("Empty: until somebody ends the hold."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def end(self) -> dt.datetime | None:
        """The end of the last day, UTC, or None."""
        day: dt.date | None = self.cleaned_data["until"]
        if day is None:
            return None
        return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.UTC)


class ReleaseForm(forms.Form):
    """Why a hold ends before its time."""

    use_required_attribute = False

    why = _text(_("Why it ends"), rows=2)


class ErasureForm(forms.Form):
    """Who wants the report erased."""

    use_required_attribute = False

    reason = forms.ChoiceField(
        label=_("It is erased because"),
        choices=[(each.value, each.label) for each in (ErasureReason.ASKED, ErasureReason.ORDERED)],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of these.")},
    )
    note = _text(
        _("Who wants it, and how that was checked"),
        _("The second person reads this and decides. It is erased with the report."),
    )
