"""IPTC Digital Source Type: the words that XMP and C2PA use for where a picture comes from.

https://cv.iptc.org/newscodes/digitalsourcetype/, with two values of C2PA's own.
"""

from collections.abc import Mapping

from haechi.labels.mark import Says

BASE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
C2PA_BASE = "http://c2pa.org/digitalsourcetype/"
MADE = f"{BASE}trainedAlgorithmicMedia"
EDITED = f"{BASE}compositeWithTrainedAlgorithmicMedia"

SAYS: Mapping[str, Says] = {
    "trainedAlgorithmicMedia": Says.MADE,
    "trainedAlgorithmicData": Says.MADE,
    "compositeWithTrainedAlgorithmicMedia": Says.EDITED,
    # One letter too many, as some programs write it.
    "compositedWithTrainedAlgorithmicMedia": Says.EDITED,
    "compositeSynthetic": Says.EDITED,
    # May hold elements made by a machine; the word leaves it open.
    "composite": Says.MAY_BE,
    "virtualRecording": Says.MAY_BE,
    "digitalCapture": Says.CAMERA,
    "computationalCapture": Says.CAMERA,
    "multiFrameComputationalCapture": Says.CAMERA,
    "compositeCapture": Says.CAMERA,
    "negativeFilm": Says.CAMERA,
    "positiveFilm": Says.CAMERA,
    "print": Says.CAMERA,
    "humanEdits": Says.HUMAN,
    "minorHumanEdits": Says.HUMAN,
    "digitalCreation": Says.HUMAN,
    "digitalArt": Says.HUMAN,
    "softwareImage": Says.HUMAN,
    # Neither a camera nor a trained machine, and no claim about people.
    "algorithmicallyEnhanced": Says.NOTHING,
    "algorithmicMedia": Says.NOTHING,
    "dataDrivenMedia": Says.NOTHING,
    "screenCapture": Says.NOTHING,
    "empty": Says.NOTHING,
}
_FOLDED = {short.casefold(): short for short in SAYS}


def short(value: str) -> str:
    """The word at the end of an address, in its proper spelling; what is no known word as it is."""
    word = value.strip().rstrip("/").rpartition("/")[2].rpartition(":")[2]
    return _FOLDED.get(word.casefold(), word)


def says(value: str) -> Says:
    """What the address, or a bare word, claims. NOTHING for one that is not known."""
    return SAYS.get(short(value), Says.NOTHING)
