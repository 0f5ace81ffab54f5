"""How far an added sound lies below what the first one covers: two objective figures, no listening test.

The threshold is that of J. D. Johnston, "Transform coding of audio signals using perceptual noise
criteria", IEEE JSAC 6 (1988): energy in Bark bands, spread to their neighbours, less an offset between
5.5 dB (noise) and 14.5 dB plus the number of the band (tones), the two told apart by flatness.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FRAME_S = 0.032
_SEGMENT_S = 0.03
_QUIET_DB = 60.0
_BARKS = 25
_TONE_FLAT_DB = -60.0


@dataclass(frozen=True, slots=True)
class Covered:
    """What was added to one sound.

    segment_snr_db  mean over segments, each held to -10 .. 35 dB
    below_mask_db   how far the noise lies under the threshold on average over frames and bands
    above           the part of frames and bands in which it lies over it
    """

    segment_snr_db: float
    below_mask_db: float
    above: float


def covered(before: NDArray[np.float32], after: NDArray[np.float32], rate: int) -> Covered:
    """Both (n, channels); what is measured is their mix."""
    plain = before.mean(axis=1).astype(np.float64)
    added = after.mean(axis=1).astype(np.float64) - plain
    margins = _margins(plain, added, rate)
    return Covered(
        _segment_snr_db(plain, added, rate), float(np.mean(margins)), float(np.mean(margins < 0))
    )


def _segment_snr_db(plain: NDArray[np.float64], added: NDArray[np.float64], rate: int) -> float:
    length = round(_SEGMENT_S * rate)
    count = len(plain) // length
    power = [
        np.square(one[: count * length]).reshape(count, length).sum(axis=1)
        for one in (plain, added)
    ]
    heard = power[0] > power[0].max() * 10 ** (-_QUIET_DB / 10)
    ratio = 10 * np.log10(power[0][heard] / (power[1][heard] + 1e-20))
    return float(np.mean(np.clip(ratio, -10, 35)))


def _margins(
    plain: NDArray[np.float64], added: NDArray[np.float64], rate: int
) -> NDArray[np.float64]:
    """DB from noise up to threshold, in each frame and band in which there is anything to hear."""
    length = round(_FRAME_S * rate)
    spectra = [_power(one, length) for one in (plain, added)]
    hertz = np.fft.rfftfreq(length, 1 / rate)
    bark = 13 * np.arctan(0.00076 * hertz) + 3.5 * np.arctan(np.square(hertz / 7500))
    member = np.floor(bark).astype(int)[None] == np.arange(_BARKS)[:, None]
    member = member[member.any(axis=1)].astype(float)
    energy, noise = (one @ member.T for one in spectra)
    flat_db = 10 * np.log10(np.e) * np.log(spectra[0] + 1e-15).mean(axis=1) - 10 * np.log10(
        (spectra[0] + 1e-15).mean(axis=1)
    )
    tonal = np.clip(flat_db / _TONE_FLAT_DB, 0, 1)[:, None]
    number = np.arange(len(member))
    offset_db = tonal * (14.5 + number) + (1 - tonal) * 5.5
    apart = number[None, :] - number[:, None] + 0.474
    spread_db = 15.81 + 7.5 * apart - 17.5 * np.sqrt(1 + np.square(apart))
    spread = 10 ** (spread_db / 10)
    reached = energy @ spread / spread.sum(axis=0)
    margin = 10 * np.log10(reached + 1e-20) - offset_db - 10 * np.log10(noise + 1e-20)
    loud = reached > energy.sum(axis=1).max() * 10 ** (-_QUIET_DB / 10)
    return np.clip(margin[loud & (noise > 0)], -40, 40)


def _power(samples: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    pieces = np.lib.stride_tricks.sliding_window_view(samples, length)[:: length // 2]
    return np.square(np.abs(np.fft.rfft(pieces * np.hanning(length))))
