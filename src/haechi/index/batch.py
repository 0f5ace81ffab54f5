"""Entries taken apart into columns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import pdq, sscd
from haechi.index.entry import Entry

WHOLE = -1.0
"""In place of a frame's seconds: the hash of the whole picture."""

_NO_FILE = bytes(32)


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
    hashes = [row for at, entry in enumerate(entries) for row in _hashes(at, entry)]
    looks = [row for at, entry in enumerate(entries) for row in _looks(at, entry)]
    row_of, bits, row_seconds, quality = zip(*hashes, strict=True) if hashes else ((),) * 4
    vector_of, vectors, whole = zip(*looks, strict=True) if looks else ((),) * 3
    videos = [entry.seconds if entry.frames else 0.0 for entry in entries]
    return Batch(
        keys=np.array([entry.key for entry in entries], dtype=np.int64),
        sha256=words([entry.sha256 or _NO_FILE for entry in entries]),
        seconds=np.array(videos, dtype=np.float32),
        frames=np.bincount(
            np.array([at for at, _, second, _ in hashes if second >= 0], dtype=np.int64),
            minlength=len(entries),
        ).astype(np.uint32),
        bits=words(bits),
        row_of=np.array(row_of, dtype=np.uint32),
        row_seconds=np.array(row_seconds, dtype=np.float32),
        quality=np.array(quality, dtype=np.uint8),
        vectors=_joined(vectors, sscd.DIMENSIONS).view(np.int8).reshape(-1, sscd.DIMENSIONS),
        vector_of=np.array(vector_of, dtype=np.uint32),
        whole=np.array(whole, dtype=np.uint8),
    )


def words(hashes: Sequence[bytes]) -> NDArray[np.uint64]:
    """uint64 (n, 4) of n times 32 bytes. Raises ValueError if one is of another length."""
    return _joined(hashes, pdq.BITS // 8).view(np.uint64).reshape(-1, 4)


def _joined(parts: Sequence[bytes], length: int) -> NDArray[np.uint8]:
    if any(len(part) != length for part in parts):
        msg = f"a fingerprint is not {length} bytes long"
        raise ValueError(msg)
    return np.frombuffer(b"".join(parts), dtype=np.uint8)


def _hashes(at: int, entry: Entry) -> list[tuple[int, bytes, float, int]]:
    """(entry, bits, seconds, quality) of every hash; that of a video is one of its frames'."""
    if not entry.frames:
        return [] if entry.pdq is None else [(at, entry.pdq, WHOLE, entry.pdq_quality)]
    rows = [
        (at, frame.pdq.bits, frame.seconds, frame.pdq.quality)
        for frame in entry.frames
        if frame.pdq.quality >= pdq.MIN_QUALITY
    ]
    if entry.pdq is not None and not (entry.seconds and any(entry.pdq == row[1] for row in rows)):
        rows.append((at, entry.pdq, WHOLE, entry.pdq_quality))
    return rows


def _looks(at: int, entry: Entry) -> list[tuple[int, bytes, int]]:
    wholes = [] if entry.embedding is None else [(at, entry.embedding, 1)]
    return [*wholes, *((at, view, 0) for view in entry.views)]
