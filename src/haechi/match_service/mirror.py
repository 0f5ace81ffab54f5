"""The banks in memory: confirmed members of enabled banks, as of one sequence number."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from haechi.index import Catalog, Entry, Hit, Query, Verdict
from haechi.match_service.decide import Bank, Found
from haechi.match_service.exact import Exact

VECTOR_BYTES = 512  # one embedding: 512 values of int8


@dataclass(frozen=True)
class MemberRow:
    """One row of matching_member as the mirror needs it.

    sha256         None where only hashes were told
    views          as stored: concatenated
    md5            only where the member can be asked for by it: it has no PDQ, or is hashes alone
    paused_until   seconds since 1970 before which it matches nothing; 0 if it is not paused
    """

    id: int
    bank_id: int
    confirmed: bool
    sha256: bytes | None
    pdq: bytes | None
    pdq_quality: int
    embedding: bytes | None
    views: bytes
    md5: bytes | None = None
    paused_until: float = 0.0

    def entry(self) -> Entry:
        """The row as the catalog takes it."""
        return Entry(
            key=self.id,
            sha256=self.sha256 or b"",
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
    exact: Exact = field(default_factory=Exact)


class Mirror:
    """What can match now. One writer (the follower), any number of readers.

    A member whose bank is not known to be enabled matches nothing, so a load that breaks off in
    the middle shows nothing of a bank before all of it is there.
    """

    def __init__(self) -> None:
        self._bank_of: dict[int, int] = {}
        self._paused: dict[int, float] = {}
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
        for row in rows:
            if row.confirmed and row.bank_id in enabled:
                self._put(row)
            elif row.id in self._bank_of:
                self._remove(row.id)

    def finish(self, banks: dict[int, Bank], seq: int) -> None:
        """Everything up to `seq` has been applied: its banks come into force together."""
        enabled = self.enabled(banks)
        self._state = replace(self._state, banks=self.banks | banks, seq=seq)
        if not banks:
            return
        for key in [key for key, bank in self._bank_of.items() if bank not in enabled]:
            self._remove(key)

    def forget(self) -> None:
        """Start empty: the database is behind what was read from it, so it is another one."""
        self._bank_of, self._paused = {}, {}
        self._state = _State(Catalog(), {}, 0)

    def search(self, query: Query) -> list[Found]:
        """Members that match, best first."""
        return self._in_force(self._state.catalog.search(query))

    def search_md5(self, md5: bytes) -> list[Found]:
        """Members asked for by MD5 (MemberRow.md5): videos for example; by their number."""
        keys = self._state.exact.search(md5)
        return self._in_force(
            [Hit(key, Verdict.IDENTICAL_FILE, None, None, 0, "md5") for key in keys]
        )

    @property
    def by_md5(self) -> int:
        """Number of members that can be asked for by MD5."""
        return len(self._state.exact)

    def _in_force(self, hits: Iterable[Hit]) -> list[Found]:
        """Those of enabled banks, and not paused."""
        state, bank_of, now_s = self._state, self._bank_of, time.time()
        found = []
        for hit in hits:
            bank = state.banks.get(bank_of.get(hit.key, -1))
            if bank is not None and bank.enabled and self._paused.get(hit.key, 0.0) <= now_s:
                found.append(Found(hit.key, bank, hit))
        return found

    def _put(self, row: MemberRow) -> None:
        self._bank_of[row.id] = row.bank_id
        if row.paused_until:
            self._paused[row.id] = row.paused_until
        else:
            self._paused.pop(row.id, None)
        self._state.exact.remove(row.id)
        if row.md5:
            self._state.exact.put(row.id, row.md5)
        self._state.catalog.put(row.entry())

    def _remove(self, key: int) -> None:
        del self._bank_of[key]
        self._paused.pop(key, None)
        self._state.exact.remove(key)
        self._state.catalog.remove(key)


def split_views(joined: bytes) -> tuple[bytes, ...]:
    """Cut stored views back into vectors of 512 int8; a torn tail is left out."""
    starts = range(0, len(joined) - VECTOR_BYTES + 1, VECTOR_BYTES)
    return tuple(joined[start : start + VECTOR_BYTES] for start in starts)


def join_views(views: Sequence[bytes]) -> bytes:
    """Vectors as they are stored: one after the other."""
    return b"".join(views)
