"""Which way a head looks, from five points: coarse, and enough to see that it was turned."""

import math
from dataclasses import dataclass

from haechi.media.faces import Face

_NOSE = 0.55
"""How far the tip of a nose stands out before the eyes, in distances between them (adults' mean)."""

_LEVEL = 0.62
"""How far the nose is below the eyes when a head looks straight ahead, in the same unit."""

MOST_DEGREES = 80.0


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees. `turn` is positive towards the right of the picture, `nod` downwards."""

    turn: float
    nod: float
    roll: float


def pose_of(face: Face, width: int, height: int) -> Pose | None:
    """The pose of a face in a frame of that size, or None without landmarks.

    The projected distance of the eyes shrinks with the cosine of the turn and the nose moves with
    its sine, so their ratio is the tangent. True to some ten degrees up to about 50; beyond, a
    detector mostly loses the face.
    """
    if face.landmarks is None or len(face.landmarks) < 5:
        return None
    left, right, nose, mouth_left, mouth_right = (
        (x * width, y * height) for x, y in face.landmarks[:5]
    )
    roll = math.atan2(right[1] - left[1], right[0] - left[0])
    eyes = math.hypot(right[0] - left[0], right[1] - left[1])
    if eyes < 1.0:
        return None
    middle = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
    mouth = ((mouth_left[0] + mouth_right[0]) / 2, (mouth_left[1] + mouth_right[1]) / 2)
    across, down = _turned(nose, middle, roll)
    _, to_mouth = _turned(mouth, middle, roll)
    turn = math.degrees(math.atan(across / eyes / _NOSE))
    level = down / to_mouth if to_mouth > 1.0 else _LEVEL
    nod = math.degrees(math.atan((level - _LEVEL) / _NOSE))
    return Pose(_within(turn), _within(nod), math.degrees(roll))


def _turned(
    point: tuple[float, float], about: tuple[float, float], roll: float
) -> tuple[float, float]:
    x, y = point[0] - about[0], point[1] - about[1]
    return x * math.cos(roll) + y * math.sin(roll), y * math.cos(roll) - x * math.sin(roll)


def _within(degrees: float) -> float:
    return max(-MOST_DEGREES, min(MOST_DEGREES, degrees))
