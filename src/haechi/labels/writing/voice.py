"""What is heard before a sound: a spoken label, the rhythm of GB 45438, or what the operator recorded.

The spoken labels in `spoken/` were made with espeak-ng, once; docs/labelling.md has the commands. Nothing
speaks at run time, and nothing has to be installed.
"""

import io
from collections.abc import Iterator
from importlib.resources import files

import av
import numpy as np
from numpy.typing import NDArray

from haechi.errors import LabelRefused
from haechi.labels.aigc import Level
from haechi.labels.writing import words
from haechi.labels.writing.wanted import Wanted

RATE = 48_000
LONGEST_S = 15.0
"""Of an operator's recording."""
_PAUSE_S = 0.4
_TONE_HZ, _DOT_S, _LOUD = 800.0, 0.12, 0.35
_RHYTHM = (1, 3, 1, 1)
"""Short, long, short, short (GB 45438, 5.3): A and I in Morse code, a dash being three dots long."""

type Samples = NDArray[np.float32]


def before(wanted: Wanted) -> tuple[Samples, str]:
    """float32 mono at RATE, with a pause after it; and in words what is heard.

    Raises LabelRefused for a recording that cannot be read, or is empty or longer than LONGEST_S.
    """
    if wanted.recording is not None:
        heard, text = _decoded(wanted.recording), "recording"
    elif wanted.rhythm:
        heard, text = rhythm(), "short-long-short-short"
    else:
        heard, text = _spoken(wanted), words.spoken(wanted)
    return np.concatenate([heard, np.zeros(round(_PAUSE_S * RATE), np.float32)]), text


def rhythm() -> Samples:
    """The four tones, with a dot's length between them and no click at their edges."""
    parts = []
    for dots in _RHYTHM:
        at = np.arange(round(dots * _DOT_S * RATE)) / RATE
        edge = np.clip(np.minimum(at, at[::-1]) / 0.005, 0, 1)
        tone = _LOUD * edge * np.sin(2 * np.pi * _TONE_HZ * at)
        parts += [tone, np.zeros(round(_DOT_S * RATE))]
    return np.concatenate(parts[:-1]).astype(np.float32)


def _spoken(wanted: Wanted) -> Samples:
    altered = "-altered" if wanted.altered and wanted.level is Level.IS else ""
    name = f"{wanted.language}-{int(wanted.level)}{altered}.opus"
    return _decoded((files("haechi.labels.writing") / "spoken" / name).read_bytes())


def _decoded(data: bytes) -> Samples:
    try:
        heard = np.concatenate(list(_frames(data)))
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise LabelRefused("the recording cannot be read as sound") from error
    if not 0 < len(heard) <= LONGEST_S * RATE or not heard.any():
        raise LabelRefused(f"a recording is heard, and lasts {LONGEST_S:g} seconds at most")
    loudest = max(1.0, float(np.abs(heard).max()))
    return np.asarray(heard / loudest, dtype=np.float32)


def _frames(data: bytes) -> Iterator[Samples]:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    length = 0
    with av.open(io.BytesIO(data), mode="r") as container:
        for frame in container.decode(container.streams.audio[0]):
            for made in resampler.resample(frame):
                yield made.to_ndarray()[0].astype(np.float32)
                length += made.samples
            if length > LONGEST_S * RATE:
                return
    for made in resampler.resample(None):
        yield made.to_ndarray()[0].astype(np.float32)
