"""What haechi.forensics says about photographs, their edited copies and altered ones.

    python -m benchmarks.forensics collect FOLDER              data/calibration.files.json
    python -m benchmarks.forensics measure OUT.jsonl FOLDER    values of all pixel signals
    python -m benchmarks.forensics calibrate OUT.jsonl         data/calibration.json
    python -m benchmarks.forensics answers OUT.jsonl           what is said, and the price
    python -m benchmarks.forensics large OUT.jsonl FOLDER      camera files at full size, in parts

FOLDER holds checkouts of REPOSITORIES. `measure` takes exactly the files of the list that `collect` wrote
and that comes with Haechi; with the libraries that calibration.json names it gives the same to the digit.
`measure` and `large` go on where they were stopped; with 0/2 and 1/2 at the end two of them share the
work, with "calibration" only that half is measured.

Photographs are the source: one in two, by the digest of its file, is for the calibration, the
others are for the figures, and what is made of a photograph stays on its side.
"""

import hashlib
import io
import json
import math
import re
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from benchmarks.alterations import ALTERATIONS, published
from haechi.evaluation.edits import CROWDED, EDITS, make
from haechi.evaluation.studio import Rgb, Studio, scaled
from haechi.fingerprint import pdq
from haechi.forensics import Answer, Signal, State, Toward, calibration, fuse, pixels
from haechi.forensics.calibration import Calibration, Scale

EDITS_EACH = 1
ALTERED_EACH = 1
ALIKE_BITS = 64
WORK_PX = 1000
LARGE_PX = 1600
LEAST_SIDE_PX = 500
_EDITORS = ("photoshop", "gimp", "paint", "lightroom", "digikam", "noise ninja")
MATCHED = ("resaved", "published_messenger")
"""Camera files that went through exactly what altered ones went through, but for the alteration.

Only these make the scales: otherwise they would tell how often a file was saved, and nothing else.
"""

EDGES = {
    "pixels.jpeg_history": (1e-4, 0.5, 0.65, 0.75, 0.85),
    "pixels.jpeg_grid": (1e-4, 1.0, 3.0),
    "pixels.copy_move": (1e-4, 2.0, 5.0, 12.0),
}
"""Of signals that mostly find nothing at all, which is a bin of its own."""

SEEN = {"pixels.jpeg_history": 0.75, "pixels.copy_move": 1e-4}
"""What `answers` counts: signals and from which value on they count as found."""

DATA = Path(calibration.__file__).parent / "data" / "calibration.json"
FILES = DATA.with_name("calibration.files.json")
"""The photographs, by SHA-256: which of the repositories' files were taken."""

NAME = "cameras-2026-11b"
REPOSITORIES = {
    "drewnoakes/metadata-extractor-images": "4beba640487802442bc9931fb01274e908102d3a",
    "ianare/exif-samples": "5332a9cf0220e9c6c93f88a187daa90808051e10",
}
"""On GitHub, and the commit."""

COMMAND = "python -m benchmarks.forensics calibrate VALUES.jsonl"
LIBRARIES = ("numpy", "opencv-python-headless", "pillow")
type Made = tuple[str, str, bytes]
type Row = dict[str, Any]


def sources(folder: Path) -> list[tuple[str, bytes]]:
    """(digest, file), by digest, of all photographs that FILES lists; all of them must be there."""
    listed = set(json.loads(FILES.read_text(encoding="utf-8"))["sha256"])
    found = {digest: data for digest, data in _jpegs(folder) if digest in listed}
    if missing := listed - found.keys():
        raise SystemExit(f"{len(missing)} photographs are not in {folder}, such as {min(missing)}")
    return [(digest[:16], data) for digest, data in sorted(found.items())]


def collect(folder: Path) -> list[str]:
    """SHA-256 of what FILES is to list: photographs that a camera wrote, no two of one scene.

    Files that name an editing program are left out: what was done with it is not known.
    """
    return [
        digest for digest, _ in _unlike({d: one for d, one in _jpegs(folder) if _from_camera(one)})
    ]


def _jpegs(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.suffix.lower() in {".jpg", ".jpeg"}:
            data = path.read_bytes()
            yield hashlib.sha256(data).hexdigest(), data


def _unlike(found: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    seen: list[int] = []
    for digest, data in sorted(found.items()):
        try:
            bits = int.from_bytes(pdq.compute(still(data, 512)).bits)
        except OSError:
            continue
        if all((bits ^ other).bit_count() > ALIKE_BITS for other in seen):
            seen.append(bits)
            yield digest, data


def still(data: bytes, longest: int = 1 << 16) -> Rgb:
    """The pixels, at most `longest` on their longer side."""
    with Image.open(io.BytesIO(data)) as image:  # noqa: TID251 - our own photographs
        image.draft("RGB", (longest, longest))
        return scaled(np.asarray(image.convert("RGB")), min(1.0, longest / max(image.size)))


def _from_camera(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:  # noqa: TID251 - our own photographs
            told = image.getexif()
            program = str(told.get(0x0131, "")).lower()
            large = min(image.size) >= LEAST_SIDE_PX
            return large and bool(told.get(0x010F)) and not any(one in program for one in _EDITORS)
    except (OSError, SyntaxError, ValueError):
        return False


def variants(digest: str, data: bytes, others: Sequence[Rgb]) -> Iterator[Made]:
    """(class, what was done, file): the photograph, edited copies of it, altered ones."""
    rgb = still(data, LARGE_PX)
    seed = int(digest, 16) % (1 << 31)
    studio = Studio(np.random.default_rng(seed), others)
    yield "camera", "resaved", saved(published(rgb, studio), studio.whole(75, 95))
    small = scaled(rgb, min(1.0, WORK_PX / max(rgb.shape[:2])))
    for name in studio.random.permutation(sorted(EDITS))[:EDITS_EACH]:
        edited = make(str(name), small, others if name in CROWDED else (), seed)
        yield "camera", str(name), saved(edited, 92)
    for name in studio.random.permutation(sorted(ALTERATIONS))[:ALTERED_EACH]:
        altered = ALTERATIONS[str(name)](rgb, studio)
        yield "altered", str(name), saved(altered, studio.whole(75, 95))
    passed = make("messenger", ALTERATIONS["insert"](rgb, studio), (), seed)
    yield "altered", "insert_messenger", saved(passed, 85)
    yield (
        "camera",
        "published_messenger",
        saved(make("messenger", published(rgb, studio), (), seed), 85),
    )


def saved(rgb: Rgb, quality: int) -> bytes:
    """As JPEG."""
    bgr = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2BGR)
    _, file = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return file.tobytes()


def measure(out: Path, folder: Path, part: tuple[int, int], half: str) -> None:
    """Append one line a file that is made: its source, its class, and the values of its signals."""
    found = sources(folder)
    for number in _open(out, found, part, half):
        digest, data = found[number]
        others = [still(found[(number + step) % len(found)][1], WORK_PX) for step in (1, 2)]
        _append(out, digest, [(*made, _values(made[2])) for made in variants(digest, data, others)])


def large(out: Path, folder: Path, part: tuple[int, int], half: str) -> None:
    """The same of the photographs as they are, at full size."""
    found = sources(folder)
    for number in _open(out, found, part, half):
        digest, data = found[number]
        _append(out, digest, [("camera", "original", data, _values(data))])


def _open(
    out: Path, found: Sequence[tuple[str, bytes]], part: tuple[int, int], half: str
) -> Iterator[int]:
    """Numbers of the photographs that are this part's, of this half, and not in `out` yet."""
    cv2.setNumThreads(1)
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    done = {json.loads(line)["source"] for line in lines}
    for number, (digest, _) in enumerate(found):
        if number % part[1] == part[0] and digest not in done and half in {"", side(digest)}:
            yield number


def _values(file: bytes) -> Row:
    told = pixels.measured(file, seconds=math.inf)
    return {one.id: list(one.parts) or one.value for one in told}


def _append(out: Path, digest: str, made: Sequence[tuple[str, str, bytes, Row]]) -> None:
    with out.open("a", encoding="utf-8") as file:
        for kind, name, _, values in made:
            row = {"source": digest, "class": kind, "edit": name, "values": values}
            file.write(json.dumps(row) + "\n")


def side(digest: str) -> str:
    """The half a photograph belongs to."""
    return ("calibration", "evaluation")[zlib.crc32(digest.encode()) & 1]


def rows(path: Path, half: str) -> list[Row]:
    """What `measure` wrote of one half, in one order whoever wrote first."""
    every = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    ours = [row for row in every if side(row["source"]) == half]
    return sorted(ours, key=lambda row: (row["source"], row["class"], row["edit"]))


def calibrate(path: Path) -> Calibration:
    """Scales from the calibration half; what points to "made" has no fit set here."""
    measured = rows(path, "calibration")
    scales: dict[str, Scale] = {}
    usual: dict[str, float] = {}
    for signal, trait in pixels.TRAITS.items():
        values = {
            kind: [
                value
                for row in measured
                for value in _each(row["values"].get(signal))
                if row["class"] == kind
                if kind == "altered" or trait.toward is not Toward.ALTERED or row["edit"] in MATCHED
            ]
            for kind in ("camera", "altered")
        }
        if trait.toward is Toward.ALTERED:
            scales[signal] = calibration.fitted(
                values["camera"], values["altered"], EDGES.get(signal, ())
            )
        else:
            usual[signal] = round(float(np.quantile(values["camera"], 0.99)), 3)
    files = {kind: sum(row["class"] == kind for row in measured) for kind in ("camera", "altered")}
    about = {
        "photographs": str(len({row["source"] for row in measured})),
        "camera_files": str(files["camera"]),
        "altered_files": str(files["altered"]),
        "from": "; ".join(
            f"github.com/{name} at {commit}" for name, commit in REPOSITORIES.items()
        ),
        "files": FILES.name,
        "command": COMMAND,
        "with": ", ".join(f"{one} {version(one)}" for one in LIBRARIES),
    }
    return Calibration(NAME, about, scales, usual)


def _each(value: float | list[float | None] | None) -> list[float]:
    """The values of the parts of a picture, or the one of a whole."""
    return [one for one in (value if isinstance(value, list) else [value]) if one is not None]


def judged(row: Row, scale: Calibration) -> tuple[Answer, float]:
    """What is said of a measured file, and how many times likelier its values are in altered ones."""
    bare = [
        Signal(
            name,
            pixels.KIND,
            State.SPEAKS if _each(row["values"].get(name)) else State.OFF,
            f"{name}.speaks",
            trait.toward,
            max(_each(row["values"].get(name)), default=None),
            parts=_parts(row["values"].get(name)),
        )
        for name, trait in pixels.TRAITS.items()
    ]
    weighed = calibration.weighed(bare, scale)
    return fuse.fuse(weighed).answer, fuse.together(weighed, Toward.ALTERED)


def _parts(value: float | list[float | None] | None) -> tuple[float | None, ...]:
    return tuple(value) if isinstance(value, list) else ()


def answers(path: Path, scale: Calibration, half: str = "evaluation") -> None:
    """Print what is said, found and weighed, by class and by what was done."""
    told: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows(path, half):
        given, ratio = judged(row, scale)
        highest = {name: max(_each(row["values"].get(name)), default=0) for name in SEEN}
        seen = [name for name, least in SEEN.items() if highest[name] >= least]
        for name in {"all", _group(row), row["edit"]}:
            told[row["class"], name].update([given, *seen])
            ratios[row["class"], name].append(ratio)
    columns = (*(one.value for one in (Answer.MADE, Answer.ALTERED, Answer.NO_SIGN)), *SEEN)
    print(f"{'':30} files", *columns, "ratio: mean", "highest", "under 1", sep="  ")
    for (kind, name), count in sorted(told.items()):
        each = ratios[kind, name]
        print(
            f"{kind + ' ' + name:30} {len(each):>5}",
            *(f"{count[one]:>{len(one)}}" for one in columns),
            f"{np.mean(each):>11.2f}  {max(each):>7.2f}  {np.mean(np.array(each) < 1):>7.0%}",
            sep="  ",
        )


def _group(row: Row) -> str:
    """The column of the table in docs/forensics.md."""
    if row["class"] == "altered":
        return "(messenger)" if row["edit"] == "insert_messenger" else "(saved)"
    return row["edit"] if row["edit"] in {*MATCHED, "original"} else "(one edit)"


def main(words: Sequence[str]) -> int:
    """One of the commands of the docstring."""
    what, path, *rest = words
    if what == "collect":
        told = {"repositories": REPOSITORIES, "sha256": collect(Path(path))}
        FILES.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    elif what in {"measure", "large"}:
        folder, *more = rest
        part = next((one for one in more if re.fullmatch(r"\d+/\d+", one)), "0/1")
        start, many = (int(one) for one in part.split("/"))
        half = next((one for one in more if one in {"calibration", "evaluation"}), "")
        {"measure": measure, "large": large}[what](Path(path), Path(folder), (start, many), half)
    elif what == "calibrate":
        DATA.write_text(calibration.written(calibrate(Path(path))), encoding="utf-8")
    else:
        answers(Path(path), calibration.shipped())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
