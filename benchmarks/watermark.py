"""The invisible mark: how often the id is read after edits, what it costs, what unmarked ones give.

    python -m benchmarks.watermark [FOLDER]

Photographs come from FOLDER (JPEG or PNG, at most 500, by name); without one, those that
scikit-image ships. Those of half a megapixel and more are brought to one megapixel and counted as
large, the others are counted as small as they are. Edits are those of `haechi.evaluation` and the
fixed ones of the bar; edits without a bar are made of every fourth photograph. Edits are shared
among the cores, times are processor time of one thread.

The photographs of docs/watermark.md are from the public repositories
drewNoakes/metadata-extractor-images, ianare/exif-samples and facebook/ThreatExchange (their JPEG
files of at least half a megapixel, near duplicates left out), scikit-image and desktop backgrounds;
every other one by name, the rest being what the mark was made with. One in three was also brought
to 0.1 to 0.3 megapixels.
"""

# ruff: noqa: E402 - the number of threads is read when NumPy is imported
import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import functools
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

from benchmarks.rows import Row, row
from haechi.evaluation import edits
from haechi.evaluation.studio import recompressed, scaled
from haechi.labels import watermark
from haechi.labels.watermark import detecting

type Rgb = NDArray[np.uint8]

cv2.setNumThreads(1)

KEY = b"a key for measuring and nothing else"
MOST = 500
EVERY = 4
LARGE_PX = 500_000
MEGAPIXEL = 1_000_000
SHIPPED = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)


def at_most(rgb: Rgb, side: int, quality: int) -> Rgb:
    """As a messenger sends it."""
    factor = min(1.0, side / max(rgb.shape[:2]))
    return recompressed(scaled(rgb, factor) if factor < 1 else rgb, quality)


def brighter(rgb: Rgb, factor: float) -> Rgb:
    return np.clip(np.rint(rgb * factor), 0, 255).astype(np.uint8)


def middle(rgb: Rgb) -> Rgb:
    """A twentieth off each side."""
    high, wide = rgb.shape[0] // 20, rgb.shape[1] // 20
    return np.ascontiguousarray(rgb[high:-high, wide:-wide])


FIXED: dict[str, Callable[[Rgb], Rgb]] = {
    "untouched": lambda rgb: rgb,
    "jpeg_50": lambda rgb: recompressed(rgb, 50),
    "half": lambda rgb: scaled(rgb, 0.5),
    "brightness_120": lambda rgb: brighter(rgb, 1.2),
    "brightness_80": lambda rgb: brighter(rgb, 0.8),
    "messenger_1600_q60": lambda rgb: at_most(rgb, 1600, 60),
    "messenger_960_q70": lambda rgb: at_most(rgb, 960, 70),
    "messenger_twice": lambda rgb: at_most(at_most(rgb, 1280, 75), 800, 70),
    "messenger_640": lambda rgb: at_most(at_most(rgb, 1024, 70), 640, 60),
    "crop_jpeg": lambda rgb: at_most(middle(rgb), 960, 60),
    "half_jpeg_50": lambda rgb: recompressed(scaled(rgb, 0.5), 50),
    "jpeg_30": lambda rgb: recompressed(rgb, 30),
}
DRAWN = (
    "crop_10",
    "messenger",
    "photographed_screen",
    "crop_50",
    "mirror",
    "turn_5",
    "turn_15",
    "webp",
    "noise",
    "stretch",
    "perspective",
    "border",
    "chat_screenshot",
    "collage_2x2",
)
BAR = {
    **dict.fromkeys(
        (
            *("jpeg_50", "half", "brightness_120", "brightness_80", "crop_10", "messenger"),
            *("messenger_1600_q60", "messenger_960_q70", "messenger_twice", "messenger_640"),
        ),
        0.99,
    ),
    **dict.fromkeys(("jpeg_30", "photographed_screen"), 0.90),
}


def photographs(folder: Path | None) -> list[Rgb]:
    """In order of their names."""
    if folder is None:
        data = Path(skimage.__file__).parent / "data"
        files = [data / name for name in SHIPPED]
    else:
        files = sorted(path for path in folder.iterdir() if path.suffix in {".jpg", ".png"})[:MOST]
    seen = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in files]
    kept = [cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB) for bgr in seen if bgr is not None]
    return [_sized(rgb) for rgb in kept if min(rgb.shape[:2]) >= watermark.LEAST_SIDE_PX]


def _sized(rgb: Rgb) -> Rgb:
    area = rgb.shape[0] * rgb.shape[1]
    return scaled(rgb, float(np.sqrt(MEGAPIXEL / area))) if area >= LARGE_PX else rgb


def measure(folder: Path | None = None) -> list[Row]:
    """Rows for the table."""
    return list(rows_of(photographs(folder)))


def rows_of(photos: Sequence[Rgb]) -> Iterator[Row]:
    """Each as soon as it is measured: what the bar names first."""
    marked = [watermark.embed(rgb, _id(number), key=KEY) for number, rgb in enumerate(photos)]
    large = [rgb.shape[0] * rgb.shape[1] >= LARGE_PX for rgb in photos]
    yield _quality(photos, marked)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name in sorted((*FIXED, *DRAWN), key=lambda name: name not in BAR):
            chosen = range(0, len(photos), 1 if name in BAR else EVERY)
            each = [(marked[number], _others(photos, number), number) for number in chosen]
            hits = list(pool.map(functools.partial(_read, name), each, chunksize=4))
            yield from _rows(name, hits, [large[number] for number in chosen])
    yield from _unmarked(photos)
    yield from _times(photos, marked, large)


def _rows(name: str, hits: Sequence[bool], large: Sequence[bool]) -> Iterator[Row]:
    for size, wanted in (("large", True), ("small", False)):
        of = [hit for hit, is_large in zip(hits, large, strict=True) if is_large is wanted]
        if of:
            low, high = interval(sum(of), len(of))
            bar = f"bar {BAR[name]:g}" if name in BAR else "no bar"
            said = f"{bar}; {sum(of)} read; {low:.3f} to {high:.3f}"
            label = f"watermark.{size}.{name}"
            yield row(label, round(sum(of) / len(of), 3), None, f"of {len(of)}", said)


def interval(hits: int, of: int, deviations: float = 1.96) -> tuple[float, float]:
    """Wilson's interval for a share, by default of 95 %."""
    square = deviations**2 / of
    middle = hits / of + square / 2
    reach = deviations * float(np.sqrt(hits / of * (1 - hits / of) / of + square / of / 4))
    return max(0.0, (middle - reach) / (1 + square)), min(1.0, (middle + reach) / (1 + square))


def _id(number: int) -> int:
    return int(np.random.default_rng(number).integers(0, 1 << watermark.BITS))


def _others(photos: Sequence[Rgb], number: int) -> list[Rgb]:
    return [photos[(number + step) % len(photos)] for step in (1, 2, 3)]


def _read(name: str, each: tuple[Rgb, list[Rgb], int]) -> bool:
    marked, others, number = each
    copy = FIXED[name](marked) if name in FIXED else edits.make(name, marked, others, number)
    found = watermark.detect(copy, key=KEY)
    return found is not None and found.payload == _id(number)


def _quality(photos: Sequence[Rgb], marked: Sequence[Rgb]) -> Row:
    errors = [
        float(np.mean(np.square(one.astype(np.float32) - other)))
        for one, other in zip(photos, marked, strict=True)
    ]
    worst = float(10 * np.log10(255**2 / max(errors)))
    mean = float(np.mean(10 * np.log10(255**2 / np.array(errors))))
    return row("watermark.psnr_least", round(worst, 2), None, "dB", f"bar 40; mean {mean:.2f}")


def _unmarked(photos: Sequence[Rgb]) -> list[Row]:
    """Ids found where there are none, and how far pilots seem to stand out there."""
    found, pilots = [], []
    for rgb in photos:
        each = list(detecting.readings(rgb, KEY))
        found += [reading.payload is not None for reading in each]
        pilots.append(max(reading.read.pilots for reading in each))
    said = f"of {len(found)} readings of {len(photos)} pictures; each by chance 2**-32"
    high = f"deviations; median {statistics.median(pilots):.1f}"
    return [
        row("watermark.unmarked_ids", sum(found), None, "ids", said),
        row("watermark.unmarked_pilots", round(max(pilots), 1), None, "at most", high),
    ]


def _times(photos: Sequence[Rgb], marked: Sequence[Rgb], large: Sequence[bool]) -> list[Row]:
    chosen = [number for number, is_large in enumerate(large) if is_large][::8]
    acts: dict[str, Callable[[int], object]] = {
        "embed": lambda number: watermark.embed(photos[number], 7, key=KEY),
        "detect": lambda number: watermark.detect(marked[number], key=KEY),
        "detect_unmarked": lambda number: watermark.detect(photos[number], key=KEY),
    }
    rows = []
    for name, act in acts.items():
        taken = [min(_seconds(act, number) for _ in range(3)) * 1000 for number in chosen]
        if taken:
            said = f"bar 150, one megapixel, best of 3; slowest picture {max(taken):.0f}"
            typical = round(statistics.median(taken), 1)
            rows.append(row(f"watermark.{name}", typical, None, "ms", said))
    return rows


def _seconds(act: Callable[[int], object], number: int) -> float:
    begun = time.process_time()
    act(number)
    return time.process_time() - begun


if __name__ == "__main__":
    from benchmarks import table

    table.head()
    measured = []
    for each in rows_of(photographs(Path(sys.argv[1]) if len(sys.argv) > 1 else None)):
        table.show([each])
        measured.append(each)
    print(f"kept in {table.write(measured)}")
