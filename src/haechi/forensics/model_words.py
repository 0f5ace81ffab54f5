"""What the codes of models' signals mean, in English: one template a code. The server translates the same."""

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text to be translated."""
    return text


WORDS: Mapping[str, str] = {
    "models.face_swap.shown": _(
        "The model %(model)s was asked whether a face was exchanged; on its own scale from 0 (no) to "
        "1 (yes) it gives %(score)s."
    ),
    "models.face_swap.speaks": _("The model %(model)s sees traces of an exchanged face."),
    "models.face_swap.silent": _("The model %(model)s sees no traces of an exchanged face."),
    "models.whole_image.shown": _(
        "The model %(model)s was asked whether AI made the whole picture; on its own scale from 0 (no) "
        "to 1 (yes) it gives %(score)s."
    ),
    "models.whole_image.speaks": _(
        "The model %(model)s sees traces of a picture that AI made as a whole."
    ),
    "models.whole_image.silent": _(
        "The model %(model)s sees no traces of a picture that AI made as a whole."
    ),
    "models.edit_localisation.shown": _(
        "The model %(model)s was asked where the picture was edited; on its own scale from 0 (nowhere) "
        "to 1 (somewhere, surely) it gives %(score)s."
    ),
    "models.edit_localisation.speaks": _(
        "The model %(model)s sees traces of editing in a part of the picture."
    ),
    "models.edit_localisation.silent": _("The model %(model)s sees no traces of editing."),
    "models.video.shown": _(
        "The model %(model)s was asked whether the video was altered; on its own scale from 0 (no) to "
        "1 (yes) it gives %(score)s."
    ),
    "models.video.speaks": _("The model %(model)s sees traces of alteration over time."),
    "models.video.silent": _("The model %(model)s sees no traces of alteration over time."),
    "models.voice.shown": _(
        "The model %(model)s was asked whether the voice was cloned; on its own scale from 0 (no) to "
        "1 (yes) it gives %(score)s."
    ),
    "models.voice.speaks": _("The model %(model)s hears traces of a cloned voice."),
    "models.voice.silent": _("The model %(model)s hears no traces of a cloned voice."),
    "models.off": _("The model %(model)s could not be asked."),
    "limit.model_uncalibrated": _(
        "This model was not calibrated with pictures of this installation: its number is no "
        "probability and counts for nothing."
    ),
    "limit.model_other_forgeries": _(
        "Models recognise the kinds of forgery they were trained on and fail on others, also on "
        "pictures that were sent through messengers."
    ),
    "limit.model_doubtful_set": _(
        "The pictures it was calibrated with differ in more than being real or not, so it may be "
        "worse than it looks."
    ),
    "limit.model_no_face": _("It looks at faces, and none was found."),
    "limit.model_too_small": _("What it looks at is too small here."),
    "limit.model_too_large": _(
        "The picture is larger than it is shown, and making it smaller would destroy the traces."
    ),
    "limit.model_failed": _("It failed or took too long."),
}
