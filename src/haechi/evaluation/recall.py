"""Recall of the real search on edited copies, and its false matches and cost on strangers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from haechi.fingerprint import ImageFingerprint
from haechi.fingerprint.pdq import TURNS
from haechi.index import Catalog, Entry, Policy, Query

WAYS = ("pdq", "pdq_turned", "pdq_insets", "sscd", "everything")
"""Fingerprints that recall is told for: PDQ upright; in eight turns and as a negative; with the
insets that the layout shows; SSCD of whole pictures; all together, which is what the product does."""


@dataclass(slots=True)
class Tally:
    """What was counted of one edit, or of strangers.

    Attributes:
        asked: Queries.
        found: By way, how many had their original as the best hit.
        embeddings: Made for all queries together.
        pairs: Query and known picture that are unrelated.
        false: Of those, how many matched.
        certain_false: Of those, how many a machine would have acted on.
    """

    asked: int = 0
    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WAYS, 0))
    embeddings: int = 0
    pairs: int = 0
    false: int = 0
    certain_false: int = 0

    def recall(self, way: str) -> float:
        """Part of the queries whose original came first, 0..1."""
        return self.found[way] / self.asked if self.asked else 0.0

    @property
    def cost(self) -> float:
        """Embeddings a query."""
        return self.embeddings / self.asked if self.asked else 0.0


class Ground:
    """Known pictures, as the product keeps them, and once more without their views."""

    def __init__(self, known: Iterable[tuple[int, ImageFingerprint]], policy: Policy) -> None:
        """`known` are fingerprints by `fingerprint.member`, each under its number."""
        self._policy = policy
        self._full, self._plain = Catalog(), Catalog()
        for key, seen in known:
            entry = Entry.of(key, seen)
            self._full.put(entry)
            self._plain.put(replace(entry, views=()))

    def ask(self, seen: ImageFingerprint, original: int | None, tally: Tally) -> None:
        """Search for a query in every way; `original` is its number, or None for a stranger."""
        tally.asked += 1
        tally.embeddings += (seen.embedding is not None) + len(seen.views)
        for way, query in _queries(seen).items():
            catalog = self._plain if way == "sscd" else self._full
            hits = catalog.search(query, self._policy)
            tally.found[way] += bool(hits) and hits[0].key == original
            if way == "everything":
                others = [hit for hit in hits if hit.key != original]
                tally.pairs += len(catalog) - (original is not None)
                tally.false += len(others)
                tally.certain_false += sum(map(self._policy.certain, others))


def _queries(seen: ImageFingerprint) -> Mapping[str, Query]:
    whole = Query.of(seen)
    bits = replace(whole, embedding=None, views=())
    return {
        "pdq": replace(bits, turns=whole.turns[:1], insets=0),
        "pdq_turned": replace(bits, turns=whole.turns[: len(TURNS)], insets=0),
        "pdq_insets": bits,
        "sscd": replace(whole, turns=(), insets=0, views=()),
        "everything": whole,
    }


def summed(tallies: Sequence[Tally]) -> Tally:
    """All of them together."""
    total = Tally()
    for tally in tallies:
        for name in ("asked", "embeddings", "pairs", "false", "certain_false"):
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        for way in WAYS:
            total.found[way] += tally.found[way]
    return total
