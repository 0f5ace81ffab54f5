"""From signals to one of five answers. Whoever wants to know why a report says so reads this page.

In this order; the first that holds decides:

1. A signature that fits this very file says that it was made or edited by AI: MADE or ALTERED. If a
   trusted camera says the opposite: INCONCLUSIVE.
2. A part of it was found in a donor, and the rest was not: ALTERED. Where all but a part is the
   donor's, only if that part lies on a face (LEAST_ON_FACE): words and stickers lie on real photographs too.
3. A trusted camera signature, and nothing against it: AUTHENTIC. There is no other way to it.
4. The file itself says, unsigned, that AI made or edited it, or our watermark does, and no mark says
   otherwise: MADE or ALTERED, in words that say that such marks can be forged, or carried over from
   another picture.
5. Calibrated signals together reach ACCUSING: ALTERED or MADE.
6. Enough calibrated signals could look, none speaks, and together they are under CLEARING: NO_SIGN.
7. Otherwise INCONCLUSIVE.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from haechi.forensics.report import BY_RULE, LOOSE, Answer, Region, Signal, State, Toward

ACCUSING = 100.0
"""How many times likelier all findings together must be before they alone give an answer."""

CLEARING = 0.1
"""And under which, if enough signals could look, it is said that no sign was found. The signals that
ship do not reach it: they are as silent on half of the altered pictures (docs/forensics.md)."""

LEAST_LOOKED = 4
"""So many calibrated signals must have been able to look before "no sign found" is said."""

LEAST_ON_FACE = 0.1
"""Of a replaced part or of the face, whichever is smaller: words over somebody's hair reach up to 0.03 into the
rectangle around the face."""

FAMILIES: Mapping[str, str] = {
    "pixels.jpeg_grid": "jpeg",
    "pixels.jpeg_history": "jpeg",
}
"""Signals that are not independent of each other."""

_ANSWERS = {Toward.MADE: Answer.MADE, Toward.ALTERED: Answer.ALTERED}
_HEDGED = ("marks.may_be_ai", "marks.suspected_ai")


@dataclass(frozen=True, slots=True)
class Fused:
    """An answer and the ids of the signals it rests on."""

    answer: Answer
    because: tuple[str, ...]


def fuse(signals: Sequence[Signal]) -> Fused:
    """The answer that `signals` give together, by the order above."""
    return (
        _signed(signals) or _donor(signals) or _camera(signals) or _told(signals) or _seen(signals)
    )


def together(signals: Iterable[Signal], toward: Toward) -> float:
    """The likelihood ratio of all calibrated signals that are about `toward`.

    Signals of one family look at the same thing: of each family the one that says most counts, and
    the others are left out.
    """
    best: dict[str, float] = {}
    for one in signals:
        if one.toward is toward and _counts(one) and one.likelihood_ratio is not None:
            family = family_of(one)
            size = abs(math.log(one.likelihood_ratio))
            if family not in best or size > abs(best[family]):
                best[family] = math.log(one.likelihood_ratio)
    return math.exp(sum(best.values()))


def family_of(signal: Signal) -> str:
    """What a signal shares with others that look at the same: FAMILIES, or two parts of its id."""
    return FAMILIES.get(signal.id, ".".join(signal.id.split(".")[:2]))


def _counts(signal: Signal) -> bool:
    return signal.state is not State.OFF and signal.calibration not in {None, BY_RULE}


def _signed(signals: Sequence[Signal]) -> Fused | None:
    keyed = [one for one in _claims(signals) if not LOOSE.intersection(one.limits)]
    said = [one for one in keyed if one.toward in _ANSWERS]
    if not said:
        return None
    cameras = [one for one in keyed if one.toward is Toward.CAMERA]
    if any("limit.signer_trusted" in one.limits for one in cameras):
        return Fused(Answer.INCONCLUSIVE, _ids([*said, *cameras]))
    return _strongest(said)


def _donor(signals: Sequence[Signal]) -> Fused | None:
    found = [one for one in signals if one.kind == "donor" and one.toward is Toward.ALTERED]
    found = [one for one in found if one.state is State.SPEAKS]
    faces = [
        region for one in signals if one.id.startswith("pixels.face.") for region in one.regions
    ]
    counted = [one for one in found if one.meaning != "donor.replaced" or _meet(one.regions, faces)]
    return Fused(Answer.ALTERED, _ids(counted)) if counted else None


def _meet(some: Iterable[Region], faces: Sequence[Region]) -> bool:
    """True if one of `some` lies on a face, and does not only touch the rectangle around it."""
    return any(_shared(one, face) > LEAST_ON_FACE for one in some for face in faces)


def _shared(one: Region, other: Region) -> float:
    """What both cover, as a part of the smaller."""
    wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    high = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(0.0, wide) * max(0.0, high) / smaller if smaller > 0 else 0.0


def _camera(signals: Sequence[Signal]) -> Fused | None:
    cameras = [one for one in signals if one.toward is Toward.CAMERA and one.kind == "marks"]
    trusted = [one for one in cameras if "limit.signer_trusted" in one.limits]
    if not trusted:
        return None
    against = _claims(signals, _ANSWERS)
    if against or together(signals, Toward.ALTERED) >= ACCUSING:
        return Fused(Answer.INCONCLUSIVE, _ids([*trusted, *against]))
    return Fused(Answer.AUTHENTIC, _ids(trusted))


def _told(signals: Sequence[Signal]) -> Fused | None:
    said = _claims(signals, _ANSWERS)
    if not said:
        return None
    # A camera's picture that AI edited is both; one that AI made cannot be.
    made = any(one.toward is Toward.MADE for one in said)
    cameras = _claims(signals, (Toward.CAMERA,)) if made else []
    if cameras or all(one.meaning.startswith(_HEDGED) for one in said):
        return Fused(Answer.INCONCLUSIVE, _ids([*said, *cameras]))
    return _strongest([one for one in said if not one.meaning.startswith(_HEDGED)])


def _seen(signals: Sequence[Signal]) -> Fused:
    for toward, answer in _ANSWERS.items():
        if together(signals, toward) >= ACCUSING:
            counted = [one for one in signals if one.toward is toward and _counts(one)]
            return Fused(answer, _ids(one for one in counted if (one.likelihood_ratio or 0) > 2))
    hints = [
        one
        for one in signals
        if one.state is State.SPEAKS and (_counts(one) or one.kind == "donor")
    ]
    looked = {family_of(one) for one in signals if _counts(one)}
    speaking = any(one.toward in _ANSWERS for one in hints)
    ratio = math.prod(together(signals, toward) for toward in _ANSWERS)
    if len(looked) >= LEAST_LOOKED and ratio <= CLEARING and not speaking:
        return Fused(Answer.NO_SIGN, ())
    return Fused(Answer.INCONCLUSIVE, _ids(hints))


def _claims(signals: Iterable[Signal], toward: Iterable[Toward] = Toward) -> list[Signal]:
    wanted = set(toward)
    return [
        one
        for one in signals
        if one.kind == "marks" and one.state is State.SPEAKS and one.toward in wanted
    ]


def _strongest(said: Sequence[Signal]) -> Fused:
    """What was made is also altered, so MADE wins where marks say both."""
    toward = Toward.MADE if any(one.toward is Toward.MADE for one in said) else Toward.ALTERED
    return Fused(_ANSWERS[toward], _ids(one for one in said if one.toward is toward))


def _ids(signals: Iterable[Signal]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.id for one in signals))
