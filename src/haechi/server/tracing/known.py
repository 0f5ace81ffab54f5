"""The register in memory, for finding a record by what a picture looks like when all marks are gone.

It is a catalog of its own: what a service made is no bank member, and blocks nothing.
"""

import threading
from functools import cache
from itertools import batched

from haechi.index import Catalog, Hit, Query
from haechi.server.matching.known import entry, usual
from haechi.server.tracing.models import Generation

BATCH_ROWS = 10_000
MOST = 50
_COLUMNS = ("sha256", "pdq", "pdq_quality", "embedding", "views", "frames")


class Register:
    """One catalog over all generations that have a fingerprint."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._catalog, self._newest, self._count = Catalog(), 0, 0

    def search(self, query: Query) -> list[Hit]:
        """Records that `query` looks like, the best first; `key` is the number of the record.

        Only such as are still there: what was erased is not found by what a process remembers.
        """
        self._catch_up()
        hits = self._catalog.search(query, usual(), MOST)
        there = set(
            Generation.objects.filter(pk__in=[hit.key for hit in hits]).values_list("pk", flat=True)
        )
        return [hit for hit in hits if hit.key in there]

    def _catch_up(self) -> None:
        with self._lock:
            known = Generation.objects.filter(pk__lte=self._newest)
            if self._count and known.count() != self._count:
                # Some were erased, or the database is another one: nothing of them is kept.
                self._forget()
            rows = Generation.objects.filter(pk__gt=self._newest).order_by("pk").only(*_COLUMNS)
            for some in batched(rows.iterator(chunk_size=BATCH_ROWS), BATCH_ROWS):
                self._catalog.load(entry(row.pk, row) for row in some)
                self._newest, self._count = some[-1].pk, self._count + len(some)


def alike(generation: Generation, query: Query) -> bool | None:
    """Whether a file looks like what was recorded; None where there is nothing to compare."""
    asked = bool(query.turns or query.embedding or query.frames)
    if not asked or (generation.pdq is None and generation.embedding is None):
        return None
    one = Catalog()
    one.put(entry(generation.pk, generation))
    return bool(one.search(query, usual()))


@cache
def register() -> Register:
    """The process's register. Filled when first asked."""
    return Register()
