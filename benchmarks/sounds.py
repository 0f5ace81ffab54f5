"""Sounds to measure with, and what becomes of them on their way: codecs, speeds, rooms."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

type Samples = NDArray[np.float32]
"""(n, channels), from -1 to 1."""

RATE = 48_000
LONGEST_S = 20.0
_MUXERS = {
    "libmp3lame": "mp3",
    "aac": "ipod",
    "libopus": "ogg",
    "pcm_mulaw": "wav",
    "pcm_u8": "wav",
}


def of(folder: Path | None) -> dict[str, Samples]:
    """The sounds of a folder, at 48 kHz and at most 20 s of each; without one, those made here."""
    if folder is None:
        return made()
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    return {path.stem: decoded(path.read_bytes(), RATE, RATE * LONGEST_S) for path in paths}


def made() -> dict[str, Samples]:
    """What needs no file: spoken labels one after the other, chords, and noise that swells."""
    random = np.random.default_rng(7)
    spoken = sorted((files("haechi.labels.writing") / "spoken").iterdir(), key=lambda one: one.name)
    said = [decoded(one.read_bytes(), RATE, RATE * LONGEST_S).mean(axis=1) for one in spoken]
    at = np.arange(round(20 * RATE)) / RATE
    swell = 0.1 * (1.1 + np.sin(2 * np.pi * 0.7 * at)) * random.standard_normal(len(at))
    sounds = {
        "spoken_labels": np.concatenate(said)[: round(LONGEST_S * RATE)],
        "chords": _chords(at, random),
        "noise": np.convolve(swell, np.exp(-np.arange(40) / 8), "same") / 4,
    }
    return {name: np.asarray(one, np.float32)[:, None] for name, one in sounds.items()}


def _chords(at: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """A plucked chord every half second, each note with six overtones that die away."""
    out = np.zeros(len(at))
    for number in range(int(at[-1] * 2)):
        since = at - number / 2
        for note in random.choice(24, 3, replace=False):
            for tone in range(1, 7):
                hertz = 130.8 * 2 ** (note / 12) * tone
                fade = np.exp(-np.maximum(since, 0) * (2 + tone)) * (since >= 0) / tone
                out += 0.06 * fade * np.sin(2 * np.pi * hertz * since)
    return out


def decoded(data: bytes, rate: int, most: float = np.inf) -> Samples:
    """A file of sound at `rate`."""
    pieces: list[Samples] = []
    with av.open(io.BytesIO(data)) as source:
        stream = source.streams.audio[0]
        fit = av.AudioResampler("fltp", stream.layout.name, rate)
        for frame in source.decode(stream):
            frame.pts = None
            pieces += [piece.to_ndarray().T for piece in fit.resample(frame)]
            if sum(map(len, pieces)) > most:
                break
        else:
            pieces += [piece.to_ndarray().T for piece in fit.resample(None)]
    return np.concatenate(pieces)[: int(min(most, 1e12))].astype(np.float32)


def recoded(
    samples: Samples, encoder: str, kbit: int = 0, *, rate: int = RATE, mono: bool = False
) -> Samples:
    """Encoded and decoded again."""
    layout = "mono" if mono or samples.shape[1] == 1 else "stereo"
    out = io.BytesIO()
    with av.open(out, "w", format=_MUXERS[encoder]) as sink:
        stream = sink.add_stream(encoder, rate=rate, layout=layout)
        if kbit:
            stream.bit_rate = kbit * 1000
        coded, done = stream.codec_context, 0
        fit = av.AudioResampler(coded.format, coded.layout, coded.rate)
        for frame in [*_framed(samples, RATE), None]:
            for piece in fit.resample(frame):
                piece.pts, piece.time_base = done, Fraction(1, coded.rate)
                done += piece.samples
                sink.mux(stream.encode(piece))
        sink.mux(stream.encode(None))
    return decoded(out.getvalue(), RATE)


def _framed(samples: Samples, rate: int) -> Iterator[av.AudioFrame]:
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    for first in range(0, len(samples), RATE):
        planes = np.ascontiguousarray(samples[first : first + RATE, :2].T)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.rate, frame.pts = rate, None
        yield frame


def resampled(samples: Samples, rate: int, told: int = RATE) -> Samples:
    """At another rate; `told` is the rate it is said to have."""
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    fit = av.AudioResampler("fltp", layout, rate)
    pieces = [
        piece.to_ndarray().T
        for frame in [*_framed(samples, told), None]
        for piece in fit.resample(frame)
    ]
    return np.concatenate(pieces).astype(np.float32)


def faster(samples: Samples, factor: float) -> Samples:
    """As a tape that runs faster: higher too."""
    return resampled(samples, round(RATE / factor))


def in_time(samples: Samples, factor: float) -> Samples:
    """Faster without becoming higher (FFmpeg's atempo)."""
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    graph = av.filter.Graph()
    begin = graph.add_abuffer(
        format="fltp", sample_rate=RATE, layout=layout, time_base=Fraction(1, RATE)
    )
    change, end = graph.add("atempo", str(factor)), graph.add("abuffersink")
    begin.link_to(change)
    change.link_to(end)
    graph.configure()
    pieces, done = [], 0
    for frame in [*_framed(samples, RATE), None]:
        if frame is not None:
            frame.pts, frame.time_base = done, Fraction(1, RATE)
            done += frame.samples
        begin.push(frame)
        while True:
            try:
                pieces.append(end.pull().to_ndarray().T)
            except (av.BlockingIOError, av.EOFError):
                break
    return np.concatenate(pieces).astype(np.float32)


def noisy(samples: Samples, ratio_db: float, seed: int = 1) -> Samples:
    """With white noise, so far below the sound as a whole."""
    random = np.random.default_rng(seed)
    power = float(np.mean(np.square(samples)))
    noise = random.standard_normal(samples.shape) * np.sqrt(power * 10 ** (-ratio_db / 10))
    return np.asarray(samples + noise, np.float32)


def in_a_room(samples: Samples, seed: int = 1) -> Samples:
    """Played by a small loudspeaker and recorded in a room, as far as that is simulated here.

    300 ms of reverberation as loud as the direct sound, 250 Hz to 7 kHz, noise at 25 dB, and a clock
    0.02 % off.
    """
    random = np.random.default_rng(seed)
    at = np.arange(round(0.4 * RATE)) / RATE
    echo = random.standard_normal(len(at)) * 10 ** (-3 * at / 0.3) * (at > 0.003)
    echo /= np.sqrt(np.sum(np.square(echo)))
    echo[0] += 1
    mixed = samples.mean(axis=1)
    size = len(mixed) + len(echo)
    waves = np.fft.rfft(mixed, size) * np.fft.rfft(echo, size)
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    waves *= 1 / (1 + (250 / np.maximum(hertz, 1)) ** 4) / (1 + (hertz / 7000) ** 8)
    heard = np.fft.irfft(waves, size)[:, None].astype(np.float32)
    return faster(noisy(heard / max(1.0, float(np.abs(heard).max())), 25.0), 1.0002)


def middle(samples: Samples, seconds: float) -> Samples:
    """A part of this length from somewhere in the middle; all, where it is no longer."""
    length = round(seconds * RATE)
    begin = max(0, round((len(samples) - length) * 0.43))
    return samples[begin : begin + length]


def messenger(samples: Samples) -> Samples:
    """Sent on three times: voice message, film, voice message."""
    once = recoded(samples, "libopus", 32, mono=True)
    return recoded(recoded(once, "aac", 64), "libopus", 24, mono=True)


def without_middle(samples: Samples) -> Samples:
    """Two seconds and a bit are cut out."""
    begin = len(samples) // 2
    return np.concatenate([samples[:begin], samples[begin + round(2.137 * RATE) :]])


def edits(others: Sequence[Samples]) -> Mapping[str, Callable[[Samples], Samples]]:
    """By name; `others` are sounds without a mark that are put before and after."""
    around = [other.mean(axis=1, keepdims=True)[: 5 * RATE] for other in others]

    def joined(one: Samples) -> Samples:
        return np.concatenate([around[0], one.mean(axis=1, keepdims=True), around[-1]])

    return {
        "untouched": lambda one: one,
        "mp3_64": lambda one: recoded(one, "libmp3lame", 64, rate=44_100),
        "aac_64": lambda one: recoded(one, "aac", 64, rate=44_100),
        "opus_32": lambda one: recoded(one, "libopus", 32, mono=True),
        "opus_24": lambda one: recoded(one, "libopus", 24, mono=True),
        "rate_16k": lambda one: resampled(resampled(one, 16_000), RATE, told=16_000),
        "mono_8_bit": lambda one: recoded(one, "pcm_u8", rate=22_050, mono=True),
        "volume_quarter": lambda one: one / 4,
        "volume_clipped": lambda one: np.clip(one * (1.5 / np.abs(one).max()), -1, 1),
        "messenger_thrice": messenger,
        "speed_102": lambda one: faster(one, 1.02),
        "speed_098": lambda one: faster(one, 0.98),
        "speed_1003": lambda one: faster(one, 1.003),
        "noise_30_db": lambda one: noisy(one, 30),
        "cut_15_s": lambda one: middle(one, 15),
        "cut_10_s": lambda one: middle(one, 10),
        "cut_10_s_opus_24": lambda one: recoded(middle(one, 10), "libopus", 24, mono=True),
        "cut_7_s": lambda one: middle(one, 7),
        "middle_cut_out": without_middle,
        "joined": joined,
        "noise_20_db": lambda one: noisy(one, 20),
        "opus_16": lambda one: recoded(one, "libopus", 16, mono=True),
        "telephone": lambda one: recoded(one, "pcm_mulaw", rate=8_000, mono=True),
        "speed_102_opus_24": lambda one: recoded(faster(one, 1.02), "libopus", 24, mono=True),
        "room_simulated": in_a_room,
        "tempo_102": lambda one: in_time(one, 1.02),
        "pitch_102": lambda one: in_time(faster(one, 1.02), 1 / 1.02),
        "speed_105": lambda one: faster(one, 1.05),
    }
