"""The report of one examination: an answer, the signals it rests on, and what to do next."""

import base64
import binascii
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from importlib import resources
from typing import Any, Self

import jsonschema_rs

from haechi.errors import InvalidDocument
from haechi.labels import Reading

FORMAT = "haechi-forensics/1"
VERSION = 1

BY_RULE = "rule"
"""`Signal.calibration` of what is checked and not estimated: a signature, a mark that is there,
a part that was found in another picture."""


_MOVED = "limit.watermark_can_be_moved"
LOOSE = frozenset({"limit.forgeable", _MOVED})
"""Limits of marks that are not bound to one file: what they say is a claim, whoever wrote it."""

_DOUBTS = LOOSE | {"limit.signer_unknown"}


class Answer(StrEnum):
    """The five answers. There is no percentage beside them."""

    MADE = "made_by_ai"
    ALTERED = "altered"
    NO_SIGN = "no_sign_found"
    INCONCLUSIVE = "inconclusive"
    AUTHENTIC = "authentic_by_signature"


class State(StrEnum):
    """What a signal did."""

    SPEAKS = "speaks"
    SILENT = "silent"
    OFF = "off"


class Toward(StrEnum):
    """What a signal that speaks points to."""

    MADE = "made"
    ALTERED = "altered"
    CAMERA = "camera"


class Strength(StrEnum):
    """A likelihood ratio in words: how many times likelier the finding is if it were so."""

    NONE = "none"
    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"

    @classmethod
    def of(cls, ratio: float) -> "Strength":
        """Under 2 none, under 10 weak, under 100 moderate; a ratio below 1 counts as its inverse."""
        ratio = max(ratio, 1 / ratio) if ratio > 0 else float("inf")
        if ratio < 2:
            return cls.NONE
        if ratio < 10:
            return cls.WEAK
        return cls.MODERATE if ratio < 100 else cls.STRONG


class Standing(StrEnum):
    """Under which heading a reader finds a signal."""

    KNOWN = "known"
    GUESSED = "guessed"
    SILENT = "silent"
    UNCALIBRATED = "uncalibrated"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in fractions of the picture as it is shown, 0..1; `second` of a video."""

    x: float
    y: float
    width: float
    height: float
    second: float | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that was looked at.

    Attributes:
        id: Stable within a report, and what a decision cites: "pixels.jpeg_grid", "marks.c2pa.0".
        kind: The family: "marks", "donor", "pixels", "models", "video".
        state: SPEAKS found something, SILENT looked and found nothing, OFF could not look.
        toward: What it points to, if it speaks.
        value: What was measured, in the unit of its meaning; None where nothing is.
        likelihood_ratio: How many times likelier this value is among altered (or made) pictures
            of the calibration set than among its camera photographs. Above 1 points to `toward`.
        calibration: The set behind the ratio, or BY_RULE, or None: not calibrated, not counted.
        meaning: Code of a sentence in words.WORDS.
        params: What stands in that sentence.
        regions: Where.
        heat: A small PNG, brighter where there is more of it; covers the whole picture.
        picture: A PNG to look at, such as two pictures side by side.
        limits: Codes of what makes this signal err, and of why it is off.
        parts: What was measured in each part of a large picture, of which `value` is the largest; None
            where a part could not be examined, or was not. Empty where it was examined as a whole.
    """

    id: str
    kind: str
    state: State
    meaning: str
    toward: Toward | None = None
    value: float | None = None
    likelihood_ratio: float | None = None
    calibration: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    heat: bytes | None = None
    picture: bytes | None = None
    limits: tuple[str, ...] = ()
    parts: tuple[float | None, ...] = ()

    @property
    def strength(self) -> Strength | None:
        """The ratio in words, or None without one."""
        return None if self.likelihood_ratio is None else Strength.of(self.likelihood_ratio)

    @property
    def standing(self) -> Standing:
        """Known, guessed, silent, shown without being counted, or off."""
        if self.state is State.OFF:
            return Standing.OFF
        if self.calibration is None:
            return Standing.UNCALIBRATED
        if self.state is State.SILENT:
            return Standing.SILENT
        return Standing.KNOWN if self.calibration == BY_RULE else Standing.GUESSED


@dataclass(frozen=True, slots=True)
class Report:
    """What one examination found.

    Attributes:
        version: Of this form; VERSION.
        sha256: Of the file that was examined, lower case hex.
        media_type: As told from its content.
        answer: One of five.
        because: Ids of the signals that the answer rests on; none for NO_SIGN and mostly none
            for INCONCLUSIVE.
        signals: Everything that was looked at, also what was silent or off.
        reading: The marks in the file.
        next_steps: Codes of what to do now, most useful first.
        timeline: Of a video: what its scores were over time; empty for pictures.
    """

    version: int
    sha256: str
    media_type: str
    answer: Answer
    because: tuple[str, ...]
    signals: tuple[Signal, ...]
    reading: Reading
    next_steps: tuple[str, ...]
    timeline: tuple[Mapping[str, float], ...] = ()

    @property
    def answer_code(self) -> str:
        """Code of the answer's sentence, which also says on what kind of ground it stands."""
        grounds = [self.signal(name) for name in self.because]
        code = f"answer.{self.answer.value}"
        if self.answer in {Answer.MADE, Answer.ALTERED}:
            if any(one.kind == "donor" for one in grounds):
                return f"{code}.donor"
            marks = [one for one in grounds if one.kind == "marks"]
            if any(not _DOUBTS.intersection(one.limits) for one in marks):
                return f"{code}.signed"
            if any("limit.signer_unknown" in one.limits for one in marks):
                return f"{code}.signer_unknown"
            if any(_MOVED in one.limits for one in marks):
                return f"{code}.watermark"
            if marks:
                return f"{code}.unsigned"
        if self.answer is Answer.INCONCLUSIVE and grounds:
            return f"{code}.hints"
        return code

    def signal(self, name: str) -> Signal:
        """The signal of that id. Raises KeyError."""
        for one in self.signals:
            if one.id == name:
                return one
        raise KeyError(name)

    def standing(self, standing: Standing) -> tuple[Signal, ...]:
        """The signals under one heading, in the order of the report."""
        return tuple(one for one in self.signals if one.standing is standing)

    def to_json(self) -> dict[str, Any]:
        """Plain values; the form is data/report.schema.json. Pictures are base64."""
        return {
            "format": FORMAT,
            "version": self.version,
            "sha256": self.sha256,
            "media_type": self.media_type,
            "answer": self.answer.value,
            "because": list(self.because),
            "signals": [_signal_out(one) for one in self.signals],
            "reading": self.reading.to_json(),
            "next_steps": list(self.next_steps),
            "timeline": [dict(point) for point in self.timeline],
        }

    @classmethod
    def from_json(cls, read: object) -> Self:
        """The report that `to_json` wrote. Raises InvalidDocument for anything else."""
        validate(read)
        told: Mapping[str, Any] = read  # type: ignore[assignment]  # the schema says so
        return cls(
            version=told["version"],
            sha256=told["sha256"],
            media_type=told["media_type"],
            answer=Answer(told["answer"]),
            because=tuple(told["because"]),
            signals=tuple(_signal_in(one) for one in told["signals"]),
            reading=_reading_in(told["reading"]),
            next_steps=tuple(told["next_steps"]),
            timeline=tuple(told["timeline"]),
        )


def schema_text() -> str:
    """The JSON Schema of a report, as it is published."""
    return (resources.files("haechi.forensics") / "data" / "report.schema.json").read_text("utf-8")


def validate(read: object) -> None:
    """Raises InvalidDocument with the first thing that does not fit the schema."""
    try:
        _schema().validate(read)
    except jsonschema_rs.ValidationError as error:
        where = ".".join(map(str, error.instance_path))
        raise InvalidDocument(f"{where or 'report'}: {error.message}"[:300]) from error
    except ValueError as error:
        raise InvalidDocument(f"report: {error}"[:300]) from error


@functools.cache
def _schema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema_text()))


def _signal_out(signal: Signal) -> dict[str, Any]:
    told: dict[str, Any] = {one.name: getattr(signal, one.name) for one in fields(signal)}
    told["params"] = dict(signal.params)
    told["regions"] = [_region_out(region) for region in signal.regions]
    told["limits"] = list(signal.limits)
    told["parts"] = list(signal.parts)
    told["strength"] = signal.strength
    for name in ("heat", "picture"):
        told[name] = None if told[name] is None else base64.b64encode(told[name]).decode()
    for name in ("state", "toward", "strength"):
        told[name] = None if told[name] is None else told[name].value
    return told


def _region_out(region: Region) -> dict[str, Any]:
    return {one.name: getattr(region, one.name) for one in fields(region)}


def _signal_in(told: Mapping[str, Any]) -> Signal:
    rest = {name: value for name, value in told.items() if name != "strength"}
    rest["state"] = State(told["state"])
    rest["toward"] = None if told["toward"] is None else Toward(told["toward"])
    rest["regions"] = tuple(Region(**region) for region in told["regions"])
    rest["limits"] = tuple(told["limits"])
    # Reports of before pictures were examined in parts have none.
    rest["parts"] = tuple(told.get("parts", ()))
    for name in ("heat", "picture"):
        rest[name] = None if told[name] is None else _unpacked(told[name])
    return Signal(**rest)


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise InvalidDocument("signals: a picture is not base64") from error


def _reading_in(told: Mapping[str, Any]) -> Reading:
    try:
        return Reading.from_json(told)
    except (KeyError, ValueError) as error:
        raise InvalidDocument(f"reading: {error}"[:300]) from error
