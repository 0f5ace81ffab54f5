"""What haechi.forensics says about photographs, their edited copies and altered ones.

    python -m benchmarks.forensics measure OUT.jsonl FOLDER...     values of all pixel signals
    python -m benchmarks.forensics calibrate OUT.jsonl NAME        data/calibration.json
    python -m benchmarks.forensics answers OUT.jsonl               what is said, and the price

Photographs are the source: one in two, by the digest of its file, is for the calibration, the
others are for the figures, and what is made of a photograph stays on its side.
"""

import hashlib
import io
import json
import re
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from benchmarks.alterations import ALTERATIONS, published
from haechi.errors import MediaError
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

DATA = Path(calibration.__file__).parent / "data" / "calibration.json"
SOURCES = (
    "photographs as cameras wrote them, of drewnoakes/metadata-extractor-images and ianare/exif-samples "
    "(GitHub), and those of the Debian packages plasma-workspace-wallpapers, mate-backgrounds, "
    "lxqt-themes, widelands-data, tuxtype-data, pychess and libvigraimpex-dev that name a camera"
)
type Made = tuple[str, str, bytes]
type Row = dict[str, Any]


def sources(folders: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """(digest, file), by digest, of photographs that a camera wrote, no two of one scene.

    Files that name an editing program are left out: what was done with it is not known.
    """
    files = (path for folder in folders for path in folder.rglob("*"))
    found = {
        hashlib.sha256(data).hexdigest()[:16]: data
        for path in files
        if path.suffix.lower() in {".jpg", ".jpeg"} and _from_camera(data := path.read_bytes())
    }
    seen: list[int] = []
    for digest, data in sorted(found.items()):
        try:
            bits = int.from_bytes(pdq.compute(_small(data, 512)).bits)
        except OSError:
            continue
        if all((bits ^ other).bit_count() > ALIKE_BITS for other in seen):
            seen.append(bits)
            yield digest, data


def _small(data: bytes, longest: int) -> Rgb:
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
    rgb = _small(data, LARGE_PX)
    seed = int(digest, 16) % (1 << 31)
    studio = Studio(np.random.default_rng(seed), others)
    yield "camera", "original", data
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


def measure(out: Path, folders: Sequence[Path], part: tuple[int, int] = (0, 1)) -> int:
    """Append one line a file: its source, its class, and the values of its signals."""
    cv2.setNumThreads(1)
    found = list(sources(folders))
    done = (
        {line.split('"', 4)[3] for line in out.read_text().splitlines()} if out.exists() else set()
    )
    with out.open("a", encoding="utf-8") as file:
        for number, (digest, data) in enumerate(found):
            if number % part[1] != part[0] or digest in done:
                continue
            around = [found[(number + step) % len(found)][1] for step in (1, 2)]
            try:
                others = [_small(one, WORK_PX) for one in around]
                for kind, name, made in variants(digest, data, others):
                    values = {one.id: one.value for one in pixels.measured(made)}
                    row = {"source": digest, "class": kind, "edit": name, "values": values}
                    file.write(json.dumps(row) + "\n")
                file.flush()
            except (MediaError, OSError) as error:
                print(f"{digest}: {error}")
    return 0


def side(digest: str) -> str:
    """The half a photograph belongs to."""
    return ("calibration", "evaluation")[zlib.crc32(digest.encode()) & 1]


def rows(path: Path, half: str) -> list[Row]:
    """What `measure` wrote of one half."""
    every = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [row for row in every if side(row["source"]) == half]


def calibrate(path: Path, name: str, command: str) -> Calibration:
    """Scales from the calibration half; what points to "made" has no fit set here."""
    measured = rows(path, "calibration")
    scales: dict[str, Scale] = {}
    usual: dict[str, float] = {}
    for signal, trait in pixels.TRAITS.items():
        values = {
            kind: [
                row["values"][signal]
                for row in measured
                if row["class"] == kind and row["values"].get(signal) is not None
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
        "from": SOURCES,
        "command": command,
    }
    return Calibration(name, about, scales, usual)


def answer(row: Row, scale: Calibration) -> Answer:
    """What is said of a measured file."""
    bare = [
        Signal(
            name,
            pixels.KIND,
            State.OFF if row["values"].get(name) is None else State.SPEAKS,
            f"{name}.speaks",
            trait.toward,
            row["values"].get(name),
        )
        for name, trait in pixels.TRAITS.items()
    ]
    return fuse.fuse(calibration.weighed(bare, scale)).answer


def answers(path: Path, scale: Calibration, half: str = "evaluation") -> None:
    """Print how often each answer is given, by class and by what was done."""
    told: dict[tuple[str, str], Counter[Answer]] = defaultdict(Counter)
    for row in rows(path, half):
        given = answer(row, scale)
        told[row["class"], "all"][given] += 1
        told[row["class"], row["edit"]][given] += 1
    print(f"{'':30} {'files':>6} {'made':>6} {'altered':>8} {'no sign':>8} {'inconclusive':>13}")
    for (kind, name), count in sorted(told.items()):
        many = count.total()
        shares = [
            count[one] for one in (Answer.MADE, Answer.ALTERED, Answer.NO_SIGN, Answer.INCONCLUSIVE)
        ]
        print(
            f"{kind + ' ' + name:30} {many:>6} {shares[0]:>6} {shares[1]:>8} {shares[2]:>8} {shares[3]:>13}"
        )
    cameras = told["camera", "all"]
    accused = cameras[Answer.MADE] + cameras[Answer.ALTERED]
    print(f"camera photographs called made or altered: {accused} of {cameras.total()}")
    price = cameras[Answer.INCONCLUSIVE] / max(1, cameras.total())
    print(f"the price: {price:.0%} of camera photographs and ", end="")
    altered = told["altered", "all"]
    print(
        f"{altered[Answer.INCONCLUSIVE] / max(1, altered.total()):.0%} of altered ones inconclusive"
    )


def main(words: Sequence[str]) -> int:
    """One of the three commands of the docstring."""
    what, path, *rest = words
    if what == "measure":
        part = next((one for one in rest if re.fullmatch(r"\d+/\d+", one)), "0/1")
        start, many = (int(one) for one in part.split("/"))
        return measure(Path(path), [Path(one) for one in rest if one != part], (start, many))
    if what == "calibrate":
        made = calibrate(Path(path), rest[0], f"python -m benchmarks.forensics {' '.join(words)}")
        DATA.write_text(calibration.written(made), encoding="utf-8")
        return 0
    answers(Path(path), calibration.shipped())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
