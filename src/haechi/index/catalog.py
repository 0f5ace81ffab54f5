"""Everything known, in memory, and the search over it."""

import threading
from collections import defaultdict
from dataclasses import dataclass

from haechi.fingerprint.pdq import TURNS
from haechi.index.embeddings import EmbeddingIndex
from haechi.index.entry import Entry, Hit, Query, Verdict
from haechi.index.hamming import HammingIndex
from haechi.index.policy import DEFAULT, Policy

_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


@dataclass(slots=True)
class _Evidence:
    """What the parts of a search found about one entry."""

    identical: bool = False
    distance_bits: int | None = None
    orientation: int = 0
    inverted: bool = False
    inset: bool = False
    similarity: float | None = None
    view: bool = False

    def closer(self, distance_bits: int, orientation: int, *, inverted: bool, inset: bool) -> None:
        if self.distance_bits is None or distance_bits < self.distance_bits:
            self.distance_bits, self.orientation = distance_bits, orientation
            self.inverted, self.inset = inverted, inset

    def liker(self, similarity: float, *, view: bool) -> None:
        if self.similarity is None or similarity > self.similarity:
            self.similarity, self.view = similarity, view


class Catalog:
    """Known pictures, searched by file, by PDQ in eight turns and as a negative, and by embedding.

    Thread-safe; pure memory. A search sees the entries as they were when it began.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._entries: dict[int, Entry] = {}
        self._by_sha256: dict[bytes, set[int]] = defaultdict(set)
        self._hamming = HammingIndex()
        self._embeddings = EmbeddingIndex()

    def __len__(self) -> int:
        """How many entries are known."""
        return len(self._entries)

    def put(self, entry: Entry) -> None:
        """Add `entry`, or replace what is known under its key."""
        with self._lock:
            self.remove(entry.key)
            self._entries[entry.key] = entry
            if entry.sha256:
                self._by_sha256[entry.sha256].add(entry.key)
            if entry.pdq is not None:
                self._hamming.insert(entry.key, entry.pdq)
            if entry.embedding is not None:
                self._embeddings.insert(entry.key, entry.embedding, whole=True)
            for view in entry.views:
                self._embeddings.insert(entry.key, view, whole=False)

    def remove(self, key: int) -> None:
        """Forget an entry; nothing happens if it is not known."""
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is None:
                return
            if entry.sha256:
                self._by_sha256[entry.sha256].discard(key)
                if not self._by_sha256[entry.sha256]:
                    del self._by_sha256[entry.sha256]
            self._hamming.remove(key)
            self._embeddings.remove(key)

    def search(self, query: Query, policy: Policy = DEFAULT) -> list[Hit]:
        """Every entry that the query matches, the best first; empty if there is none.

        Best is: the stronger verdict, then fewer bits, then more similar, then the lower key.
        """
        with self._lock:
            evidence: dict[int, _Evidence] = defaultdict(_Evidence)
            self._same_file(query, evidence)
            self._near_bits(query, policy, evidence)
            self._near_vectors(query, policy, evidence)
        hits = [_hit(key, found, policy) for key, found in evidence.items()]
        return sorted(hits, key=_order)

    def _same_file(self, query: Query, evidence: dict[int, _Evidence]) -> None:
        for key in self._by_sha256.get(query.sha256, ()):
            evidence[key].identical = True

    def _near_bits(self, query: Query, policy: Policy, evidence: dict[int, _Evidence]) -> None:
        if query.pdq_quality < policy.min_quality:
            return
        whole = len(query.turns) - query.insets * len(TURNS)
        for number, bits in enumerate(query.turns):
            # A negative has every coefficient's sign changed, and so every bit.
            for inverted, asked in enumerate((bits, bytes(255 - part for part in bits))):
                for key, distance in self._hamming.search(asked, policy.pdq_edited_bits):
                    if self._entries[key].pdq_quality >= policy.min_quality:
                        orientation = number % len(TURNS)
                        evidence[key].closer(
                            distance, orientation, inverted=bool(inverted), inset=number >= whole
                        )

    def _near_vectors(self, query: Query, policy: Policy, evidence: dict[int, _Evidence]) -> None:
        lowest = min(policy.sscd_similarity, policy.sscd_view_similarity)
        wholes = [query.embedding] if query.embedding is not None else []
        for near in self._embeddings.search([*wholes, *query.views], lowest):
            view = near.look >= len(wholes) or not near.whole
            if near.cosine >= (policy.sscd_view_similarity if view else policy.sscd_similarity):
                evidence[near.key].liker(near.cosine, view=view)


def _hit(key: int, found: _Evidence, policy: Policy) -> Hit:
    return Hit(
        key=key,
        verdict=_verdict(found, policy),
        distance_bits=found.distance_bits,
        similarity=found.similarity,
        orientation=found.orientation,
        found_by=_found_by(found),
    )


def _verdict(found: _Evidence, policy: Policy) -> Verdict:
    if found.identical:
        return Verdict.IDENTICAL_FILE
    turned = found.orientation or found.inverted or found.inset
    upright = found.distance_bits is not None and not turned
    if upright and (found.distance_bits or 0) <= policy.pdq_same_bits:
        return Verdict.SAME_PICTURE
    return Verdict.EDITED_COPY


def _found_by(found: _Evidence) -> str:
    if found.identical:
        return "sha256"
    if found.distance_bits is not None:
        return "pdq_turned" if found.orientation or found.inverted else "pdq"
    return "sscd_view" if found.view else "sscd"


def _order(hit: Hit) -> tuple[int, int, float, int]:
    bits = 257 if hit.distance_bits is None else hit.distance_bits
    return _RANK[hit.verdict], bits, -(hit.similarity or 0.0), hit.key
