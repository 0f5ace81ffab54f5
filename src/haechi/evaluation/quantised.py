"""What keeping an embedding as int8 costs, beside float32: how far cosines move, what is not found."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import layout, picture, sscd
from haechi.media import decode


@dataclass(frozen=True, slots=True)
class Loss:
    """How int8 moves cosines.

    Attributes:
        pairs: How many were compared.
        largest: Of all differences, without sign.
        mean: Of all differences, without sign.
    """

    pairs: int
    largest: float
    mean: float


def both(data: bytes) -> NDArray[np.float32]:
    """float32 (512,) of the picture in `data`, before it is rounded; for `Sandbox.run`.

    Raises MediaError or FingerprintError.
    """
    return sscd.exact(decode(data).rgb)


def loss(rows: Sequence[NDArray[np.float32]]) -> Loss:
    """Of every pair of `rows`, each float32 (512,)."""
    exact = np.stack(rows)
    rounded = _rounded(exact)
    upper = np.triu_indices(len(rows), 1)
    apart = np.abs(_cosines(exact)[upper] - _cosines(rounded)[upper])
    return Loss(len(apart), float(apart.max(initial=0)), float(apart.mean()) if len(apart) else 0.0)


@dataclass(frozen=True, slots=True)
class Recall:
    """What is found of edited copies at one threshold.

    Attributes:
        copies: How many were looked up.
        exact: Of them, found by float32.
        rounded: Found by int8.
        lost: Found by float32 alone.
        gained: Found by int8 alone.
    """

    threshold: float
    copies: int
    exact: int
    rounded: int
    lost: int
    gained: int


def looks(data: bytes, *, crops: bool) -> NDArray[np.float32]:
    """float32 (n, 512): every look at a picture, as an upload's or, with `crops`, as a member's.

    For `Sandbox.run`. Raises MediaError or FingerprintError.
    """
    rgb = decode(data).rgb
    boxes = layout.insets(rgb)[: picture.MEMBER_INSETS if crops else picture.MAX_VIEWS]
    cuts = [box.cut(rgb) for box in boxes + (layout.crops(rgb) if crops else ())]
    return np.stack([sscd.exact(cut) for cut in (rgb, *cuts)])


def recall(
    pairs: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]], threshold: float
) -> Recall:
    """Of (looks of the copy, looks of the member), float32 (n, 512) each: found at `threshold`."""
    exact = np.array([_best(*pair) for pair in pairs]) >= threshold
    rounded = np.array([_best(*map(_rounded, pair)) for pair in pairs]) >= threshold
    return Recall(
        threshold,
        len(pairs),
        int(exact.sum()),
        int(rounded.sum()),
        int((exact & ~rounded).sum()),
        int((rounded & ~exact).sum()),
    )


def _best(asked: NDArray[np.float32], known: NDArray[np.float32]) -> float:
    return float((_unit(asked) @ _unit(known).T).max())


def _rounded(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack([sscd.quantise(row) for row in rows]).astype(np.float32)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _cosines(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    unit = _unit(rows)
    return np.asarray(unit @ unit.T, np.float32)
