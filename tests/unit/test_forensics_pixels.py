"""The pixel signals: what they find where it is, where they keep silent, and where they are off."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from haechi.evaluation.edits import make
from haechi.evaluation.studio import Rgb, recompressed
from haechi.forensics import Answer, Signal, State, fuse, pixels
from haechi.forensics.calibration import (
    SPEAKS,
    Calibration,
    fitted,
    parsed,
    shipped,
    weighed,
    written,
)


def saved(rgb: Rgb, form: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def by_id(file: bytes) -> dict[str, Signal]:
    return {one.id: one for one in pixels.measured(file)}


def blended(base: Rgb, piece: Rgb) -> Rgb:
    """`piece` instead of `base` in an ellipse around (300, 200) of a picture of 600 by 400."""
    mask = np.zeros(base.shape[:2], np.float32)
    cv2.ellipse(mask, (300, 200), (90, 80), 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), 3)[..., None]
    return np.rint(base * (1 - soft) + piece * soft).astype(np.uint8)


COFFEE: Rgb = data.coffee()


@pytest.mark.slow
def test_a_picture_saved_twice_is_told_and_accuses_nobody() -> None:
    once = by_id(saved(COFFEE, quality=90))
    twice = by_id(saved(recompressed(COFFEE, 80), quality=92))
    assert once["pixels.jpeg_twice"].state is State.SILENT
    assert twice["pixels.jpeg_twice"].state is State.SPEAKS
    assert twice["pixels.jpeg_twice"].toward is None


@pytest.mark.slow
def test_a_part_drawn_anew_has_another_history_of_compression() -> None:
    """The rest was a JPEG before; what was put in was not, and where it is is shown."""
    base = recompressed(COFFEE, 80)
    few = cv2.resize(base, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    again = np.asarray(cv2.resize(few, (600, 400), interpolation=cv2.INTER_CUBIC), np.uint8)
    whole = by_id(saved(base, quality=92))["pixels.jpeg_history"]
    altered = by_id(saved(blended(base, again), quality=92))["pixels.jpeg_history"]
    assert whole.value is not None
    assert altered.value is not None
    assert altered.value > 0.7 > whole.value
    region = altered.regions[0]
    assert region.x < 300 / 600 < region.x + region.width
    assert region.y < 200 / 400 < region.y + region.height
    assert altered.heat is not None
    assert Image.open(io.BytesIO(altered.heat)).size[0] > 20  # noqa: TID251 - we wrote it


def test_regions_are_told_as_the_picture_is_shown() -> None:
    """EXIF turns the picture by a quarter: what was at the left is at the top."""
    base = recompressed(COFFEE, 80)
    anew = np.asarray(cv2.GaussianBlur(base, (0, 0), 2), np.uint8)
    piece = base.copy()
    piece[120:280, 20:180] = anew[120:280, 20:180]
    exif = Image.Exif()
    exif[0x0112] = 6
    found = by_id(saved(piece, quality=92, exif=exif.tobytes()))["pixels.jpeg_history"]
    region = found.regions[0]
    assert region.y < 100 / 600 < region.y + region.height
    assert region.x < 0.5 < region.x + region.width


@pytest.mark.slow
def test_another_grid_is_found_in_a_part_and_not_in_a_whole_picture() -> None:
    base = recompressed(COFFEE, 75)
    shifted = recompressed(np.roll(COFFEE, (3, 5), (0, 1)), 75)
    part = np.roll(shifted, (-3, -5), (0, 1))
    whole = by_id(saved(base, "PNG"))["pixels.jpeg_grid"]
    altered = by_id(saved(blended(base, part), "PNG"))["pixels.jpeg_grid"]
    assert whole.state is State.SILENT
    assert altered.state is State.SPEAKS
    assert altered.regions[0].x < 0.5 < altered.regions[0].x + altered.regions[0].width


@pytest.mark.slow
def test_a_part_that_appears_twice_is_found_and_patterns_are_not() -> None:
    cat: Rgb = data.chelsea()
    copied = COFFEE.copy()
    copied[20:160, 420:580] = cat[60:200, 130:290]
    once = saved(copied, quality=90)
    copied[200:340, 30:190] = cat[60:200, 130:290]
    assert by_id(once)["pixels.copy_move"].value == 0
    found = by_id(saved(copied, quality=90))["pixels.copy_move"]
    assert found.value is not None
    assert found.value > 20
    bricks: Rgb = np.repeat(data.brick()[..., None], 3, axis=2)
    assert by_id(saved(bricks, quality=90))["pixels.copy_move"].value == 0


@pytest.mark.slow
def test_where_they_cannot_look_they_are_off_and_say_why() -> None:
    small = by_id(saved(np.ascontiguousarray(COFFEE[:200, :200])))
    assert {one.limits for one in small.values()} == {("off.too_small",)}
    png = by_id(saved(COFFEE, "PNG"))
    assert png["pixels.jpeg_history"].limits == ("off.no_jpeg",)
    strong = by_id(saved(COFFEE, quality=30))
    assert strong["pixels.jpeg_history"].limits == ("off.strong_jpeg",)
    assert strong["pixels.jpeg_grid"].limits == ("off.strong_jpeg",)
    flat = by_id(saved(np.full((400, 600, 3), 90, np.uint8)))
    assert all(one.state is State.OFF for name, one in flat.items() if name != "pixels.spectrum")
    cut = saved(COFFEE)[:2000]
    assert [one.meaning for one in pixels.measured(cut)] == ["pixels.broken"]


def test_a_scale_never_falls_and_is_not_sure_of_what_it_never_saw() -> None:
    random = np.random.default_rng(1)
    camera, altered = random.normal(0, 1, 300), random.normal(2, 1, 300)
    scale = fitted(list(camera), list(altered))
    assert list(scale.ratios) == sorted(scale.ratios)
    assert scale.ratio(-5) < 0.2 < 5 < scale.ratio(9)
    # Nothing in 300 camera files is like this; still no more than 100 times likelier.
    assert fitted([0.0] * 300, [1.0] * 300).ratio(1.0) <= 102
    told = Calibration("x", {"photographs": "1"}, {"pixels.noise": scale}, {"pixels.spectrum": 3.0})
    assert parsed(written(told)) == told


def test_values_that_are_not_calibrated_get_no_ratio() -> None:
    bare = Signal("pixels.spectrum", "pixels", State.SPEAKS, "pixels.spectrum.speaks", value=1e6)
    (told,) = weighed([bare], shipped())
    assert told.calibration is None
    assert told.likelihood_ratio is None
    assert told.state is State.SPEAKS
    assert "limit.not_calibrated" in told.limits


def test_the_set_that_ships_is_named_and_can_be_made_again() -> None:
    ours = shipped()
    assert ours.name
    assert int(ours.about["photographs"]) > 50
    assert ours.about["command"].startswith("python -m benchmarks.forensics calibrate")
    for name, scale in ours.scales.items():
        assert name in pixels.TRAITS
        assert min(sum(scale.camera), sum(scale.altered)) > 20
        assert list(scale.ratios) == sorted(scale.ratios)
    # A weak signal is called weak: only one that separates may speak.
    assert ours.scales["pixels.sharpness"].ratios[-1] < 10 * SPEAKS


@pytest.mark.slow
def test_photographs_and_their_edited_copies_are_not_accused() -> None:
    """Recompressed, made smaller, sent through messengers, cropped, turned, with words on them."""
    names = ("jpeg", "messenger", "shrink", "crop_10", "turn_5", "caption", "sharpen", "webp")
    photographs = (COFFEE, data.chelsea(), data.rocket())
    for number, rgb in enumerate(photographs):
        for name in names[number::3]:
            file = saved(make(name, rgb, (), number), quality=92)
            answer = fuse.fuse(weighed(pixels.measured(file), shipped())).answer
            assert answer in {Answer.INCONCLUSIVE, Answer.NO_SIGN}, name
