"""Which records a file looks like: a question to indexes of the database, and nothing in memory.

What it meets is compared by the same catalog as everything else, with those few records in it. It is
asked apart from the banks: what a service made is no bank member, and blocks nothing.
"""

from collections.abc import Iterable, Iterator
from itertools import batched

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from haechi.fingerprint import frames
from haechi.fingerprint.frames import Frame
from haechi.fingerprint.pdq import TURNS
from haechi.index import Catalog, Hit, Query
from haechi.index.hamming import distances
from haechi.server.matching.known import entry, usual
from haechi.server.tracing import bands
from haechi.server.tracing.models import BAND_COLUMNS, Generation, Likeness

MOST = 50
# Of a video; the key frame of what is asked is looked up in all its turns beside these.
FRAMES_KEPT = 128
FRAMES_ASKED = 12
NEWEST = 100_000
"""How many of the newest records with an embedding are compared one by one, where a model is installed."""
BATCH_ROWS = 2_000
_COLUMNS = ("sha256", "pdq", "pdq_quality", "embedding", "views", "frames")


def note(generation: Generation) -> None:
    """Write down what it is found by, inside the caller's transaction."""
    Likeness.objects.bulk_create(likenesses(generation))


def likenesses(generation: Generation) -> list[Likeness]:
    """The rows that it is found by: of its whole, its insets, and of a video its frames."""
    hashes = list(_hashes(generation))
    if not hashes:
        return []
    cuts = bands.cut(bands.words(hashes)).tolist()
    return [
        Likeness(
            generation_id=generation.pk, place=place, **dict(zip(BAND_COLUMNS, cut, strict=True))
        )
        for place, cut in enumerate(cuts)
    ]


def search(query: Query) -> list[Hit]:
    """Records that `query` looks like, the best first; `key` is the number of the record."""
    near = {*_near(query), *_same_file(query)}
    found = _compared(query, Generation.objects.filter(pk__in=near))
    if query.embedding or query.views:
        # No index of PostgreSQL answers this one.
        told = Generation.objects.filter(embedding__isnull=False).order_by("-pk")[:NEWEST]
        found |= _compared(query, told)
    catalog = Catalog()
    rows = Generation.objects.filter(pk__in=found).only(*_COLUMNS)
    catalog.load(entry(row.pk, row) for row in rows)
    return list(catalog.search(query, usual(), MOST))


def alike(generation: Generation, query: Query) -> bool | None:
    """Whether a file looks like what was recorded; None where there is nothing to compare."""
    asked = bool(query.turns or query.embedding or query.frames)
    if not asked or (generation.pdq is None and generation.embedding is None):
        return None
    one = Catalog()
    one.put(entry(generation.pk, generation))
    return bool(one.search(query, usual()))


def _hashes(row: Generation) -> Iterator[bytes]:
    """Each once: a flat picture is like every other flat one, and is found by nothing."""
    least = usual().min_quality
    own = [bytes(row.pdq)] if row.pdq is not None and row.pdq_quality >= least else []
    told = [one for one in frames.unpack(bytes(row.frames)) if one.pdq.quality >= least]
    yield from dict.fromkeys([*own, *(one.pdq.bits for one in _thinned(told, FRAMES_KEPT))])


def _asked(query: Query) -> list[bytes]:
    """The picture in eight turns and as a negative, as index.search asks, and some of its frames."""
    least, told = usual().min_quality, query.turns
    if query.pdq_quality < least:
        told = told[len(told) - query.insets * len(TURNS) :]
    negatives = [(~np.frombuffer(one, np.uint8)).tobytes() for one in told] if told[1:] else []
    shown = [one for one in query.frames if one.pdq.quality >= least]
    return [*told, *negatives, *(one.pdq.bits for one in _thinned(shown, FRAMES_ASKED))]


def _thinned(told: list[Frame], most: int) -> list[Frame]:
    if len(told) <= most:
        return told
    return [told[number] for number in np.linspace(0, len(told) - 1, most).astype(int)]


def _near(query: Query) -> list[int]:
    """The nearest records by hash, MOST at most."""
    told = _asked(query)
    if not told:
        return []
    hashes, radius = bands.words(told), usual().pdq_edited_bits
    nearest: dict[int, int] = {}
    for number, values in enumerate(bands.looked_up(hashes, radius)):
        for some in batched(_in_band(number, values), BATCH_ROWS):
            rows = np.array(some, dtype=np.int64)
            found = bands.joined(rows[:, 1:])
            far = np.min([distances(found, one) for one in hashes], axis=0)
            for at in np.flatnonzero(far <= radius).tolist():
                key = int(rows[at, 0])
                nearest[key] = min(int(far[at]), nearest.get(key, radius))
            if len(nearest) > BATCH_ROWS:
                nearest = {key: nearest[key] for key in _best(nearest)}
    return _best(nearest)


def _best(far: dict[int, int]) -> list[int]:
    """The nearest, MOST at most; of equals those that were written down first."""
    return sorted(far, key=lambda key: (far[key], key))[:MOST]


def _in_band(number: int, values: list[int]) -> Iterator[tuple[int, ...]]:
    """(number of the record, its bands) of every row that has one of these values there."""
    if not values:
        return
    # Written as text at once: the driver takes each of several thousand numbers by itself.
    told = f"{{{','.join(map(str, values))}}}"
    # All of them, however many share a value by chance or on purpose; a batch at a time is here.
    with connection.chunked_cursor() as cursor:
        cursor.execute(_IN_BAND[number], [told])
        while some := cursor.fetchmany(BATCH_ROWS):
            yield from some


_IN_BAND = tuple(
    f"SELECT generation_id, {', '.join(BAND_COLUMNS)} FROM tracing_likeness"  # noqa: S608  # our own names
    f" WHERE {column} = ANY(%s::int[])"
    for column in BAND_COLUMNS
)


def _same_file(query: Query) -> Iterable[int]:
    if not query.sha256:
        return ()
    rows = Generation.objects.filter(sha256=query.sha256)
    return rows.values_list("pk", flat=True)[:MOST]


def _compared(query: Query, rows: QuerySet[Generation]) -> set[int]:
    """Those that `query` matches, the best MOST of each batch; only a batch is in memory."""
    found: set[int] = set()
    for some in batched(rows.only(*_COLUMNS).iterator(chunk_size=BATCH_ROWS), BATCH_ROWS):
        catalog = Catalog()
        catalog.load(entry(row.pk, row) for row in some)
        found |= {hit.key for hit in catalog.search(query, usual(), MOST)}
    return found
