"""The photographs of the story and what people do to them before they post them again.

The photographs come with scikit-image and are in the public domain or freely licensed; none shows
anything intimate. One is told a chapter: a second start plays the story with another one, since the
first is known by then and would be refused at once.
"""

from collections.abc import Callable
from importlib.resources import as_file, files

import cv2
import numpy as np
from numpy.typing import NDArray

type Image = NDArray[np.uint8]

CHAPTERS = ("astronaut.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "ihc.png")
UNRELATED = "chelsea.png"
LEFT = "coins.png"
SPARE = ("camera.png", "hubble_deep_field.jpg")


def photograph(name: str) -> Image:
    """The photograph `name` of scikit-image: (height, width, 3) uint8, blue first."""
    with as_file(files("skimage.data") / name) as path:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(name)
    return image.astype(np.uint8, copy=False)


def jpeg(image: Image, quality: int = 92) -> bytes:
    """`image` as a JPEG file; quality 0..100."""
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture cannot be encoded")
    return encoded.tobytes()


def saved_again(image: Image) -> bytes:
    """What a messenger makes of a picture somebody saves from it."""
    return jpeg(_scaled(image, 0.9), 80)


def _scaled(image: Image, factor: float) -> Image:
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def _cropped(image: Image) -> Image:
    height, width = image.shape[:2]
    top, left = height // 20, width // 20
    return np.ascontiguousarray(image[top : height - top, left : width - left])


def _chat(image: Image) -> Image:
    """A phone's screen: a bar, two bubbles, the picture in the conversation, a field to type in."""
    screen = np.full((1600, 900, 3), (240, 236, 232), np.uint8)
    cv2.rectangle(screen, (0, 0), (900, 120), (120, 90, 60), -1)
    cv2.putText(screen, "group 7", (40, 78), cv2.FONT_HERSHEY_DUPLEX, 1.4, (255, 255, 255), 2)
    _bubble(screen, 170, 60, 520, (255, 255, 255), "have you seen this?")
    factor = min(640 / image.shape[1], 900 / image.shape[0])
    shown = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    height, width = shown.shape[:2]
    screen[330 : 330 + height, 60 : 60 + width] = shown
    _bubble(screen, 1280, 420, 420, (170, 240, 200), "where from")
    cv2.rectangle(screen, (0, 1480), (900, 1600), (255, 255, 255), -1)
    return screen


def _bubble(
    screen: Image, top: int, left: int, width: int, colour: tuple[int, int, int], text: str
) -> None:
    cv2.rectangle(screen, (left, top), (left + width, top + 110), colour, -1)
    place = (left + 24, top + 70)
    cv2.putText(screen, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.2, (40, 40, 40), 2)


EDITS: dict[str, Callable[[Image], bytes]] = {
    "recompressed, quality 30": lambda image: jpeg(image, 30),
    "scaled to 50 %": lambda image: jpeg(_scaled(image, 0.5)),
    "mirrored": lambda image: jpeg(np.ascontiguousarray(image[:, ::-1])),
    "10 % cropped": lambda image: jpeg(_cropped(image)),
    "chat screenshot": lambda image: jpeg(_chat(image), 85),
}
