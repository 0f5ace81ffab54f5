"""Regular steps in the fine structure, as enlarging leaves them: peaks of the residual's spectrum."""

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.forensics.pixels.subject import Found, Off, Subject

_WINDOW = 256
_MOST_WINDOWS = 24
_LOW = 0.12
_JPEG_STEP = 8


def look(subject: Subject) -> Found | Off:
    """The value is how many deviations the highest peak stands above its surroundings."""
    grey = subject.grey
    if min(grey.shape) < _WINDOW:
        return Off("off.too_small")
    rest = grey - cv2.medianBlur(np.clip(np.rint(grey), 0, 255).astype(np.uint8), 3).astype(
        np.float32
    )
    rest = np.clip(rest, -12, 12)
    taper = np.outer(np.hanning(_WINDOW), np.hanning(_WINDOW)).astype(np.float32)
    spots = [
        (row, column)
        for row in range(0, grey.shape[0] - _WINDOW + 1, _WINDOW // 2)
        for column in range(0, grey.shape[1] - _WINDOW + 1, _WINDOW // 2)
    ]
    chosen = spots[:: max(1, len(spots) // _MOST_WINDOWS)]
    power = np.zeros((_WINDOW, _WINDOW))
    for row, column in chosen:
        cut = rest[row : row + _WINDOW, column : column + _WINDOW]
        seen = np.abs(np.fft.fft2((cut - cut.mean()) * taper)) ** 2
        power += seen / (seen.sum() + 1e-6)
    level = np.log(np.fft.fftshift(power / len(chosen)) + 1e-12).astype(np.float32)
    ground = cv2.medianBlur(level, 5)
    ground = cv2.blur(ground, (9, 9))
    peaks = level - ground
    high = _asked()
    spread = 1.4826 * float(np.median(np.abs(peaks[high] - np.median(peaks[high])))) + 1e-6
    value = float((peaks[high].max() - np.median(peaks[high])) / spread)
    return Found(value, np.clip(peaks, 0, None), None)


def _asked() -> NDArray[np.bool_]:
    """Frequencies that are looked at: neither low ones nor those of JPEG's own blocks."""
    at = np.fft.fftshift(np.fft.fftfreq(_WINDOW))
    down, across = np.meshgrid(at, at, indexing="ij")
    near = 1.5 / _WINDOW

    def of_blocks(values: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.abs(values * _JPEG_STEP - np.rint(values * _JPEG_STEP)) < near * _JPEG_STEP

    low = np.hypot(down, across) < _LOW
    return np.asarray(~low & ~(of_blocks(down) & of_blocks(across)), np.bool_)
