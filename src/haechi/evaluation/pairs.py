"""Every pair of a folder of unrelated pictures, compared as the search compares them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import ImageFingerprint, pdq


@dataclass(frozen=True, slots=True)
class Looks:
    """One picture as a query, and as a member of a bank (fingerprint.image, fingerprint.member)."""

    asked: ImageFingerprint
    known: ImageFingerprint


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """How alike unrelated pictures are. Arrays are (n, n): the query by row, the member by column.

    Attributes:
        whole: float32, cosine of the whole pictures; NaN without the model.
        views: float32, the highest cosine where a view of either takes part; NaN likewise.
        bits: int16, the smallest PDQ distance over all turns and negatives of the query; 256 where
            one of them is too flat.
    """

    whole: NDArray[np.float32]
    views: NDArray[np.float32]
    bits: NDArray[np.int16]


def compare(pictures: Sequence[Looks]) -> Likeness:
    """Every picture as a query against every one as a member; the diagonal says nothing."""
    return Likeness(_wholes(pictures), _views(pictures), _bits(pictures))


def _wholes(pictures: Sequence[Looks]) -> NDArray[np.float32]:
    rows = _unit([one.asked.embedding for one in pictures])
    return np.asarray(rows @ rows.T, np.float32)


def _views(pictures: Sequence[Looks]) -> NDArray[np.float32]:
    count = len(pictures)
    highest = np.full((count, count), np.nan, np.float32)
    members = [_unit([one.known.embedding, *one.known.views]) for one in pictures]
    starts = np.cumsum([0, *(len(rows) for rows in members)])
    known = np.concatenate(members)
    for row, one in enumerate(pictures):
        cosines = _unit([one.asked.embedding, *one.asked.views]) @ known.T
        # The whole of the query against the whole of the member is the other measure.
        cosines[0, starts[:-1]] = -1
        highest[row] = np.maximum.reduceat(cosines.max(axis=0), starts[:-1])
    return highest


def _bits(pictures: Sequence[Looks]) -> NDArray[np.int16]:
    known = np.stack([np.frombuffer(one.known.pdq.bits, np.uint64) for one in pictures])
    flat = np.array([one.known.pdq.quality < pdq.MIN_QUALITY for one in pictures])
    nearest = np.full((len(pictures), len(pictures)), pdq.BITS, np.int16)
    for row, one in enumerate(pictures):
        if flat[row]:
            continue
        turns = np.stack([np.frombuffer(turn, np.uint64) for turn in one.asked.turns])
        away = np.bitwise_count(turns[:, None] ^ known[None]).sum(axis=2, dtype=np.int16)
        nearest[row] = np.minimum(away, pdq.BITS - away).min(axis=0)
    nearest[:, flat] = pdq.BITS
    return nearest


def _unit(embeddings: Sequence[bytes | None]) -> NDArray[np.float32]:
    """float32 (n, 512) of length 1; NaN for an embedding that is not there."""
    rows = [
        np.full(512, np.nan, np.float32)
        if one is None
        else np.frombuffer(one, np.int8).astype(np.float32)
        for one in embeddings
    ]
    stacked = np.stack(rows)
    return np.asarray(stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-6))
