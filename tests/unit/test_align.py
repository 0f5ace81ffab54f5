"""Where a picture is shown: found for copies, to a few pixels, and never for strangers."""

import numpy as np
import pytest
from skimage import data
from tests.unit.pictures_on_disk import EDITS, Rgb, framed
from tests.unit.test_sscd_layout import chat

from haechi.index import align, side_by_side
from haechi.index.align import Alignment


def found(query: Rgb, known: Rgb) -> Alignment:
    alignment = align.align(query, known)
    assert alignment is not None
    return alignment


@pytest.mark.parametrize("edit", EDITS)
def test_every_edit_is_aligned(edit: str) -> None:
    known = data.coffee()
    query = EDITS[edit](known)
    alignment = found(query, known)
    height, width = query.shape[:2]

    left, top, wide, high = alignment.box
    assert left >= 0
    assert top >= 0
    assert left + wide <= width
    assert top + high <= height
    assert alignment.inliers >= align.MIN_INLIERS
    assert alignment.mirrored == (edit == "mirror")
    if edit not in {"border", "chat"}:
        assert wide * high >= 0.97 * width * height


def test_the_region_is_right_to_three_pixels() -> None:
    known = data.cat()
    screen, place = chat(known)

    in_frame = (80, 50, known.shape[1], known.shape[0])
    in_chat = (place.left, place.top, place.right - place.left, place.bottom - place.top)
    assert np.abs(np.subtract(found(framed(known), known).box, in_frame)).max() <= 3
    assert np.abs(np.subtract(found(screen, known).box, in_chat)).max() <= 3


def test_the_homography_takes_known_pixels_to_the_query() -> None:
    known = data.cat()
    mirrored = np.ascontiguousarray(known[:, ::-1])
    x, y, depth = found(mirrored, known).homography @ (100, 50, 1)

    assert (x / depth, y / depth) == pytest.approx((known.shape[1] - 100, 50), abs=1.5)


@pytest.mark.parametrize(("one", "other"), [("cat", "coffee"), ("astronaut", "rocket")])
def test_strangers_are_not_aligned(one: str, other: str) -> None:
    assert align.align(getattr(data, one)(), getattr(data, other)()) is None
    assert align.align(chat(getattr(data, one)())[0], getattr(data, other)()) is None


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (200, 200, 3)])
def test_nothing_to_see_is_no_alignment(shape: tuple[int, int, int]) -> None:
    flat = np.full(shape, 127, np.uint8)
    assert align.align(flat, data.cat()) is None
    assert align.align(data.cat(), flat) is None
    assert align.align(flat, flat) is None


def test_the_part_that_a_crop_shows_is_known() -> None:
    known = data.cat()
    query = np.ascontiguousarray(known[30:230, 40:340])
    corners = np.array(align.seen_part(found(query, known), query, known))

    assert np.abs(corners.min(axis=0) - (40, 30)).max() <= 2
    assert np.abs(corners.max(axis=0) - (340, 230)).max() <= 2


def test_the_region_is_drawn_and_nothing_without_one() -> None:
    known = data.cat()
    query = framed(known)
    plain = side_by_side.draw(query, known, None)
    drawn = side_by_side.draw(query, known, found(query, known))

    assert drawn.shape == plain.shape
    yellow = (drawn == (255, 210, 0)).all(axis=2)
    assert yellow[:, : drawn.shape[1] // 2].any()
    assert yellow[:, drawn.shape[1] // 2 :].any()
    assert not (plain == (255, 210, 0)).all(axis=2).any()
