"""What people fill in. Nothing typed is ever dropped: a form that fails comes back as it was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from haechi.errors import (
    HaechiError,
    MediaError,
    NothingReported,
    ToldRefused,
    UploadUnknown,
)
from haechi.media import Kind
from haechi.server.appeals.services import LONGEST_TEXT
from haechi.server.evidence import told
from haechi.server.evidence.sealing import SealedFile, SealedUpload
from haechi.server.evidence.told import Told
from haechi.server.evidence.uploads import Announced
from haechi.server.public import page_token
from haechi.server.reports import requirements
from haechi.server.reports.models import Age, Filer, Harm
from haechi.server.reports.places import LONGEST_PLACE, MOST_PLACES, read
from haechi.server.reports.return_code import LONGEST_INPUT
from haechi.server.reports.story import Circulating, Relation, Shows, Story
from haechi.server.words import WORDS, words_for

LONGEST_STORY = 20_000
LONGEST_WORDS = 500
LONGEST_NAME = 500
SHA256_BYTES = 32


@dataclass(frozen=True)
class Mistake:
    """One line of the summary above a form.

    anchor  id of the field, or "" for the form as a whole
    code    the stable error code, or "" where the browser itself would have said it
    """

    anchor: str
    label: str
    words: str
    code: str


class CalmForm(forms.Form):
    """A form whose mistakes are listed above it, each with a link to its field."""

    anchors: ClassVar[Mapping[str, str]] = {}

    def mistakes(self) -> list[Mistake]:
        """In the order of the fields."""
        return [
            Mistake(
                anchor=self.anchors.get(name, f"id_{name}"),
                label=str(self.fields[name].label) if name in self.fields else "",
                words=" ".join(error.messages),
                code=error.code if error.code in WORDS else "",
            )
            for name, errors in self.errors.as_data().items()
            for error in errors
        ]


class ManyFiles(forms.FileInput):
    """A file field that takes several."""

    allow_multiple_selected = True


class SealedFilesField(forms.Field):
    """Files that the upload handler has sealed, or refused, while they arrived."""

    widget = ManyFiles

    def clean(self, value: Any) -> list[SealedFile]:  # noqa: ANN401  # Django's signature
        """The sealed ones. Every refused one is a mistake with its own code and words."""
        uploads = cast("list[SealedUpload]", value or [])
        refused = [
            _refused(upload, upload.refusal, place)
            for place, upload in enumerate(uploads, start=1)
            if upload.refusal is not None
        ]
        if refused:
            raise ValidationError(refused)
        return sealed_in(uploads)


def _sound(text: object) -> str:
    """Text that a database and an envelope take. Raises ValueError: half a surrogate pair, NUL."""
    found = str(text)
    if "\0" in found:
        raise ValueError("NUL")
    found.encode()
    return found


class SealedUploadsField(forms.Field):
    """What the page tells of the files its script has sealed and sent (`evidence.uploads`)."""

    def to_python(self, value: Any) -> list[Announced]:  # noqa: ANN401  # Django's signature
        """One for each. What the script never writes names no upload."""
        try:
            rows = json.loads(value) if value else []
            return [
                Announced(
                    id=_sound(row["id"]),
                    name=_sound(row["name"])[:LONGEST_NAME],
                    sha256=_sha256(row["sha256"]),
                    kind=Kind(row["kind"]),
                )
                for row in rows[: settings.UPLOADS_PER_REPORT + 1]
            ]
        except (ValueError, TypeError, KeyError, RecursionError):
            words = str(words_for(UploadUnknown.code))
            raise ValidationError(words, code=UploadUnknown.code) from None


class ReportForm(CalmForm):
    """The front door. Every field may stay empty; a place or a picture is enough."""

    anchors: ClassVar = {
        "submission": "",
        "locations": "id_locations",
        "__all__": "id_locations",
        "files": "id_files",
        "fingerprints": "pictures",
        "sealed": "id_files",
        "identity": "id_files",
    }

    submission = forms.CharField(label="", required=False, widget=forms.HiddenInput)
    age = forms.ChoiceField(
        label=_("How old is the person who is shown?"),
        choices=Age.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    filer = forms.ChoiceField(
        label=_("Who are you?"),
        choices=Filer.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    authority = forms.CharField(
        label=_("How you are allowed to act for the person"),
        help_text=_("For instance: I am her mother; he asked me to. No papers are needed."),
        required=False,
        max_length=LONGEST_WORDS,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    danger = forms.BooleanField(
        label=_("I am afraid that somebody may be hurt soon, or may hurt themselves."),
        required=False,
    )
    harms = forms.MultipleChoiceField(
        label=_("Choose all that fit."),
        choices=Harm.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    told = forms.CharField(
        label=_("In your own words"),
        help_text=_("A few words are enough. You need not describe the picture."),
        required=False,
        max_length=LONGEST_STORY,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    shows = forms.MultipleChoiceField(
        label=_("What does it show?"),
        choices=Shows.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    who = forms.CharField(
        label=_("Who in it is meant?"),
        help_text=_("Only if several people can be seen. For instance: the one on the left."),
        required=False,
        max_length=LONGEST_WORDS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    circulating = forms.MultipleChoiceField(
        label=_("Does any of this go round with it?"),
        choices=Circulating.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    relation = forms.ChoiceField(
        label=_("Who may have done it?"),
        choices=Relation.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    relation_told = forms.CharField(
        label=_("Anything about this person that helps"),
        help_text=_("A guess is not an accusation. You may leave it out."),
        required=False,
        max_length=LONGEST_WORDS,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    locations = forms.CharField(
        label=_("Everything you have, one on each line"),
        help_text=_(
            "Links, rooms, channels, message numbers, @names, or plain words such as: the class "
            "chat. Paste them as they are."
        ),
        required=False,
        max_length=MOST_PLACES * (LONGEST_PLACE + 2),
        widget=forms.Textarea(
            attrs={
                "rows": 5,
                "spellcheck": "false",
                "autocapitalize": "none",
                "autocomplete": "off",
            }
        ),
    )
    kept = forms.CharField(required=False, widget=forms.HiddenInput)
    # Only the page's script fills these in: what it sealed, and the key that opens it.
    identity = forms.CharField(label="", required=False, max_length=100, widget=forms.HiddenInput)
    sealed = SealedUploadsField(
        label=_("Pictures or videos"), required=False, widget=forms.HiddenInput
    )
    # Django takes fields out of the class, so this is not the attribute of the same name.
    files = SealedFilesField(  # type: ignore[assignment]
        label=_("Pictures or videos"), required=False
    )
    # Filled by a script alone (web/src/fingerprint); "told" is what she tells in words.
    fingerprints = forms.CharField(
        label=_("Fingerprints of files that stay with you"),
        required=False,
        strip=False,
        widget=forms.HiddenInput,
    )
    declared = forms.BooleanField(
        label=_(
            "This shows me, or I act for the person it shows. There was no consent. "
            "I say this in good faith, and it is true as far as I know."
        ),
        required=False,
    )
    signature = forms.CharField(
        label=_("Your name, or a sign that stands for it"),
        help_text=_("Initials are fine. It is sealed with your report."),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    contact = forms.CharField(
        label=_("An address where we may write to you"),
        help_text=_(
            "Not needed: your code is enough to come back. Never use an address others read."
        ),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_submission(self) -> str:
        """The token of the page that was sent, made here less than a day ago."""
        given: str = self.cleaned_data["submission"]
        if not page_token.valid(given):
            raise ValidationError(_("This page was open for too long. Please send it once more."))
        return given

    def clean_age(self) -> Age:
        """Unsaid where nothing was chosen."""
        return Age(self.cleaned_data["age"] or Age.UNSAID)

    def clean_filer(self) -> Filer:
        """The person shown, where nothing was chosen."""
        return Filer(self.cleaned_data["filer"] or Filer.SELF)

    def clean_locations(self) -> tuple[str, ...]:
        """Places as they were typed, in order: no blanks, no doubles (reports.places.read)."""
        typed = [*self.places_typed(), *self.cleaned_data["locations"].splitlines()]
        places = tuple(place.typed for place in read(typed))
        if len(places) > MOST_PLACES:
            raise ValidationError(
                _("One report takes up to %(limit)s places. Send the others in a second report."),
                params={"limit": MOST_PLACES},
            )
        if any(len(place) > LONGEST_PLACE for place in places):
            raise ValidationError(
                _("One of the places is longer than %(limit)s characters."),
                params={"limit": LONGEST_PLACE},
            )
        return places

    def clean_fingerprints(self) -> tuple[Told, ...]:
        """What the browser told instead of files."""
        try:
            return told.read(self.cleaned_data["fingerprints"])
        except ToldRefused as error:
            raise ValidationError(str(words_for(error)), code=error.code) from error

    def places_typed(self) -> list[str]:
        """What programs send in fields of their own, one place each, as it was typed."""
        data = self.data
        return data.getlist("location") if isinstance(data, QueryDict) else []

    def block(self) -> str:
        """All places as they were typed, one on each line, for the page that comes back."""
        written = str(self["locations"].value() or "")
        return "\n".join([*filter(None, self.places_typed()), *filter(None, [written])])

    def refuse_empty(self) -> None:
        """Note that there is neither a place, nor a picture, nor a fingerprint."""
        self.add_error(
            None, ValidationError(str(words_for(NothingReported.code)), code=NothingReported.code)
        )

    def story(self, files: tuple[SealedFile, ...]) -> Story:
        """What gets sealed; `files` in the order of their exhibit numbers."""
        return Story(
            told=self.cleaned_data["told"],
            contact=self.cleaned_data["contact"],
            declared=self.cleaned_data["declared"],
            signature=self.cleaned_data["signature"],
            files={str(number): file.name for number, file in enumerate(files, start=1)},
            shows=self.cleaned_data["shows"],
            who=self.cleaned_data["who"],
            circulating=self.cleaned_data["circulating"],
            relation=self.cleaned_data["relation"],
            relation_told=self.cleaned_data["relation_told"],
            authority=self.cleaned_data["authority"],
        )

    def facts(self, *, pictures: int) -> frozenset[str]:
        """What the form holds so far, for the laws (reports.requirements); never raises.

        pictures   files and fingerprints that came with it
        """
        if not self.is_bound:
            return frozenset({"code"})
        self.is_valid()  # fills cleaned_data with what could be read
        told = {name: self.cleaned_data.get(name) for name in self.fields}
        story = Story(
            told=told["told"] or "",
            contact=told["contact"] or "",
            declared=bool(told["declared"]),
            signature=told["signature"] or "",
            shows=told["shows"] or [],
            authority=told["authority"] or "",
        )
        return requirements.facts_of(
            story,
            age=told["age"] or Age.UNSAID,
            filer=told["filer"] or Filer.SELF,
            harms=told["harms"] or [],
            places=told["locations"] or (),
            pictures=pictures,
        )


class ReturnForm(CalmForm):
    """One field for either form of the code."""

    code = forms.CharField(
        label=_("Your code"),
        help_text=_(
            "The eight words or the 27 digits. Spaces, hyphens and capitals do not matter."
        ),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


class AppealForm(CalmForm):
    """An objection in somebody's own words."""

    text = forms.CharField(
        label=_("Why do you think this was wrong?"),
        help_text=_("In your own words, up to 5,000 characters."),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 8}),
    )


def sealed_in(uploads: list[SealedUpload]) -> list[SealedFile]:
    """The files among `uploads` that were sealed."""
    return [upload.sealed for upload in uploads if upload.sealed is not None]


def storage_failed(uploads: list[SealedUpload]) -> bool:
    """True when a file was refused for a reason of ours, not of the file."""
    return any(
        upload.refusal is not None and not isinstance(upload.refusal, MediaError)
        for upload in uploads
    )


def _refused(upload: SealedUpload, refusal: HaechiError, place: int) -> ValidationError:
    beyond = place > settings.UPLOADS_PER_REPORT
    words = too_many_files() if beyond else str(words_for(refusal))
    return ValidationError(
        "%(name)s: %(words)s",
        code="" if beyond else refusal.code,
        params={"name": upload.name, "words": words},
    )


def _sha256(text: object) -> bytes:
    digest = bytes.fromhex(str(text))
    if len(digest) != SHA256_BYTES:
        raise ValueError("this is no SHA-256")
    return digest


def too_many_files() -> str:
    """One report holds a few files; the others are no mistake, only too many."""
    return str(
        _("One report takes up to %(limit)s files. Send this one in a second report.")
        % {"limit": settings.UPLOADS_PER_REPORT}
    )
