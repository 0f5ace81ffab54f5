"""What a reporter fills in once she has come back. What fails comes back as it was typed."""

from dataclasses import replace
from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from haechi.errors import HaechiError
from haechi.server.appeals.services import LONGEST_TEXT
from haechi.server.evidence.sealing import SealedFile
from haechi.server.public.forms import (
    LONGEST_STORY,
    CalmForm,
    ReportForm,
    ReturnForm,
    SealedFilesField,
    sealed_in,
    storage_failed,
)
from haechi.server.reports.messages import LONGEST_MESSAGE
from haechi.server.reports.places import LONGEST_PLACE, MOST_PLACES, read
from haechi.server.reports.story import Story
from haechi.server.words import words_for

__all__ = ["ReturnForm", "sealed_in", "storage_failed"]


class VisitForm(CalmForm):
    """A form behind the code; what the walk refuses is a mistake like any other."""

    main: ClassVar[str] = "text"

    def refuse(self, error: HaechiError) -> None:
        """Note why nothing was stored, at the field it is about."""
        self.add_error(self.main, ValidationError(str(words_for(error)), code=error.code))


class MessageForm(VisitForm):
    """A message to the people who work on the report."""

    text = forms.CharField(
        label=_("Your message"),
        help_text=_("Never write your code here. Nobody needs it but you."),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class InactionForm(VisitForm):
    """An objection to a refusal, or to silence."""

    text = forms.CharField(
        label=_("What should we look at again?"),
        help_text=_("A few words are enough. Tell us what we missed or what is wrong."),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class AddForm(VisitForm):
    """More places, more files."""

    main = "locations"

    locations = forms.CharField(
        label=_("Other places where it is"),
        help_text=ReportForm.base_fields["locations"].help_text,
        required=False,
        max_length=MOST_PLACES * (LONGEST_PLACE + 2),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    # Django takes fields out of the class, so this is not the attribute of the same name.
    files = SealedFilesField(  # type: ignore[assignment]
        label=_("Pictures or videos"), required=False
    )

    def clean_locations(self) -> tuple[str, ...]:
        """Places as they were typed, in order: no blanks, no doubles (reports.places.read)."""
        lines = self.cleaned_data["locations"].splitlines()
        places = tuple(place.typed for place in read(lines))
        if len(places) > MOST_PLACES:
            raise ValidationError(
                _("Please send up to %(limit)s places at once."), params={"limit": MOST_PLACES}
            )
        if any(len(place) > LONGEST_PLACE for place in places):
            raise ValidationError(
                _("One of the places is longer than %(limit)s characters."),
                params={"limit": LONGEST_PLACE},
            )
        return places


class CompareForm(VisitForm):
    """Pictures that are only compared with what was reported."""

    main = "files"

    files = SealedFilesField(  # type: ignore[assignment]  # as above
        label=_("Pictures to compare with"), required=False
    )
    agreed = forms.BooleanField(
        label=_(
            "I agree that these pictures are compared with what I reported, and used for nothing else."
        ),
        error_messages={"required": _("We compare nothing without your consent.")},
    )

    def clean_files(self) -> list[SealedFile]:
        """Still pictures."""
        files: list[SealedFile] = self.cleaned_data["files"]
        if not files:
            raise ValidationError(_("Please choose at least one picture."))
        if any(file.kind.is_video for file in files):
            raise ValidationError(_("Only pictures can be compared, no videos."))
        return files


class StoryForm(VisitForm):
    """What she wrote, to be put right."""

    main = "told"

    told = forms.CharField(
        label=_("In your own words"),
        required=False,
        max_length=LONGEST_STORY,
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    # Asked in the same words as on the first page.
    declared = ReportForm.base_fields["declared"]
    signature = ReportForm.base_fields["signature"]
    contact = ReportForm.base_fields["contact"]

    def story(self, before: Story) -> Story:
        """`before` with what this form holds in its place; everything else stays."""
        return replace(before, **{name: self.cleaned_data[name] for name in self.fields})


class MailForm(VisitForm):
    """Where to say that something changed."""

    main = "address"

    address = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("Only one that nobody else reads, also not on a shared device."),
        max_length=200,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
