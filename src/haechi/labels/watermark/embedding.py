"""Adding the tile to a picture, stronger where the picture is busy."""

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark import pattern as patterns
from haechi.labels.watermark.aligning import ORIGIN

PSNR_DB = 40.05
"""Of what is handed out, after rounding and clipping at black and white."""

_MOST_LOUDER = 1.5
_QUIET = 1.5
_POWER = 0.42
_LEAST, _MOST = 0.45, 2.2
_BRIGHT_FROM, _BRIGHT_LEAST = 45.0, 0.6


def unit_px(width: int, height: int) -> float:
    """The length of a unit of the pattern in pixels of a picture of this size."""
    return max(1.0, float(np.sqrt(width * height)) / patterns.CANONICAL)


def add(rgb: NDArray[np.uint8], payload: int, key: bytes) -> NDArray[np.uint8]:
    """A copy of `rgb` that carries `payload`."""
    height, width = rgb.shape[:2]
    unit = unit_px(width, height)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    size = (max(8, round(width / unit)), max(8, round(height / unit)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    strong = strength(small)
    wanted = 255.0**2 / 10 ** (PSNR_DB / 10)
    host = _host(small, strong * np.sqrt(wanted))
    small_one = unit < patterns.SMALL_PX
    share = patterns.PILOT_SHARE_SMALL if small_one else patterns.PILOT_SHARE
    made = patterns.tile(patterns.of(key), payload, key, host, share)
    change = _laid(made, unit, width, height)
    change *= cv2.resize(strong, (width, height), interpolation=cv2.INTER_LINEAR)
    change *= np.sqrt(wanted / np.mean(np.square(change)))
    return _spent(rgb, change, wanted)


def _spent(rgb: NDArray[np.uint8], change: NDArray[np.float32], wanted: float) -> NDArray[np.uint8]:
    """`rgb` with the change, louder where clipping takes some of it, never above `wanted`."""
    part = (slice(1, None, 3), slice(1, None, 3))
    sample, few = np.ascontiguousarray(rgb[part]), np.ascontiguousarray(change[part])
    louder = 1.0
    for _ in range(3):
        error = _error(sample, _changed(sample, few * np.float32(louder)))
        louder = min(_MOST_LOUDER, louder * float(np.sqrt(wanted / max(error, wanted / 4))))
    made = _changed(rgb, change * np.float32(louder))
    while (error := _error(rgb, made)) > wanted * 1.005:
        louder *= float(np.sqrt(wanted / error))
        made = _changed(rgb, change * np.float32(louder))
    return made


def _changed(rgb: NDArray[np.uint8], change: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(cv2.add(rgb, cv2.merge([change] * 3), dtype=cv2.CV_8U), np.uint8)


def _error(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(cv2.norm(one, other, cv2.NORM_L2SQR)) / one.size


def _host(small: NDArray[np.float32], strong: NDArray[np.float32]) -> NDArray[np.complex128]:
    """What a reader would take for the mark in the picture without it."""
    rough = small - cv2.boxFilter(small, -1, (9, 9))
    loud = np.sqrt(np.maximum(cv2.boxFilter(np.square(rough), -1, (15, 15)), 0) + 1.5)
    seen = np.clip(rough / loud, -2.5, 2.5)
    response = float(np.sum(strong / loud))
    tile = patterns.TILE
    pad = [(0, -length % tile) for length in seen.shape]
    whole = np.pad(seen, pad)
    rows, columns = whole.shape[0] // tile, whole.shape[1] // tile
    folded = whole.reshape(rows, tile, columns, tile).sum(axis=(0, 2))
    # The first sample of the pattern lies a quarter of a unit from the corner, that of the picture
    # a half.
    wave = np.exp(-2j * np.pi * ORIGIN * np.fft.fftfreq(tile))
    return np.asarray(np.fft.fft2(folded) * np.outer(wave, wave) / response)


def strength(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """How strong the pattern may be at each place, by how busy and bright its surroundings are."""
    rough = small - cv2.boxFilter(small, -1, (7, 7))
    busy = np.sqrt(np.maximum(cv2.boxFilter(np.square(rough), -1, (11, 11)), 0))
    power = (busy + _QUIET) ** _POWER
    power /= np.sqrt(np.mean(np.square(power)))
    # Where a brighter copy is white nothing of the mark is left.
    room = np.clip((255 - small) / _BRIGHT_FROM, _BRIGHT_LEAST, 1)
    return np.asarray(np.clip(power, _LEAST, _MOST) * room, np.float32)


def _laid(made: NDArray[np.float32], unit: float, width: int, height: int) -> NDArray[np.float32]:
    """The tile repeated over width x height pixels; its corner lies in that of the picture."""
    step = made.shape[0] / (patterns.TILE * unit)
    x = (np.arange(width, dtype=np.float32) + 0.5) * step - 0.5
    y = (np.arange(height, dtype=np.float32) + 0.5) * step - 0.5
    columns = _sampled(made, x)
    return _sampled(np.ascontiguousarray(columns.T), y).T


def _sampled(rows: NDArray[np.float32], at: NDArray[np.float32]) -> NDArray[np.float32]:
    """Columns of a periodic array between its own, by cubic weights, as one product."""
    size = rows.shape[1]
    whole = np.floor(at).astype(np.int64)
    part = (at - whole).astype(np.float32)
    weights = np.zeros((size, len(at)), np.float32)
    for offset, weight in zip((-1, 0, 1, 2), _cubic(part), strict=True):
        np.add.at(weights, ((whole + offset) % size, np.arange(len(at))), weight)
    return rows @ weights


def _cubic(part: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    t, a = part, -0.5
    return (
        a * (t**3 - 2 * t**2 + t),
        (a + 2) * t**3 - (a + 3) * t**2 + 1,
        -(a + 2) * t**3 + (2 * a + 3) * t**2 - a * t,
        a * (t**2 - t**3),
    )
