"""The files of one report, from the three places they come from.

    kept      sealed earlier, while another part of the form had to be put right (`public.kept`)
    sealed    sealed by the page's own script and sent before the form (`evidence.uploads`)
    files     sealed here, while the form arrived

All end up sealed to one identity, which becomes the report's own: that of the kept files, else the
one the page made, else the one of this request. What this request sealed is sealed again to it, in
memory; what a browser sealed never is, since that would mean opening it. A page with kept files is
therefore told whom to seal the next ones to (`Kept.recipient`).
"""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from haechi.errors import UploadError
from haechi.server.evidence import uploads
from haechi.server.evidence.uploads import Announced
from haechi.server.public import kept
from haechi.server.public.forms import ReportForm, too_many_files
from haechi.server.public.kept import Kept
from haechi.server.words import words_for

if TYPE_CHECKING:
    from django.http import QueryDict


def together(form: ReportForm, earlier: Kept | None, new: Kept, *, now: datetime) -> Kept:
    """All files that come with this form. What cannot come is noted in the form, with the reason.

    Raises StorageUnavailable and CannotOpen as `kept.join`.
    """
    base = _kept(form, earlier)
    told = _told(form)
    if told:
        base = _with_uploads(form, base, told)
    if base is None:
        return new
    uploads.touch(base.files, now=now)
    room = settings.UPLOADS_PER_REPORT - len(base.files)
    if len(new.files) > room:
        form.add_error("files", ValidationError(too_many_files()))
        kept.forget(new.files[room:])
    return kept.join(base, new.files[:room], new.identity)


def note(form: ReportForm, error: UploadError) -> None:
    """Write beside the files why one of them does not come."""
    form.add_error("files", ValidationError(str(words_for(error)), code=error.code))


def _kept(form: ReportForm, earlier: Kept | None) -> Kept | None:
    """The kept files that were not ticked away, or None where there are none."""
    sent = cast("QueryDict", form.data)
    if not sent.get("kept"):
        return None
    if earlier is None or not kept.complete(earlier):
        gone = _("Files you added before were held for two hours. Please add them again.")
        form.add_error("files", ValidationError(gone))
        return None
    dropped = sent.getlist("drop")
    return replace(
        earlier,
        files=tuple(file for n, file in enumerate(earlier.files) if str(n) not in dropped),
    )


def _told(form: ReportForm) -> list[Announced]:
    if "sealed" in form.errors:
        return []
    return cast("list[Announced]", form.cleaned_data["sealed"])


def _with_uploads(form: ReportForm, base: Kept | None, told: list[Announced]) -> Kept:
    sent = cast("QueryDict", form.data)
    base = base or Kept(sent.get("identity", ""), ())
    room = max(0, settings.UPLOADS_PER_REPORT - len(base.files))
    if len(told) > room:
        form.add_error("files", ValidationError(too_many_files()))
    for one in told[:room]:
        try:
            file = uploads.named(sent.get("submission", ""), [one], base.identity)
        except UploadError as error:
            note(form, error)
        else:
            base = replace(base, files=(*base.files, *file))
    return base
