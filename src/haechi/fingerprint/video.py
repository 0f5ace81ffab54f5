"""Hashes of a video: which frames are hashed, and how.

A moving picture changes its PDQ from frame to frame: in the sample videos (hand-held, as telephones
film) four frames in five are more than 31 bits away 0.125 s later. One frame a second on both sides
therefore finds a copy only if it was cut at the same fraction of a second; with a cut at 5.27 s
1 frame in 10 found its neighbour. So the sides differ. Of a video that is looked up two frames a
second are hashed, and the first of each scene; of a known video every frame is, up to 30 a
second, and kept if it differs from the last one kept. Then all found theirs (with 15 a second, 7 in 12).

PDQ is taken from the decoder's planes: no frame is converted to RGB for it (see `samples`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import pdq
from haechi.fingerprint.frames import Frame
from haechi.fingerprint.pdq import Pdq
from haechi.media import DEFAULT, Kind, Limits, sniff
from haechi.media.shown import Shown
from haechi.media.video import frames as decoded

STILL_PX = 576
"""Longest side of a still that is embedded: the model looks at 288 x 288."""

APART_BITS = 60
"""Stills closer than this to one that was taken say little new."""

_CUT_SHARE = 0.25
_CUT_LEVELS = 18.0
_CUT_GAP_S = 0.1
_SLACK_S = 1e-3


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames are hashed.

    Attributes:
        step_s: Time between two of them. Doubled whenever there are more than `most`.
        most: Frames kept.
        same_bits: A frame this close to the last kept is kept only if a second has passed;
            -1 keeps all.
        stills: Pictures taken for embedding.
        thrifty: As in media.video.frames.
    """

    step_s: float
    most: int
    same_bits: int
    stills: int
    thrifty: bool


ASKED = Sampling(step_s=0.5, most=1_200, same_bits=-1, stills=3, thrifty=True)
"""Of a video that is looked up: ten minutes at full density; each frame costs eight searches."""

KNOWN = Sampling(step_s=1 / 30, most=8_000, same_bits=8, stills=8, thrifty=False)
"""Of a video whose clips are to be found: four minutes of constant motion, an hour of people who
talk. 300 kB at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """What was seen of a video.

    Attributes:
        kind: What the file was.
        width: Pixels, as shown.
        height: Pixels, as shown.
        seconds: Playing time.
        frames: Those hashed and kept, by time.
        key: The first frame of quality >= pdq.MIN_QUALITY, else the one of the best quality.
        turns: 32 bytes each, of `key`, in the order of pdq.TURNS.
        stills: uint8 (h, w, 3), that of `key` first; they differ from each other.
    """

    kind: Kind
    width: int
    height: int
    seconds: float
    frames: tuple[Frame, ...]
    key: Frame
    turns: tuple[bytes, ...]
    stills: tuple[NDArray[np.uint8], ...]


def watch(data: bytes, sampling: Sampling = ASKED, limits: Limits = DEFAULT) -> Film:
    """Decode and hash the video in `data`, in this process. Raises MediaError."""
    kind = sniff(data)
    kept, stills, key = (
        _Kept(sampling),
        _Stills(sampling.stills),
        _Key(pictured=sampling.stills > 0),
    )
    seconds, size, previous = 0.0, (0, 0), 0.0
    for shown in _sampled(decoded(data, limits, thrifty=sampling.thrifty), kept):
        if shown.hashed is not None:
            frame, coefficients = shown.hashed
            key.offer(frame, coefficients, shown.frame)
            stills.offer(frame, shown.frame)
            kept.put(frame)
        size = size if any(size) else (shown.frame.width, shown.frame.height)
        previous, seconds = seconds, shown.frame.seconds
    first = key.picture if stills.empty else None
    return Film(
        kind=kind,
        width=size[0],
        height=size[1],
        seconds=round(seconds + max(0.0, min(seconds - previous, 1.0)), 3),
        frames=tuple(kept.frames),
        key=key.frame,
        turns=tuple(pdq.bits_of(pdq.turned(key.coefficients))),
        stills=(first,) if first is not None else stills.pictures(),
    )


def samples(shown: Shown) -> NDArray[np.float32]:
    """The 64 x 64 samples PDQ starts from, up to a constant, from the planes as they are decoded.

    The hash is that of `pdq.compute(shown.rgb())` but for what conversion to RGB rounds and clips:
    0 bits in the median and 4 at most on the sample videos.
    """
    total = np.zeros((pdq.SIDE, pdq.SIDE), dtype=np.float32)
    for plane, weight in shown.luma_planes():
        total += np.float32(weight) * pdq.downsample_plane(plane)
    return total


@dataclass(frozen=True, slots=True)
class _Seen:
    frame: Shown
    hashed: tuple[Frame, NDArray[np.float32]] | None


def _sampled(frames: Iterator[Shown], kept: "_Kept") -> Iterator[_Seen]:
    """All frames; those that are due, and the first of each scene, with their hash."""
    last_s, before = -1e9, None
    for shown in frames:
        glance = shown.glance()
        cut = before is not None and _is_cut(before, glance)
        before = glance
        waited = shown.seconds - last_s + _SLACK_S
        if waited < kept.step_s and not (cut and waited >= _CUT_GAP_S):
            yield _Seen(shown, None)
            continue
        last_s = shown.seconds
        yield _Seen(shown, _hashed(shown))


def _hashed(shown: Shown) -> tuple[Frame, NDArray[np.float32]]:
    if min(shown.width, shown.height) < pdq.MIN_SIDE_PX:
        return Frame(shown.seconds, Pdq(bytes(pdq.BITS // 8), 0)), np.zeros((16, 16), np.float32)
    taken = samples(shown)
    coefficients = pdq.dct(taken)
    found = Pdq(pdq.bits_of(coefficients[None])[0], pdq.quality_of(taken))
    return Frame(shown.seconds, found), coefficients


def _is_cut(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """True if a new scene begins: other greys, in other places. Motion keeps the greys."""
    moved = np.abs(after.astype(np.int16) - before.astype(np.int16)).mean()
    if moved < _CUT_LEVELS:
        return False
    counts = [np.bincount(seen.ravel() >> 4, minlength=16) for seen in (before, after)]
    return bool(np.abs(counts[0] - counts[1]).sum() / 2 > _CUT_SHARE * after.size)


@dataclass(slots=True)
class _Kept:
    """The frames of the result; thinned out to every second one when there are too many."""

    sampling: Sampling
    frames: list[Frame] = field(default_factory=list)
    step_s: float = 0.0

    def __post_init__(self) -> None:
        self.step_s = self.sampling.step_s

    def put(self, frame: Frame) -> None:
        last = self.frames[-1] if self.frames else None
        soon = last is not None and frame.seconds - last.seconds < 1.0 - _SLACK_S
        if soon and last is not None and _apart(frame, last) <= self.sampling.same_bits:
            return
        self.frames.append(frame)
        if len(self.frames) > self.sampling.most:
            self.frames = self.frames[::2]
            self.step_s *= 2


@dataclass(slots=True)
class _Stills:
    """Pictures that differ, spread over the whole video, however long it turns out to be."""

    wanted: int
    taken: list[tuple[Frame, NDArray[np.uint8]]] = field(default_factory=list)
    spacing_s: float = 0.0

    @property
    def empty(self) -> bool:
        return not self.taken

    def offer(self, frame: Frame, shown: Shown) -> None:
        if not self.wanted or frame.pdq.quality < pdq.MIN_QUALITY:
            return
        if self.taken and frame.seconds - self.taken[-1][0].seconds < self.spacing_s:
            return
        if any(_apart(frame, other) < APART_BITS for other, _ in self.taken):
            return
        self.taken.append((frame, shown.rgb(STILL_PX)))
        if len(self.taken) > 2 * self.wanted:
            self.taken = self.taken[::2]
            self.spacing_s = max(1.0, 2 * self.spacing_s)

    def pictures(self) -> tuple[NDArray[np.uint8], ...]:
        count = min(self.wanted, len(self.taken))
        numbers = [number * len(self.taken) // count for number in range(count)]
        return tuple(self.taken[number][1] for number in numbers)


@dataclass(slots=True)
class _Key:
    """The frame that stands for the video."""

    frame: Frame = field(default_factory=lambda: Frame(0.0, Pdq(bytes(pdq.BITS // 8), -1)))
    coefficients: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((16, 16), np.float32)
    )
    pictured: bool = True
    picture: NDArray[np.uint8] | None = None

    def offer(self, frame: Frame, coefficients: NDArray[np.float32], shown: Shown) -> None:
        best = self.frame.pdq.quality
        if best < pdq.MIN_QUALITY and frame.pdq.quality > best:
            self.frame, self.coefficients = frame, coefficients
            plain = frame.pdq.quality < pdq.MIN_QUALITY  # the others are among the stills
            self.picture = shown.rgb(STILL_PX) if plain and self.pictured else None


def _apart(left: Frame, right: Frame) -> int:
    return (int.from_bytes(left.pdq.bits) ^ int.from_bytes(right.pdq.bits)).bit_count()
