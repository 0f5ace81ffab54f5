"""What an edit works with: its random numbers, other pictures, and words to write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

type Rgb = NDArray[np.uint8]
type Colour = tuple[int, int, int]
type Edit = Callable[[Rgb, "Studio"], Rgb]

_TEXT = (
    "when the bus comes late again this is what we saw on Sunday morning near the river look at "
    "that who took it nobody told me 12:45 lol great place thanks for all the fish see you soon"
)
_WORDS = tuple(_TEXT.split())


@dataclass(frozen=True, slots=True)
class Studio:
    """What an edit may use beside the picture.

    Attributes:
        random: Every choice comes from here.
        others: Other pictures, for the tiles of collages and posts around; at least one.
    """

    random: np.random.Generator
    others: Sequence[Rgb]

    def between(self, low: float, high: float) -> float:
        """A number from low to high."""
        return float(self.random.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.random.integers(low, high + 1))

    def chance(self, part: float = 0.5) -> bool:
        """True in `part` of all cases."""
        return bool(self.random.random() < part)

    def colour(self) -> Colour:
        """Any colour; one in two is black, white or near them."""
        if self.chance():
            grey = (0, 12, 24, 240, 250, 255)[self.whole(0, 5)]
            return grey, grey, grey
        return self.whole(0, 255), self.whole(0, 255), self.whole(0, 255)

    def other(self) -> Rgb:
        """One of the other pictures."""
        return self.others[self.whole(0, len(self.others) - 1)]

    def words(self, least: int, most: int) -> str:
        """Some words in a row."""
        count = self.whole(least, most)
        return " ".join(_WORDS[self.whole(0, len(_WORDS) - 1)] for _ in range(count))


def resized(rgb: Rgb, width: int, height: int) -> Rgb:
    """The picture at another size, by area when it shrinks."""
    shrinking = width * height < rgb.shape[0] * rgb.shape[1]
    how = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    size = (max(8, width), max(8, height))
    return np.asarray(cv2.resize(np.ascontiguousarray(rgb), size, interpolation=how), np.uint8)


def scaled(rgb: Rgb, factor: float) -> Rgb:
    """Both sides times `factor`."""
    height, width = rgb.shape[:2]
    return resized(rgb, round(width * factor), round(height * factor))


def filled(rgb: Rgb, width: int, height: int, studio: Studio) -> Rgb:
    """A part of `rgb` that fills width x height; most of it, at a place of the studio's choice."""
    factor = max(width / rgb.shape[1], height / rgb.shape[0])
    grown = resized(
        rgb, max(width, round(rgb.shape[1] * factor)), max(height, round(rgb.shape[0] * factor))
    )
    top = round((grown.shape[0] - height) * studio.between(0.3, 0.7))
    left = round((grown.shape[1] - width) * studio.between(0.3, 0.7))
    return grown[top : top + height, left : left + width]


def recompressed(rgb: Rgb, quality: int, form: str = ".jpg") -> Rgb:
    """Through a lossy file and back."""
    kind = cv2.IMWRITE_JPEG_QUALITY if form == ".jpg" else cv2.IMWRITE_WEBP_QUALITY
    _, data = cv2.imencode(
        form, cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2BGR), [kind, quality]
    )
    back = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(np.asarray(back), cv2.COLOR_BGR2RGB), np.uint8)


def write(
    canvas: Image.Image, at: tuple[float, float], text: str, size_px: float, colour: Colour
) -> None:
    """Draw `text` with its upper left corner at `at`; the fonts are those Pillow carries."""
    font = ImageFont.load_default(max(8, size_px))
    ImageDraw.Draw(canvas).text(at, text, fill=colour, font=font)


def within(values: NDArray[np.float32] | NDArray[np.float64]) -> Rgb:
    """Cut to 0..255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
