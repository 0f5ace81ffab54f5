"""What a service asks for when it has a file labelled, and what it gets back."""

from dataclasses import dataclass
from typing import Literal

from haechi.errors import LabelRefused
from haechi.labels.aigc import Aigc, Level
from haechi.labels.mark import Finding, Mark

type Language = Literal["ko", "zh-hans", "en"]

LANGUAGES: tuple[Language, ...] = ("ko", "zh-hans", "en")
SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MADE = f"{SOURCES}trainedAlgorithmicMedia"
"""Made by a model, all of it."""
ALTERED = f"{SOURCES}compositeWithTrainedAlgorithmicMedia"
"""Something that was there before, changed by a model: a face replaced, a part painted over."""
SOFT_BINDING = "haechi.watermark.1"
"""Name of the algorithm of our watermark in C2PA's soft binding."""


@dataclass(frozen=True, slots=True)
class Signer:
    """What signs C2PA claims. `chain` and `key` are PEM texts, the signer's certificate first.

    alg         es256, es384, es512, ps256, ps384, ps512 or ed25519, as fits the key
    time_url    a time-stamping authority (RFC 3161) that is asked at every signing; None asks nobody,
                and a signature then cannot be checked once the certificate has expired
    """

    chain: str
    key: str
    alg: str = "es256"
    time_url: str | None = None

    def __repr__(self) -> str:
        """Without the key: this may end in a log."""
        return f"Signer(alg={self.alg!r}, time_url={self.time_url!r})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    level       IS by who made the content; MAY_BE or SUSPECTED by a platform that only spreads it
                (Measures for labelling, article 6). A stronger level that the file has already stays.
    language    of what people see and hear. English alone does not fulfil GB 45438.
    producer, produce_id    name or code of the service, and its number for this content; in a file
                that somebody else labelled they become propagator and propagate_id
    trace_id    goes into the watermark, with `watermark_key`, and into C2PA; None for no watermark
    visible     False leaves the picture without text and the sound without a spoken label
    signer      None writes no C2PA manifest
    digital_source_type     of IPTC; written at level IS only
    again       draw, speak and watermark also in a file that bears a label already
    drop_c2pa   without a signer, take out a manifest that labelling would break
    recording   a file of sound that is put before sound instead of the spoken label that ships here
    rhythm      the rhythm short-long-short-short instead of a spoken label
    """

    level: Level
    language: Language
    producer: str
    produce_id: str
    trace_id: int | None = None
    visible: bool = True
    signer: Signer | None = None
    digital_source_type: str = MADE
    watermark_key: bytes | None = None
    reserved: str = ""
    again: bool = False
    drop_c2pa: bool = False
    recording: bytes | None = None
    rhythm: bool = False

    def __post_init__(self) -> None:
        """Raises LabelRefused for what cannot be written anywhere."""
        if self.language not in LANGUAGES:
            raise LabelRefused(f"there is no label in {self.language!a}")
        if not self.producer or not self.produce_id:
            raise LabelRefused("a label names who made or spreads the content, and their number")
        if self.recording is not None or self.rhythm:
            if not self.visible:
                raise LabelRefused(
                    "a recording or a rhythm is a label that is heard; none is wanted"
                )
            if self.recording is not None and self.rhythm:
                raise LabelRefused("before the sound goes a recording or the rhythm, not both")
        if (self.trace_id is None) != (self.watermark_key is None):
            raise LabelRefused("a watermark needs a trace id and a key")
        self.as_label().to_json()

    @property
    def altered(self) -> bool:
        """True if something real was changed by a model."""
        return self.digital_source_type == ALTERED

    def as_label(self) -> Aigc:
        """The implicit label of a file that has none."""
        ours = {"propagator": self.producer, "propagate_id": self.produce_id}
        if self.level is Level.IS:
            made = {"producer": self.producer, "produce_id": self.produce_id}
            return Aigc(self.level, **made, reserved1=self.reserved, **ours)
        # Who made it is not known to somebody who only spreads it.
        return Aigc(self.level, producer="", produce_id="", **ours, reserved2=self.reserved)

    def after(self, found: Aigc | None) -> Aigc:
        """The one implicit label of a file in which `found` stands.

        What its producer wrote stays, as GB 45438 asks: whoever spreads the file adds themselves. The
        stronger of two levels stays: a platform's suspicion does not weaken what the producer says.
        """
        if found is None or (found.producer, found.produce_id) == (self.producer, self.produce_id):
            return self.as_label()
        if self.level is Level.IS and not found.producer:
            return self.as_label()
        return Aigc(
            label=min(found.label, self.level),
            producer=found.producer,
            produce_id=found.produce_id,
            reserved1=found.reserved1,
            propagator=self.producer,
            propagate_id=self.produce_id,
            reserved2=self.reserved,
        )


NOT_PLACED = "not_placed"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A file that bears its marks.

    marks       those just written, in the order of writing
    findings    why the watermark that was asked for is not in the picture, or not in the sound
    """

    data: bytes
    media_type: str
    marks: tuple[Mark, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def watermarked(self) -> bool:
        """Whether the trace id was read again from what was written: from pixels or from sound."""
        return any(mark.kind == "watermark" for mark in self.marks)

    @property
    def placed(self) -> str:
        """The same as answers say it: "placed" or "not_placed"."""
        return "placed" if self.watermarked else NOT_PLACED
