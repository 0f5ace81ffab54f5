"""Text on a picture that anybody can read, whatever is below it.

White letters on a black plate that lets 30 % of the picture through: even on pure white that is a
contrast of more than 7 to 1, which WCAG 2.2 calls enhanced (success criterion 1.4.6). It is measured
all the same, on the pixels that were drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import noto_cjk_sans_otc  # type: ignore[import-untyped]  # two constants
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from haechi.errors import FacesMissing, LabelRefused
from haechi.labels.writing.placing import EDGE, Box, place
from haechi.labels.writing.wanted import Language
from haechi.media import faces

SHARE = 0.05
"""Height of the letters, at least, as a part of the shorter side (GB 45438, 5.2 and 5.4)."""
LEGIBLE_PX = 9
"""Wanted however small the picture is: the strokes of a Chinese character need as much."""
_SMALLEST_PX = 7
"""Taken where nothing larger fits; below this nobody reads anything."""
CONTRAST = 7.0

_PLATE = 0.7
_FACES = {"ko": 1, "zh-hans": 2, "en": 1}
"""Faces of the font collection: the same characters are drawn differently in Korea and in China."""
_PAD = 0.45
_LEADING = 1.35
_LINES = 4

type Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """A label that fits pictures of one size, and where on them it goes.

    letters     float32 (height, width), 0..1: how much of each pixel of the box is letter
    height_px   height of a capital letter; the strictest reading of the height of the text
    on_faces    how much of the box lies on a face, 0..1
    """

    text: str
    box: Box
    letters: NDArray[np.float32]
    height_px: int
    on_faces: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """What people see: the text, the height of its capitals, its contrast (WCAG 2.2) as measured."""

    text: str
    height_px: int
    contrast: float
    on_faces: float


def plate(text: str, language: Language, width: int, height: int, on: Sequence[Box] = ()) -> Plate:
    """A plate with `text` for pictures of that size that show faces `on` these places.

    Raises LabelRefused where no legible text fits.
    """
    rule_px = math.ceil(SHARE * min(width, height))
    margin = max(1, round(EDGE * min(width, height)))
    height_px, fitting = max(LEGIBLE_PX, rule_px), list[NDArray[np.float32]]()
    while not fitting and height_px >= max(_SMALLEST_PX, rule_px):
        for lines in _broken(text, language):
            drawn = _drawn(lines, language, height_px)
            if drawn.shape[1] <= width - 2 * margin and drawn.shape[0] <= height - 2 * margin:
                fitting.append(drawn)
        height_px -= 1
    if not fitting:
        raise LabelRefused(f"{width} x {height} pixels are too few for a label that can be read")
    sizes = [(drawn.shape[1], drawn.shape[0]) for drawn in fitting]
    chosen, box, covered = place(sizes, width, height, on)
    return Plate(text, box, fitting[chosen], height_px + 1, covered)


def find_faces(rgb: Pixels) -> tuple[Box, ...]:
    """Where faces are; nowhere, if there is no model to look with."""
    height, width = rgb.shape[:2]
    try:
        found = faces.find(rgb)
    except FacesMissing:
        return ()
    return tuple(
        Box(
            round(face.x * width),
            round(face.y * height),
            round(face.width * width),
            round(face.height * height),
        )
        for face in found
    )


def draw(plate: Plate, rgb: Pixels, alpha: Pixels | None = None) -> tuple[Pixels, Pixels | None]:
    """A copy of the picture with the plate on it; where it was transparent, the plate shows."""
    box = plate.box
    rows, columns = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
    drawn = rgb.copy()
    letters = plate.letters[..., None]
    below = drawn[rows, columns].astype(np.float32)
    seen = np.ones_like(letters)
    if alpha is not None:
        alpha = alpha.copy()
        seen = alpha[rows, columns, None].astype(np.float32) / np.float32(255)
    # "Over" twice (Porter and Duff): the plate over what is seen, the letters over both.
    covered = _PLATE + seen * (1 - _PLATE)
    ground = below * seen * (1 - _PLATE) / covered
    drawn[rows, columns] = np.rint(ground * (1 - letters) + 255 * letters)
    if alpha is not None:
        alpha[rows, columns] = np.rint(255 * (covered * (1 - letters) + letters))[..., 0]
    return drawn, alpha


def drawn(plate: Plate, rgb: Pixels) -> Drawn:
    """What came of drawing `plate` on `rgb`: white letters against the brightest pixel around them."""
    box = plate.box
    seen = rgb[box.y : box.y + box.height, box.x : box.x + box.width]
    brightest = _luminance(seen[plate.letters == 0]).max(initial=0.0)
    return Drawn(plate.text, plate.height_px, float(1.05 / (brightest + 0.05)), plate.on_faces)


def _luminance(rgb: Pixels) -> NDArray[np.float64]:
    part = rgb.astype(np.float64) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def _broken(text: str, language: Language) -> list[list[str]]:
    """The text in one line, in two, .. up to four, broken where the language may be."""
    pieces = _characters(text) if language == "zh-hans" else _words(text)
    ways = []
    for count in range(1, min(_LINES, len(pieces)) + 1):
        cuts = combinations(range(1, len(pieces)), count - 1)
        ways.append(min((_cut(pieces, at) for at in cuts), key=_longest))
    return ways


def _cut(pieces: list[str], at: tuple[int, ...]) -> list[str]:
    return ["".join(pieces[start:end]).strip() for start, end in pairwise([0, *at, len(pieces)])]


def _longest(lines: list[str]) -> int:
    return max(map(len, lines))


def _words(text: str) -> list[str]:
    """Words with the space or the hyphen that follows them."""
    return text.replace(" ", " \0").replace("-", "-\0").split("\0")


def _characters(text: str) -> list[str]:
    """Chinese characters one by one, and AI in one piece."""
    return "\0".join(text).replace("A\0I", "AI").split("\0")


def _drawn(lines: list[str], language: Language, capital_px: int) -> NDArray[np.float32]:
    """Letters of that height on a plate that is just large enough."""
    font = _font(language, capital_px)
    pad = max(2, round(_PAD * capital_px))
    step = round(_LEADING * font.size)
    boxes = [font.getbbox(line, anchor="ls") for line in lines]
    width = math.ceil(max(box[2] - min(0, box[0]) for box in boxes)) + 2 * pad
    above, below = math.ceil(-boxes[0][1]), math.ceil(max(0, boxes[-1][3]))
    height = above + below + (len(lines) - 1) * step + 2 * pad
    canvas = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        pen.text((pad, pad + above + number * step), line, fill=255, font=font, anchor="ls")
    return np.asarray(canvas, dtype=np.float32) / np.float32(255)


@lru_cache(maxsize=16)
def _font(language: Language, capital_px: int) -> ImageFont.FreeTypeFont:
    """The size at which a capital letter is at least so high; Chinese characters are higher."""
    size = capital_px
    while True:
        font = ImageFont.truetype(str(noto_cjk_sans_otc.FONT_PATH), size, index=_FACES[language])
        _, top, _, bottom = font.getbbox("A", anchor="ls")
        if bottom - top >= capital_px:
            return font
        size += 1
