"""`haechi label`: files of a service that makes media, with the marks that people and programs look for."""

import argparse
import datetime as dt
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from haechi.cli.files import Fault, kind_of, read, walk
from haechi.cli.hashing import counted, fault
from haechi.cli.printing import ERROR, MATCH, NONE, Printer, Record, grep_codes, say
from haechi.cli.progress import Progress
from haechi.cli.workshop import LIMITS, Workshop
from haechi.errors import HaechiError, LabelRefused
from haechi.labels.aigc import Level
from haechi.labels.words import told
from haechi.labels.writing import ALTERED, MADE, Signer, Wanted, label
from haechi.labels.writing.trying import make
from haechi.labels.writing.wanted import NOT_PLACED
from haechi.media import Kind

COLUMNS = ("path", "out", "type", "marks", "error", "detail", "watermark", "findings")
WATERMARK_KEY = "HAECHI_WATERMARK_KEY"
LEVELS = {"is": Level.IS, "may-be": Level.MAY_BE, "suspected": Level.SUSPECTED}
_ENDINGS = {
    "image/jpeg": ".jpg",
    "video/quicktime": ".mov",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
}
_ROOT, _CHAIN, _KEY = "trial-root.pem", "trial-chain.pem", "trial-key.pem"


@dataclass(frozen=True, slots=True)
class _Work:
    wanted: Wanted
    number: str | None
    folder: Path
    shop: Workshop


@grep_codes
def label_files(asked: argparse.Namespace) -> int:
    """One record a file, in order. 0; 1 if any lacks the watermark asked for; 2 for an error with any."""
    paths = list(walk(asked.paths))
    if asked.id and len(paths) != 1:
        say("--id is the number of one content; leave it out to have one made for each file")
        return ERROR
    wanted = _wanted(asked)
    folder = Path(asked.out)
    folder.mkdir(parents=True, exist_ok=True)
    limits = replace(LIMITS, video_job_s=float(asked.seconds), seconds=float(asked.seconds))
    faulty = lacking = 0
    with Workshop(limits=limits) as shop, Progress("label", counted(asked.paths)) as bar:
        work = _Work(wanted, asked.id, folder, shop)
        printer = Printer(asked, COLUMNS, _row, _line)
        for record in shop.each(lambda path: _record(path, work), paths):
            bar.aside()
            printer.put(record)
            bar.step()
            faulty += "error" in record
            lacking += record.get("watermark") == NOT_PLACED
    if not paths:
        say("there is no file to label")
    if faulty or not paths:
        return ERROR
    return NONE if lacking else MATCH


def _record(path: str, work: _Work) -> Record:
    file = read(path, work.shop.sandbox.limits, work.shop.stop)
    if isinstance(file, Fault):
        return {"path": path, "error": file.code, "detail": file.words}
    number = work.number or uuid.uuid4().hex
    try:
        if file.data is None:
            raise LabelRefused("it is longer than a file may be that is held in memory")
        wanted = replace(work.wanted, produce_id=number)
        made = label(file.data, wanted, limits=work.shop.sandbox.limits, sandbox=work.shop.sandbox)
        out = work.folder / _name(path, made.media_type, kind_of(file.head))
        with out.open("xb") as sink:
            sink.write(made.data)
    except HaechiError as error:
        wrong = fault(path, error)
        return {"path": path, "error": wrong.code, "detail": wrong.words}
    except FileExistsError:
        return {"path": path, "error": "file.exists", "detail": "there is such a file in --out"}
    if work.wanted.signer is not None and all(mark.kind != "c2pa" for mark in made.marks):
        say(f"{path}: C2PA has no way to sign {made.media_type}; it bears the other marks")
    return {
        "path": path,
        "out": str(out),
        "type": made.media_type,
        "marks": [mark.to_json() for mark in made.marks],
        "watermark": made.placed if wanted.trace_id is not None else None,
        "findings": [finding.to_json() | {"words": told(finding)} for finding in made.findings],
    }


def _name(path: str, media_type: str, before: Kind | None) -> str:
    """The same name, with another ending where the kind of file has changed."""
    name = Path(path)
    if before is None or media_type in {before.mime, "audio/mp4"}:
        return name.name
    return f"{name.stem}{_ENDINGS.get(media_type) or '.' + media_type.rpartition('/')[2]}"


def _wanted(asked: argparse.Namespace) -> Wanted:
    trace, key = asked.trace_id, None
    if trace is not None:
        key = _key()
    return Wanted(
        level=LEVELS[asked.level],
        language=asked.language,
        producer=asked.producer,
        produce_id=asked.id or "0",
        trace_id=trace,
        watermark_key=key,
        visible=not asked.no_visible,
        signer=_signer(asked),
        digital_source_type=ALTERED if asked.altered else MADE,
        again=asked.again,
        drop_c2pa=asked.drop_c2pa,
        recording=None if asked.recording is None else Path(asked.recording).read_bytes(),
        rhythm=asked.rhythm,
    )


def _key() -> bytes:
    told = os.environ.get(WATERMARK_KEY, "")
    # A shorter one can be guessed, and whoever guesses it writes marks in our name.
    if not re.fullmatch(r"[0-9a-fA-F]{64}", told, re.ASCII):
        raise LabelRefused(f"a watermark needs a key in {WATERMARK_KEY}: 64 hexadecimal digits")
    return bytes.fromhex(told)


def _signer(asked: argparse.Namespace) -> Signer | None:
    if asked.try_certificate is not None and (asked.certificate or asked.key):
        raise LabelRefused("sign with --certificate and --key, or for trying; not both")
    if asked.time_url is not None and asked.certificate is None:
        raise LabelRefused("a --time-url goes with a --certificate and its --key")
    if asked.try_certificate is not None:
        return _trial(Path(asked.try_certificate))
    if asked.certificate is None and asked.key is None:
        return None
    if asked.certificate is None or asked.key is None:
        raise LabelRefused("a signature needs a --certificate and its --key")
    chain, key = Path(asked.certificate).read_text(), Path(asked.key).read_text()
    return Signer(chain, key, asked.alg, asked.time_url)


def _trial(folder: Path) -> Signer:
    """The hierarchy for trying that is in `folder`, made there the first time."""
    if not (folder / _KEY).exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = make(dt.datetime.now(dt.UTC))  # noqa: TID251 - a command reads the clock
        (folder / _ROOT).write_text(made.root)
        (folder / _CHAIN).write_text(made.chain)
        with os.fdopen(
            os.open(folder / _KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as out:
            out.write(made.key)
    say(f"signed for trying only: readers trust it if they are given {folder / _ROOT}")
    return Signer((folder / _CHAIN).read_text(), (folder / _KEY).read_text())


def _row(record: Record) -> Iterator[list[object]]:
    codes = " ".join(str(finding["code"]) for finding in _findings(record))
    plain = record | {"marks": _kinds(record), "findings": codes}
    yield ["" if plain.get(name) is None else plain[name] for name in COLUMNS]


def _line(record: Record) -> Iterator[list[object]]:
    if "error" in record:
        yield [record["error"], record["path"], record["detail"]]
        return
    yield [record["out"], _kinds(record)]
    if record["watermark"] == NOT_PLACED:
        yield ["  watermark: not placed"]
    for finding in _findings(record):
        yield [f"  {finding['words']}"]


def _findings(record: Record) -> list[Record]:
    found = record.get("findings")
    return found if isinstance(found, list) else []


def _kinds(record: Record) -> str:
    marks = record.get("marks")
    return " ".join(str(mark["kind"]) for mark in marks) if isinstance(marks, list) else ""
