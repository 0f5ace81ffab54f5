"""Videos: how fast they are fingerprinted, beside decoding every frame and pdqhash on full pixels.

    python -m benchmarks.video

The film is made here: six seconds of 720p at 30 frames a second, H.264 as telephones and messengers
write it (B-frames, a key frame every eight seconds), a camera moving over a photograph with noise.
Both sides run on one thread in this process, turn by turn, and hash the same number of frames.
"""

# ruff: noqa: E402 - the number of threads is read when NumPy is imported
import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import io
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial

import av
import cv2
import numpy as np
from skimage import data as shipped

from haechi.fingerprint import video

SECONDS, RATE, WIDTH, HEIGHT = 6, 30, 1280, 720
ROUNDS = 3
TWO_A_SECOND = 0.5


def film() -> bytes:
    """The sample, the same in every run."""
    chance = np.random.default_rng(7)
    photo = cv2.resize(shipped.astronaut(), (2200, 2200), interpolation=cv2.INTER_CUBIC)
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23", "bf": "3", "threads": "2"}
        for number in range(SECONDS * RATE):
            left, top = (
                round(450 + 400 * np.sin(number / 50)),
                round(700 + 500 * np.cos(number / 70)),
            )
            noise = chance.integers(0, 12, (HEIGHT, WIDTH, 1), dtype=np.uint8)
            picture = cv2.add(
                photo[top : top + HEIGHT, left : left + WIDTH], np.repeat(noise, 3, 2)
            )
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


def naive(data: bytes, step_s: float = TWO_A_SECOND) -> int:
    """What is written first: decode all, convert those that are due, hash them at full size."""
    import pdqhash

    count, due = 0, 0.0
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            if frame.time + 1e-3 >= due:
                due = frame.time + step_s
                pdqhash.compute(frame.to_ndarray(format="rgb24"))
                count += 1
    return count


def bare(data: bytes) -> int:
    """Decoding every frame and nothing else."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return sum(1 for _ in container.decode(stream))


def measure() -> list[dict[str, object]]:
    """Rows for the table: name, ours, peer, unit, ratio (above 1: ours is better), bound."""
    data = film()
    hashes = replace(video.ASKED, stills=0)
    ours, known, every = _times(
        [
            partial(video.watch, data, hashes),
            partial(video.watch, data, replace(video.KNOWN, stills=0)),
            partial(bare, data),
        ]
    )
    try:
        (peer,) = _times([partial(naive, data)])
    except ImportError:
        peer = None
    thrift = "decoding: libavcodec's time on the frames that others refer to"
    full = "decoding: every frame is decoded and hashed"
    row: dict[str, object] = {"unit": "x real time", "peer": None, "ratio": None}
    return [
        row | _beside("video.fingerprint_720p", SECONDS / ours, _rate(peer), thrift),
        row | _beside("video.member_720p", SECONDS / known, SECONDS / every, full),
        row
        | {
            "name": "video.naive_ratio",
            "ours": round(ours, 3),
            "peer": None if peer is None else round(peer, 3),
            "unit": f"s for {SECONDS} s of 720p",
            "ratio": None if peer is None else round(peer / ours, 2),
            "bound": thrift,
        },
    ]


def _rate(seconds: float | None) -> float | None:
    return None if seconds is None else SECONDS / seconds


def _beside(name: str, ours: float, peer: float | None, bound: str) -> dict[str, object]:
    return {
        "name": name,
        "ours": round(ours, 1),
        "peer": None if peer is None else round(peer, 1),
        "ratio": None if peer is None else round(ours / peer, 2),
        "bound": bound,
    }


def _times(acts: list[Callable[[], object]]) -> list[float]:
    """Median process time of each, in seconds, taken turn by turn."""
    taken: list[list[float]] = [[] for _ in acts]
    for _ in range(ROUNDS):
        for act, times in zip(acts, taken, strict=True):
            begun = time.process_time()
            act()
            times.append(time.process_time() - begun)
    return [statistics.median(times) for times in taken]


if __name__ == "__main__":
    from benchmarks.table import show

    show(measure())
