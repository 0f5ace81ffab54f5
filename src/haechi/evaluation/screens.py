"""Edits that make a picture a part of another: screenshots, stories, collages, screens."""

import cv2
import numpy as np
from PIL import Image, ImageDraw

from haechi.evaluation.studio import (
    Colour,
    Edit,
    Rgb,
    Studio,
    filled,
    recompressed,
    resized,
    within,
    write,
)


def chat_screenshot(rgb: Rgb, studio: Studio) -> Rgb:
    """A message with the picture, among bubbles, light or dark, on plain or patterned ground."""
    wide, high = studio.whole(640, 1080), studio.whole(1200, 2000)
    dark = studio.chance()
    canvas = Image.fromarray(_wallpaper(wide, high, studio, dark=dark))
    pen = ImageDraw.Draw(canvas)
    ink: Colour = (230, 230, 230) if dark else (20, 20, 20)
    bar = round(high * 0.07)
    pen.rectangle((0, 0, wide, bar), fill=studio.colour())
    write(canvas, (wide * 0.1, bar * 0.3), studio.words(1, 2), bar * 0.4, ink)
    shown = _fitted(rgb, round(wide * studio.between(0.5, 0.85)), round(high * 0.62))
    room = high - bar * 2 - shown.shape[0]
    top = bar + round(room * studio.between(0.1, 0.8))
    y = bar + 12.0
    while y < top - high * 0.06:
        y = _bubble(canvas, y, studio, dark=dark, limit=top)
    left = studio.whole(12, max(13, wide - shown.shape[1] - 12))
    _paste(canvas, shown, left, top, studio)
    y = top + shown.shape[0] + 16
    while y < high - bar * 1.6:
        y = _bubble(canvas, y, studio, dark=dark, limit=high - bar)
    pen.rectangle((0, high - bar, wide, high), fill=(30, 34, 40) if dark else (240, 240, 242))
    return np.array(canvas)


def post_screenshot(rgb: Rgb, studio: Studio) -> Rgb:
    """A feed: a name above, the picture from side to side, buttons and words below."""
    wide, high = studio.whole(640, 1080), studio.whole(1200, 1900)
    dark = studio.chance()
    ground: Colour = (18, 18, 20) if dark else (255, 255, 255)
    ink: Colour = (240, 240, 240) if dark else (15, 15, 15)
    canvas = Image.new("RGB", (wide, high), ground)
    pen = ImageDraw.Draw(canvas)
    margin = 0 if studio.chance(0.6) else studio.whole(10, 50)
    shown = _fitted(rgb, wide - 2 * margin, round(high * 0.66))
    top = round(high * studio.between(0.1, 0.2))
    write(canvas, (wide * 0.05, high * 0.02), studio.words(1, 2), high * 0.025, ink)
    pen.ellipse((20, top - 80, 84, top - 16), fill=studio.colour())
    write(canvas, (100, top - 66), studio.words(1, 3), 30, ink)
    if shown.shape[1] < wide - 2 * margin:
        margin = (wide - shown.shape[1]) // 2
    _paste(canvas, shown, margin, top, None)
    y = top + shown.shape[0] + 20
    for step in range(4):
        pen.ellipse((24 + 80 * step, y, 64 + 80 * step, y + 40), outline=ink, width=4)
    y += 70
    while y < high - 60:
        write(canvas, (24, y), studio.words(3, 8), 30, ink)
        y += 48
    return np.array(canvas)


def story_screenshot(rgb: Rgb, studio: Studio) -> Rgb:
    """Upright, the picture in the middle of its own blur or a gradient, words over it."""
    wide, high = studio.whole(640, 1080), 0
    high = round(wide * studio.between(1.6, 2.1))
    if studio.chance(0.6):
        ground = cv2.GaussianBlur(resized(rgb, wide, high), (0, 0), wide / 18)
        canvas = Image.fromarray(within(ground.astype(np.float32) * studio.between(0.6, 1.0)))
    else:
        canvas = Image.fromarray(_gradient(wide, high, studio))
    shown = _fitted(rgb, wide if studio.chance(0.6) else round(wide * 0.86), round(high * 0.8))
    top = round((high - shown.shape[0]) * studio.between(0.35, 0.65))
    _paste(canvas, shown, (wide - shown.shape[1]) // 2, top, None)
    write(canvas, (40, 40), studio.words(1, 2), 34, (255, 255, 255))
    ImageDraw.Draw(canvas).line((20, 20, wide - 20, 20), fill=(255, 255, 255), width=5)
    size = wide * studio.between(0.05, 0.09)
    place = (wide * studio.between(0.03, 0.3), top + shown.shape[0] * studio.between(0.2, 0.9))
    write(canvas, place, studio.words(2, 5), size, studio.colour())
    return np.array(canvas)


def collage(columns: int, rows: int) -> Edit:
    """An edit that makes the picture one tile of columns x rows, with or without gaps."""

    def tiled(rgb: Rgb, studio: Studio) -> Rgb:
        wide, high = studio.whole(260, 480), studio.whole(260, 480)
        gap = 0 if studio.chance() else studio.whole(4, 24)
        size = (rows * high + (rows + 1) * gap, columns * wide + (columns + 1) * gap, 3)
        sheet = np.full(size, studio.colour(), np.uint8)
        ours = studio.whole(0, rows * columns - 1)
        for place in range(rows * columns):
            row, column = divmod(place, columns)
            source = rgb if place == ours else studio.other()
            tile = filled(source, wide, high, studio)
            if studio.chance(0.3):
                tile = resized(source, wide, high)
            top, left = gap + row * (high + gap), gap + column * (wide + gap)
            sheet[top : top + high, left : left + wide] = tile
        return sheet

    return tiled


def inset(rgb: Rgb, studio: Studio) -> Rgb:
    """Laid upon another picture, a third to a half as wide, as reaction pictures are."""
    ground = filled(studio.other(), 900, 700, studio).copy()
    shown = _fitted(rgb, round(900 * studio.between(0.4, 0.6)), round(700 * 0.8))
    top = studio.whole(0, 700 - shown.shape[0])
    left = studio.whole(0, 900 - shown.shape[1])
    ground[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return ground


def photographed_screen(rgb: Rgb, studio: Studio) -> Rgb:
    """A screen as a camera sees it: a dark frame, at an angle, with moire and a cast of colour."""
    height, width = rgb.shape[:2]
    edge = round(max(height, width) * studio.between(0.02, 0.08))
    framed = cv2.copyMakeBorder(
        np.ascontiguousarray(rgb), edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(15, 15, 18)
    )
    size = (framed.shape[1], framed.shape[0])
    corners = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    shift = studio.random.uniform(-0.04, 0.07, (4, 2)) * size
    moved = corners + np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * shift
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    seen = np.asarray(
        cv2.warpPerspective(framed, matrix, size, borderValue=studio.colour()), np.float32
    )
    waves = np.sin(np.arange(seen.shape[0]) * studio.between(0.6, 2.5))[:, None, None] * 10
    cast = np.array([studio.between(0.85, 1.1) for _ in range(3)], np.float32)
    return recompressed(within((seen + waves) * cast), studio.whole(50, 80))


def _wallpaper(wide: int, high: int, studio: Studio, *, dark: bool) -> Rgb:
    if studio.chance(0.3):
        return _gradient(wide, high, studio)
    ground: Colour = (16, 22, 28) if dark else (236, 230, 222)
    canvas = Image.new("RGB", (wide, high), ground)
    if studio.chance(0.4):
        pen = ImageDraw.Draw(canvas)
        mark: Colour = (26, 34, 42) if dark else (224, 216, 206)
        for _ in range(150):
            x, y = studio.whole(0, wide), studio.whole(0, high)
            pen.arc((x, y, x + 40, y + 40), studio.whole(0, 180), 300, fill=mark, width=3)
    return np.array(canvas)


def _gradient(wide: int, high: int, studio: Studio) -> Rgb:
    ends = studio.random.uniform(20, 240, (2, 3))
    part = np.linspace(0, 1, high)[:, None, None]
    return within(np.broadcast_to(ends[0] * (1 - part) + ends[1] * part, (high, wide, 3)))


def _bubble(canvas: Image.Image, y: float, studio: Studio, *, dark: bool, limit: float) -> float:
    """Draw a bubble at height y, unless it would reach `limit`; the height below it."""
    wide = canvas.size[0]
    lines, across = studio.whole(1, 3), round(wide * studio.between(0.25, 0.7))
    tall = 26 + 38 * lines
    if y + tall > limit - 8:
        return limit
    left = 16 if studio.chance() else wide - across - 16
    fill: Colour = (36, 44, 52) if dark else (255, 255, 255)
    if left > 16:
        fill = (0, 92, 76) if dark else (216, 246, 200)
    ImageDraw.Draw(canvas).rounded_rectangle((left, y, left + across, y + tall), 16, fill=fill)
    ink: Colour = (235, 235, 235) if dark else (20, 20, 20)
    for line in range(lines):
        words = studio.words(2, 6)[: max(3, across // 17)]
        write(canvas, (left + 14, y + 12 + 38 * line), words, 27, ink)
    return y + tall + 14


def _fitted(rgb: Rgb, wide: int, high: int) -> Rgb:
    """As large as wide x high admits, in its own proportions."""
    factor = min(wide / rgb.shape[1], high / rgb.shape[0])
    return resized(rgb, round(rgb.shape[1] * factor), round(rgb.shape[0] * factor))


def _paste(canvas: Image.Image, rgb: Rgb, left: int, top: int, studio: Studio | None) -> None:
    """Put `rgb` there; with a studio, mostly with round corners and a rim, as messengers do."""
    shape = (rgb.shape[1], rgb.shape[0])
    mask = Image.new("L", shape, 255)
    if studio is not None and studio.chance(0.7):
        mask = Image.new("L", shape, 0)
        ImageDraw.Draw(mask).rounded_rectangle(
            (0, 0, shape[0] - 1, shape[1] - 1), studio.whole(8, 28), fill=255
        )
        rim = (left - 5, top - 5, left + shape[0] + 5, top + shape[1] + 5)
        ImageDraw.Draw(canvas).rounded_rectangle(rim, 20, fill=studio.colour())
    canvas.paste(Image.fromarray(rgb), (left, top), mask)
