"""Cosine search over int8 embeddings.

Up to SCAN_LIMIT vectors all are compared. Above, sketches say which can be near at all
(haechi.index.sketch), and those are measured in full: what is found has the exact cosine, and of
pairs at the threshold itself 1 in 1,000 is missed, fewer above it. Where a threshold is so low
that sketches tell little apart, all are compared again.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import sscd
from haechi.index import compiled, sketch
from haechi.index.columns import Array, Table, View, empty

_BLOCK_ROWS = 16_384
"""Rows turned to float32 at a time: 32 MB, so that a million rows never become 2 GB."""

SCAN_LIMIT = 20_000

_MOST_PASSING = 0.1
"""Measuring a vector costs ten times as much as looking at its sketch."""

COLUMNS = empty(
    vector=("i1", sscd.DIMENSIONS),
    length=("<f4", 0),
    front_0=("<u8", 0),
    front_1=("<u8", 0),
    front_2=("<u8", 0),
    front_3=("<u8", 0),
    back=("<u8", sketch.HALF),
    owner=("<u4", 0),
    whole=("u1", 0),
)
"""`owner` is whatever number the caller gives; `whole` is 0 for a view. 585 bytes a vector."""


_FRONT = ("front_0", "front_1", "front_2", "front_3")


class Near(NamedTuple):
    """Pairs of a look and a vector: int64 (k,), int64 (k,), float32 (k,), uint32 (k,), bool (k,).

    Which look, which row, how near, whose, and if it is a whole picture.
    """

    look: NDArray[np.int64]
    row: NDArray[np.int64]
    cosine: NDArray[np.float32]
    owner: NDArray[np.uint32]
    whole: NDArray[np.bool_]


class EmbeddingIndex:
    """Vectors of 512 int8, each with an owner; one may own many. Vectors are never taken out.

    One writer at a time; any number of readers, each on what `now` gave it.
    """

    def __init__(
        self, columns: dict[str, Array] | None = None, *, scan_limit: int = SCAN_LIMIT
    ) -> None:
        """`columns` is what it begins with, kept as it is; COLUMNS, which is nothing, if None."""
        self._table = Table(COLUMNS if columns is None else columns)
        self._scan_limit = scan_limit

    def __len__(self) -> int:
        """How many vectors are kept."""
        return len(self._table)

    @property
    def nbytes(self) -> int:
        """Memory of all vectors and sketches, and of the room to grow."""
        return self._table.nbytes

    def append(
        self, vectors: NDArray[np.int8], owner: NDArray[np.uint32], whole: NDArray[np.uint8]
    ) -> None:
        """Add int8 (n, 512) with their owners and 1 for each whole picture, 0 for each view."""
        sketches = sketch.of(vectors)
        self._table.append(
            vector=vectors,
            length=norms(vectors),
            **{name: sketches[:, at] for at, name in enumerate(_FRONT)},
            back=sketches[:, sketch.HALF :],
            owner=owner,
            whole=whole,
        )

    def now(self) -> "Vectors":
        """The vectors as they are; those added later are not in it."""
        return Vectors(self._table.now(), self._scan_limit)


class Vectors:
    """The vectors of an index at one moment. Immutable, for any number of threads."""

    def __init__(self, view: View, scan_limit: int) -> None:
        """As `EmbeddingIndex.now` makes it."""
        self.view = view
        self._scan_limit = scan_limit

    def search(self, vectors: Sequence[bytes], lowest: float) -> Near:
        """Every vector whose cosine to one of `vectors`, 512 int8 each, is `lowest` or more."""
        joined = np.frombuffer(b"".join(vectors), dtype=np.int8)
        looks = joined.reshape(-1, sscd.DIMENSIONS)
        pairs: list[Pairs] = [_none()]
        if len(looks):
            for first, part in self._parts():
                look, row, cosine = self._search(part, looks, lowest)
                pairs.append((look, row + first, cosine))
        look, row, cosine = (np.concatenate(each) for each in zip(*pairs, strict=True))
        owner, whole = self.view.take("owner", row), self.view.take("whole", row)
        return Near(look, row, cosine, owner, whole.astype(np.bool_))

    def _parts(self) -> Iterator[tuple[int, dict[str, Array]]]:
        names = ("vector", "length", *_FRONT, "back")
        for found in zip(*(self.view.parts(name) for name in names), strict=True):
            yield found[0][0], {name: part for name, (_, part) in zip(names, found, strict=True)}

    def _search(self, part: dict[str, Array], looks: NDArray[np.int8], lowest: float) -> "Pairs":
        rows, lengths, asked = part["vector"], part["length"], norms(looks)
        if self.view.rows <= self._scan_limit:
            return scan(rows, lengths, looks, asked, lowest)
        kernels = compiled.DOTS.ready()
        if sketch.share_passing(lowest) > _MOST_PASSING:
            every = scan if kernels is None else kernels.near
            found: Pairs = every(rows, lengths, looks, asked, lowest)
            return found
        close = sketch.close if kernels is None else kernels.close
        front = [part[name] for name in _FRONT]
        look, row = close(front, part["back"], sketch.of(looks), sketch.limits(lowest))
        products = (products_of if kernels is None else kernels.of_pairs)(rows, looks, look, row)
        cosine = (products / (lengths[row] * asked[look])).astype(np.float32)
        kept = cosine >= lowest
        return look[kept], row[kept], cosine[kept]


Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]
"""(look, row, cosine) of pairs, (k,) each."""


def norms(vectors: NDArray[np.int8]) -> NDArray[np.float32]:
    """float32 (n,) Euclidean lengths of int8 (n, 512), at least 1 so that zero is like nothing."""
    squares = np.einsum("ij,ij->i", vectors, vectors, dtype=np.int32)
    lengths: NDArray[np.float32] = np.sqrt(squares, dtype=np.float32)
    return np.maximum(lengths, np.float32(1))


def scan(
    rows: NDArray[np.int8],
    lengths: NDArray[np.float32],
    looks: NDArray[np.int8],
    look_lengths: NDArray[np.float32],
    lowest: float,
) -> Pairs:
    """(look, row, cosine) of every pair at `lowest` or more: the reference for all others.

    All looks go together, because turning the rows to float32 is half the work.
    """
    found = [_none()]
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        products = looks.astype(np.float32) @ rows[block].astype(np.float32).T
        cosines = products / (look_lengths[:, None] * lengths[block])
        look, row = np.nonzero(cosines >= lowest)
        found.append((look, row + start, cosines[look, row]))
    looked, numbers, values = zip(*found, strict=True)
    return np.concatenate(looked), np.concatenate(numbers), np.concatenate(values)


def products_of(
    rows: NDArray[np.int8],
    looks: NDArray[np.int8],
    look: NDArray[np.int64],
    row: NDArray[np.int64],
) -> NDArray[np.int32]:
    """int32 (k,) products of `looks[look]` and `rows[row]`: `dots.of_pairs` by NumPy."""
    found = [np.empty(0, dtype=np.int32)]
    for start in range(0, len(row), _BLOCK_ROWS):
        some = slice(start, start + _BLOCK_ROWS)
        found.append(np.einsum("ij,ij->i", rows[row[some]], looks[look[some]], dtype=np.int32))
    return np.concatenate(found)


def _none() -> Pairs:
    return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, np.float32)
