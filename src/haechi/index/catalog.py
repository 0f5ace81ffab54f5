"""Everything known, in memory, and the search over it."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import batched
from os import PathLike

import numpy as np

from haechi.index import stored
from haechi.index.batch import batch
from haechi.index.columns import Array
from haechi.index.entry import Entry, Hits, Query
from haechi.index.policy import DEFAULT, Policy
from haechi.index.search import Search
from haechi.index.state import State, living, nothing
from haechi.index.stored import NOTHING

_TOGETHER = 131_072
"""Entries that `load` adds as one change."""


class Catalog:
    """Known pictures and videos, searched by file, hashes, frames and embeddings.

    Hashes are PDQ, in eight turns and as a negative.

    Thread-safe. A search sees the entries as they were when it began: it looks at what was there
    and alive at that moment, so it neither waits for those who write nor do they wait for it. Those
    who write go one after another.
    At a million entries 217 to 250 bytes each with one PDQ (the more for room to grow), and 590
    more for each embedding.
    """

    def __init__(self) -> None:
        self._writing = threading.Lock()
        self._state = State(nothing())

    @classmethod
    def open(cls, path: str | PathLike[str]) -> tuple["Catalog", int]:
        """The catalog that `save` wrote to `path`, and the `seq` it was given.

        The file stays mapped: processes that open it share its memory. What changes afterwards is
        kept in this process alone. Raises IndexDamaged, and the caller builds a new one.
        """
        catalog, seq, _ = cls.open_with(path)
        return catalog, seq

    @classmethod
    def open_with(cls, path: str | PathLike[str]) -> tuple["Catalog", int, dict[str, Array]]:
        """`open`, and what the caller of `save` kept in the same file. Its arrays are read-only."""
        catalog = cls()
        catalog._state, seq, beside = stored.read(path)
        return catalog, seq, beside

    def save(
        self, path: str | PathLike[str], seq: int, beside: Mapping[str, Array] = NOTHING
    ) -> None:
        """Write what is known now to `path`, in one step; nobody waits. Raises StorageUnavailable.

        `seq` is the caller's number of the last change that is in it, `beside` what else goes with
        it.
        """
        stored.write(path, living(self._state.now), seq, beside)

    def __len__(self) -> int:
        """How many entries are known."""
        return self._state.living_slots

    @property
    def nbytes(self) -> int:
        """Memory of what is known, shared with other processes or not."""
        return self._state.nbytes

    def put(self, entry: Entry) -> None:
        """Add `entry`, or replace what is known under its key.

        Raises ValueError if a fingerprint has not the length it must have; nothing is changed then.
        """
        self._add([entry])

    def load(self, entries: Iterable[Entry]) -> None:
        """`put` of many, a hundred times as fast; of those with one key the last counts."""
        for some in batched(entries, _TOGETHER):
            self._add(list({entry.key: entry for entry in some}.values()))

    def remove(self, key: int) -> None:
        """Forget an entry; nothing happens if it is not known."""
        self.remove_many([key])

    def remove_many(self, keys: Collection[int]) -> None:
        """`remove` of many, as one change."""
        if keys:
            with self._writing:
                self._state.take_out(np.array(list(keys), dtype=np.int64))
                self._tidy()

    def search(self, query: Query, policy: Policy = DEFAULT, most: int | None = None) -> Hits:
        """Every entry that the query matches, the best first; empty if there is none.

        Best is: the stronger verdict, then fewer bits, then more similar, then the lower key.
        With `most`, that many at most: hashes and embeddings each keep so many of the nearest
        entries, and the answer says whether there were more.
        """
        return Search(self._state, query, policy, most).hits()

    def _add(self, entries: Sequence[Entry]) -> None:
        """Entries of different keys."""
        columns = batch(entries)
        with self._writing:
            self._state.put(columns)
            self._tidy()

    def _tidy(self) -> None:
        """Replace the state by one without the dead; searches go on in the old one meanwhile."""
        if self._state.wasteful:
            self._state = State(living(self._state.now))
