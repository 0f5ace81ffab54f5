"""What a reading means, in plain English: one text for each code.

The server translates the same texts; `haechi.testing.words` finds them here. A text that holds
%(name)s is filled with the parameters of what it belongs to.
"""

from collections.abc import Mapping

from haechi.labels.mark import Finding, Mark, Reading, Says, Trust


def _(text: str) -> str:
    """Marks a text to be translated."""
    return text


# The one sentence on top: what the marks of a file come to. Keys are those of `headline`.
HEADLINES: Mapping[str, str] = {
    "signed_ai": _("A trusted signature says that this file was made or changed with AI."),
    "signed_camera": _(
        "A trusted signature says that this is a photograph or recording, and it was not changed since."
    ),
    "watermark": _(
        "This bears the invisible mark that services who work with us put into what AI made or changed."
    ),
    "contradicting": _(
        "The marks of this file contradict each other. Do not rely on any one of them."
    ),
    "says_ai": _("This file says of itself that it was made or changed with AI."),
    "may_be_ai": _("This file says of itself that it may have been made with AI."),
    "changed": _("This file was signed, but it is no longer the file that was signed."),
    "other": _("This file bears marks, but none that speaks of AI."),
    "nothing": _("We found no mark in this file."),
}
# What a reader must know beside it. Absence of marks is the point most often misunderstood.
CAVEATS: Mapping[str, str] = {
    "signed_ai": _(
        "Who signed it vouches for that. Whether the person shown agreed is another question."
    ),
    "signed_camera": _(
        "It says nothing about what stood before the camera, or whether the person shown agreed."
    ),
    "watermark": _(
        "Only who holds our key can make this mark, but it can be carried over from another picture. Whether the person shown agreed is another question."
    ),
    "contradicting": _("Marks that are not signed can be written and taken out by anybody."),
    "says_ai": _(
        "Nobody vouches for it: such marks can be written and taken out by anybody. Few people write them into a real photograph."
    ),
    "may_be_ai": _("Nobody vouches for it: such marks can be written and taken out by anybody."),
    "changed": _(
        "It may only have been saved again, or it was altered. The mark no longer proves anything."
    ),
    "other": _(
        "That does not mean that it is real: most marks are lost when a file is sent or saved again."
    ),
    "nothing": _(
        "That does not mean that it is real: most marks are lost when a file is sent or saved again, and many programs write none."
    ),
}
SAYS: Mapping[Says, str] = {
    Says.MADE: _("made by AI"),
    Says.EDITED: _("changed with AI"),
    Says.MAY_BE: _("may be made by AI"),
    Says.SUSPECTED: _("suspected to be made by AI"),
    Says.CAMERA: _("taken with a camera"),
    Says.HUMAN: _("made or changed by hand, without AI"),
    Says.NOTHING: _("says nothing about AI"),
}
TRUST: Mapping[Trust, str] = {
    Trust.TRUSTED: _("signed by somebody on the list of trust"),
    Trust.VALID: _("signed, but the signer is not on the list of trust"),
    Trust.INVALID: _("the signature does not fit this file"),
    Trust.UNSIGNED: _("not signed"),
}
KINDS: Mapping[str, str] = {
    "c2pa": _("Content Credentials (C2PA)"),
    "iptc": _("IPTC digital source type"),
    "aigc": _("Chinese AI label (GB 45438)"),
    "generator": _("Settings left by a program"),
    "exif": _("Camera data (EXIF)"),
    "watermark": _("Invisible watermark of this service"),
    "visible": _("Visible label"),
}
# Keys of a mark's details; one without words is shown as it is. INNER ones are not shown to people.
DETAILS: Mapping[str, str] = {
    "prompt": _("What was asked for"),
    "model": _("Model"),
    "version": _("Version"),
    "seed": _("Seed"),
    "face": _("Part that exchanges faces"),
    "job": _("Number of the job"),
    "source": _("Cut out of"),
    "issuer": _("Signed by"),
    "signed_at": _("Signed at"),
    "generator": _("Written by"),
    "actions": _("What was done"),
    "digital_source_type": _("Source type"),
    "ingredients": _("Made from"),
    "title": _("Title"),
    "soft_binding": _("Also bound by"),
    "producer": _("Made by the service"),
    "produce_id": _("Its number there"),
    "propagator": _("Spread by the service"),
    "propagate_id": _("Its number there when spread"),
    "credit": _("Credit"),
    "creator_tool": _("Program"),
    "trace_id": _("Number in the watermark"),
    "Make": _("Maker of the camera"),
    "Model": _("Camera"),
    "Software": _("Program"),
    "DateTimeOriginal": _("Taken at"),
    "DateTime": _("Changed at"),
    "ExposureTime": _("Exposure (seconds)"),
    "FNumber": _("Aperture"),
    "ISO": _("Sensitivity (ISO)"),
    "FocalLength": _("Focal length (mm)"),
    "LensModel": _("Lens"),
}
INNER = frozenset(
    {
        "rule",
        "role",
        "manifest",
        "label",
        "false_alarm",
        "reserved1",
        "reserved2",
        "signer",
        "serial",
    }
)
FINDINGS: Mapping[str, str] = {
    "contradiction.camera": _(
        "One mark says that AI made this (%(made_by)s), another that a camera took it (%(taken_by)s). Both cannot be true of the same picture."
    ),
    "removed.c2pa": _(
        "The file points to Content Credentials that should be in it, and they are not there: they were taken out or lost."
    ),
    "removed.labels": _(
        "The file bears our invisible watermark, but every readable AI label is missing: they were taken out or lost."
    ),
    "removed.settings": _(
        "Settings of %(tool)s are hidden in the pixels, but the readable ones that belong to them are missing: they were taken out or lost."
    ),
    "trace.face_set": _(
        "This is a face cut out by %(tool)s, a program that exchanges faces: raw material for it, not what it makes."
    ),
    "c2pa.changed": _("The file was changed after it was signed (%(reason)s)."),
    "c2pa.invalid": _("The signature of the Content Credentials does not hold (%(reason)s)."),
    "c2pa.remote": _(
        "The Content Credentials lie somewhere else on the Internet. We do not fetch them."
    ),
    "aigc.json": _("The Chinese AI label is there, but it cannot be read (%(carrier)s)."),
    "aigc.label": _(
        "The Chinese AI label has a value that the standard does not know (%(carrier)s)."
    ),
    "aigc.missing": _("The Chinese AI label lacks fields (%(carrier)s)."),
    "aigc.characters": _(
        "The Chinese AI label has characters that the standard does not allow (%(carrier)s)."
    ),
    "aigc.several": _(
        "The file has %(count)s different Chinese AI labels; the standard allows one."
    ),
    "exif.bare": _(
        "The file names a camera (%(camera)s) but nothing that a camera notes when it takes a picture."
    ),
    "exif.size": _(
        "The camera noted %(noted)s pixels; the picture has %(real)s. It was cropped or resized, or the data belong to another picture."
    ),
    "exif.times": _(
        "By its data the file was last changed (%(changed)s) before it was taken (%(taken)s)."
    ),
    "exif.impossible": _("The camera data hold a value that cannot be: %(tag)s %(value)s."),
    "broken.length": _("A part of the file claims to be longer than it is (%(carrier)s)."),
    "broken.behind": _("Something stands behind the end of the file (%(carrier)s)."),
    "broken.chunk": _("A part of the file is damaged (%(carrier)s)."),
    "broken.container": _(
        "The file is built so oddly that we could not read all of it (%(kind)s)."
    ),
    "broken.compressed": _("A compressed part of the file cannot be unpacked (%(carrier)s)."),
    "broken.exif": _("The camera data are damaged (%(carrier)s)."),
    "broken.xmp": _("The descriptive data (XMP) are damaged (%(carrier)s)."),
    "broken.c2pa": _("There are Content Credentials, but they cannot be read. %(reason)s"),
    "broken.pixels": _(
        "The picture itself could not be opened, so its pixels were not searched (%(code)s)."
    ),
    "broken.sound": _("The sound could not be opened, so it was not searched (%(code)s)."),
    "hostile.bomb": _(
        "A small part of the file unpacks to something huge. That is how files attack programs; we stopped (%(carrier)s)."
    ),
    "hostile.xml": _(
        "The descriptive data hold instructions that are only used to attack programs; we did not follow them (%(carrier)s)."
    ),
    "hostile.long": _(
        "A part of the file has %(bytes)s bytes of descriptive data, more than anybody needs; we did not read it (%(carrier)s)."
    ),
    "hostile.many": _("The file has more parts than anybody needs; we stopped at %(limit)s."),
    "hostile.greedy": _(
        "The file has more descriptive data than anybody needs; we stopped (%(carrier)s)."
    ),
    "hostile.deep": _(
        "Parts of the file are nested deeper than anybody needs; we stopped (%(carrier)s)."
    ),
    # Of writing: why a file does not bear the watermark that was asked for.
    "watermark.too_small": _(
        "The invisible watermark is not in the picture: a side is under 256 pixels."
    ),
    "watermark.too_short": _(
        "The invisible watermark is not in the sound: it lasts under six seconds, or is of a kind that cannot bear the watermark."
    ),
    "watermark.unreadable_picture": _(
        "The invisible watermark is not in the picture: it was tried, and could not be read again. The picture gives it too little room, as texture from edge to edge does."
    ),
    "watermark.unreadable_sound": _(
        "The invisible watermark is not in the sound: it was tried, and could not be read again. The sound gives it too little room, as silence does, or a pure tone."
    ),
    "watermark.labelled_already": _(
        "The invisible watermark was not put in: the file bears a label already, and then neither picture nor sound is touched."
    ),
}


def headline(reading: Reading) -> str:
    """What the marks come to: a key of HEADLINES and CAVEATS. Marks that do not hold count for nothing."""
    held = [mark for mark in reading.marks if mark.trust is not Trust.INVALID]
    signed = [mark for mark in held if mark.trust is Trust.TRUSTED]
    claimed = {mark.says for mark in held}
    if any(mark.says.of_ai for mark in signed):
        return "signed_ai"
    if any(mark.kind == "watermark" for mark in held):
        return "watermark"
    if any(finding.code == "contradiction.camera" for finding in reading.findings):
        return "contradicting"
    if claimed & {Says.MADE, Says.EDITED}:
        return "says_ai"
    if claimed & {Says.MAY_BE, Says.SUSPECTED}:
        return "may_be_ai"
    if any(mark.says is Says.CAMERA for mark in signed):
        return "signed_camera"
    if len(held) < len(reading.marks):
        return "changed"
    return "other" if held else "nothing"


def told(finding: Finding) -> str:
    """A finding in English."""
    return FINDINGS[finding.code] % finding.params


def mark_told(mark: Mark) -> str:
    """A mark in English, on one line."""
    by = f" ({mark.tool})" if mark.tool else ""
    signed = f", {TRUST[mark.trust]}" if mark.kind == "c2pa" else ""
    return f"{KINDS[mark.kind]}: {SAYS[mark.says]}{by}{signed}"
