"""Making cells of a sound louder and quieter, as far as the sound covers it.

What is added has the shape of the sound itself in each band, 14 dB below it or less, so silence stays
silent. Where a band is a tone rather than noise, which covers little, it is less.
"""

import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark.sound import loudness
from haechi.labels.watermark.sound import pattern as patterns

type Samples = NDArray[np.float32]

MOST_DB, TONE_DB = 1.5, 0.8
"""How much louder or quieter a cell becomes that is noise, and one that is a tone."""
_LEAN, _LEAST, _MOST = 0.35, 0.5, 1.5
_HOPS_A_WINDOW = 4
_HOP_S = 0.004
_TONAL_WINDOW_S = 0.064
_NOISE_DB, _TONE_DB = -4.0, -16.0
"""Flatness of the spectrum in and beside a band."""
_LEAST_SLOTS = 40


class Embedder:
    """Marks a sound piece by piece; what it gives back is later by up to a period.

    Every piece has the shape (n, channels). All channels get the same change of loudness, so that a
    mix of them bears it too.
    """

    def __init__(self, rate: int, channels: int, payload: int, key: bytes) -> None:
        self._rate = rate
        self._pattern = patterns.of(key)
        self._signs = self._pattern.signs(payload, key)
        self._hop = max(1, round(_HOP_S * rate))
        self._length = self._hop * _HOPS_A_WINDOW
        # Before the sound, and then before what is not given back yet, lie zeros or old samples.
        self._held = np.zeros((self._length, channels), np.float32)
        self._change = np.zeros((self._length, channels), np.float32)
        self._begin = -self._length
        self._block = 0
        self._frame = -self._length
        self._given = 0

    def put(self, samples: Samples) -> Samples:
        """Take the next samples, and give back those that are done."""
        # Files of floats may hold what is no number.
        finite = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
        self._held = np.concatenate([self._held, finite])
        made = []
        while len(self._held) + self._begin >= self._ends(self._block) + self._length:
            made.append(self._done(last=False))
        return np.concatenate(made) if made else samples[:0]

    def end(self) -> Samples:
        """The rest."""
        return self._done(last=True)

    def _ends(self, block: int) -> int:
        return round((block + 1) * patterns.PERIOD_S * self._rate)

    def _done(self, *, last: bool) -> Samples:
        """The next period marked, and of it what no later frame changes."""
        start = round(self._block * patterns.PERIOD_S * self._rate)
        stop = self._begin + len(self._held)
        end = stop if last else self._ends(self._block)
        gains = self._gains(self._held[start - self._begin : end - self._begin])
        self._add(gains, start, end)
        ready = stop if last else end - self._length
        ours = slice(self._given - self._begin, ready - self._begin)
        out = self._held[ours] + self._change[ours]
        peak = max(1.0, float(np.abs(self._held[ours]).max(initial=0.0)))
        keep = ready - self._length - self._begin
        self._held, self._change = self._held[keep:], self._change[keep:]
        self._begin += keep
        self._given = ready
        self._block += 1
        return np.asarray(np.clip(out, -peak, peak), np.float32)

    def _gains(self, samples: Samples) -> NDArray[np.float32]:
        """How many dB louder each cell of this period becomes; (slots, bands)."""
        mixed = np.ascontiguousarray(samples.mean(axis=1))
        strong = _strength(mixed, self._rate)
        signs = self._signs.copy()
        levels = loudness.bands(loudness.energies(mixed, self._rate), 1.0)
        if len(levels) >= _LEAST_SLOTS * loudness.HOPS:
            seen = loudness.expectation(levels).surprise(levels)[:: loudness.HOPS]
            signs *= self._leaning(seen[: patterns.SLOTS])
        return np.asarray(signs[: len(strong)] * strong, np.float32)

    def _leaning(self, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        """More for bits of which this sound says the opposite, less for those it says by itself."""
        whole = np.zeros_like(self._signs)
        whole[: len(seen)] = seen
        there = np.zeros_like(whole)
        there[: len(seen)] = 1
        carriers, order = self._pattern.carriers, self._pattern.order
        helps = np.bincount(order, (whole * self._signs).ravel()[carriers])
        count = np.sqrt(np.bincount(order, there.ravel()[carriers]) + 1e-9)
        share = np.ones(whole.size, np.float32)
        share[carriers] = np.clip(1 - _LEAN * (helps / count), _LEAST, _MOST)[order]
        return share.reshape(whole.shape)

    def _add(self, gains: NDArray[np.float32], start: int, end: int) -> None:
        """Add to `_change` every frame whose middle lies in this block."""
        half = self._length // 2
        firsts = np.arange(self._frame, end - half, self._hop)
        if not len(firsts):
            return
        self._frame = int(firsts[-1]) + self._hop
        slots = np.clip((firsts + half - start) / self._rate / patterns.SLOT_S, 0, len(gains) - 1)
        factors = 10 ** (gains[slots.astype(np.int64)] / 20) - 1
        bins = np.fft.rfftfreq(self._length, 1 / self._rate)
        band = np.floor((bins - patterns.LOWEST_HZ) / patterns.BAND_HZ).astype(np.int64)
        inside = (band >= 0) & (band < patterns.BANDS)
        # Frames at the end of the sound reach beyond it.
        beyond = int(firsts[-1]) + self._length - self._begin - len(self._held)
        held = np.pad(self._held, ((0, max(0, beyond)), (0, 0)))
        change = np.zeros_like(held)
        change[: len(self._change)] = self._change
        window = np.sqrt(np.hanning(self._length + 1)[:-1]).astype(np.float32)
        for channel in range(held.shape[1]):
            pieces = np.lib.stride_tricks.sliding_window_view(held[:, channel], self._length)
            spectra = np.fft.rfft(pieces[firsts - self._begin] * window)
            spectra[:, ~inside] = 0
            spectra[:, inside] *= factors[:, band[inside]]
            waves = np.fft.irfft(spectra, self._length) * (window / (_HOPS_A_WINDOW / 2))
            _overlap(change[:, channel], waves, int(firsts[0]) - self._begin, self._hop)
        self._change = change[: len(self._held)]


def _overlap(into: NDArray[np.float32], waves: NDArray[np.floating], at: int, hop: int) -> None:
    """Add frames that begin `hop` apart, the first at `at`."""
    count = len(waves)
    parts = waves.reshape(count, _HOPS_A_WINDOW, hop)
    for step in range(_HOPS_A_WINDOW):
        begin = at + step * hop
        into[begin : begin + count * hop] += parts[:, step].ravel()


def _strength(mixed: Samples, rate: int) -> NDArray[np.float32]:
    """DB for each cell: less where the power in and around the band stands in few narrow peaks."""
    length = round(_TONAL_WINDOW_S * rate)
    slots = min(patterns.SLOTS, max(1, int(np.ceil(len(mixed) / rate / patterns.SLOT_S))))
    middles = np.rint((np.arange(slots) + 0.5) * patterns.SLOT_S * rate).astype(np.int64)
    pieces = np.lib.stride_tricks.sliding_window_view(np.pad(mixed, (length // 2, length)), length)
    window = np.hanning(length + 2)[1:-1].astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(pieces[middles] * window))) + 1e-12
    hertz = np.fft.rfftfreq(length, 1 / rate)
    last = power.shape[1]
    # The band and one at either side; bands above what the sound holds get anything.
    low = np.searchsorted(hertz, patterns.EDGES_HZ[:-1] - patterns.BAND_HZ).clip(0, last - 1)
    high = np.searchsorted(hertz, patterns.EDGES_HZ[1:] + patterns.BAND_HZ).clip(low + 1, last)
    logs = _mean(np.log(power), low, high)
    flat_db = 10 / np.log(10) * (logs - np.log(_mean(power, low, high) + 1e-12))
    tonal = np.clip((_NOISE_DB - flat_db) / (_NOISE_DB - _TONE_DB), 0, 1)
    return np.asarray(MOST_DB + (TONE_DB - MOST_DB) * tonal, np.float32)


def _mean(
    values: NDArray[np.floating], low: NDArray[np.int64], high: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The mean of each row from `low` up to before `high`."""
    sums = np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    return (sums[:, high] - sums[:, low]) / (high - low)
