"""Donor search: composites of things are found, and copies, collages and two photographs are not.

Only things and animals are put together here, never people.
"""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw
from skimage import data

from haechi import forensics
from haechi.evaluation import edits
from haechi.evaluation.studio import Rgb, recompressed, scaled
from haechi.forensics import Answer, State, Toward, donor, words
from haechi.media import Sandbox

CAT: Rgb = data.chelsea()
COFFEE: Rgb = data.coffee()
ROCKET: Rgb = data.rocket()
HEAD = (230, 130, 110)
"""x, y and radius of the cat's head."""


def saved(rgb: Rgb, quality: int = 85) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality)
    return out.getvalue()


def with_head(base: Rgb, at: tuple[int, int], size: float, turn: float, gain: float = 1.0) -> Rgb:
    """The cat's head on another picture: scaled, turned, brighter or darker, softly blended."""
    x, y, radius = HEAD
    mask = np.zeros(CAT.shape[:2], np.float32)
    cv2.circle(mask, (x, y), radius, 1.0, -1)
    how = cv2.getRotationMatrix2D((x, y), turn, size)
    how[:, 2] += np.array(at) - np.array([x, y])
    into = base.shape[1], base.shape[0]
    moved = cv2.warpAffine(CAT, how, into).astype(np.float32) * gain
    soft = cv2.GaussianBlur(cv2.warpAffine(mask, how, into), (0, 0), 5)[..., None]
    return np.clip(base * (1 - soft) + moved * soft, 0, 255).astype(np.uint8)


def kin(picture: Rgb, other: Rgb) -> str:
    return donor.between(picture, other, 1).meaning


@pytest.mark.slow
def test_a_head_on_another_picture_is_found_and_shown() -> None:
    made = saved(recompressed(with_head(COFFEE, (320, 210), 0.9, 8, 0.85), 80), 75)
    with Sandbox(1) as sandbox:
        report = forensics.examine(made, donors=[saved(CAT), saved(ROCKET)], sandbox=sandbox)
    assert report.answer is Answer.ALTERED
    assert report.because == ("donor.1",)
    assert report.answer_code == "answer.altered.donor"
    found, nothing = report.signal("donor.1"), report.signal("donor.2")
    assert found.toward is Toward.ALTERED
    region = found.regions[0]
    assert abs(region.x + region.width / 2 - 320 / 600) < 0.08
    assert abs(region.y + region.height / 2 - 210 / 400) < 0.08
    assert nothing.state is State.SILENT
    assert found.picture is not None
    beside = Image.open(io.BytesIO(found.picture))  # noqa: TID251 - we wrote it
    assert beside.size == (600 + 8 + 600, 400)
    assert "next.look_at_donor" in report.next_steps
    assert forensics.Report.from_json(report.to_json()) == report
    assert any("side by side" in line for line in words.lines(report))


@pytest.mark.slow
def test_what_took_the_place_of_a_part_is_found_in_the_original() -> None:
    """The original that everything but the head was taken from."""
    made = recompressed(with_head(COFFEE, (400, 150), 0.8, -10), 85)
    assert kin(made, COFFEE) == "donor.replaced"


@pytest.mark.slow
def test_copies_crops_and_recompressed_ones_are_copies() -> None:
    assert kin(recompressed(scaled(CAT, 0.6), 60), CAT) == "donor.copy"
    assert kin(recompressed(np.ascontiguousarray(CAT[30:250, 60:380]), 70), CAT) == "donor.copy"
    assert kin(np.ascontiguousarray(CAT[:, ::-1]), CAT) == "donor.copy"


@pytest.mark.slow
def test_two_photographs_of_one_scene_accuse_nobody() -> None:
    left, right, _ = data.stereo_motorcycle()
    assert kin(left, right) in {"donor.moved", "donor.shared", "donor.copy"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["chat_screenshot", "post_screenshot", "story_screenshot", "text_bars"]
)
@pytest.mark.parametrize("quality", [50, 90])
def test_screens_of_one_app_and_one_caption_accuse_nobody(name: str, quality: int) -> None:
    """Two photographs that have nothing in common but what a program drew around them."""
    first, second = (
        recompressed(edits.make(name, each, [], 1), quality) for each in (COFFEE, ROCKET)
    )
    told = donor.between(first, second, 1)
    assert told.toward is None, told.meaning


@pytest.mark.slow
def test_an_original_is_not_accused_by_a_copy_that_was_censored() -> None:
    """Then it is the one given for comparison that something was laid over."""
    censored = CAT.copy()
    for middle in ((150, 120), (205, 160)):
        cv2.circle(censored, middle, 50, (20, 20, 20), -1)
    told = donor.between(recompressed(CAT, 85), recompressed(censored, 75), 1)
    assert told.toward is None, told.meaning


@pytest.mark.slow
@pytest.mark.parametrize("quality", [30, 60])
def test_a_head_is_found_under_strong_compression(quality: int) -> None:
    made = recompressed(with_head(ROCKET, (320, 210), 0.9, 0), quality)
    assert kin(made, CAT) == "donor.inserted"


@pytest.mark.slow
def test_what_is_laid_over_a_copy_or_stands_beside_it_is_told_as_that() -> None:
    canvas = Image.fromarray(CAT)
    ImageDraw.Draw(canvas).rectangle((40, 60, 420, 150), fill=(20, 20, 20))
    assert kin(np.asarray(canvas), CAT) == "donor.covered"
    blurred = CAT.copy()
    blurred[60:220, 130:330] = cv2.GaussianBlur(CAT, (0, 0), 9)[60:220, 130:330]
    assert kin(blurred, CAT) == "donor.covered"
    collage = np.concatenate([COFFEE[:300, :451], CAT], axis=1)
    assert kin(collage, CAT) == "donor.copy"


def test_a_donor_that_does_not_open_is_off() -> None:
    off = donor.search(saved(COFFEE), saved(CAT)[:900], 3)
    assert (off.id, off.state, off.limits) == ("donor.3", State.OFF, ("off.broken",))


def in_perspective(base: Rgb, poster: Rgb, corners: list[tuple[int, int]]) -> Rgb:
    """`poster` on a wall of `base`, seen from aside."""
    height, width = poster.shape[:2]
    flat = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    how = cv2.getPerspectiveTransform(flat, np.array(corners, np.float32))
    into = base.shape[1], base.shape[0]
    mask = cv2.warpPerspective(np.ones((height, width, 1), np.float32), how, into)[..., None]
    return np.rint(base * (1 - mask) + cv2.warpPerspective(poster, how, into) * mask).astype(
        np.uint8
    )


def around(frame: Rgb, middle: Rgb) -> Rgb:
    """A frame of flowers or wood, and a photograph in it."""
    made = np.ascontiguousarray(np.asarray(cv2.resize(frame, (600, 440)), np.uint8))
    made[60:380, 70:530] = cv2.resize(middle, (460, 320))
    return made


def portrait(size: tuple[int, int], at: tuple[int, int], radius: int, ground: int) -> Rgb:
    """A round portrait in the page of an app: a cat."""
    page = Image.new("RGB", size, (ground, ground, ground))
    disc = Image.new("L", (2 * radius, 2 * radius))
    ImageDraw.Draw(disc).ellipse((0, 0, 2 * radius - 1, 2 * radius - 1), fill=255)
    page.paste(Image.fromarray(CAT[:, 60:360]).resize(disc.size), (at[0], at[1]), disc)
    ImageDraw.Draw(page).text((20, 20), "Messages", fill=(255 - ground,) * 3)
    return np.asarray(page)


@pytest.mark.slow
def test_what_two_pictures_share_without_being_altered_accuses_nobody() -> None:
    """One poster on two walls, one frame around two photographs, one round portrait in two apps."""
    walls = (
        in_perspective(COFFEE, CAT, [(100, 60), (420, 90), (400, 330), (120, 300)]),
        in_perspective(ROCKET, CAT, [(200, 100), (480, 70), (500, 320), (190, 300)]),
    )
    frames = around(CAT, COFFEE), around(CAT, ROCKET)
    apps = portrait((540, 800), (90, 150), 180, 245), portrait((640, 640), (80, 90), 220, 20)
    for first, second in (walls, frames, apps):
        told = donor.between(recompressed(first, 85), recompressed(second, 75), 1)
        assert told.toward is None, told.meaning
