"""The banks in memory: members in force of enabled banks, as of one sequence number."""

import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from haechi.errors import IndexDamaged, PolicyRefused
from haechi.index import DEFAULT, Catalog, Entry, Hit, Hits, Policy, Query, Verdict, thresholds
from haechi.match_service.beside import FOR_EVER_S, Beside
from haechi.match_service.decide import Bank, Found, Held, Matches
from haechi.match_service.homes import Home

log = logging.getLogger(__name__)

MOST_HITS = 10_000
"""Members that one question looks at, the nearest: a tenth of a second of evidence. More are near only
where a list holds one picture ten thousand times, or a picture of nothing was listed."""


@dataclass(frozen=True)
class Source:
    """What one bank thinks of one source of members."""

    trusted: bool
    thresholds: Mapping[str, int | float]


@dataclass(frozen=True)
class MemberRow:
    """One row of matching_member as the mirror needs it.

    confirmed      in force: confirmed, or pending and from a source that is trusted
    sha256         None where only hashes were told
    views          as stored: concatenated
    md5            only where the member can be asked for by it: it has no PDQ, or is hashes alone
    paused_until   seconds since 1970 before which it matches nothing; 0 if it is not paused
    expires_at     seconds since 1970 from which on it matches nothing
    held           why it does not block for now (decide)
    frames         as stored: 37 bytes each; of a video
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
    expires_at: float = FOR_EVER_S
    source: str = ""
    held: Held = ""
    frames: bytes = b""

    def entry(self) -> Entry:
        """The row as the catalog takes it."""
        return Entry.stored(
            self.id,
            sha256=self.sha256,
            pdq=self.pdq,
            pdq_quality=self.pdq_quality,
            embedding=self.embedding,
            views=self.views,
            frames=self.frames,
        )


@dataclass(frozen=True)
class _State:
    catalog: Catalog
    banks: dict[int, Bank]
    seq: int
    beside: Beside = field(default_factory=Beside)
    sources: dict[Home, Source] = field(default_factory=dict)
    loosest: Policy = DEFAULT
    policies: dict[Home, Policy] = field(default_factory=dict)
    usual: Policy = DEFAULT

    def policy(self, home: Home) -> Policy:
        """What a member of that bank and source is judged by."""
        made = self.policies.get(home)
        if made is None:
            source = self.sources.get(home)
            layers = [self.banks[home[0]].thresholds, source.thresholds if source else {}]
            try:
                made = thresholds.policy(*layers, usual=self.usual)
            except PolicyRefused as error:
                log.error("bank %d, %r: %s; the usual thresholds are used", *home, error)  # noqa: TRY400
                made = self.usual
            self.policies[home] = made
        return made

    def with_loosest(self) -> "_State":
        """The same, searched as widely as the policy of any enabled bank or source asks."""
        enabled = {key for key, bank in self.banks.items() if bank.enabled}
        homes = [
            *((key, "") for key in enabled),
            *(home for home in self.sources if home[0] in enabled),
        ]
        return replace(self, loosest=thresholds.loosest(map(self.policy, homes), self.usual))


class Mirror:
    """What can match now. One writer (the follower), any number of readers.

    A member whose bank is not known to be enabled matches nothing, so a load that breaks off in
    the middle shows nothing of a bank before all of it is there.
    """

    def __init__(self, usual: Policy = DEFAULT) -> None:
        """`usual` is laid under the thresholds of banks and sources."""
        self._state = _State(Catalog(), {}, 0, loosest=usual, usual=usual)

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

    def stale(self, banks: dict[int, Bank], sources: Mapping[Home, Source]) -> set[int]:
        """Ids of banks whose members must all be read: enabled just now, or of another trust."""
        before, known = self._state.banks, self._state.sources
        enabled = self.enabled(banks)
        stale = enabled - self.enabled({})
        stale |= {
            key for key in banks if key in before and banks[key].trusted != before[key].trusted
        }
        stale |= {
            home[0]
            for home, source in sources.items()
            if source.trusted != (home in known and known[home].trusted)
        }
        return stale & enabled

    def apply(self, rows: Iterable[MemberRow], enabled: Collection[int]) -> None:
        """Put or remove members, each row another; runs in a worker thread."""
        put, gone = [], []
        for row in rows:
            if row.confirmed and row.bank_id in enabled:
                self._note(row)
                put.append(row.entry())
            elif self._state.beside.homes.get(row.id) is not None:
                gone.append(row.id)
        self._remove(gone)
        self._state.catalog.load(put)

    def finish(
        self, banks: dict[int, Bank], seq: int, sources: Mapping[Home, Source] | None = None
    ) -> None:
        """Everything up to `seq` has been applied: its banks come into force together."""
        state, enabled = self._state, self.enabled(banks)
        if not banks and not sources:
            self._state = replace(state, seq=seq)
            return
        all_banks, all_sources = state.banks | banks, state.sources | dict(sources or {})
        made = replace(state, banks=all_banks, sources=all_sources, policies={}, seq=seq)
        self._state = made.with_loosest()
        self._remove(list(state.beside.homes.outside(enabled)))

    def forget(self) -> None:
        """Start empty: the database is behind what was read from it, so it is another one."""
        usual = self._state.usual
        self._state = _State(Catalog(), {}, 0, loosest=usual, usual=usual)

    def save(self, path: Path, database: Mapping[str, Any]) -> None:
        """Write what is in force to `path`; not while changes are applied. Raises StorageUnavailable.

        `database` says which one it was read from (saved.identity).
        """
        state = self._state
        told, arrays = state.beside.parts()
        told |= {
            "database": dict(database),
            "banks": [[key, asdict(bank)] for key, bank in state.banks.items()],
            "sources": [[*home, asdict(source)] for home, source in state.sources.items()],
        }
        arrays["told"] = np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)
        state.catalog.save(path, state.seq, arrays)

    @classmethod
    def open(cls, path: Path) -> tuple[Self, Mapping[str, Any]]:
        """What `save` wrote, and the database it is of; its memory is shared. Raises IndexDamaged."""
        catalog, seq, arrays = Catalog.open_with(path)
        made = cls()
        try:
            told = json.loads(arrays["told"].tobytes())
            banks = {int(key): Bank(**told_bank) for key, told_bank in told["banks"]}
            sources = {(int(key), str(name)): Source(**one) for key, name, one in told["sources"]}
            beside = Beside.of_parts(told, arrays)
            made._state = _State(catalog, banks, seq, beside, sources)
            return made, dict(told["database"])
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise IndexDamaged(path, f"holds no banks: {error!r}") from error

    def become(self, other: Self) -> None:
        """Be what `other` is, by one's own usual policy; who searches sees the one or the other."""
        mine = replace(other._state, usual=self._state.usual, policies={})
        self._state = mine.with_loosest()

    def search(self, query: Query) -> Matches:
        """Members that match, best first; of more than MOST_HITS the nearest."""
        state = self._state
        return self._in_force(state, lambda policy: state.catalog.search(query, policy, MOST_HITS))

    def search_md5(self, md5: bytes) -> Matches:
        """Members asked for by MD5 (MemberRow.md5): videos for example; by their number."""
        state = self._state
        keys = state.beside.exact.search(md5)
        hits = Hits(Hit(key, Verdict.IDENTICAL_FILE, None, None, 0, "md5") for key in keys)
        return self._in_force(state, lambda _: hits)

    @property
    def by_md5(self) -> int:
        """Number of members that can be asked for by MD5."""
        return len(self._state.beside.exact)

    def _in_force(self, state: _State, search: Callable[[Policy], Hits]) -> Matches:
        """Those of enabled banks, neither paused nor expired, that their own policy finds."""
        now_s = time.time()

        def own(key: int) -> Policy | None:
            home = state.beside.homes.get(key)
            bank = state.banks.get(home[0]) if home else None
            awake = bank is not None and bank.enabled and state.beside.awake(key, now_s)
            return state.policy(home) if home and awake else None

        truncated = False

        def searched(policy: Policy) -> Hits:
            nonlocal truncated
            hits = search(policy)
            truncated |= hits.truncated
            return hits

        matches = Matches(
            Found(hit.key, state.banks[home[0]], hit, state.beside.held(hit.key), policy)
            for hit, policy in thresholds.found(searched, state.loosest, own)
            if (home := state.beside.homes.get(hit.key)) is not None
        )
        matches.truncated = truncated
        return matches

    def _note(self, row: MemberRow) -> None:
        times = row.paused_until, row.expires_at
        home = row.bank_id, row.source
        self._state.beside.note(row.id, home, times, row.held, row.md5)

    def _remove(self, keys: Sequence[int]) -> None:
        for key in keys:
            self._state.beside.remove(key)
        self._state.catalog.remove_many(keys)


def join_views(views: Sequence[bytes]) -> bytes:
    """Vectors as they are stored: one after the other."""
    return b"".join(views)
