"""What whole reports say of pictures that nobody altered to deceive.

    python -m benchmarks.honest OUT.jsonl FOLDER [0/2]
    python -m benchmarks.honest portrait                memes of one portrait, which is the donor

FOLDER as for benchmarks.forensics; the photographs are those of its evaluation half. KINDS are what people
make of a photograph, or without one, and what the traces looked for could be mistaken about. Each file is
examined by haechi.forensics.examine, with the photograph that it was made of as donor.
"original" is the camera's own file, of those above WHOLE_PIXELS. Of every report two answers are kept: as it is,
and without what the donors say. Goes on where it was stopped.
"""

import io
import json
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from benchmarks.forensics import WORK_PX, saved, side, sources, still
from haechi.evaluation.edits import EDITS, make
from haechi.evaluation.studio import Rgb, Studio, filled, resized, within, write
from haechi.forensics import Answer, Report, Toward, examine, face, fuse
from haechi.forensics.pixels.parts import WHOLE_PIXELS
from haechi.media.faces import Face

EACH = 8
"""Files of a kind; of edits, that are of many sorts, EDITED."""

EDITED = 16
LARGE_PX = 4000
_INK = (40, 38, 36)


def original(rgb: Rgb, studio: Studio) -> Rgb:  # noqa: ARG001 - as the others
    """The pixels as they are; the file is not written anew."""
    return rgb


def edit(rgb: Rgb, studio: Studio) -> Rgb:
    """Any of the edits that recall is measured on."""
    name = sorted(EDITS)[studio.whole(0, len(EDITS) - 1)]
    return make(name, _small(rgb), studio.others, studio.whole(0, 1 << 20))


def meme(rgb: Rgb, studio: Studio) -> Rgb:
    """White words with black edges above and below."""
    canvas = Image.fromarray(_small(rgb))
    width, height = canvas.size
    size = height * studio.between(0.08, 0.13)
    for top in (0.02 * height, height - 1.3 * size):
        ImageDraw.Draw(canvas).text(
            (width / 2, top),
            studio.words(3, 5).upper(),
            (255, 255, 255),
            ImageFont.load_default(size),
            anchor="ma",
            stroke_width=round(size / 14),
            stroke_fill=(0, 0, 0),
        )
    return np.array(canvas)


def scan(rgb: Rgb, studio: Studio) -> Rgb:
    """A page of words, one in two with the photograph in print, a little aslant, from a scanner."""
    wide, high = 1000, 1400
    canvas = Image.new("RGB", (wide, high), (236, 233, 226))
    for top in range(60, high - 60, 34):
        write(canvas, (70, top), studio.words(8, 11), 24, _INK)
    page = np.array(canvas)
    if studio.chance():
        page[380:860, 180:820] = filled(_small(rgb), 640, 480, studio)
    page = np.asarray(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), np.uint8)[..., None].repeat(3, 2)
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), studio.between(-2, 2), 1.0)
    turned = cv2.warpAffine(page, turn, (wide, high), borderValue=(205, 205, 205))
    grain = studio.random.normal(0, studio.between(1, 4), (high, wide, 1))
    return within(cv2.GaussianBlur(turned, (0, 0), 0.6) + grain)


def night(rgb: Rgb, studio: Studio) -> Rgb:
    """Dark and full of noise, as at high ISO; one in two smoothed by the camera."""
    dark = (_small(rgb) / 255.0) ** studio.between(1.5, 2.2) * studio.between(90, 160)
    coarse = studio.random.normal(0, 1, dark.shape) * np.sqrt(dark + 4) * studio.between(0.5, 1.2)
    noisy = within(dark + coarse)
    return np.asarray(cv2.bilateralFilter(noisy, 7, 30, 5), np.uint8) if studio.chance() else noisy


def panorama(rgb: Rgb, studio: Studio) -> Rgb:
    """Three times as wide as high, at full size."""
    height, width = rgb.shape[:2]
    high = min(height, width // 3)
    top = studio.whole(0, height - high)
    return rgb[top : top + high]


def tones(rgb: Rgb, studio: Studio) -> Rgb:
    """Local tone mapping, as HDR looks."""
    lab = cv2.cvtColor(np.ascontiguousarray(_small(rgb)), cv2.COLOR_RGB2LAB)
    cells = studio.whole(4, 12)
    lab[..., 0] = cv2.createCLAHE(studio.between(3, 6), (cells, cells)).apply(lab[..., 0])
    bgr = cv2.cvtColor(lab, cv2.COLOR_LAB2BGR)
    strong = cv2.detailEnhance(bgr, sigma_s=studio.between(8, 30), sigma_r=studio.between(0.1, 0.3))
    return np.asarray(cv2.cvtColor(strong, cv2.COLOR_BGR2RGB), np.uint8)


def drawing(rgb: Rgb, studio: Studio) -> Rgb:
    """Painted after the photograph, one in two; else plain shapes with outlines and words."""
    if studio.chance():
        bgr = cv2.cvtColor(np.ascontiguousarray(_small(rgb)), cv2.COLOR_RGB2BGR)
        painted = cv2.stylization(bgr, sigma_s=60, sigma_r=studio.between(0.3, 0.6))
        return np.asarray(cv2.cvtColor(painted, cv2.COLOR_BGR2RGB), np.uint8)
    canvas = Image.new("RGB", (900, 700), studio.colour())
    pen = ImageDraw.Draw(canvas)
    for _ in range(studio.whole(8, 20)):
        x, y, radius = studio.whole(0, 900), studio.whole(0, 700), studio.whole(20, 160)
        sort = (pen.ellipse, pen.rectangle)[studio.whole(0, 1)]
        sort((x, y, x + radius, y + radius), fill=studio.colour(), outline=(0, 0, 0), width=4)
    write(canvas, (60, 600), studio.words(3, 6), 44, (0, 0, 0))
    return np.array(canvas)


def depth(rgb: Rgb, studio: Studio) -> Rgb:
    """The background blurred, as the portrait mode of a telephone does."""
    base = _small(rgb)
    height, width = base.shape[:2]
    mask = np.zeros((height, width), np.float32)
    middle = round(width * studio.between(0.35, 0.65)), round(height * 0.6)
    cv2.ellipse(mask, middle, (width // 5, height // 2), 0, 0, 360, (1.0,), -1)
    soft = cv2.GaussianBlur(mask, (0, 0), 6)[..., None]
    return within(base * soft + cv2.GaussianBlur(base, (0, 0), studio.between(3, 9)) * (1 - soft))


def smooth(rgb: Rgb, studio: Studio) -> Rgb:
    """Smoothed all over, as filters for beauty do."""
    flat = cv2.bilateralFilter(np.ascontiguousarray(_small(rgb)), 9, studio.between(20, 70), 7)
    return np.asarray(flat, np.uint8)


KINDS: dict[str, Callable[[Rgb, Studio], Rgb]] = {
    "original": original,
    "edit": edit,
    "meme": meme,
    "scan": scan,
    "night": night,
    "panorama": panorama,
    "tones": tones,
    "drawing": drawing,
    "depth": depth,
    "smooth": smooth,
}


def _small(rgb: Rgb) -> Rgb:
    factor = min(1.0, WORK_PX / max(rgb.shape[:2]))
    return resized(rgb, round(rgb.shape[1] * factor), round(rgb.shape[0] * factor))


def _size(file: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(file)) as image:  # noqa: TID251 - our own photographs
        return image.size


def _file(rgb: Rgb, studio: Studio) -> bytes:
    """As JPEG, one in two twice; one in five as PNG."""
    if studio.chance(0.2):
        buffer = io.BytesIO()
        Image.fromarray(rgb).save(buffer, "PNG")
        return buffer.getvalue()
    if studio.chance():
        rgb = still(saved(rgb, studio.whole(60, 95)))
    return saved(rgb, studio.whole(70, 96))


def run(out: Path, folder: Path, part: tuple[int, int]) -> None:
    """Append one line a file: its kind, its size, both answers, and what speaks in it."""
    cv2.setNumThreads(1)
    found = [one for one in sources(folder) if side(one[0]) == "evaluation"]
    large = [one for one in found if math.prod(_size(one[1])) > WHOLE_PIXELS]
    jobs = [(kind, n) for n in range(EDITED) for kind in KINDS if n < EACH or kind == "edit"]
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    done = {(row["kind"], row["number"]) for row in map(json.loads, lines)}
    for at, (kind, number) in enumerate(jobs):
        if at % part[1] != part[0] or (kind, number) in done:
            continue
        ours = large if kind == "original" else found
        digest, original_file = ours[at * 7 % len(ours)]
        at_home = found.index((digest, original_file))
        others = [still(found[(at_home + step) % len(found)][1], WORK_PX) for step in (1, 2)]
        studio = Studio(np.random.default_rng([int(digest, 16) % (1 << 31), at]), others)
        rgb = still(original_file, LARGE_PX if kind == "panorama" else WORK_PX)
        made = KINDS[kind](rgb, studio)
        file = original_file if kind == "original" else _file(made, studio)
        report = examine(file, donors=[saved(_small(rgb), 90)])
        _append(out, kind, number, report)


def _append(out: Path, kind: str, number: int, report: Report) -> None:
    alone = fuse.fuse([one for one in report.signals if one.kind != "donor"]).answer
    row = {
        "kind": kind,
        "number": number,
        "answer": report.answer,
        "alone": alone,
        "because": report.because,
        "donors": [one.meaning for one in report.signals if one.kind == "donor"],
        "together": fuse.together(report.signals, Toward.ALTERED),
        "speaks": [one.id for one in report.signals if one.state == "speaks"],
    }
    with out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def told(out: Path) -> None:
    """Print what was said of each kind."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    ratios: dict[str, float] = defaultdict(float)
    largest: dict[str, float] = defaultdict(float)
    for row in map(json.loads, out.read_text(encoding="utf-8").splitlines()):
        for kind in (row["kind"], "all"):
            counts[kind]["files"] += 1
            counts[kind][f"alone {row['alone']}"] += 1
            counts[kind][f"with donors {row['answer']}"] += 1
            ratios[kind] += row["together"]
            largest[kind] = max(largest[kind], row["together"])
    for kind, count in counts.items():
        accused = [
            sum(count[f"{how} {answer}"] for answer in (Answer.MADE, Answer.ALTERED))
            for how in ("alone", "with donors")
        ]
        mean = ratios[kind] / count["files"]
        print(
            f"{kind:10} {count['files']:>4} files, made or altered: {accused[0]}, with donors "
            f"{accused[1]}; ratio of the pixels {mean:.2f} on average, at most {largest[kind]:.1f}"
        )


def portraits(first: int = 100, many: int = 12) -> None:
    """Print what is said of memes of a portrait, with words beside and across the face.

    And of the same with the middle of the face turned over, which is not honest.
    """
    cv2.setNumThreads(1)
    portrait: Rgb = data.astronaut()  # type: ignore[no-untyped-call]
    counts: Counter[tuple[str, str, str]] = Counter()
    for seed in range(first, first + many):
        studio = Studio(np.random.default_rng(seed), [portrait])
        left, wide = studio.whole(0, 60), studio.whole(380, 440)
        cut = portrait[: round(0.9 * wide), left : left + wide]
        base = resized(cut, 2 * wide, round(1.8 * wide))
        donor = saved(base, 90)
        found = face.found(base)[0]
        for kind, made in (
            ("words above and below", meme(base, studio)),
            ("words across the face", _across(base, found, studio)),
            ("face turned over", _turned(base, found)),
        ):
            report = examine(saved(made, 88), donors=[donor])
            meaning = next(one.meaning for one in report.signals if one.kind == "donor")
            counts[kind, meaning, report.answer.value] += 1
    for told, count in sorted(counts.items()):
        print(*told, count, sep=", ")


def _across(rgb: Rgb, found: Face, studio: Studio) -> Rgb:
    canvas = Image.fromarray(rgb)
    width, height = canvas.size
    ImageDraw.Draw(canvas).text(
        (width / 2, (found.y + found.height * studio.between(0.2, 0.6)) * height),
        studio.words(3, 5).upper(),
        (255, 255, 255),
        ImageFont.load_default(height * studio.between(0.08, 0.13)),
        anchor="ma",
        stroke_width=6,
        stroke_fill=(0, 0, 0),
    )
    return np.array(canvas)


def _turned(rgb: Rgb, found: Face) -> Rgb:
    """The middle of the face upside down, blended in: nobody else's."""
    height, width = rgb.shape[:2]
    mask = np.zeros((height, width), np.float32)
    middle = found.x + found.width / 2, found.y + found.height / 2
    axes = round(0.4 * found.width * width), round(0.4 * found.height * height)
    at = round(middle[0] * width), round(middle[1] * height)
    cv2.ellipse(mask, at, axes, 0, 0, 360, (1.0,), -1)
    soft = cv2.GaussianBlur(mask, (0, 0), 4)[..., None]
    turn = cv2.getRotationMatrix2D((float(at[0]), float(at[1])), 180, 1.0)
    return within(rgb * (1 - soft) + cv2.warpAffine(rgb, turn, (width, height)) * soft)


def main(words: Sequence[str]) -> int:
    """One of the commands of the docstring."""
    if words == ["portrait"]:
        portraits()
        return 0
    out, folder, *more = words
    part = next((one for one in more if re.fullmatch(r"\d+/\d+", one)), "0/1")
    start, many = (int(one) for one in part.split("/"))
    run(Path(out), Path(folder), (start, many))
    told(Path(out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
