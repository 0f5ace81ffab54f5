"""Large pictures: all of it is examined in parts, up to a limit that the report tells."""

import io
import math

import numpy as np
import pytest
from PIL import Image
from skimage import data

from haechi.evaluation.studio import Rgb
from haechi.forensics import Answer, State, pixels, seam, words
from haechi.forensics.calibration import Calibration, Scale, weighed
from haechi.forensics.pixels import drawing
from haechi.forensics.pixels.parts import parts
from haechi.forensics.report import Region, Report, Signal, Standing, Toward
from haechi.labels import Reading
from haechi.media import jpeg

COFFEE: Rgb = data.coffee()


def saved(rgb: np.ndarray, quality: int = 70) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality)
    return out.getvalue()


def large(height: int, width: int) -> np.ndarray:
    return np.tile(COFFEE, (height // 400 + 1, width // 600 + 1, 1))[:height, :width]


@pytest.mark.parametrize("size", [(3024, 4032), (1000, 9000), (1226, 1225), (256, 30_000)])
def test_parts_cover_all_of_a_picture_once_and_keep_the_grid_of_jpeg(size: tuple[int, int]) -> None:
    covered = np.zeros(size, np.uint8)
    for part in parts(*size):
        covered[part.top : part.top + part.height, part.left : part.left + part.width] += 1
        assert part.top % 8 == part.left % 8 == 0
        assert min(part.height, part.width) >= 256
        assert part.height * part.width < 1.1e6
    assert covered.min() == covered.max() == 1


def test_what_shows_faces_is_examined_first_then_the_middle() -> None:
    face = Region(0.01, 0.01, 0.02, 0.02)
    first, second, *_ = parts(6000, 8000, [face])
    assert (first.top, first.left) == (0, 0)
    assert second.meets(Region(0.49, 0.49, 0.02, 0.02), 6000, 8000)
    small = parts(1000, 1500, [face])
    assert [(one.height, one.width) for one in small] == [(1000, 1500)]


def test_a_place_is_turned_as_the_picture_is() -> None:
    """For each of the eight orientations, what is white in the pixels is where the region is."""
    region = Region(0.125, 0.25, 0.25, 0.125)
    drawn = np.zeros((16, 16, 1), np.uint8)
    drawn[4:6, 2:6] = 1
    for orientation in range(1, 9):
        turned = drawing.turned(region, orientation)
        rows, columns = np.nonzero(jpeg.turn(drawn, orientation)[..., 0])
        assert (columns.min() / 16, rows.min() / 16) == (turned.x, turned.y)
        assert ((np.ptp(columns) + 1) / 16, (np.ptp(rows) + 1) / 16) == (
            turned.width,
            turned.height,
        )


def test_a_limit_that_is_reached_is_told_in_words() -> None:
    """No time at all: one part is examined, and the reader is told how little that is."""
    told = {one.id: one for one in pixels.measured(saved(large(1600, 3200), 40), seconds=-1)}
    rest = told["pixels.rest"]
    assert rest.standing is Standing.OFF
    assert (rest.params["whole"], rest.params["seen"]) == ("5", "1")
    assert "from the middle outward" in words.say(rest.meaning, rest.params)
    assert [one is None for one in told["pixels.sharpness"].parts] == [False] + 7 * [True]
    small = pixels.measured(saved(large(400, 600), 40), seconds=-1)
    assert not any(one.id == "pixels.rest" or one.parts for one in small)


def test_a_picture_is_not_likelier_altered_for_being_large() -> None:
    """One part in a hundred looks odd by chance; among many parts that is no sign any more."""
    scale = Scale((1.0,), (99, 1), (50, 50), (0.5, 50.0))
    known = Calibration("x", {}, {"pixels.noise": scale}, {})

    def ratio(*values: float | None) -> float | None:
        bare = Signal(
            "pixels.noise", "pixels", State.SPEAKS, "pixels.noise.speaks", Toward.ALTERED, 2.0,
            parts=values,
        )  # fmt: skip
        return weighed([bare], known)[0].likelihood_ratio

    assert ratio() == 50
    assert ratio(2.0, 0.0) == 25.25
    odd = 1 - 0.99**16
    assert ratio(2.0, *(15 * [0.0])) < 0.1 * 50 < 50 * odd  # type: ignore[operator]
    # What was not examined speaks neither way.
    assert ratio(0.0, None, None, None) == 0.875


def test_parts_are_kept_in_a_report_and_older_reports_are_read() -> None:
    signal = Signal(
        "pixels.noise", "pixels", State.SILENT, "pixels.noise.silent", parts=(1.0, None)
    )
    reading = Reading("0" * 64, "image/jpeg", ())
    report = Report(1, "0" * 64, "image/jpeg", Answer.INCONCLUSIVE, (), (signal,), reading, ())
    told = report.to_json()
    assert Report.from_json(told).signals == (signal,)
    del told["signals"][0]["parts"]
    assert Report.from_json(told).signals[0].parts == ()


def test_a_ring_without_fine_detail_is_a_seam_and_counts_for_nothing() -> None:
    random = np.random.default_rng(1)
    rgb = random.normal(128, 12, (400, 400, 1)).clip(0, 255).astype(np.uint8).repeat(3, axis=2)
    where = Region(0.3, 0.3, 0.4, 0.4)
    rows, columns = np.indices((400, 400))
    ring = np.abs(np.hypot(rows - 200, columns - 200) / 80 - 1) < 0.05
    mixed = rgb.copy()
    mixed[ring] = np.rint(0.5 * rgb[ring] + 64).astype(np.uint8)
    plain, found = seam.depth(rgb, where), seam.depth(mixed, where)
    assert plain is not None
    assert found is not None
    assert found > seam.USUAL > plain
    assert seam.depth(np.full_like(rgb, 90), where) is None
    assert math.isfinite(found)
