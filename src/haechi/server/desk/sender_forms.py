"""What people at the desk fill in about notices that come in and those who send them."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from haechi.errors import InvalidDocument
from haechi.formats import notice
from haechi.server.notices.incoming_models import NoticeSender
from haechi.server.reports.places import LONGEST_PLACE

LONGEST_HOURS = 24 * 90
MOST_TYPED = 500


class SenderForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """A known sender."""

    use_required_attribute = False

    class Meta:
        model = NoticeSender
        fields = (
            "name", "kind", "event", "mail_domain", "address", "public_key", "base_url", "within_h",
            "language", "enabled",
        )  # fmt: skip
        labels: ClassVar = {
            "name": _("Name"),
            "kind": _("What it is"),
            "event": _("A proven notice counts as"),
            "mail_domain": _("Mail domain"),
            "address": _("Mailbox here that only they are told of"),
            "public_key": _("Public key"),
            "base_url": _("Address of their Haechi"),
            "within_h": _("Hours within which we promise an answer"),
            "language": _("Language of our answers by mail"),
            "enabled": _("Use this entry"),
        }
        help_texts: ClassVar = {
            "mail_domain": _(
                "A mail with a good DKIM signature of this domain is theirs. Of a person, the whole address."
            ),
            "public_key": _(
                "Ed25519, Base64, as /.well-known/haechi.json of their Haechi gives it."
            ),
            "within_h": _("A clock of its own. Empty for none."),
        }
        widgets: ClassVar = {"kind": forms.RadioSelect, "event": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's signature
        super().__init__(*args, **kwargs)
        self.fields["language"] = forms.ChoiceField(
            label=self.fields["language"].label, choices=settings.LANGUAGES
        )
        self.fields["within_h"].widget.attrs = {"min": 1, "max": LONGEST_HOURS}
        for name in ("kind", "event"):
            choices = [pair for pair in self.fields[name].choices if pair[0]]  # type: ignore[attr-defined]
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean_within_h(self) -> int | None:
        """At least an hour, at most ninety days."""
        hours: int | None = self.cleaned_data["within_h"]
        if hours is not None and not 1 <= hours <= LONGEST_HOURS:
            raise forms.ValidationError(_("From one hour to ninety days."))
        return hours

    def clean_public_key(self) -> str:
        """A key, as documents write it."""
        text = self.cleaned_data["public_key"].strip()
        if not text:
            return ""
        try:
            return notice.key_text(notice.read_key(text))
        except InvalidDocument as error:
            raise forms.ValidationError(_("This is no Ed25519 key in Base64.")) from error

    def clean_mail_domain(self) -> str:
        """In lower case."""
        text: str = self.cleaned_data["mail_domain"].strip().lower()
        if text and "." not in text.rpartition("@")[2]:
            raise forms.ValidationError(_("This is no domain."))
        return text

    def clean_address(self) -> str:
        """In lower case."""
        return str(self.cleaned_data["address"]).strip().lower()

    def clean_base_url(self) -> str:
        """An address on the web."""
        text: str = self.cleaned_data["base_url"].strip().rstrip("/")
        if text and not text.startswith(("https://", "http://")):
            raise forms.ValidationError(_("It begins with https://"))
        return text


class OpenIncomingForm(forms.Form):
    """Places that a person found in a notice no machine understood."""

    use_required_attribute = False

    places = forms.CharField(
        label=_("Places, one on each line"),
        help_text=_("As they stand in the notice. It may also be opened without any."),
        max_length=MOST_TYPED * LONGEST_PLACE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
