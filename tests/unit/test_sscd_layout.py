"""The cheap look finds pictures inside pictures, and seldom sees one where there is none."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage import data

from haechi.fingerprint import layout
from haechi.fingerprint.layout import Box

Rgb = NDArray[np.uint8]


def fitted(rgb: Rgb, width: int, height: int) -> Rgb:
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def chat(rgb: Rgb, *, part: float = 0.6, dark: bool = False, mine: bool = True) -> tuple[Rgb, Box]:
    """A phone's screen with bubbles of text and `rgb` at `part` of its width; and where it is."""
    ground, bubble, ink = ("#0b141a", "#202c33", "#e9edef") if dark else ("#ece5dd", "#fff", "#111")
    screen = Image.new("RGB", (720, 1280), ground)
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, 720, 90), fill="#075e54")
    draw.text((90, 30), "Group  12:31", fill="#fff", font_size=32)
    lines = ("did you see this", "where is it from?", "no idea, somebody sent it", "tell them")
    for at, top in enumerate((120, 220, 980, 1080)):
        left = 20 if at % 2 else 200
        draw.rounded_rectangle((left, top, left + 480, top + 70), 18, fill=bubble)
        draw.text((left + 20, top + 18), lines[at], fill=ink, font_size=28)
    width = int(720 * part)
    height = min(620, rgb.shape[0] * width // rgb.shape[1])
    left, top = (720 - width - 20 if mine else 20), 320
    draw.rounded_rectangle((left - 6, top - 6, left + width + 6, top + height + 6), 16, fill=bubble)
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width - 1, height - 1), 14, fill=255)
    screen.paste(Image.fromarray(fitted(rgb, width, height)), (left, top), mask)
    return np.asarray(screen), Box(left, top, left + width, top + height)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("part", [0.45, 0.6, 0.8])
@pytest.mark.parametrize("name", ["astronaut", "cat", "coffee"])
def test_a_picture_in_a_chat_is_found(name: str, part: float, dark: bool) -> None:  # noqa: FBT001
    screen, place = chat(getattr(data, name)(), part=part, dark=dark, mine=part > 0.5)
    assert max(box.overlap(place) for box in layout.insets(screen)) > 0.9


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 30, 90)])
def test_a_frame_is_seen_through(colour: tuple[int, int, int]) -> None:
    rgb = data.cat()
    framed = cv2.copyMakeBorder(rgb, 60, 60, 90, 90, cv2.BORDER_CONSTANT, value=colour)
    place = Box(90, 60, 90 + rgb.shape[1], 60 + rgb.shape[0])
    (found,) = layout.insets(np.asarray(framed, np.uint8))
    assert found.overlap(place) > 0.9


@pytest.mark.parametrize("gap", [0, 8])
def test_the_tiles_of_a_collage_are_found(gap: int) -> None:
    photographs = [data.astronaut(), data.cat(), data.coffee(), data.rocket()]
    sheet = np.full((600 + gap, 800 + gap, 3), 255, dtype=np.uint8)
    places = []
    for at, rgb in enumerate(photographs):
        top, left = (at // 2) * (300 + gap), (at % 2) * (400 + gap)
        sheet[top : top + 300, left : left + 400] = fitted(rgb, 400, 300)
        places.append(Box(left, top, left + 400, top + 300))
    found = layout.insets(sheet)
    seen = [max((box.overlap(place) for box in found), default=0) > 0.8 for place in places]
    assert sum(seen) >= 3


def test_plain_photographs_cost_nothing() -> None:
    for name in ("astronaut", "cat", "coffee", "rocket", "immunohistochemistry"):
        assert layout.insets(getattr(data, name)()) == ()


def test_text_alone_is_no_picture() -> None:
    screen, place = chat(np.full((300, 400, 3), 255, dtype=np.uint8))
    assert all(box.overlap(place) < 0.1 for box in layout.insets(screen))


def test_any_half_of_each_side_lies_mostly_in_one_crop() -> None:
    rgb = np.zeros((100, 200, 3), dtype=np.uint8)
    boxes = layout.crops(rgb)
    assert len(boxes) == 9
    assert all(box.cut(rgb).shape == (55, 110, 3) for box in boxes)
    for top in range(0, 51, 5):
        for left in range(0, 101, 10):
            part = Box(left, top, left + 100, top + 50)
            assert max(part.overlap(box) for box in boxes) > 0.45


def test_a_picture_upon_another_is_found() -> None:
    """Neither has a plain ground: only its four straight sides tell."""
    ground = fitted(data.coffee(), 900, 600).copy()
    ground[150:450, 500:900] = fitted(data.astronaut(), 400, 300)
    place = Box(500, 150, 900, 450)
    assert max(box.overlap(place) for box in layout.insets(ground)) > 0.9


def test_nine_tiles_are_nine() -> None:
    photographs = [data.astronaut(), data.cat(), data.coffee()]
    sheet = np.concatenate(
        [
            np.concatenate([fitted(photographs[(row + at) % 3], 300, 240) for at in range(3)], 1)
            for row in range(3)
        ]
    )
    boxes = layout.insets(sheet)
    assert len(boxes) == 9
    for row in range(3):
        for at in range(3):
            place = Box(at * 300, row * 240, at * 300 + 300, row * 240 + 240)
            assert max(box.overlap(place) for box in boxes) > 0.9


def test_plain_corners_ask_for_the_middle() -> None:
    height, width = data.astronaut().shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 8, 0.85)
    turned = cv2.warpAffine(data.astronaut(), turn, (width, height), borderValue=(9, 90, 200))
    middle = Box(width // 10, height // 10, width - width // 10, height - height // 10)
    assert max(box.overlap(middle) for box in layout.insets(np.asarray(turned, np.uint8))) > 0.9


def test_a_picture_full_of_rectangles_has_a_bound() -> None:
    random = np.random.default_rng(2)
    sheet = random.integers(0, 256, (800, 800, 3)).astype(np.uint8)
    for _ in range(200):
        left, top = random.integers(0, 600, 2)
        sheet[top : top + 120, left : left + 150] = fitted(data.cat(), 150, 120)[: 800 - top]
    assert len(layout.insets(sheet)) <= layout.MAX_INSETS


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90), st.just(3))))
def test_boxes_lie_inside_any_picture(rgb: Rgb) -> None:
    height, width = rgb.shape[:2]
    boxes = layout.insets(rgb)
    assert len(boxes) <= layout.MAX_INSETS
    for box in (*boxes, *layout.crops(rgb)):
        assert 0 <= box.left < box.right <= width
        assert 0 <= box.top < box.bottom <= height
        assert box.cut(rgb).size
