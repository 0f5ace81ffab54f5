"""What a catalog holds, as columns, and how it looks at one moment.

An entry is a slot; its hashes are rows and its embeddings vectors that name the slot. All of them
are only ever added. An entry that is removed or replaced is marked with the number of the change
that did it, and whoever began to look before that change goes on seeing it: nobody waits. Once a
quarter of the slots is dead, the living are copied into a new state.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haechi.index.batch import Batch
from haechi.index.bits import Bits
from haechi.index.columns import Array, Table, View, empty
from haechi.index.embeddings import COLUMNS, EmbeddingIndex, Vectors
from haechi.index.hamming import HammingIndex
from haechi.index.lookup import Lookup, sorted_rows

SLOTS = empty(key=("<i8", 0), sha256=("<u8", 4), seconds=("<f4", 0), frames=("<u4", 0))
"""`seconds` is the length of a video and 0 for pictures; `frames` how many of its rows are frames."""

ROWS = empty(bits=("<u8", 4), slot=("<u4", 0), seconds=("<f4", 0), quality=("u1", 0))
"""`seconds` is when a frame is shown, or batch.WHOLE."""

_NO_SLOTS = np.empty(0, dtype=np.uint32)
_LIFE = empty(died=("<u4", 0))
_ALIVE = 2**32 - 1
_LEAST_DEAD = 1024
_WORD = 2**64 - 1


class Moment(NamedTuple):
    """A state at one moment, for any number of threads."""

    slots: View
    rows: View
    vectors: Vectors
    life: View
    change: int

    def alive(self, slots: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which of `slots`, all of them older than the moment, had not been removed by then."""
        return self.life.take("died", slots) > np.uint32(self.change)


class State:
    """The columns of a catalog. One writer at a time; readers use `now`."""

    def __init__(self, sections: dict[str, Array], index: HammingIndex | None = None) -> None:
        """Begin with `sections` as `living` gives them, kept as they are.

        `index` is that of their hashes if it need not be built.
        """
        part = _parts(sections)
        self._slots = Table(part["slot"])
        self._rows = Table(part["row"])
        self._vectors = EmbeddingIndex(part["vector"])
        self._life = Table(_LIFE)
        self._life.append(died=np.full(len(self._slots), _ALIVE, dtype=np.uint32))
        self._bits = Bits(part["row"]["bits"], index)
        self._by_key = Lookup(self._keys, self._key, part["order"]["key"])
        self._by_file = Lookup(self._files, self._file, part["order"]["file"])
        self._dead = 0
        self._change = 0
        self.now = self._moment()

    @property
    def living_slots(self) -> int:
        """How many entries there are."""
        return len(self._slots) - self._dead

    @property
    def nbytes(self) -> int:
        """Memory of everything, shared with other processes or not, and of the room to grow."""
        parts = (self._slots, self._rows, self._vectors, self._life, self._bits)
        return sum(part.nbytes for part in (*parts, self._by_key, self._by_file))

    @property
    def wasteful(self) -> bool:
        """True if it is time for a new state: a quarter is dead, or changes cannot be counted on."""
        return self._dead > max(_LEAST_DEAD, len(self._slots) // 4) or self._change > _ALIVE - 2

    def take_out(self, keys: NDArray[np.int64]) -> None:
        """Forget entries; those that are not known are passed over."""
        self._change += 1
        self._bury(keys)
        self.now = self._moment()

    def put(self, batch: Batch) -> None:
        """Add entries of different keys, in place of those that have their keys, as one change."""
        self._change += 1
        self._bury(batch.keys)
        first = np.uint32(len(self._slots))
        slots = np.arange(first, first + len(batch.keys), dtype=np.uint32)
        self._life.append(died=np.full(len(slots), _ALIVE, dtype=np.uint32))
        self._slots.append(
            key=batch.keys, sha256=batch.sha256, seconds=batch.seconds, frames=batch.frames
        )
        self._by_key.add(batch.keys.view(np.uint64), slots)
        seen = batch.sha256.any(axis=1)
        self._by_file.add(batch.sha256[seen, 0], slots[seen])
        if len(batch.bits):
            self._rows.append(
                bits=batch.bits,
                slot=batch.row_of + first,
                seconds=batch.row_seconds,
                quality=batch.quality,
            )
            self._bits.append(batch.bits)
        if len(batch.vectors):
            self._vectors.append(batch.vectors, batch.vector_of + first, batch.whole)
        self.now = self._moment()

    def same_file(self, now: Moment, sha256: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """Slots with this digest, uint64 (4,)."""
        found = np.array(self._by_file.find(int(sha256[0])), dtype=np.uint32)
        found = found[found < now.slots.rows]
        equal = (now.slots.take("sha256", found) == sha256).all(axis=1)
        return np.asarray(found[equal & now.alive(found)], dtype=np.uint32)

    def near(
        self,
        now: Moment,
        hashes: NDArray[np.uint64],
        radius: int,
        min_quality: int,
        enough: int | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]]:
        """(number of the asked hash, row, distance, slot) of what is within `radius` bits."""
        asked, rows, distances = self._bits.search(hashes, radius, enough)
        if not len(rows):  # as for nearly every upload
            return asked, rows, distances, _NO_SLOTS
        then = rows < now.rows.rows
        asked, rows, distances = asked[then], rows[then], distances[then]
        slots = now.rows.take("slot", rows)
        kept = now.alive(slots) & (now.rows.take("quality", rows) >= min_quality)
        return asked[kept], rows[kept], distances[kept], slots[kept]

    def _moment(self) -> Moment:
        return Moment(
            self._slots.now(),
            self._rows.now(),
            self._vectors.now(),
            self._life.now(),
            self._change,
        )

    def _bury(self, keys: NDArray[np.int64]) -> None:
        if not len(self._slots):
            return
        if len(keys) == 1:
            found = np.array(self._by_key.find(int(keys.view(np.uint64)[0])), dtype=np.int64)
        else:
            found = self._by_key.find_many(keys.view(np.uint64))
        alive = found[self._life.now().take("died", found) == _ALIVE]
        self._life.change("died", alive, self._change)
        self._dead += len(alive)

    def _keys(self, slots: NDArray[np.uint32]) -> NDArray[np.uint64]:
        return self._slots.now().take("key", slots).view(np.uint64)

    def _key(self, slot: np.uint32) -> int:
        return int(self._slots.one("key", int(slot))) & _WORD

    def _file(self, slot: np.uint32) -> int:
        return int(self._slots.one("sha256", int(slot))[0])

    def _files(self, slots: NDArray[np.uint32]) -> NDArray[np.uint64]:
        found: NDArray[np.uint64] = self._slots.now().take("sha256", slots)[:, 0]
        return found


def nothing() -> dict[str, Array]:
    """The sections of an empty state."""
    order = empty(key=("<u4", 0), file=("<u4", 0))
    return _named(slot=SLOTS, row=ROWS, vector=COLUMNS, order=order)


def living(now: Moment) -> dict[str, Array]:
    """Everything alive at a moment, numbered anew: the sections of a state and of a snapshot."""
    slots = now.slots.rows
    alive = now.alive(np.arange(slots, dtype=np.uint32))
    number = np.cumsum(alive, dtype=np.uint32) - np.uint32(1)
    slot = _kept(now.slots, SLOTS, alive)
    row = _kept(now.rows, ROWS, alive[now.rows.whole("slot")])
    vector = _kept(now.vectors.view, COLUMNS, alive[now.vectors.view.whole("owner")])
    row["slot"] = number[row["slot"]]
    vector["owner"] = number[vector["owner"]]
    every = np.arange(len(slot["key"]), dtype=np.uint32)
    seen = every[slot["sha256"].any(axis=1)]
    order = {
        "key": sorted_rows(lambda rows: slot["key"][rows].view(np.uint64), every),
        "file": sorted_rows(lambda rows: slot["sha256"][rows, 0], seen),
    }
    return _named(slot=slot, row=row, vector=vector, order=order)


def _kept(view: View, columns: dict[str, Array], alive: NDArray[np.bool_]) -> dict[str, Array]:
    if alive.all():
        return {name: view.whole(name) for name in columns}
    return {name: view.whole(name)[alive] for name in columns}


def _named(**tables: dict[str, Array]) -> dict[str, Array]:
    return {
        f"{table}.{name}": array
        for table, columns in tables.items()
        for name, array in columns.items()
    }


def _parts(sections: dict[str, Array]) -> dict[str, dict[str, Array]]:
    parts: dict[str, dict[str, Array]] = {}
    for name, array in sections.items():
        table, _, column = name.partition(".")
        parts.setdefault(table, {})[column] = array
    return parts
