"""Embedding search compares everything, by NumPy and by compiled code alike."""

import hashlib
import logging
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from haechi.fingerprint import sscd
from haechi.index import dots, prepare, sketch
from haechi.index.compiled import Kernels
from haechi.index.embeddings import COLUMNS, EmbeddingIndex


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    prepare()


def vectors(seed: int, count: int) -> NDArray[np.int8]:
    """Few directions with noise, so that many pairs are alike."""
    rng = np.random.default_rng(seed)
    ground = rng.normal(size=(3, sscd.DIMENSIONS))
    noisy = ground[rng.integers(0, 3, count)] + rng.normal(0, 1, (count, sscd.DIMENSIONS))
    return np.stack([sscd.quantise(row.astype(np.float32)) for row in noisy])


def index_of(rows: NDArray[np.int8], *, scan_limit: int) -> EmbeddingIndex:
    """Owners are row numbers; every third is a view. Added in three goes, the first as a base."""
    cuts = [0, len(rows) // 3, len(rows) // 2, len(rows)]
    first = EmbeddingIndex()
    first.append(*owned(rows, 0, cuts[1]))
    base = {name: first.now().view.whole(name) for name in COLUMNS}
    index = EmbeddingIndex(base, scan_limit=scan_limit)
    for start, end in pairwise(cuts[1:]):
        index.append(*owned(rows, start, end))
    return index


def owned(rows: NDArray[np.int8], start: int, end: int) -> tuple[Any, Any, Any]:
    owners = np.arange(start, end, dtype=np.uint32)
    return rows[start:end], owners, (owners % 3 > 0).astype(np.uint8)


def brute(rows: NDArray[np.int8], looks: NDArray[np.int8], lowest: float) -> set[tuple[int, int]]:
    return {
        (look, owner)
        for look, vector in enumerate(looks)
        for owner, row in enumerate(rows)
        if sscd.similarity(vector, row) >= lowest
    }


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(0, 60),
    st.sampled_from([0, 1000]),
    st.sampled_from([0.05, 0.4, 0.9]),
)
def test_every_like_vector_is_found(seed: int, count: int, scan_limit: int, lowest: float) -> None:
    """By every path: all by NumPy, all compiled, and by sketches."""
    made = vectors(seed, count + 3)
    rows, looks = made[:-3], np.concatenate([made[-3:], made[:1]])
    near = (
        index_of(rows, scan_limit=scan_limit).now().search([row.tobytes() for row in looks], lowest)
    )
    found = set(zip(near.look.tolist(), near.owner.tolist(), strict=True))
    assert found <= brute(rows, looks, lowest)
    # Sketches may miss a pair at the threshold, once in a thousand.
    sketched = not scan_limit and sketch.share_passing(lowest) < 0.1
    assert found >= brute(rows, looks, lowest + 0.05 * sketched)
    assert near.whole.tolist() == [owner % 3 > 0 for owner in near.owner.tolist()]


@pytest.mark.parametrize("lowest", [0.05, 0.3])
def test_cosines_are_those_of_the_vectors(lowest: float) -> None:
    rows = vectors(1, 3000)
    for scan_limit in (0, 10_000):
        near = index_of(rows, scan_limit=scan_limit).now().search([rows[7].tobytes()], lowest)
        assert len(near.row) > 900
        for row, cosine in zip(near.row[:50].tolist(), near.cosine[:50].tolist(), strict=True):
            assert cosine == pytest.approx(sscd.similarity(rows[7], rows[row]), abs=1e-5)
        assert near.row[near.cosine.argmax()] == 7


@pytest.mark.parametrize("scan_limit", [0, 1000])
def test_zero_is_like_nothing(scan_limit: int) -> None:
    index = EmbeddingIndex(scan_limit=scan_limit)
    assert not len(index.now().search([bytes(512)], 0.1).row)
    index.append(*owned(np.stack([np.zeros(512, np.int8), np.ones(512, np.int8)]), 0, 2))
    now = index.now()
    for looks in ([], [bytes(512)], [b"\xff" * 512]):
        for lowest in (0.1, 0.5):
            assert not len(now.search(looks, lowest).row)
    near = now.search([b"\x02" * 512], 0.5)
    assert (near.owner.tolist(), near.cosine.tolist()) == ([1], [pytest.approx(1.0)])


def test_what_is_added_later_is_not_seen() -> None:
    rows = vectors(3, 400)
    index = index_of(rows[:200], scan_limit=0)
    before = index.now()
    index.append(*owned(rows, 200, 400))
    found = before.search([rows[0].tobytes(), rows[300].tobytes()], -1.0)
    assert len(found.row) == 400
    assert found.owner.max() == 199
    assert len(index.now().search([rows[0].tobytes()], -1.0).row) == 400


def at_cosine(rows: NDArray[np.int8], cosine: float, seed: int) -> NDArray[np.int8]:
    """A vector for each row at that cosine to it, up to rounding."""
    rng = np.random.default_rng(seed)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    away = rng.normal(size=unit.shape)
    away -= (away * unit).sum(axis=1, keepdims=True) * unit
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    made = cosine * unit + np.sqrt(1 - cosine**2) * away
    return np.stack([sscd.quantise(row.astype(np.float32)) for row in made])


@pytest.mark.parametrize("shape", ["even", "clustered", "off centre", "few coordinates"])
@pytest.mark.parametrize("cosine", [0.5, 0.6, 0.9])
def test_sketches_let_through_what_is_alike(shape: str, cosine: float) -> None:
    """Of 2,000 planted pairs at least 0.995 pass, and few others; whatever the vectors are like."""
    rng = np.random.default_rng(5)
    made = rng.normal(size=(2000, 512))
    if shape == "clustered":
        made += 1.5 * rng.normal(size=(20, 512))[rng.integers(0, 20, 2000)]
    if shape == "off centre":
        made += 0.7
    if shape == "few coordinates":
        made[:, 40:] = 0
    rows = np.stack([sscd.quantise(row.astype(np.float32)) for row in made])
    looks = sketch.of(at_cosine(rows, cosine, 6))
    known, limits = sketch.of(rows), sketch.limits(0.5)
    front = [known[:, word] for word in range(sketch.HALF)]
    look, row = sketch.close(front, known[:, sketch.HALF :], looks[:, :], limits)
    assert (look == row).sum() >= 0.995 * len(rows)
    if shape == "even":
        assert (look != row).sum() < 4e6 * 4 * sketch.share_passing(0.5)


@given(st.integers(0, 2**32), st.integers(0, 3000), st.integers(0, 140), st.integers(0, 270))
def test_compiled_sketches_find_what_numpy_finds(
    seed: int, count: int, first: int, both: int
) -> None:
    rng = np.random.default_rng(seed)
    known = rng.integers(0, 2**64, (count, 8), dtype=np.uint64)
    looks = rng.integers(0, 2**64, (3, 8), dtype=np.uint64)
    front, back = [known[:, word].copy() for word in range(4)], known[:, 4:].copy()
    slow = sketch.close(front, back, looks, (first, both))
    fast = dots.close(front, back, looks, (first, both))
    assert set(zip(*map(np.ndarray.tolist, slow), strict=True)) == set(
        zip(*map(np.ndarray.tolist, fast), strict=True)
    )


def test_sketches_stay_what_they_are() -> None:
    """They are kept in snapshots; another drawing needs another stored.KIND."""
    row = (np.arange(512) % 251 - 125).astype(np.int8)[None]
    assert hashlib.sha256(sketch.of(row).tobytes()).hexdigest()[:16] == "72d448d6954688a2"


def test_kernels_that_cannot_load_are_reported_and_not_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = Kernels("haechi.index.no_such_module")
    with caplog.at_level(logging.ERROR):
        assert broken.ready() is None
        broken.wait()
    assert broken.ready() is None
    assert "searches stay slow" in caplog.text
