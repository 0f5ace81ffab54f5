"""What people at the desk fill in about notices and the directory."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from haechi import law
from haechi.errors import UnknownRule
from haechi.server.law_words import REGIMES
from haechi.server.notices.directory import Answering
from haechi.server.notices.models import Notice, Outcome, Step

# With more places, one answer stands for those about which nothing was said yet.
MOST_FIELDS = 100
LANGUAGES = [("ko", "한국어"), ("zh-hans", "简体中文"), ("en", "English")]


class SentForm(forms.Form):
    """A form was filled in by hand."""

    use_required_attribute = False

    reference = forms.CharField(
        label=_("The number they gave you"),
        help_text=_("Leave it empty where they gave none."),
        max_length=200,
        required=False,
    )


class OutcomeForm(forms.Form):
    """What an answer says of each place."""

    use_required_attribute = False

    def __init__(self, notice: Notice, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        items = list(notice.items.all()[: MOST_FIELDS + 1])
        self._numbers = [item.number for item in items] if len(items) <= MOST_FIELDS else []
        choices = [("", _("nothing said")), *Outcome.choices]
        for item in items if self._numbers else ():
            self.fields[f"item_{item.number}"] = forms.ChoiceField(
                label=_("Place {number}").format(number=item.number),
                choices=choices,
                initial=item.outcome,
                required=False,
            )
        if not self._numbers:
            self.fields["all"] = forms.ChoiceField(
                label=_("All places about which nothing was said yet"), choices=choices[1:]
            )
        self._left = notice.items.filter(outcome="")

    def outcomes(self) -> dict[int, Outcome]:
        """By the numbers of places; those left open are not among them."""
        typed = self.cleaned_data
        if not self._numbers:
            every = Outcome(typed["all"])
            return dict.fromkeys(self._left.values_list("number", flat=True), every)
        said = {number: typed[f"item_{number}"] for number in self._numbers}
        return {number: Outcome(value) for number, value in said.items() if value}


class DirectoryForm(forms.Form):
    """One row of the directory."""

    use_required_attribute = False

    host = forms.CharField(
        label=_("Domain"),
        help_text=_("Of the site they answer for, such as photos.example."),
        max_length=200,
    )
    step = forms.ChoiceField(label=_("Who they are"), choices=Step.choices)
    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(label=_("E-mail for abuse"), required=False)
    form_url = forms.URLField(
        label=_("Address of their form"), max_length=300, required=False, assume_scheme="https"
    )
    haechi_url = forms.URLField(
        label=_("Address of their Haechi"), max_length=300, required=False, assume_scheme="https"
    )
    haechi_key = forms.CharField(
        label=_("Public key of their Haechi"),
        help_text=_("From /.well-known/haechi.json there; ask them whether it is theirs."),
        max_length=60,
        required=False,
    )
    language = forms.ChoiceField(label=_("Language they read"), choices=LANGUAGES)
    laws = forms.MultipleChoiceField(
        label=_("Laws that bind them"),
        choices=list(REGIMES.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    country = forms.CharField(
        label=_("Country of an authority"),
        help_text=_("Two letters, such as KR."),
        min_length=2,
        max_length=2,
        required=False,
    )
    source = forms.CharField(
        label=_("Where you read this"),
        help_text=_("An address of a page, or how you know. Nothing goes in without it."),
        max_length=300,
    )
    dated = forms.DateField(
        label=_("When you read it"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def clean_country(self) -> str:
        """In capitals, and one that the law tables know."""
        code = str(self.cleaned_data["country"]).upper()
        if code:
            try:
                law.time_zone(code)
            except UnknownRule as error:
                raise forms.ValidationError(_("Not a country we know.")) from error
        return code

    def clean(self) -> dict[str, Any]:
        """One way to reach them, at least; a Haechi with its key."""
        typed: dict[str, Any] = super().clean() or {}
        if not any(typed.get(name) for name in ("email", "form_url", "haechi_url")):
            raise forms.ValidationError(_("Give one way to reach them."))
        if typed.get("haechi_url") and not typed.get("haechi_key"):
            raise forms.ValidationError(_("A Haechi needs its public key."))
        return typed

    def row(self) -> Answering:
        """What was typed, as the directory keeps it."""
        typed = dict(self.cleaned_data)
        step, laws = Step(typed.pop("step")), tuple(typed.pop("laws"))
        return Answering(**typed, step=step, laws=laws)
