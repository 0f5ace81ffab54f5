"""An inaudible mark that carries the same trace id in sound, and is read again from copies.

    marked = embed_sound(samples, rate, trace_id, key=key)
    found = detect_sound(copy, rate, key=key)  # DetectedSound or None

`pattern` says which cells of time and pitch carry what, `embedding` how strongly; `loudness` is how both
sides look at a sound; `searching` and `detecting` are the way back. Check and error-correcting code are the
picture's (`watermark.code`). docs/watermark.md has the measurements and the limits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.errors import PayloadRefused, TooShortToMark
from haechi.labels.watermark import code
from haechi.labels.watermark.sound import detecting, loudness
from haechi.labels.watermark.sound.embedding import Embedder

LEAST_S = 6.0
LEAST_RATE = 8_000
MOST_CHANNELS = 7
"""PyAV builds no frames of more planes."""
LONGEST_S = 300.0
"""So much of a sound is searched."""
_LEAST_READ_S = 3.0

__all__ = [
    "LEAST_RATE",
    "LEAST_S",
    "LONGEST_S",
    "MOST_CHANNELS",
    "DetectedSound",
    "Embedder",
    "detect_sound",
    "embed_sound",
    "embedder",
]


@dataclass(frozen=True, slots=True)
class DetectedSound:
    """An id that was read.

    Attributes:
        false_alarm: The probability that a sound without a mark gives any id, in as many readings.
        agreement: The part of the 480 coded bits that were read as they should be; 0.5 is chance.
        speed: How much faster the copy plays than what was marked.
    """

    payload: int
    false_alarm: float
    agreement: float
    speed: float


def embed_sound(
    samples: NDArray[np.float32], rate: int, payload: int, *, key: bytes
) -> NDArray[np.float32]:
    """A copy of `samples` (n, channels), from -1 to 1, that carries `payload`.

    The same arguments give the same samples. A second mark upon a first leaves both unsure: detect
    first. Raises PayloadRefused (not in 0 .. 2**48 - 1) or TooShortToMark (shorter than LEAST_S,
    fewer than LEAST_RATE samples a second, more than MOST_CHANNELS).
    """
    marker = embedder(rate, samples.shape[1], payload, key=key)
    if len(samples) < LEAST_S * rate:
        raise TooShortToMark(len(samples) / rate, LEAST_S)
    return np.concatenate([marker.put(samples), marker.end()])


def embedder(rate: int, channels: int, payload: int, *, key: bytes) -> Embedder:
    """The same for a sound that comes in pieces; whether it is long enough, the caller sees.

    Raises PayloadRefused, and TooShortToMark for a rate or channels that cannot bear the mark.
    """
    if rate < LEAST_RATE or not 0 < channels <= MOST_CHANNELS:
        form = f"{rate} samples a second, {channels} channels"
        raise TooShortToMark(0.0, LEAST_S, form)
    if not 0 <= payload < 1 << code.BITS:
        raise PayloadRefused(payload, code.BITS)
    return Embedder(rate, channels, payload, key)


def detect_sound(samples: NDArray[np.float32], rate: int, *, key: bytes) -> DetectedSound | None:
    """What a copy of a marked sound carries, or None: no mark, another key, or too far gone.

    `samples` is (n, channels); 16,000 a second are enough. Of more than LONGEST_S the beginning is
    searched.
    """
    if len(samples) < _LEAST_READ_S * rate:
        return None
    heard = samples[: round(LONGEST_S * rate)].mean(axis=1)
    below = loudness.energies(np.asarray(heard, np.float32), rate)
    for number, found in enumerate(detecting.readings(below, key), 1):
        if found.payload is not None:
            agreement = np.mean((found.soft > 0) == (code.encode(found.payload, key) > 0))
            tried = max(number, detecting.MOST_READINGS)
            alarm = tried / 2.0**code.CHECK_BITS
            return DetectedSound(found.payload, alarm, float(agreement), found.speed)
    return None
