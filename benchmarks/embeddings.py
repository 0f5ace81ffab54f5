"""Embeddings near a query at a cosine of 0.5 or more, among a million; and the catalog around them.

Vectors are random, as SSCD's nearly are (it spreads them evenly on purpose), with planted neighbours
at cosines of 0.5 to 0.95; and clustered, where many are half alike. Beside faiss's flat scan, which
compares all, as our own full scan does. Graphs (HNSW) are no peer here: see haechi.index.sketch.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row, in_turns, row
from haechi.index import Catalog, Entry, prepare
from haechi.index.dots import near
from haechi.index.embeddings import EmbeddingIndex, norms

LOWEST = 0.5
COSINES = (0.5, 0.55, 0.6, 0.7, 0.8, 0.95)
SIZES = {"200k": 200_000, "1m": 1_000_000}
NEEDED_GB = {"200k": 2, "1m": 6}
QUERIES = 60
_STEP = 20_000

type Vectors = NDArray[np.int8]


def measure() -> list[Row]:
    """Every size for which this machine has memory, and a catalog of a million digests and PDQs."""
    prepare()
    free_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") / 1e9
    rows: list[Row] = []
    for label, count in SIZES.items():
        if NEEDED_GB[label] < free_gb:
            rows += _embeddings(label, count)
    return [*rows, *_catalog("1m", 1_000_000)]


def _embeddings(label: str, count: int) -> list[Row]:
    rng = np.random.default_rng(count)
    vectors = _drawn(count, rng, clusters=0)
    index, built = _built(vectors)
    now, lengths = index.now(), norms(vectors)
    looks = _planted(vectors, rng.integers(0, count, QUERIES), 0.7, rng)
    texts = [look.tobytes() for look in looks]
    acts: list[Callable[[int], object]] = [
        lambda i: now.search([texts[i % QUERIES]], LOWEST),
        lambda i: near(vectors, lengths, looks[i % QUERIES][None], norms(looks[:1]), LOWEST),
        *_faiss(vectors, looks),
    ]
    mine, full, *peers = (each * 1e3 for each in in_turns(acts, 20))
    read = "reading 32 bytes a vector from memory"
    return [
        row(
            f"index.embedding_{label}",
            mine,
            peers[0] if peers else None,
            "ms",
            f"{read}; " + ("peer: faiss IndexFlatIP, one thread" if peers else "no faiss here"),
        ),
        row(f"index.embedding_{label}_scan", mine, full, "ms", "peer: ours, every vector compared"),
        row(
            f"index.embedding_{label}_recall",
            _recall(index, vectors, rng),
            None,
            "of 1",
            f"the least over planted cosines {COSINES}, threshold {LOWEST}",
        ),
        row(
            f"index.embedding_{label}_recall_clustered",
            _clustered_recall(count // 5, rng),
            None,
            "of 1",
            "the same in a fifth as many vectors around 200 centres",
        ),
        row(f"index.embedding_{label}_build", count / built / 1e3, None, "k vectors/s", "rotation"),
        row(f"index.embedding_{label}_bytes", index.nbytes / count, None, "bytes a vector", "int8"),
    ]


def _built(vectors: Vectors) -> tuple[EmbeddingIndex, float]:
    """The index, and the seconds it took."""
    index = EmbeddingIndex()
    begun = time.perf_counter()
    for start in range(0, len(vectors), _STEP):
        some = vectors[start : start + _STEP]
        owners = np.arange(start, start + len(some), dtype=np.uint32)
        index.append(some, owners, np.ones(len(some), dtype=np.uint8))
    return index, time.perf_counter() - begun


def _recall(index: EmbeddingIndex, vectors: Vectors, rng: np.random.Generator) -> float:
    """Of planted pairs that reach the threshold, those found; the least over COSINES."""
    now, shares = index.now(), []
    for cosine in COSINES:
        rows = rng.integers(0, len(vectors), 400)
        looks = _planted(vectors, rows, cosine + 0.002, rng)
        products = (vectors[rows].astype(np.int32) * looks).sum(axis=1)
        reach = products / (norms(vectors[rows]) * norms(looks)) >= LOWEST
        found = [
            row in now.search([look.tobytes()], LOWEST).row
            for row, look in zip(rows[reach], looks[reach], strict=True)
        ]
        shares.append(float(np.mean(found)))
    return min(shares)


def _clustered_recall(count: int, rng: np.random.Generator) -> float:
    vectors = _drawn(count, rng, clusters=200)
    return _recall(_built(vectors)[0], vectors, rng)


def _catalog(label: str, count: int) -> list[Row]:
    """Entries of a digest and a PDQ each."""
    rng = np.random.default_rng(count)
    drawn = rng.bytes(64 * count)
    cuts = range(0, 64 * count, 64)
    entries = [
        Entry(at // 64, drawn[at : at + 32], drawn[at + 32 : at + 64], 90, None) for at in cuts
    ]
    catalog = Catalog()
    begun = time.perf_counter()
    catalog.load(entries)
    loaded = time.perf_counter() - begun
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.index"
        catalog.save(path, 1)
        begun = time.perf_counter()
        opened, _ = Catalog.open(path)
        took = time.perf_counter() - begun
        shared = opened.nbytes / count
    return [
        row(
            f"index.catalog_{label}_bytes", catalog.nbytes / count, None, "bytes an entry", "arrays"
        ),
        row(f"index.catalog_{label}_shared", shared, None, "bytes an entry", "of a mapped file"),
        row(f"index.catalog_{label}_load", count / loaded / 1e3, None, "k entries/s", "Python"),
        row(f"index.catalog_{label}_open", took, None, "s", "reading all of it for its checksums"),
    ]


def _drawn(count: int, rng: np.random.Generator, *, clusters: int) -> Vectors:
    """int8 (count, 512); with clusters, around that many centres, at cosines near 0.5 inside."""
    vectors = np.empty((count, 512), dtype=np.int8)
    centres = rng.normal(size=(max(1, clusters), 512)).astype(np.float32)
    for start in range(0, count, _STEP):
        made = rng.normal(size=(min(_STEP, count - start), 512)).astype(np.float32)
        if clusters:
            made += centres[rng.integers(0, clusters, len(made))]
        vectors[start : start + _STEP] = _quantised(made)
    return vectors


def _planted(
    vectors: Vectors, rows: NDArray[np.int64], cosine: float, rng: np.random.Generator
) -> Vectors:
    """A query for each of `rows`, at `cosine` to that vector."""
    unit = vectors[rows] / norms(vectors[rows])[:, None]
    away = rng.normal(size=unit.shape).astype(np.float32)
    away -= (away * unit).sum(axis=1, keepdims=True) * unit
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    return _quantised(cosine * unit + np.sqrt(1 - cosine**2) * away)


def _quantised(made: NDArray[np.float32]) -> Vectors:
    top = np.abs(made).max(axis=1, keepdims=True)
    return np.rint(made * (127 / top)).astype(np.int8)


def _faiss(vectors: Vectors, looks: Vectors) -> list[Callable[[int], object]]:
    try:
        import faiss
    except ImportError:
        return []
    faiss.omp_set_num_threads(1)
    flat: Any = faiss.IndexFlatIP(512)
    for start in range(0, len(vectors), _STEP):
        some = vectors[start : start + _STEP]
        flat.add(some / norms(some)[:, None])
    asked = looks / norms(looks)[:, None]
    return [lambda i: flat.range_search(asked[i % QUERIES : i % QUERIES + 1], LOWEST)]


if __name__ == "__main__":
    from benchmarks import table

    table.show(measure())
