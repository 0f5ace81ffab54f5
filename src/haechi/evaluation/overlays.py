"""Edits that put something over a picture: words, stickers, blocks, marks."""

import cv2
import numpy as np
from PIL import Image, ImageDraw

from haechi.evaluation.studio import Rgb, Studio, write


def text_bars(rgb: Rgb, studio: Studio) -> Rgb:
    """A bar with words over the upper or lower edge, or both."""
    canvas = _canvas(rgb)
    width, height = canvas.size
    both = studio.chance()
    upper = studio.chance()
    for top in (True, False):
        if both or top == upper:
            high = height * studio.between(0.07, 0.17)
            start = 0.0 if top else height - high
            ground = studio.colour()
            ImageDraw.Draw(canvas).rectangle((0, start, width, start + high), fill=ground)
            place = (width * studio.between(0.02, 0.2), start + high * 0.15)
            write(canvas, place, studio.words(2, 6), high * 0.6, _legible(ground))
    return np.array(canvas)


def caption(rgb: Rgb, studio: Studio) -> Rgb:
    """Words written straight over the picture, one to three lines."""
    canvas = _canvas(rgb)
    width, height = canvas.size
    size = height * studio.between(0.06, 0.12)
    top, ink = height * studio.between(0.05, 0.7), studio.colour()
    for line in range(studio.whole(1, 3)):
        place = (width * studio.between(0.02, 0.25), top + line * size * 1.2)
        write(canvas, place, studio.words(2, 5), size, ink)
    return np.array(canvas)


def stickers(rgb: Rgb, studio: Studio) -> Rgb:
    """Three to six round faces and stars."""
    canvas = _canvas(rgb)
    pen = ImageDraw.Draw(canvas)
    width, height = canvas.size
    for _ in range(studio.whole(3, 6)):
        radius = min(width, height) * studio.between(0.05, 0.12)
        x, y = width * studio.between(0.08, 0.92), height * studio.between(0.08, 0.92)
        around = (x - radius, y - radius, x + radius, y + radius)
        if studio.chance(0.7):
            pen.ellipse(around, fill=studio.colour(), outline=(60, 60, 60))
            for side in (-0.4, 0.4):
                eye = x + side * radius, y - 0.3 * radius
                pen.ellipse((eye[0] - 3, eye[1] - 3, eye[0] + 3, eye[1] + 3), fill=(20, 20, 20))
            pen.arc(
                (x - radius / 2, y - radius / 3, x + radius / 2, y + radius / 2),
                0,
                180,
                (20, 20, 20),
                3,
            )
        else:
            pen.regular_polygon(
                (x, y, radius), studio.whole(3, 7), studio.whole(0, 90), studio.colour()
            )
    return np.array(canvas)


def censor_blocks(rgb: Rgb, studio: Studio) -> Rgb:
    """One to three blocks over the middle: of one colour, as a mosaic, or blurred."""
    changed = rgb.copy()
    height, width = rgb.shape[:2]
    for _ in range(studio.whole(1, 3)):
        wide, high = (round(side * studio.between(0.12, 0.32)) for side in (width, height))
        left = round((width - wide) * studio.between(0.2, 0.8))
        top = round((height - high) * studio.between(0.2, 0.8))
        block = changed[top : top + high, left : left + wide]
        how = studio.whole(0, 2)
        if how == 0:
            block[:] = studio.colour()
        elif how == 1:
            cells = cv2.resize(block, (6, 6), interpolation=cv2.INTER_AREA)
            block[:] = cv2.resize(cells, (wide, high), interpolation=cv2.INTER_NEAREST)
        else:
            block[:] = cv2.GaussianBlur(block, (0, 0), max(2.0, wide / 8))
    return changed


def watermark(rgb: Rgb, studio: Studio) -> Rgb:
    """Half transparent words, again and again."""
    canvas = _canvas(rgb)
    width, height = canvas.size
    size, words = height * studio.between(0.05, 0.1), studio.words(1, 3)
    ink = studio.colour()
    for row in range(1, 5):
        for column in range(3):
            place = (width * (column / 3 + 0.08 * (row % 2)), height * row / 5)
            write(canvas, place, words, size, ink)
    share = studio.between(0.25, 0.55)
    return np.asarray(cv2.addWeighted(np.array(canvas), share, rgb, 1 - share, 0), np.uint8)


def _canvas(rgb: Rgb) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(rgb))


def _legible(ground: tuple[int, int, int]) -> tuple[int, int, int]:
    return (0, 0, 0) if sum(ground) > 380 else (255, 255, 255)
