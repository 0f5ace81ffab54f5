"""The banks in memory: confirmed members of enabled banks, as of one sequence number."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from haechi.index import Catalog, Entry, Query
from haechi.match_service.decide import Bank, Found

VECTOR_BYTES = 512  # one embedding: 512 values of int8


@dataclass(frozen=True)
class MemberRow:
    """One row of matching_member as the mirror needs it. `views` is as stored: concatenated."""

    id: int
    bank_id: int
    confirmed: bool
    sha256: bytes
    pdq: bytes | None
    pdq_quality: int
    embedding: bytes | None
    views: bytes

    def entry(self) -> Entry:
        """The row as the catalog takes it."""
        return Entry(
            key=self.id,
            sha256=self.sha256,
            pdq=self.pdq,
            pdq_quality=self.pdq_quality,
            embedding=self.embedding,
            views=split_views(self.views),
        )


@dataclass(frozen=True)
class _State:
    catalog: Catalog
    banks: dict[int, Bank]
    seq: int


class Mirror:
    """What can match now. One writer (the follower), any number of readers.

    A member whose bank is not known to be enabled matches nothing, so a load that breaks off in
    the middle shows nothing of a bank before all of it is there.
    """

    def __init__(self) -> None:
        self._bank_of: dict[int, int] = {}
        self._state = _State(Catalog(), {}, 0)

    def __len__(self) -> int:
        """Number of members that can match."""
        return len(self._state.catalog)

    @property
    def seq(self) -> int:
        """The last change that is in force here; 0 before the first load."""
        return self._state.seq

    @property
    def banks(self) -> dict[int, Bank]:
        """All banks by id, disabled ones too."""
        return self._state.banks

    def enabled(self, banks: dict[int, Bank]) -> set[int]:
        """Ids of the banks of `banks`, laid over those known, that are enabled."""
        return {key for key, bank in (self.banks | banks).items() if bank.enabled}

    def newly_enabled(self, banks: dict[int, Bank]) -> set[int]:
        """Ids that `banks` enables and that were not enabled here: their members must be read."""
        return self.enabled(banks) - self.enabled({})

    def apply(self, rows: Iterable[MemberRow], enabled: Collection[int]) -> None:
        """Put or remove members; runs in a worker thread, takes microseconds a row."""
        catalog = self._state.catalog
        for row in rows:
            if row.confirmed and row.bank_id in enabled:
                self._bank_of[row.id] = row.bank_id
                catalog.put(row.entry())
            elif self._bank_of.pop(row.id, None) is not None:
                catalog.remove(row.id)

    def finish(self, banks: dict[int, Bank], seq: int) -> None:
        """Everything up to `seq` has been applied: its banks come into force together."""
        enabled = self.enabled(banks)
        self._state = replace(self._state, banks=self.banks | banks, seq=seq)
        if not banks:
            return
        for key in [key for key, bank in self._bank_of.items() if bank not in enabled]:
            del self._bank_of[key]
            self._state.catalog.remove(key)

    def forget(self) -> None:
        """Start empty: the database is behind what was read from it, so it is another one."""
        self._bank_of = {}
        self._state = _State(Catalog(), {}, 0)

    def search(self, query: Query) -> list[Found]:
        """Members that match, best first."""
        state, bank_of = self._state, self._bank_of
        found = []
        for hit in state.catalog.search(query):
            bank = state.banks.get(bank_of.get(hit.key, -1))
            if bank is not None and bank.enabled:
                found.append(Found(hit.key, bank, hit))
        return found


def split_views(joined: bytes) -> tuple[bytes, ...]:
    """Cut stored views back into vectors of 512 int8; a torn tail is left out."""
    starts = range(0, len(joined) - VECTOR_BYTES + 1, VECTOR_BYTES)
    return tuple(joined[start : start + VECTOR_BYTES] for start in starts)


def join_views(views: Sequence[bytes]) -> bytes:
    """Vectors as they are stored: one after the other."""
    return b"".join(views)
