"""Embedding search compares everything, by NumPy and by compiled code alike."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from haechi.fingerprint import sscd
from haechi.index import prepare
from haechi.index.compiled import Kernels
from haechi.index.embeddings import EmbeddingIndex, Near


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    prepare()


def vectors(seed: int, count: int) -> NDArray[np.int8]:
    """Few directions with noise, so that many pairs are alike."""
    rng = np.random.default_rng(seed)
    ground = rng.normal(size=(3, sscd.DIMENSIONS))
    noisy = ground[rng.integers(0, 3, count)] + rng.normal(0, 1, (count, sscd.DIMENSIONS))
    return np.stack([sscd.quantise(row.astype(np.float32)) for row in noisy])


def brute(known: dict[int, list[bytes]], looks: list[bytes], lowest: float) -> set[tuple[int, int]]:
    return {
        (look, key)
        for look, vector in enumerate(looks)
        for key, kept in known.items()
        if any(sscd.similarity(vector, row) >= lowest for row in kept)
    }


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=40),
    st.sampled_from([0, 1000]),
)
def test_every_like_vector_is_found(
    seed: int, acts: list[tuple[int, bool]], scan_limit: int
) -> None:
    """After any sequence of additions and removals, by either path."""
    made = [row.tobytes() for row in vectors(seed, len(acts) + 3)]
    index = EmbeddingIndex(scan_limit=scan_limit)
    known: dict[int, list[bytes]] = {}
    for (key, adding), vector in zip(acts, made, strict=False):
        if adding:
            index.insert(key, vector, whole=key % 2 == 0)
            known.setdefault(key, []).append(vector)
        else:
            index.remove(key)
            known.pop(key, None)
    assert len(index) == sum(map(len, known.values()))
    found = index.search(made[-3:], 0.4)
    assert {(near.look, near.key) for near in found} == brute(known, made[-3:], 0.4)
    assert all(near.whole == (near.key % 2 == 0) for near in found)


def test_cosines_are_those_of_the_vectors() -> None:
    rows = vectors(1, 3000)
    for scan_limit in (0, 10_000):
        index = EmbeddingIndex(scan_limit=scan_limit)
        for key, row in enumerate(rows):
            index.insert(key, row.tobytes(), whole=True)
        found = index.search([rows[7].tobytes()], 0.3)
        assert len(found) > 1000  # more than the first room of the kernel
        for near in found[:50]:
            assert near.cosine == pytest.approx(sscd.similarity(rows[7], rows[near.key]), abs=1e-5)
    best = max(found, key=lambda near: near.cosine)
    assert (best.look, best.key, best.whole) == (0, 7, True)


@pytest.mark.parametrize("scan_limit", [0, 1000])
def test_zero_is_like_nothing(scan_limit: int) -> None:
    index = EmbeddingIndex(scan_limit=scan_limit)
    assert index.search([bytes(512)], 0.1) == []
    index.insert(1, bytes(512), whole=True)
    index.insert(2, b"\x01" * 512, whole=True)
    assert index.search([], 0.1) == []
    assert index.search([bytes(512)], 0.1) == []
    assert index.search([b"\x02" * 512], 0.1) == [Near(0, 2, pytest.approx(1.0), whole=True)]


def test_kernels_that_cannot_load_are_reported_and_not_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = Kernels("haechi.index.no_such_module")
    with caplog.at_level(logging.ERROR):
        assert broken.ready() is None
        broken.wait()
    assert broken.ready() is None
    assert "searches stay slow" in caplog.text
