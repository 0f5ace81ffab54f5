"""Write marks on media made by machines, so that people and programs can tell.

`label` does everything that `Wanted` asks for, in this order: text on the picture or a voice before the
sound, the watermark that nobody sees or hears, the label of GB 45438 and IPTC's word in the metadata, C2PA around it all.
docs/labelling.md says what stands where, and why.
"""

from dataclasses import replace

from haechi.errors import LabelRefused
from haechi.labels.aigc import Level
from haechi.labels.mark import Mark, Says, Trust
from haechi.labels.watermark import spelled
from haechi.labels.writing import marking, signing
from haechi.labels.writing.marked import Marked
from haechi.labels.writing.wanted import (
    ALTERED,
    LANGUAGES,
    MADE,
    SOFT_BINDING,
    Labelled,
    Language,
    Signer,
    Wanted,
)
from haechi.media import DEFAULT, Limits, Sandbox


def label(
    data: bytes, wanted: Wanted, *, limits: Limits = DEFAULT, sandbox: Sandbox | None = None
) -> Labelled:
    """The file with the marks that `wanted` asks for; a file that bears a label keeps exactly one.

    A label that is there already is brought up to date, and neither pixels nor sound are touched again
    (unless `wanted.again`). With a `sandbox` the file is opened and written there; the signing key never
    goes there. JPEG and other lossy kinds are encoded anew only where their pixels change. The watermark
    is read again from what was written; where that fails, or the file is too small or too short for it,
    the other marks stand alone and `Labelled.findings` says why.

    Raises MediaError for a file that cannot be opened, LabelRefused for one that cannot bear what is
    asked for, and SigningFailed. A kind of file that C2PA cannot sign gets the other marks alone.
    """
    alone = replace(wanted, signer=None)
    if sandbox is None:
        marked = marking.mark(data, alone, limits=limits)
    else:
        marked = sandbox.run(marking.mark, data, alone, limits=limits)
    whole = marked.data
    if wanted.signer is not None and not signing.signs(marked.media_type):
        wanted = alone
    if wanted.signer is not None:
        whole = signing.signed(marked, wanted, wanted.signer, data)
    elif marked.was_signed and not wanted.drop_c2pa:
        raise LabelRefused("labelling breaks the C2PA signature of this file; sign it anew")
    return Labelled(whole, marked.media_type, tuple(_marks(marked, wanted)), marked.unplaced)


def _marks(marked: Marked, wanted: Wanted) -> list[Mark]:
    """What was just written, in the words of `haechi.labels.mark`."""
    says = _SAYS[marked.label.label]
    if says is Says.MADE and wanted.altered and marked.source is not None:
        says = Says.EDITED
    kind = marked.media_type
    marks = []
    if marked.drawn is not None:
        detail = {
            "text": marked.drawn.text,
            "height_px": str(marked.drawn.height_px),
            "contrast": f"{marked.drawn.contrast:.1f}",
            "on_faces": f"{marked.drawn.on_faces:.2f}",
        }
        marks.append(Mark("visible", f"{kind}:pixels", says, detail=detail))
    if marked.spoken:
        marks.append(Mark("visible", f"{kind}:sound", says, detail={"text": marked.spoken}))
    for place, bears in (("pixels", marked.watermarked), ("sound", marked.sound_marked)):
        if bears and wanted.trace_id is not None:
            trace = {"trace_id": spelled(wanted.trace_id), "alg": SOFT_BINDING}
            marks.append(Mark("watermark", f"{kind}:{place}", says, detail=trace))
    told = marked.label
    fields = {
        "Label": str(int(told.label)),
        "ContentProducer": told.producer,
        "ProduceID": told.produce_id,
        "ContentPropagator": told.propagator,
        "PropagateID": told.propagate_id,
    }
    marks.append(Mark("aigc", f"{kind}:{marked.carrier}", says, tool=told.producer, detail=fields))
    if marked.source is not None:
        source = {"digital_source_type": marked.source}
        marks.append(Mark("iptc", f"{kind}:xmp", says, detail=source))
    if wanted.signer is not None:
        # Whether the certificate leads to an anchor is for the reader to say.
        marks.append(Mark("c2pa", f"{kind}:c2pa", says, Trust.VALID, tool=wanted.producer))
    return marks


_SAYS = {Level.IS: Says.MADE, Level.MAY_BE: Says.MAY_BE, Level.SUSPECTED: Says.SUSPECTED}

__all__ = [
    "ALTERED",
    "LANGUAGES",
    "MADE",
    "SOFT_BINDING",
    "Labelled",
    "Language",
    "Level",
    "Signer",
    "Wanted",
    "label",
]
