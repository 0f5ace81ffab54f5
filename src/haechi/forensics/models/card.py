"""A model's card: what it is for, what it must be shown, and what its answer means.

Checkpoints are shared as weights and a script; what the script does to a picture first, and which
output means "fake", is lost when only the weights travel. MesoNet's 1 means *real*; TruFor divides
by 256 and not by 255; UniversalFakeDetect cuts and never shrinks. A card keeps exactly that. Its
form is data/model-card.schema.json.
"""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any, Self

import jsonschema_rs

from haechi.errors import ModelRefused
from haechi.forensics.report import Toward
from haechi.formats import strict_json

FORMAT = "haechi-model-card/1"
LONGEST = 200_000
"""Bytes of a card; it is a page of text, and a stranger may have written it."""


class Question(StrEnum):
    """What a model was made to tell."""

    FACE_SWAP = "face_swap"
    WHOLE_IMAGE = "whole_image"
    EDIT_LOCALISATION = "edit_localisation"
    VIDEO = "video"
    VOICE = "voice"


@dataclass(frozen=True, slots=True)
class Licence:
    """Under what the weights may be used; `commercial` is None where nobody says."""

    name: str
    url: str
    commercial: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the card's facts were read: repository, commit and the files in it."""

    paper: str
    code: str
    commit: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """How pixels 0..255 become numbers: (pixel * scale - mean) / std, channel by channel.

    Attributes:
        layout: "NCHW" or "NHWC"; one picture at a time.
        colour: "RGB" or "BGR".
        name: Of the input, where the model has several.
    """

    layout: str
    colour: str
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What part of a picture the model is shown, and how it is brought to size.

    Attributes:
        what: "image" or "face".
        fit: "squeeze" to width and height whatever the shape; "shorter_side" to `shorter_side` and
            then cut the middle; "cut" the middle and resize nothing; "whole" as it is.
        resize: "pillow_bilinear", "pillow_bicubic" (what torchvision does to a picture),
            "opencv_linear" or "opencv_area".
        crop: Of a face: its "box" with margins, or "aligned" to `template`.
        margin: Left, top, right and bottom, as parts of the box's width and height.
        template: Where the five landmarks go, in fractions of width and height.
        which: Of several faces: "largest", "all", or "half_of_largest" (those at least half as large).
        combine: Of several faces: "max" or "mean".
        least_px: Under this shorter side (of the face, or the picture) the model is not asked.
        most_pixels: Over this many pixels a "whole" picture is not shown.
    """

    what: str
    fit: str
    resize: str = "pillow_bilinear"
    width: int | None = None
    height: int | None = None
    shorter_side: int | None = None
    crop: str = "box"
    margin: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    template: tuple[tuple[float, float], ...] = ()
    which: str = "largest"
    combine: str = "max"
    least_px: int = 32
    most_pixels: int = 4_000_000


@dataclass(frozen=True, slots=True)
class Output:
    """Which number of which output means what.

    Attributes:
        activation: What is done to it: "none" (it is 0..1 already), "sigmoid", or "softmax" over
            the output's last axis (over its channels, for a map).
        index: Which of several numbers.
        fake: "high" if a high value means made or altered, "low" if it means real.
        name: Of the output, where the model has several.
    """

    activation: str
    index: int
    fake: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Frames:
    """Of a video: so many frames, evenly spread; the score is their `combine`."""

    count: int = 32
    combine: str = "mean"


@dataclass(frozen=True, slots=True)
class Budget:
    """What the model may cost: wall clock for one run and for loading, and address space."""

    seconds: float = 20.0
    load_seconds: float = 120.0
    memory_mb: int = 6144


@dataclass(frozen=True, slots=True)
class Probe:
    """A picture made by rule (selftest.PICTURES), and between what the score must lie."""

    picture: str
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that is known of a model, apart from how good it is here.

    Attributes:
        id: Short and stable; part of the ids of its signals.
        toward: What a high score points to.
        sha256: Of the ONNX file. None in a card as published: `models add` pins it.
        not_checked: What could not be verified by whoever wrote the card.
        fails: On what it is known to fail, in words.
        probes: The self-test, run whenever the model is added or loaded.
    """

    id: str
    name: str
    question: Question
    toward: Toward
    says: str
    licence: Licence
    source: Source
    input: Input
    view: View
    output: Output
    heat: Output | None = None
    frames: Frames = Frames()
    budget: Budget = Budget()
    probes: tuple[Probe, ...] = (Probe("grey"), Probe("ramp"), Probe("noise"))
    fails: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    sha256: str | None = None

    @property
    def signal(self) -> str:
        """The id of its signals.

        Models that are asked the same share the first two parts: they are no independent
        witnesses, so only the strongest of them counts.
        """
        return f"models.{self.question.value}.{self.id}"

    @property
    def behaviour(self) -> str:
        """A digest of all that a score depends on: a calibration holds for this one only."""
        told = self.to_json()
        parts = {name: told[name] for name in ("sha256", "input", "view", "output")}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain values in the form of the schema."""
        told = json.loads(json.dumps(dataclasses.asdict(self)))
        return {"format": FORMAT, **told}

    @classmethod
    def from_json(cls, read: object) -> Self:
        """The card of plain values. Raises ModelRefused with the first thing that does not fit."""
        try:
            _schema().validate(read)
        except jsonschema_rs.ValidationError as error:
            where = ".".join(map(str, error.instance_path)) or "card"
            raise ModelRefused(f"{where}: {error.message}"[:300]) from error
        except ValueError as error:
            raise ModelRefused(f"the card: {error}"[:300]) from error
        told = {name: value for name, value in _plain(read).items() if name != "format"}
        made = cls(**{name: _built(name, value) for name, value in told.items()})
        _consistent(made)
        return made

    @classmethod
    def from_text(cls, text: bytes) -> Self:
        """The card of a JSON file. Raises ModelRefused."""
        if len(text) > LONGEST:
            raise ModelRefused(f"a card of {len(text)} bytes; {LONGEST} are enough")
        try:
            return cls.from_json(strict_json.loads(text))
        except (ValueError, RecursionError) as error:
            raise ModelRefused(f"the card is no JSON: {error}"[:300]) from error


def published() -> dict[str, Card]:
    """The cards that come with Haechi, by id: for checkpoints that somebody is likely to bring."""
    folder = resources.files("haechi.forensics") / "data" / "cards"
    files = sorted(folder.iterdir(), key=lambda one: one.name)
    cards = [Card.from_text(one.read_bytes()) for one in files if one.name.endswith(".json")]
    return {card.id: card for card in cards}


def schema_text() -> str:
    """The JSON Schema of a card."""
    folder = resources.files("haechi.forensics") / "data"
    return (folder / "model-card.schema.json").read_text("utf-8")


@functools.cache
def _schema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema_text()))


_PARTS: Mapping[str, type] = {
    "licence": Licence,
    "source": Source,
    "input": Input,
    "view": View,
    "output": Output,
    "heat": Output,
    "frames": Frames,
    "budget": Budget,
}


def _plain(read: object) -> dict[str, Any]:
    told: dict[str, Any] = read  # type: ignore[assignment]  # the schema says so
    return told


def _built(name: str, value: Any) -> Any:  # noqa: ANN401 - plain values of every kind
    if name == "question":
        return Question(value)
    if name == "toward":
        return Toward(value)
    if name == "probes":
        return tuple(Probe(**one) for one in value)
    if name in _PARTS and value is not None:
        return _PARTS[name](**{key: _tuples(part) for key, part in value.items()})
    return _tuples(value)


def _tuples(value: Any) -> Any:  # noqa: ANN401 - plain values of every kind
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _consistent(card: Card) -> None:
    """What a schema says badly. Raises ModelRefused."""
    view = card.view
    if card.question is Question.VOICE:
        raise ModelRefused("question: models of voices have a name here and no loader yet")
    if view.fit in {"squeeze", "shorter_side", "cut"} and None in {view.width, view.height}:
        raise ModelRefused(f"view: {view.fit} needs width and height")
    if view.fit == "shorter_side" and view.shorter_side is None:
        raise ModelRefused("view: shorter_side is missing")
    if view.what == "face" and view.fit == "whole":
        raise ModelRefused("view: a face is cut out of a picture, so it is not the whole")
    if view.crop == "aligned" and len(view.template) != 5:
        raise ModelRefused("view: a face is aligned by five places")
    if card.toward is Toward.CAMERA:
        raise ModelRefused("toward: a model speaks for made or altered; `fake` says which sign")
