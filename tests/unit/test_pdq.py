"""PDQ conforms to the published implementation, and its turns are turns."""

from pathlib import Path

import cv2
import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data

from haechi.fingerprint import Pdq, pdq, pdq_reference
from haechi.media import decode, luminance

PHOTOGRAPHS = {
    "astronaut": data.astronaut,
    "cat": data.cat,
    "coffee": data.coffee,
    "rocket": data.rocket,
    "hubble": data.hubble_deep_field,
    "retina": data.retina,
    "tissue": data.immunohistochemistry,
    "camera": lambda: np.repeat(data.camera()[..., None], 3, axis=2),
    "page": lambda: np.repeat(data.page()[..., None], 3, axis=2),
}

Rgb = NDArray[np.uint8]


def bits_apart(left: bytes, right: bytes) -> int:
    return (int.from_bytes(left) ^ int.from_bytes(right)).bit_count()


def published(rgb: Rgb) -> list[Pdq]:
    """All eight hashes by the C++ implementation, in its own order."""
    vectors, quality = pdqhash.compute_dihedral(np.ascontiguousarray(rgb))
    return [Pdq(np.packbits(vector.astype(np.uint8)).tobytes(), quality) for vector in vectors]


def same_as_published(rgb: Rgb) -> list[int]:
    """The distances of all eight hashes; fails if quality is off."""
    ours, theirs = pdq.dihedral(rgb), published(rgb)
    assert abs(ours[0].quality - theirs[0].quality) <= 3
    return [bits_apart(a.bits, b.bits) for a, b in zip(ours, theirs, strict=True)]


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_hash_as_published(name: str) -> None:
    distances = same_as_published(PHOTOGRAPHS[name]())
    assert np.median(distances) <= 2
    assert max(distances) <= 8


def test_shared_photographs_hash_as_published(shared_media: Path) -> None:
    paths = [*shared_media.glob("synthetic-faces/*.jpg"), *shared_media.glob("*/bridge-mods/*.jpg")]
    distances = np.array([same_as_published(decode(path.read_bytes()).rgb) for path in paths[::4]])
    assert len(distances) > 20
    assert np.median(distances) <= 2
    assert distances.max() <= 8


def jpeg(rgb: Rgb, quality: int) -> bytes:
    return bytes(cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


@pytest.mark.parametrize("quality", [30, 90])
def test_the_luminance_of_a_jpeg_hashes_as_its_pixels(quality: int) -> None:
    """And is not used where rounding would decide."""
    apart = []
    for photograph in PHOTOGRAPHS.values():
        file = jpeg(photograph(), quality)
        plane, rgb = luminance(file), decode(file).rgb
        assert plane is not None
        assert plane.shape == rgb.shape[:2]
        quick, full = pdq.dihedral_of_grey(plane), pdq.dihedral(rgb)
        assert quick is not None
        assert abs(quick[0].quality - full[0].quality) <= 1
        apart += [bits_apart(a.bits, b.bits) for a, b in zip(quick, full, strict=True)]
    assert np.median(apart) == 0
    assert max(apart) <= 4
    stripes = np.repeat((np.mgrid[0:64, 0:64][1] // 8 % 2 * 255).astype(np.uint8)[..., None], 3, 2)
    plane = luminance(jpeg(stripes, 90))
    assert plane is not None
    assert pdq.dihedral_of_grey(plane) is None


@st.composite
def pictures(draw: st.DrawFn) -> Rgb:
    """Waves, edges and noise of any shape: 5 to 300 pixels a side."""
    height, width = draw(st.integers(5, 300)), draw(st.integers(5, 300))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    y, x = np.mgrid[0:height, 0:width]
    out = np.zeros((height, width, 3))
    for _ in range(draw(st.integers(1, 6))):
        wave = np.sin(x * rng.normal(0, 9) / width + y * rng.normal(0, 9) / height + rng.normal())
        edge = (x * rng.normal() + y * rng.normal() > rng.normal() * width / 4) * 1.0
        out += (wave + edge)[..., None] * rng.normal(0, 60, 3)
    out += rng.normal(0, draw(st.sampled_from([0.0, 5.0, 60.0])), out.shape)
    return np.clip(out + 128, 0, 255).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(pictures())
def test_made_pictures_hash_as_published(rgb: Rgb) -> None:
    distances = same_as_published(rgb)
    if pdq.compute(rgb).quality >= 50:
        assert np.median(distances) <= 2
        assert max(distances) <= 8


@pytest.mark.parametrize("shape", [(8, 8), (33, 70), (128, 128), (300, 200)])
@pytest.mark.parametrize("pattern", ["stripes", "checkers", "gradient", "disc"])
def test_symmetric_pictures_hash_as_published(shape: tuple[int, int], pattern: str) -> None:
    """Their bits hang on rounding errors, so these must be the published ones."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width]
    grey = {
        "stripes": x * 8 // width % 2 * 255,
        "checkers": (x * 8 // width + y * 8 // height) % 2 * 255,
        "gradient": x * 255 // width,
        "disc": ((x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(shape) / 3) ** 2) * 255,
    }[pattern]
    rgb = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    assert max(same_as_published(rgb)) <= 1


@settings(max_examples=20, deadline=None)
@given(pictures())
def test_the_fast_path_agrees_with_the_obvious_one(rgb: Rgb) -> None:
    """In every bit that is decided by more than rounding: in small pictures many are not."""
    rgb = rgb[:140, :140]
    fast, slow = pdq.compute(rgb), pdq_reference.compute(rgb)
    assert abs(fast.quality - slow.quality) <= 1
    values = pdq_reference.coefficients(rgb).ravel()
    decided = np.abs(values - np.sort(values)[pdq.BITS // 2 - 1]) > pdq.ROUNDING
    differ = np.unpackbits(np.frombuffer(fast.bits, np.uint8) ^ np.frombuffer(slow.bits, np.uint8))
    assert not (differ[::-1].astype(bool) & decided).any()


@pytest.mark.parametrize("length", [1, 5, 63, 64, 65, 127, 128, 129, 500, 4000])
def test_weights_are_the_filter_run_twice(length: int) -> None:
    """Each row of `tent` averages, and is the published filter's answer to single pixels."""
    weights = pdq.tent(length)
    assert weights.shape == (64, length)
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
    for place in {0, length // 3, length - 1}:
        line = np.zeros(length)
        line[place] = 1
        for _ in range(2):
            line = pdq_reference.box(line, pdq_reference.window(length))
        read = line[((np.arange(64) + 0.5) * length / 64).astype(int)]
        assert np.allclose(weights[:, place], read, atol=1e-6)


@pytest.mark.parametrize("turn", range(8))
def test_turns_are_those_of_the_pixels(turn: int) -> None:
    """TURNS says what was done to the picture; doing it to the pixels gives that hash."""
    rgb = data.astronaut()
    done = {
        "identity": rgb,
        "rotate_90": np.rot90(rgb),
        "rotate_180": np.rot90(rgb, 2),
        "rotate_270": np.rot90(rgb, 3),
        "flip_x": rgb[::-1],
        "flip_y": rgb[:, ::-1],
        "flip_plus_1": rgb.transpose(1, 0, 2),
        "flip_minus_1": np.rot90(rgb, 2).transpose(1, 0, 2),
    }[pdq.TURNS[turn]]
    distances = [bits_apart(pdq.compute(done).bits, hashed.bits) for hashed in pdq.dihedral(rgb)]
    assert distances[turn] <= 16
    assert min(distances[:turn] + distances[turn + 1 :]) > 60


def test_the_first_turn_is_the_hash() -> None:
    rgb = data.coffee()
    assert pdq.dihedral(rgb)[0] == pdq.compute(rgb)
    assert len(pdq.dihedral(rgb)) == len(pdq.TURNS) == 8
    assert pdq.compute(rgb).hex == published(rgb)[0].hex


@pytest.mark.parametrize("shape", [(4, 100, 3), (100, 4, 3), (1, 1, 3)])
def test_slivers_have_no_hash_and_say_so(shape: tuple[int, int, int]) -> None:
    nothing = Pdq(bytes(32), 0)
    rgb = np.full(shape, 90, dtype=np.uint8)
    assert pdq.compute(rgb) == pdq_reference.compute(rgb) == nothing
    assert pdq.dihedral(rgb) == (nothing,) * 8


def test_a_flat_picture_has_no_quality() -> None:
    assert pdq.compute(np.full((300, 200, 3), 128, dtype=np.uint8)).quality == 0


def test_published_vectors(shared_media: Path) -> None:
    """The hash of this photograph printed in the project's own regression data."""
    rgb = decode((shared_media / "threatexchange/bridge-mods/aaa-orig.jpg").read_bytes()).rgb
    want = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
    found = pdq.compute(rgb)
    assert bits_apart(found.bits, bytes.fromhex(want)) <= 10
    assert found.quality == 100


def test_strided_pixels_hash_like_their_copy() -> None:
    rgb = data.astronaut()
    view = rgb[10:400:2, ::-1]
    assert pdq.compute(view) == pdq.compute(view.copy())
