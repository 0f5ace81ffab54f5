"""Exact Hamming search at radius 31 among random hashes with planted neighbours, one thread.

Beside faiss: the flat scan, and the multi-hash that Hasher-Matcher-Actioner uses (256 bits, 16 maps
of 16), which looks one flip away and so finds nearly but not always everything.
"""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.rows import Row, in_turns, row
from haechi.index import HammingIndex, pigeonhole, prepare
from haechi.index.hamming import WORDS, distances

RADIUS = 31
QUERIES = 400
SIZES = {"1m": 1_000_000, "10m": 10_000_000, "50m": 50_000_000}
NEEDED_GB = {"1m": 1, "10m": 4, "50m": 14}
FAISS_UP_TO = 10_000_000

type Hashes = NDArray[np.uint64]


def measure() -> list[Row]:
    """Every size for which this machine has memory."""
    prepare()
    free_gb = _free_gb()
    rows: list[Row] = []
    for label, count in SIZES.items():
        if NEEDED_GB[label] < free_gb:
            rows += _measure(label, count)
    return rows


def _free_gb() -> float:
    """Memory that may be taken; what the system merely caches counts as free."""
    told = Path("/proc/meminfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kilobytes[0]) / 1e6 if kilobytes else NEEDED_GB["10m"] + 1.0


def _measure(label: str, count: int) -> list[Row]:
    rng = np.random.default_rng(count)
    hashes = rng.integers(0, 2**64, (count, WORDS), dtype=np.uint64)
    queries = _near(hashes, rng)
    index = HammingIndex()
    begun = time.perf_counter()
    index.load(np.arange(count), hashes)
    built = time.perf_counter() - begun
    _complete(index, hashes, queries)

    texts = [query.tobytes() for query in queries]
    acts: list[Callable[[int], object]] = [lambda i: index.search(texts[i % QUERIES], RADIUS)]
    acts += _faiss(hashes, queries) if count <= FAISS_UP_TO else []
    mine, *peers = (each * 1e3 for each in in_turns(acts, 8, block=50))
    flat, multi = peers or (None, None)
    lines, line_ns = _fetched(count), _line_ns(hashes, rng)
    bound = f"fetching {lines} lines at {line_ns:.1f} ns is {lines * line_ns / 1e6:.3f} ms"
    batch = _batch(index, queries)
    return [
        row(f"index.hamming_{label}", mine, flat, "ms", f"{bound}; peer: faiss flat scan"),
        row(f"index.hamming_{label}_multihash", mine, multi, "ms", "peer: faiss multi-hash of HMA"),
        row(
            f"index.hamming_{label}_batch",
            batch * 1e3,
            mine,
            "ms a query",
            "1,000 at once; peer: ours one by one. Each line of memory is still fetched about once",
        ),
        row(f"index.hamming_{label}_build", count / built / 1e6, None, "M hashes/s", "sorting"),
        row(f"index.hamming_{label}_bytes", index.nbytes / count, None, "bytes a hash", "arrays"),
    ]


def _near(hashes: Hashes, rng: np.random.Generator) -> Hashes:
    """Known hashes with 0 to RADIUS bits flipped."""
    queries = hashes[rng.integers(0, len(hashes), QUERIES)].copy()
    for query in queries:
        for place in rng.choice(256, rng.integers(0, RADIUS + 1), replace=False).tolist():
            query[place >> 6] ^= np.uint64(1 << (place & 63))
    return queries


def _complete(index: HammingIndex, hashes: Hashes, queries: Hashes) -> None:
    """A fast answer that misses something is no answer: some are held against brute force."""
    for query in queries[:5]:
        wanted = np.flatnonzero(distances(hashes, query) <= RADIUS)
        if sorted(key for key, _ in index.search(query.tobytes(), RADIUS)) != wanted.tolist():
            raise SystemExit("the index missed a neighbour")


def _fetched(count: int) -> int:
    """Lines of memory that a query asks for: where each bucket starts, its rows, their hashes."""
    bands = pigeonhole.choose(count)
    first = pigeonhole.probes(bands, RADIUS).first
    looked = [int(end - begin) for begin, end in pairwise(first)]
    compared = sum(n * count / 2**width for n, width in zip(looked, bands.widths, strict=True))
    return round(2 * sum(looked) + compared)


def _line_ns(hashes: Hashes, rng: np.random.Generator) -> float:
    """Nanoseconds to fetch a random line, many at once, as fast as this machine does it."""
    rows = rng.integers(0, len(hashes), 200_000)
    (taken,) = in_turns([lambda _: _touch(hashes, rows)], 9)
    return taken / len(rows) * 1e9


@njit
def _touch(hashes: Hashes, rows: NDArray[np.int64]) -> np.uint64:  # pragma: no cover - compiled
    total = np.uint64(0)
    for number in rows:
        total += hashes[number, 0]
    return total


def _batch(index: HammingIndex, queries: Hashes) -> float:
    """Seconds a query in a batch of 1,000."""
    many = np.resize(queries, (1000, WORDS))
    (taken,) = in_turns([lambda _: index.search_many(many, RADIUS)], 5)
    return taken / len(many)


def _faiss(hashes: Hashes, queries: Hashes) -> list[Callable[[int], object]]:
    try:
        import faiss
    except ImportError:
        return []
    faiss.omp_set_num_threads(1)
    rows, asked = hashes.view(np.uint8), queries.view(np.uint8)
    flat, multi = faiss.IndexBinaryFlat(256), faiss.IndexBinaryMultiHash(256, 16, 16)
    multi.nflip = 1
    flat.add(rows)
    multi.add(rows)
    return [
        lambda i: flat.range_search(asked[i % QUERIES : i % QUERIES + 1], RADIUS + 1),
        lambda i: multi.range_search(asked[i % QUERIES : i % QUERIES + 1], RADIUS + 1),
    ]


if __name__ == "__main__":
    from benchmarks.table import show

    show(measure())
