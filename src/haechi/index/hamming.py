"""Exact Hamming search among 256-bit hashes, in memory or in a file that processes share.

Most hashes are in a sorted base with the buckets of `haechi.index.bands`. What was added since is
in a tail, all of which is compared, and what was removed is skipped; when either has grown, a
thread builds the next base while searches go on. Up to SCAN_LIMIT hashes every one is compared by
NumPy, and nothing has to be compiled. Either way recall is 1.0.
"""

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from haechi.errors import IndexDamaged
from haechi.index import compiled, snapshot
from haechi.index.pigeonhole import BITS, PAST_END, WIDEST, Bands, Buckets, Kept

_log = logging.getLogger(__name__)

WORDS = 4
"""A hash is four uint64 here; which bit is where does not matter to a distance."""

MAX_RADIUS = 40
"""Past this PDQ says nothing, and the buckets of a query become most of the index."""

SCAN_LIMIT = 20_000
TAIL = 8_192
"""Comparing a tail of this length takes about 10 microseconds."""

KIND = "hamming/1"
_TAIL_SHARE = 128
_LINE_WORDS = 8

type Matches = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class _Base:
    """Hashes in ascending order of their keys. Only `alive` is ever written to."""

    keys: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    buckets: Buckets | None
    alive: NDArray[np.bool_]

    def __post_init__(self) -> None:
        # To the compiler what may be written to is of another type, and is compiled apart: keys
        # that lie in a mapped file cannot, so none may.
        self.keys.setflags(write=False)

    def row(self, key: int) -> int | None:
        """Of a hash that is alive."""
        at = int(np.searchsorted(self.keys, key))
        found = at < len(self.keys) and self.keys[at] == key and self.alive[at]
        return at if found else None

    def kept(self) -> Kept:
        return Kept(self.keys, self.hashes, self.alive, len(self.keys))


@dataclass(slots=True)
class _Tail:
    """Hashes in the order they came. Rows are added and marked, never changed or moved."""

    keys: NDArray[np.int64] = field(default_factory=lambda: np.zeros(64, dtype=np.int64))
    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.zeros((64, WORDS), np.uint64))
    alive: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(64, dtype=np.bool_))
    used: int = 0
    row_of: dict[int, int] = field(default_factory=dict)

    def add(self, key: int, hash_: NDArray[np.uint64]) -> None:
        self._make_room(1)
        self.keys[self.used], self.hashes[self.used] = key, hash_
        self.alive[self.used] = True
        self.row_of[key] = self.used
        self.used += 1

    def extend(self, keys: NDArray[np.int64], hashes: NDArray[np.uint64]) -> None:
        self._make_room(len(keys))
        rows = slice(self.used, self.used + len(keys))
        self.keys[rows], self.hashes[rows], self.alive[rows] = keys, hashes, True
        self.row_of.update(zip(keys.tolist(), range(rows.start, rows.stop), strict=True))
        self.used = rows.stop

    def _make_room(self, count: int) -> None:
        """For so many more. Arrays are replaced, never resized: a search may be reading them."""
        if self.used + count > len(self.keys):
            more = max(count, len(self.keys))
            self.keys = np.concatenate([self.keys, np.zeros(more, np.int64)])
            self.hashes = np.concatenate([self.hashes, np.zeros((more, WORDS), np.uint64)])
            self.alive = np.concatenate([self.alive, np.zeros(more, np.bool_)])

    def kept(self) -> Kept:
        return Kept(self.keys, self.hashes, self.alive, self.used)

    def since(self, row: int) -> "_Tail":
        """A new tail of what is alive from `row` on."""
        rows = np.flatnonzero(self.alive[row : self.used]) + row
        later = _Tail()
        later.extend(self.keys[rows], self.hashes[rows])
        return later


class HammingIndex:
    """Keys and their 256-bit hashes; finds all within a radius. Thread-safe.

    Keys are any integers of 64 bits. At most 120 bytes a hash from a million on, and up to 4 MB
    more under that; while a new base is built, twice as much.
    """

    def __init__(self, *, scan_limit: int = SCAN_LIMIT) -> None:
        """Buckets are built for more than `scan_limit` hashes."""
        self._scan_limit = scan_limit
        self._lock = threading.Lock()
        self._base = _empty()
        self._tail = _Tail()
        self._dead = 0
        self._building: threading.Thread | None = None

    def __len__(self) -> int:
        """How many hashes are kept."""
        return len(self._base.keys) - self._dead + len(self._tail.row_of)

    @property
    def nbytes(self) -> int:
        """Memory of all arrays, shared with other processes or not."""
        base, tail = self._base, self._tail
        arrays: list[NDArray[Any]] = [base.keys, base.hashes, base.alive]
        arrays += [tail.keys, tail.hashes, tail.alive]
        if base.buckets is not None:
            arrays += [base.buckets.order, base.buckets.starts]
        return sum(array.nbytes for array in arrays)

    def insert(self, key: int, bits: bytes) -> None:
        """Add the 32 bytes `bits` under `key`, or replace what it has."""
        with self._lock:
            self._remove(key)
            if self._building is None and len(self._tail.row_of) * 2 < self._tail.used - 64:
                self._tail = self._tail.since(0)
            self._tail.add(key, words(bits))
            self._tend()

    def insert_many(self, keys: NDArray[np.int64], hashes: NDArray[np.uint64]) -> None:
        """`insert` of int64 (n,), all different, and uint64 (n, 4); no search waits for a build."""
        with self._lock:
            self._remove_many(keys)
            self._tail.extend(keys, hashes)
            self._tend()

    def remove(self, key: int) -> None:
        """Forget the hash of `key`; nothing happens if there is none."""
        with self._lock:
            self._remove(key)
            self._tend()

    def load(self, keys: NDArray[np.int64], hashes: NDArray[np.uint64]) -> None:
        """Add many at once: int64 (n,) and uint64 (n, 4); of equal keys the last one counts.

        Builds before it returns; searches go on meanwhile, but nothing else may add or remove.
        """
        self.settle()
        base = self._built(*_merged(self._base, self._tail, keys, hashes), wait=True)
        with self._lock:
            self._base, self._tail, self._dead = base, _Tail(), 0

    def settle(self) -> None:
        """Return when no base is being built."""
        while (thread := self._building) is not None:
            thread.join()

    def search(self, bits: bytes, radius: int) -> list[tuple[int, int]]:
        """(key, distance) of every hash within `radius` bits of the 32 bytes `bits`.

        `radius` is 0..40; a larger one is taken as 40.
        """
        _, keys, found = self._search(words(bits)[None], radius)
        return list(zip(keys.tolist(), found.tolist(), strict=True))

    def search_many(
        self,
        hashes: Sequence[bytes] | NDArray[np.uint64],
        radius: int,
        enough: int | None = None,
    ) -> Matches:
        """The same for many: (number of the query, key, distance), int64 (k,) each.

        `hashes` is uint64 (q, 4) or 32 bytes each; matches come in the order of the queries. A query
        that has found `enough` stops soon after, with whatever it met first: the answer is whole for
        each query of fewer.
        """
        if not isinstance(hashes, np.ndarray):
            hashes = np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, WORDS)
        return self._search(hashes, radius, enough)

    def save(self, path: str | os.PathLike[str], version: int) -> None:
        """Write a snapshot, with a number that `open` gives back. Raises StorageUnavailable."""
        meta, arrays = self.parts()
        snapshot.write(path, KIND, {**meta, "version": version}, arrays)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> tuple[Self, int]:
        """(index, version) from a snapshot. Processes that open one file share its memory.

        What is added or removed afterwards is this process's own. Raises IndexDamaged.
        """
        meta, arrays = snapshot.read(path, KIND)
        try:
            return cls.of_parts(meta, arrays), int(meta["version"])
        except (KeyError, TypeError, ValueError) as error:
            raise IndexDamaged(path, f"holds no Hamming index: {error}") from error

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """(meta, arrays) for a snapshot: everything known, in one base. Builds if it must."""
        self.settle()
        with self._lock:
            if self._dead or self._tail.used:
                self._base = self._built(*_merged(self._base, self._tail), wait=True)
                self._tail, self._dead = _Tail(), 0
            base = self._base
        arrays: dict[str, NDArray[Any]] = {"keys": base.keys, "hashes": base.hashes}
        if base.buckets is None:
            return {"bands": None}, arrays
        bands = base.buckets.bands
        arrays |= {"order": base.buckets.order, "starts": base.buckets.starts}
        return {"bands": {"widths": list(bands.widths), "count": bands.count}}, arrays

    @classmethod
    def of_parts(cls, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The index of what `parts` gave. Raises KeyError, TypeError or ValueError if it is not so.

        Everything that compiled code takes for a place in memory is checked.
        """
        index = cls()
        keys, hashes = (
            _checked(arrays["keys"], np.int64, 1),
            _checked(arrays["hashes"], np.uint64, 2),
        )
        if hashes.shape != (len(keys), WORDS) or (keys[1:] <= keys[:-1]).any():
            raise ValueError("keys and hashes do not belong together")
        buckets = None
        if meta["bands"] is not None:
            buckets = _buckets(meta["bands"], len(keys), arrays)
        index._base = _Base(keys, hashes, buckets, np.ones(len(keys), dtype=np.bool_))
        return index

    def _search(
        self, queries: NDArray[np.uint64], radius: int, enough: int | None = None
    ) -> Matches:
        with self._lock:
            buckets, base, tail = self._base.buckets, self._base.kept(), self._tail.kept()
        radius = min(radius, MAX_RADIUS)
        kernels = compiled.BANDS.ready() if buckets is not None else None
        if kernels is None:
            return _scan(base, tail, queries, radius)
        limit = kernels.ALL if enough is None else enough
        found: Matches = kernels.search(base, buckets, tail, queries, radius, limit)
        return found

    def _remove(self, key: int) -> None:
        row = self._tail.row_of.pop(key, None)
        if row is not None:
            self._tail.alive[row] = False
        elif (at := self._base.row(key)) is not None:
            self._base.alive[at] = False
            self._dead += 1

    def _remove_many(self, keys: NDArray[np.int64]) -> None:
        for key in self._tail.row_of.keys() & set(keys.tolist()):
            self._remove(key)
        if len(self._base.keys):
            rows = np.searchsorted(self._base.keys, keys)
            rows = rows[rows < len(self._base.keys)]
            found = rows[np.isin(self._base.keys[rows], keys) & self._base.alive[rows]]
            self._base.alive[found] = False
            self._dead += len(np.unique(found))

    @property
    def _due(self) -> bool:
        """True if too much lies outside of the base, or too much in it is dead."""
        count = len(self._base.keys)
        most = max(min(self._scan_limit, TAIL), count // _TAIL_SHARE)
        return self._tail.used > most or self._dead * 2 > count

    def _tend(self) -> None:
        """Have the next base built if it is time, and nobody is at it."""
        if self._building is not None or not self._due:
            return
        if len(self) <= self._scan_limit:
            self._base = self._built(*_merged(self._base, self._tail))
            self._tail, self._dead = _Tail(), 0
        elif compiled.BANDS.ready() is not None:
            self._building = threading.Thread(target=self._build, name="haechi-index", daemon=True)
            self._building.start()

    def _build(self) -> None:
        """One base after the other, as long as more comes meanwhile than a tail should hold."""
        try:
            while True:
                self._next()
                with self._lock:
                    if not self._due:
                        self._building = None
                        return
        except Exception:
            _log.exception("the index cannot be built anew; searches become slower")
            self._building = None
            raise

    def _next(self) -> None:
        """Build a base of what was there when this began; then put in force what changed since."""
        with self._lock:
            base, tail = self._base, self._tail
            then = (base.alive.copy(), tail.alive[: tail.used].copy())
            was = _Tail(tail.keys, tail.hashes, then[1], len(then[1]))
        fresh = self._built(*_merged(_Base(base.keys, base.hashes, None, then[0]), was))
        with self._lock:
            gone = [base.keys[then[0] & ~base.alive]]
            gone.append(was.keys[: was.used][then[1] & ~tail.alive[: was.used]])
            dead = np.searchsorted(fresh.keys, np.concatenate(gone))
            fresh.alive[dead] = False
            self._base, self._tail = fresh, tail.since(was.used)
            self._dead = len(fresh.keys) - int(fresh.alive.sum())

    def _built(
        self, keys: NDArray[np.int64], hashes: NDArray[np.uint64], *, wait: bool = False
    ) -> _Base:
        """A base, with buckets if it is large and the kernels are there, or waited for."""
        buckets = None
        if len(keys) > self._scan_limit:
            if wait:
                compiled.BANDS.wait()
            kernels = compiled.BANDS.ready()
            buckets = None if kernels is None else kernels.build(hashes)
        return _Base(keys, hashes, buckets, np.ones(len(keys), dtype=np.bool_))


def _empty() -> _Base:
    none = np.zeros((0, WORDS), dtype=np.uint64)
    none.setflags(write=False)
    return _Base(np.zeros(0, np.int64), none, None, np.zeros(0, np.bool_))


def _merged(
    base: _Base,
    tail: _Tail,
    keys: NDArray[np.int64] | None = None,
    hashes: NDArray[np.uint64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """What is alive, and then more, in ascending order of keys; of equal ones the last."""
    alive, used = base.alive, slice(tail.used)
    late = tail.alive[used]
    all_keys = [base.keys[alive], tail.keys[used][late]]
    all_hashes = [base.hashes[alive], tail.hashes[used][late]]
    if keys is not None and hashes is not None:
        all_keys.append(np.asarray(keys, dtype=np.int64))
        all_hashes.append(np.asarray(hashes, dtype=np.uint64).reshape(-1, WORDS))
    joined = np.concatenate(all_keys)
    rows = np.concatenate(all_hashes, out=_aligned(len(joined)))
    if len(joined) and (joined[1:] <= joined[:-1]).any():
        order = np.argsort(joined, kind="stable")
        last = order[np.append(joined[order][1:] != joined[order][:-1], True)]
        joined, rows = joined[last], np.take(rows, last, axis=0, out=_aligned(len(last)))
    rows.setflags(write=False)
    return joined, rows


def _aligned(count: int) -> NDArray[np.uint64]:
    """Room for `count` hashes of which none lies across two lines of the cache: half the time."""
    room = np.empty((count * WORDS + _LINE_WORDS,), dtype=np.uint64)
    skipped = -room.ctypes.data // room.itemsize % _LINE_WORDS
    return room[skipped : skipped + count * WORDS].reshape(count, WORDS)


def _checked(array: NDArray[Any], dtype: type, sides: int) -> NDArray[Any]:
    if array.dtype != dtype or array.ndim != sides or not array.flags.c_contiguous:
        raise ValueError(f"{array.dtype} of {array.ndim} dimensions where {dtype} was expected")
    return array


def _buckets(told: Mapping[str, Any], count: int, arrays: Mapping[str, NDArray[Any]]) -> Buckets:
    """Checked: every row number and every start, because compiled code follows them blindly."""
    bands = Bands(tuple(map(int, told["widths"])), int(told["count"]))
    order, starts = (
        _checked(arrays["order"], np.uint32, 1),
        _checked(arrays["starts"], np.uint32, 1),
    )
    if sum(bands.widths) != BITS or not all(0 < width <= WIDEST for width in bands.widths):
        raise ValueError("bands are not cut from 256 bits")
    if bands.count != count or len(order) != len(bands.widths) * count + PAST_END:
        raise ValueError("buckets and hashes do not belong together")
    if len(starts) != bands.starts_at[-1] or not count or not snapshot.in_range(order, count):
        raise ValueError("buckets name rows that are not there")
    for begin, end in zip(bands.starts_at, bands.starts_at[1:], strict=False):
        band = starts[begin:end]
        if (band[1:] < band[:-1]).any() or band[-1] != count:
            raise ValueError("bucket starts do not ascend")
    return Buckets(bands, order, starts)


def words(bits: bytes) -> NDArray[np.uint64]:
    """uint64 (4,) of 32 bytes."""
    return np.frombuffer(bits, dtype=np.uint64, count=WORDS)


def distances(hashes: NDArray[np.uint64], query: NDArray[np.uint64]) -> NDArray[np.int64]:
    """int64 (n,) distances of uint64 (n, 4) to uint64 (4,): the reference for all others."""
    return np.bitwise_count(hashes ^ query).sum(axis=1, dtype=np.int64)


def scan(hashes: NDArray[np.uint64], query: NDArray[np.uint64]) -> NDArray[np.int64]:
    """`distances`, four times as fast: the four counts of a row are added as one integer."""
    if not len(hashes):
        return np.empty(0, dtype=np.int64)
    counts = np.bitwise_count(hashes ^ query).view(np.uint32).reshape(-1)
    low = np.uint32(0x00FF00FF)
    pairs = (counts & low) + (counts >> np.uint32(8) & low)
    return ((pairs & np.uint32(0xFFFF)) + (pairs >> np.uint32(16))).astype(np.int64)


def _scan(base: Kept, tail: Kept, queries: NDArray[np.uint64], radius: int) -> Matches:
    """(number of the query, key, distance): every hash compared."""
    found: list[tuple[NDArray[np.int64], ...]] = [(np.empty(0, np.int64),) * 3]
    for number, query in enumerate(queries):
        for kept in (base, tail):
            bits = scan(kept.hashes[: kept.used], query)
            rows = np.flatnonzero((bits <= radius) & kept.alive[: kept.used])
            found.append((np.full(len(rows), number), kept.keys[rows], bits[rows]))
    numbers, keys, apart = (np.concatenate(column) for column in zip(*found, strict=True))
    return numbers, keys, apart
