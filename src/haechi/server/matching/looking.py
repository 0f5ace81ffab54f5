"""Which exhibits show a picture that somebody holds up. Nothing about that picture is kept."""

from collections.abc import Iterator
from itertools import batched

from haechi.fingerprint import ImageFingerprint
from haechi.index import Catalog, Query
from haechi.server.evidence.models import Fingerprint
from haechi.server.matching.known import entry, usual

# One search holds this many fingerprints in memory at a time, and none afterwards: an exhibit that
# is erased meanwhile must not be found by what a process remembers.
BATCH_ROWS = 10_000
_COLUMNS = ("exhibit_id", "sha256", "pdq", "pdq_quality", "embedding", "views", "frames")


def question(made: ImageFingerprint) -> Query:
    """A fingerprint that was just made, as a question to the index."""
    return Query(
        sha256=made.digests.sha256,
        turns=made.turns,
        pdq_quality=made.pdq.quality,
        embedding=made.embedding,
        views=made.views,
        insets=made.insets,
        frames=made.frames,
    )


def exhibits(query: Query) -> Iterator[object]:
    """Keys of the exhibits that `query` meets under the usual thresholds, in no order."""
    rows = Fingerprint.objects.only(*_COLUMNS).order_by("pk").iterator(chunk_size=BATCH_ROWS)
    for some in batched(rows, BATCH_ROWS):
        catalog = Catalog()
        catalog.load(entry(number, row) for number, row in enumerate(some))
        for hit in catalog.search(query, usual()):
            yield some[hit.key].pk
