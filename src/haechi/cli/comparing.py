"""`haechi compare`: two pictures or videos, all their fingerprints, the verdict, and where they agree.

docs/commands.md is the contract.
"""

import argparse
import base64
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.cli.files import Fault, File, read
from haechi.cli.knowing import taken, warn_without_model
from haechi.cli.matching import same_moment, told_clip
from haechi.cli.printing import ERROR, MATCH, NONE, Printer, Record, grep_codes, say
from haechi.cli.workshop import Workshop
from haechi.fingerprint import pdq
from haechi.index import DEFAULT, Verdict, side_by_side
from haechi.index.align import Alignment
from haechi.index.pair import Looks, Pair, compare

COLUMNS = (
    "path_a",
    "path_b",
    "verdict",
    "found_by",
    "distance_bits",
    "orientation",
    "similarity",
    "view_similarity",
    "inliers",
    "region",
)


@grep_codes
def compare_files(asked: argparse.Namespace) -> int:
    """One record. 0 if they match, 1 if not, 2 if one of them cannot be compared."""
    with Workshop() as shop:
        warn_without_model(shop)
        both = list(shop.each(lambda path: _looks(path, shop), [asked.a, asked.b]))
        faults = [look for look in both if isinstance(look, Fault)]
        for fault in faults:
            say(f"{fault.path}: {fault.words} [{fault.code}]")
        if faults:
            return ERROR
        (a, looks_a), (b, looks_b) = (look for look in both if not isinstance(look, Fault))
        pair = compare(looks_a, looks_b)
        moments = same_moment(pair.clip, backwards=pair.reversed)
        found, picture = shop.sandbox.run(
            side_by_side.files, a.data or b"", b.data or b"", at_s=moments
        )
    record = _record((a, looks_a), (b, looks_b), pair, found)
    Printer(asked, COLUMNS, _row, _lines).put(record)
    if asked.picture is not None:
        _save(Path(asked.picture), picture)
    return NONE if pair.verdict is Verdict.NO_MATCH else MATCH


def _looks(path: str, shop: Workshop) -> tuple[File, Looks] | Fault:
    file = read(path, shop.sandbox.limits, shop.stop)
    if isinstance(file, Fault):
        return file
    asked, known = taken(file, shop), taken(file, shop, member=True)
    if isinstance(asked, Fault):
        return asked
    return known if isinstance(known, Fault) else (file, Looks(asked, known))


def _record(
    a: tuple[File, Looks], b: tuple[File, Looks], pair: Pair, found: Alignment | None
) -> Record:
    return {
        "a": _side(*a),
        "b": _side(*b),
        "verdict": str(pair.verdict),
        "found_by": pair.found_by,
        "reversed": pair.reversed,
        "distance_bits": pair.distance_bits,
        "clip_bits": pair.clip_bits,
        "clip_frames": None if pair.clip is None else pair.clip.matched_frames,
        "orientation": pdq.TURNS[pair.orientation],
        "similarity": _rounded(pair.similarity),
        "view_similarity": _rounded(pair.view_similarity),
        "thresholds": {
            "pdq_same_bits": DEFAULT.pdq_same_bits,
            "pdq_edited_bits": DEFAULT.pdq_edited_bits,
            "min_quality": DEFAULT.min_quality,
            "similarity": DEFAULT.sscd_similarity,
            "view_similarity": DEFAULT.sscd_view_similarity,
        },
        "alignment": None if found is None else _alignment(found),
        "clip": None if pair.clip is None else told_clip(pair.clip),
    }


def _side(file: File, looks: Looks) -> Record:
    seen = looks.asked
    return {
        "path": file.path,
        "type": seen.kind.mime,
        "bytes": seen.digests.size,
        "width": seen.width,
        "height": seen.height,
        "sha256": seen.digests.sha256.hex(),
        "md5": seen.digests.md5.hex(),
        "pdq": seen.pdq.hex,
        "pdq_quality": seen.pdq.quality,
        "pdq_turns": [turn.hex() for turn in seen.turns[: len(pdq.TURNS)]],
        "embedding": _text(seen.embedding),
        "views": [_text(view) for view in looks.known.views],
        "seconds": seen.seconds,
        "frames": len(seen.frames),
    }


def _alignment(found: Alignment) -> Record:
    return {
        "inliers": found.inliers,
        "mirrored": found.mirrored,
        "homography": [[float(f"{cell:.8g}") for cell in row] for row in found.homography.tolist()],
        "polygon": [[round(x, 1), round(y, 1)] for x, y in found.polygon],
        "region": list(found.box),
    }


def _text(embedding: bytes | None) -> str | None:
    """512 int8 in base64."""
    return None if embedding is None else base64.b64encode(embedding).decode()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _row(record: Record) -> Iterator[list[object]]:
    found = _part(record, "alignment")
    region = found.get("region", [])
    cells = {
        **record,
        "path_a": _part(record, "a")["path"],
        "path_b": _part(record, "b")["path"],
        "inliers": found.get("inliers"),
        "region": " ".join(map(str, region)) if isinstance(region, list) else None,
    }
    yield ["" if cells[name] is None else cells[name] for name in COLUMNS]


def _lines(record: Record) -> Iterator[list[object]]:
    for name in ("a", "b"):
        side = _part(record, name)
        size = f"{side['width']}x{side['height']}"
        plays = f", {side['seconds']:.1f} s" if side["frames"] else ""
        yield [f"{name}  {side['path']}  ({side['type']}, {size}{plays}, {side['bytes']} bytes)"]
        yield [f"   sha256     {side['sha256']}"]
        yield [f"   md5        {side['md5']}"]
        yield [f"   pdq        {side['pdq']}  quality {side['pdq_quality']}"]
        views = side["views"]
        count = len(views) if isinstance(views, list) else 0
        told = f"512 values, and {count} views" if side["embedding"] else "none: no model"
        yield [f"   embedding  {told}"]
    yield [f"verdict     {record['verdict']}", _because(record)]
    yield [f"pdq         {_bits(record)}"]
    yield [
        f"similarity  {_told(record['similarity'])} whole, {_told(record['view_similarity'])} views"
    ]
    yield [f"alignment   {_where(record)}"]
    clip = record["clip"]
    if isinstance(clip, dict):
        asked, known = ("b", "a") if record["reversed"] else ("a", "b")
        there = f"{known} from {clip['known_from_s']:g} to {clip['known_to_s']:g} s"
        yield [f"clip        {asked} from {clip['from_s']:g} to {clip['to_s']:g} s is {there}"]


def _bits(record: Record) -> str:
    """What PDQ says; of videos their frames decide, and key frames show different moments."""
    nearest = f"{record['distance_bits']} of 256 bits differ ({record['orientation']})"
    playing = [name for name in ("a", "b") if _part(record, name)["frames"]]
    if not playing:
        return nearest
    if len(playing) == 1:
        return f"{nearest}, of {playing[0]} its key frame"
    frames, bits = record["clip_frames"], record["clip_bits"]
    if frames is None:
        return "no run of frames is alike"
    apart = "" if bits is None else f"; {bits} of 256 bits differ in the median"
    return f"{frames} frames are alike{apart}"


def _because(record: Record) -> str:
    if record["found_by"] is None:
        return ""
    return f"(by {record['found_by']}{', with b as the query' if record['reversed'] else ''})"


def _where(record: Record) -> str:
    found = _part(record, "alignment")
    region = found.get("region")
    if not isinstance(region, list):
        return "none found"
    left, top, width, height = region
    where = f"a shows b at {left},{top} {width}x{height}, {found['inliers']} points agree"
    if record["verdict"] == Verdict.NO_MATCH:
        return f"{where}; no fingerprint does: a person should look"
    return f"{where}{', mirrored' if found['mirrored'] else ''}"


def _told(value: object) -> str:
    return "-" if value is None else f"{value:.2f}"


def _part(record: Record, name: str) -> Record:
    part = record[name]
    return part if isinstance(part, dict) else {}


def _save(target: Path, rgb: NDArray[np.uint8]) -> None:
    """Write a PNG whole or not at all. Raises OSError."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    handle, part = tempfile.mkstemp(dir=target.parent, prefix=".haechi-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(encoded.tobytes())
        Path(part).chmod(0o666 & ~_umask())
        Path(part).replace(target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
