"""What this process knows: confirmed members and hosted content, in memory, kept up by `seq`."""

import threading

from haechi.index import Catalog, Entry, Hit, Query
from haechi.server.evidence.models import FingerprintFields
from haechi.server.matching.models import Hosted, Member, MemberStatus

EMBEDDING_BYTES = 512


class Known:
    """One catalog over two tables. Keys are even for hosted content and odd for members."""

    def __init__(self) -> None:
        self._catalog = Catalog()
        self._lock = threading.Lock()
        self._seen = 0

    def search(self, query: Query) -> list[tuple[type[Hosted] | type[Member], int, Hit]]:
        """What `query` meets, best first, as (table, primary key, hit)."""
        with self._lock:
            self._catch_up()
        hits = self._catalog.search(query)
        return [(Member if hit.key % 2 else Hosted, hit.key // 2, hit) for hit in hits]

    def _catch_up(self) -> None:
        seen = self._seen
        for hosted in Hosted.objects.filter(seq__gt=seen).iterator():
            self._take(hosted.pk * 2, hosted, current=hosted.removed_at is None)
        for member in Member.objects.filter(seq__gt=seen).iterator():
            self._take(member.pk * 2 + 1, member, current=member.status == MemberStatus.CONFIRMED)

    def _take(self, key: int, row: Hosted | Member, *, current: bool) -> None:
        if current:
            self._catalog.put(entry(key, row))
        else:
            self._catalog.remove(key)
        self._seen = max(self._seen, row.seq)


def entry(key: int, row: FingerprintFields) -> Entry:
    """A row's fingerprint as the index takes it."""
    return Entry(
        key=key,
        sha256=bytes(row.sha256 or b""),
        pdq=bytes(row.pdq) if row.pdq is not None else None,
        pdq_quality=row.pdq_quality,
        embedding=bytes(row.embedding) if row.embedding is not None else None,
        views=views(bytes(row.views)),
    )


def views(joined: bytes) -> tuple[bytes, ...]:
    """Embeddings of crops, taken apart."""
    return tuple(
        joined[start : start + EMBEDDING_BYTES] for start in range(0, len(joined), EMBEDDING_BYTES)
    )
