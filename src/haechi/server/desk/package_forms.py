"""What somebody fills in who wants a package of evidence."""

from django import forms
from django.utils.translation import gettext_lazy as _

from haechi.errors import BasisNeeded, ReasonRequired
from haechi.server.cases.packages import Purpose
from haechi.server.words import words_for

LONGEST = 400
LONGEST_KEYS = 4_000


class PackageForm(forms.Form):
    """For whom, why, on whose authority; with a law named where a person under 18 is concerned."""

    use_required_attribute = False

    receiver = forms.CharField(
        label=_("Who gets it"),
        help_text=_("The office, such as a police unit or a court."),
        max_length=LONGEST,
        error_messages={"required": _("Write who gets it.")},
    )
    keys_of_receiver = forms.CharField(
        label=_("Their age key"),
        help_text=_(
            "It begins with age1. Ask for it by phone too, and compare. Several: one a line."
        ),
        max_length=LONGEST_KEYS,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": _("Without the key of the receiver nobody could open it.")},
    )
    authority = forms.CharField(
        label=_("On whose authority"),
        help_text=_("A file number, an order, a warrant."),
        max_length=LONGEST,
        error_messages={"required": _("Name the proceeding.")},
    )
    basis = forms.CharField(
        label=_("Legal basis"),
        help_text=_("The law that allows handing it over."),
        max_length=LONGEST,
        required=False,
        error_messages={"required": words_for(BasisNeeded.code)},  # type: ignore[dict-item]
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("A colleague reads this and decides. It is sealed with the report."),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": words_for(ReasonRequired.code)},  # type: ignore[dict-item]
    )

    def __init__(self, data: object = None, *, minor: bool) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # request.POST or None
        self.fields["basis"].required = minor

    def purpose(self) -> Purpose:
        """What was written."""
        given = self.cleaned_data
        return Purpose(given["receiver"], given["reason"], given["authority"], given["basis"])

    def keys(self) -> list[str]:
        """The keys, one by one."""
        return str(self.cleaned_data["keys_of_receiver"]).split()
