"""How well haechi.forensics.seam tells a picture that was blended with itself from the same one untouched.

    python -m benchmarks.seams FOLDER

Of each photograph of the calibration set (benchmarks.forensics), as it lies on a page: a place of the size of
a face, where the same picture, moved, turned and scaled by a few parts in a hundred, sometimes drawn from
fewer pixels, is blended in softly. Nobody's face is put anywhere. Measured in PNG, in JPEG and through a messenger.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.alterations import published
from benchmarks.forensics import LARGE_PX, saved, sources, still
from haechi.evaluation.edits import make
from haechi.evaluation.studio import Rgb, Studio, resized, within
from haechi.forensics import seam
from haechi.forensics.report import Region

WAYS = ("png", "jpeg", "messenger")


def blended(base: Rgb, studio: Studio, place: Region) -> Rgb:
    """`base` with itself, slightly moved, in the ellipse of `place`."""
    height, width = base.shape[:2]
    wide, high = place.width * width, place.height * height
    middle = (place.x + place.width / 2) * width, (place.y + place.height / 2) * height
    turn = cv2.getRotationMatrix2D(middle, studio.between(-3, 3), studio.between(0.96, 1.04))
    turn[:, 2] += [studio.between(-0.03, 0.03) * wide, studio.between(-0.03, 0.03) * high]
    moved = cv2.warpAffine(base, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    if studio.chance():
        few = studio.between(0.4, 0.8)
        small = resized(np.asarray(moved, np.uint8), round(width * few), round(height * few))
        moved = resized(small, width, height)
    changed = moved.astype(np.float32) * studio.between(0.92, 1.08)
    mask = np.zeros((height, width), np.float32)
    axes = [round(side / 2 * studio.between(0.85, 1.05)) for side in (wide, high)]
    cv2.ellipse(mask, [round(at) for at in middle], axes, 0, 0, 360, (1.0,), -1)
    soft = cv2.GaussianBlur(mask, (0, 0), wide * studio.between(0.02, 0.06))[..., None]
    return within(base * (1 - soft) + changed * soft)


def _place(base: Rgb, studio: Studio) -> Region:
    height, width = base.shape[:2]
    wide = round(min(height, width) * studio.between(0.2, 0.42))
    high = min(round(1.3 * wide), round(0.6 * height))
    top = studio.between(0.25 * high, max(0.25 * high, height - 1.25 * high))
    left = studio.between(0.25 * wide, max(0.25 * wide, width - 1.25 * wide))
    return Region(left / width, top / height, wide / width, high / height)


def _copies(rgb: Rgb, quality: int) -> dict[str, Rgb]:
    files = {"jpeg": saved(rgb, quality), "messenger": saved(make("messenger", rgb, (), 5), 85)}
    return {"png": rgb, **{name: still(file) for name, file in files.items()}}


def main(words: Sequence[str]) -> int:
    """Print the figures of docs/forensics.md."""
    cv2.setNumThreads(1)
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for digest, data in sources(Path(words[0])):
        rgb = still(data, LARGE_PX)
        studio = Studio(np.random.default_rng(int(digest, 16) % (1 << 31)), [rgb])
        base = published(rgb, studio)
        place, quality = _place(base, studio), studio.whole(75, 95)
        for kind, made in (("untouched", base), ("blended", blended(base, studio, place))):
            for way, copy in _copies(made, quality).items():
                depth = seam.depth(copy, place)
                if depth is not None:
                    values[kind, way].append(depth)
    for way in WAYS:
        plain, mixed = (np.array(values[kind, way]) for kind in ("untouched", "blended"))
        auc = float((mixed[:, None] > plain).mean())
        marks = ", ".join(f"{mark:.3f}" for mark in np.quantile(plain, (0.5, 0.9, 0.99)))
        told = float((mixed > np.quantile(plain, 0.99)).mean())
        print(
            f"{way:10} {len(plain)} and {len(mixed)} files, AUC {auc:.2f}; untouched {marks}; ",
            end="",
        )
        print(f"blended over the last of these: {told:.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
