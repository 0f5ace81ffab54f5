"""Noise and sharpness that differ between parts of the picture."""

import cv2
import numpy as np

from haechi.forensics.pixels.scan import explained, odd_part, tiles
from haechi.forensics.pixels.subject import Found, Grey, Off, Subject

_TILE = 32
_LEAST_NOISE = 0.25
_LEAST_TILES = 60
_EDGES = 6.0
_DARK, _BRIGHT = 12.0, 243.0


def noise(subject: Subject) -> Found | Off:
    """Noise beyond what brightness and texture explain. About 0.05 s a megapixel."""
    grey = subject.grey
    high = grey[: grey.shape[0] // 2 * 2, : grey.shape[1] // 2 * 2]
    fine = (high[::2, ::2] - high[1::2, ::2] - high[::2, 1::2] + high[1::2, 1::2]) / 2
    amount = _medians(np.abs(fine), _TILE // 2) / 0.6745
    light, band = _light(grey), _band(grey, 1.0, 2.5)
    rows, columns = (min(a, b) for a, b in zip(amount.shape, light.shape, strict=True))
    amount, light, band = (one[:rows, :columns] for one in (amount, light, band))
    valid = (light > _DARK) & (light < _BRIGHT)
    if valid.sum() < _LEAST_TILES:
        return Off("off.clipped")
    if float(np.median(amount[valid])) < _LEAST_NOISE:
        return Off("off.strong_jpeg")
    left = explained(np.log(amount + 0.2).astype(np.float32), valid, light, np.log(band + 0.5))
    value, part = odd_part(left, valid)
    return Found(value, left, part)


def sharpness(subject: Subject) -> Found | Off:
    """How much of the edges is fine detail, beyond what their strength explains."""
    grey = subject.grey
    fine, band = _band(grey, 0.0, 1.0), _band(grey, 1.0, 2.5)
    light = _light(grey)
    valid = (band > _EDGES) & (light > _DARK) & (light < _BRIGHT)
    if valid.sum() < _LEAST_TILES:
        return Off("off.flat")
    left = explained(np.log((fine + 0.1) / (band + 0.1)), valid, np.log(band + 0.1))
    value, part = odd_part(left, valid)
    return Found(value, left, part)


def _light(grey: Grey) -> Grey:
    return tiles(grey, _TILE)


def _band(grey: Grey, low: float, high: float) -> Grey:
    """Variance of each tile between two blurs."""
    upper = cv2.GaussianBlur(grey, (0, 0), low) if low else grey
    between = upper - cv2.GaussianBlur(grey, (0, 0), high)
    return tiles(np.asarray(between**2, np.float32), _TILE)


def _medians(values: Grey, side: int) -> Grey:
    height, width = values.shape[0] // side * side, values.shape[1] // side * side
    cut = values[:height, :width].reshape(height // side, side, width // side, side)
    return np.asarray(
        np.median(cut.transpose(0, 2, 1, 3).reshape(height // side, width // side, -1), axis=2),
        np.float32,
    )
