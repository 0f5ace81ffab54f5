"""What keeping an embedding as int8 costs: every pair's cosine, beside float32."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import sscd
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
    rounded = np.stack([sscd.quantise(row) for row in rows]).astype(np.float32)
    upper = np.triu_indices(len(rows), 1)
    apart = np.abs(_cosines(exact)[upper] - _cosines(rounded)[upper])
    return Loss(len(apart), float(apart.max(initial=0)), float(apart.mean()) if len(apart) else 0.0)


def _cosines(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(unit @ unit.T, np.float32)
