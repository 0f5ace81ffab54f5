"""Entries taken apart into columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import pdq, sscd
from haechi.index.entry import Entry

WHOLE = -1.0
"""In place of a frame's seconds: the hash of the whole picture."""

NO_FILE = bytes(32)
"""In place of a digest that is not known."""


class Batch(NamedTuple):
    """n entries, r hashes, v vectors; `row_of` and `vector_of` say whose, 0..n - 1.

    A digest of zeros stands for none.
    """

    keys: NDArray[np.int64]
    sha256: NDArray[np.uint64]
    seconds: NDArray[np.float32]
    frames: NDArray[np.uint32]
    bits: NDArray[np.uint64]
    row_of: NDArray[np.uint32]
    row_seconds: NDArray[np.float32]
    quality: NDArray[np.uint8]
    vectors: NDArray[np.int8]
    vector_of: NDArray[np.uint32]
    whole: NDArray[np.uint8]


def batch(entries: Sequence[Entry]) -> Batch:
    """The columns of `entries`. Raises ValueError if a fingerprint has another length than it must.

    Of a video's frames those of quality >= pdq.MIN_QUALITY are kept: black ones are in every video.
    """
    hashes, looks = _Hashes(), _Looks()
    for at, entry in enumerate(entries):
        hashes.take(at, entry)
        looks.take(at, entry)
    videos = [entry.seconds if entry.frames else 0.0 for entry in entries]
    return Batch(
        keys=np.array([entry.key for entry in entries], dtype=np.int64),
        sha256=words([entry.sha256 or NO_FILE for entry in entries]),
        seconds=np.array(videos, dtype=np.float32),
        frames=np.bincount(np.array(hashes.frame_of, np.int64), minlength=len(entries)).astype(
            np.uint32
        ),
        bits=words(hashes.bits),
        row_of=np.array(hashes.of, dtype=np.uint32),
        row_seconds=np.array(hashes.seconds, dtype=np.float32),
        quality=np.array(hashes.quality, dtype=np.uint8),
        vectors=_joined(looks.vectors, sscd.DIMENSIONS).view(np.int8).reshape(-1, sscd.DIMENSIONS),
        vector_of=np.array(looks.of, dtype=np.uint32),
        whole=np.array(looks.whole, dtype=np.uint8),
    )


def words(hashes: Sequence[bytes]) -> NDArray[np.uint64]:
    """uint64 (n, 4) of n times 32 bytes. Raises ValueError if one is of another length."""
    return _joined(hashes, pdq.BITS // 8).view(np.uint64).reshape(-1, 4)


def _joined(parts: Sequence[bytes], length: int) -> NDArray[np.uint8]:
    if set(map(len, parts)) - {length}:
        msg = f"a fingerprint is not {length} bytes long"
        raise ValueError(msg)
    return np.frombuffer(b"".join(parts), dtype=np.uint8)


@dataclass(slots=True)
class _Hashes:
    """Every hash of entries taken apart; that of a whole video is one of its frames'."""

    of: list[int] = field(default_factory=list)
    bits: list[bytes] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)
    frame_of: list[int] = field(default_factory=list)

    def take(self, at: int, entry: Entry) -> None:
        shown = [frame for frame in entry.frames if frame.pdq.quality >= pdq.MIN_QUALITY]
        for frame in shown:
            self._add(at, frame.pdq.bits, frame.seconds, frame.pdq.quality)
            self.frame_of.append(at)
        among = bool(shown) and entry.seconds and any(entry.pdq == one.pdq.bits for one in shown)
        if entry.pdq is not None and not among:
            self._add(at, entry.pdq, WHOLE, entry.pdq_quality)

    def _add(self, at: int, bits: bytes, seconds: float, quality: int) -> None:
        self.of.append(at)
        self.bits.append(bits)
        self.seconds.append(seconds)
        self.quality.append(quality)


@dataclass(slots=True)
class _Looks:
    """Every embedding of entries taken apart."""

    of: list[int] = field(default_factory=list)
    vectors: list[bytes] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)

    def take(self, at: int, entry: Entry) -> None:
        wholes = () if entry.embedding is None else (entry.embedding,)
        if wholes or entry.views:
            self.of += [at] * (len(wholes) + len(entry.views))
            self.vectors += [*wholes, *entry.views]
            self.whole += [1] * len(wholes) + [0] * len(entry.views)
