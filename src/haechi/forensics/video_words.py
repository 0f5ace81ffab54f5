"""What the codes of a video's signals mean, in English."""

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text to be translated."""
    return text


VIDEO: Mapping[str, str] = {
    "video.looked": _(
        "%(looked)s s of a film of %(length)s s were looked at, %(frames)s frames; "
        "faces that could be followed: %(faces)s."
    ),
    "video.flicker": _(
        "Face %(face)s (%(from)s to %(to)s s): its brightness trembles %(value)s times as much as "
        "that of what surrounds it."
    ),
    "video.jitter": _(
        "Face %(face)s (%(from)s to %(to)s s): eyes, nose and mouth tremble against each other by "
        "%(value)s of the distance between the eyes."
    ),
    "video.frozen": _(
        "Face %(face)s (%(from)s to %(to)s s): during %(value)s of each 100 steps it stands "
        "perfectly still while what surrounds it moves."
    ),
    "video.held": _(
        "Face %(face)s (%(from)s to %(to)s s): during %(value)s of each 100 steps it moves while "
        "what surrounds it stands perfectly still, as in a photograph that was made to talk."
    ),
    "video.stopped": _("The whole picture stands still without any change for up to %(value)s s."),
    "video.repeated": _(
        "A moving passage of %(value)s s is shown twice, at %(from)s s and at %(to)s s."
    ),
    "video.nothing_repeated": _("No moving passage is shown twice."),
    "video.model": _(
        "Face %(face)s (%(from)s to %(to)s s): the model %(model)s gives %(value)s in the middle of "
        "%(count)s pieces, %(highest)s in the highest."
    ),
    "video.no_models": _("No detector is installed here, so no face was scored."),
    "video.no_faces": _("No face could be followed."),
    "video.sound": _("The sound was not listened to, and lips were not compared with it."),
}

LIMITS: Mapping[str, str] = {
    "limit.video_too_short": _(
        "Too few frames in a row show this face to say anything about its movement."
    ),
    "limit.video_parts": _(
        "Of a long film only parts are looked at: all of the first two minutes, then every fourth "
        "second, after ten minutes every fifteenth."
    ),
    "limit.video_light": _("A lamp that flickers, a fan, make-up or beauty filters do the same."),
    "limit.video_detector": _(
        "Faces that are small, turned or covered make the points tremble by themselves."
    ),
    "limit.video_still_background": _(
        "A camera on a stand before a plain wall, a virtual background and strong compression do the same."
    ),
    "limit.video_editing": _(
        "Loops, slow motion, screen recordings and bad connections do the same."
    ),
    "limit.video_not_calibrated": _(
        "There is no set of camera films here against which this figure could be weighed."
    ),
    "limit.video_made_frames": _(
        "Without a detector a face that was swapped well and moves smoothly is not seen."
    ),
    "limit.video_sound": _(
        "Haechi has no detector of cloned voices and none of lips that do not fit."
    ),
    "limit.video_no_face_model": _("The model that finds faces is not installed here."),
    "limit.video_broken": _("The film could be read only in part."),
}

STEPS: Mapping[str, str] = {
    "next.video_look": _(
        "Play the film slowly at the seconds named here, and look at the edge of the face, the "
        "teeth, glasses, and at what happens when something passes in front of it."
    ),
    "next.video_live": _(
        "If you can speak to the person live, ask for a turn to profile and a hand across the face "
        "(haechi live, or the page /live)."
    ),
}
