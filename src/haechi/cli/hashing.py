"""`haechi hash`: what each file is, its digests and its PDQ. docs/commands.md is the contract."""

import argparse
from collections.abc import Callable, Iterator

from haechi import fingerprint
from haechi.cli.files import STANDARD_INPUT, Fault, File, kind_of, read, walk
from haechi.cli.printing import ERROR, MATCH, Printer, Record, grep_codes, say
from haechi.cli.progress import Progress
from haechi.cli.workshop import Workshop
from haechi.errors import HaechiError, MediaError, NotMedia, TooManyBytes
from haechi.fingerprint import Hashes
from haechi.formats import vpdq
from haechi.formats.vpdq import Order
from haechi.media import Limits, Sandbox

COLUMNS = (
    "path",
    "type",
    "sha256",
    "md5",
    "pdq",
    "pdq_quality",
    "error",
    "detail",
    "seconds",
    "frames",
)


@grep_codes
def hash_files(asked: argparse.Namespace) -> int:
    """One record a file, in order. 0, or 2 if there was an error with any."""
    faulty = done = 0
    with Workshop() as shop, Progress("hash", counted(asked.paths)) as bar:
        printer = Printer(asked, COLUMNS, _row, _line)
        order = Order[asked.vpdq.upper()] if asked.vpdq else None
        for record in shop.each(lambda path: _record(path, shop, order), walk(asked.paths)):
            bar.aside()
            printer.put(record)
            bar.step()
            done += 1
            faulty += "error" in record
    if not done:
        say("there is no file to hash")
    return ERROR if faulty else MATCH


def counted(paths: list[str]) -> Callable[[], Iterator[str]] | None:
    """What to count for a progress bar; None if the list comes from a pipe."""
    return None if STANDARD_INPUT in paths else lambda: walk(paths)


def unfit(file: File, limits: Limits) -> Fault | None:
    """Why a file need not be handed to a decoder, if so."""
    if media_type(file.head) is None:
        return Fault(file.path, NotMedia.code, "no picture or video format that Haechi knows")
    if file.data is None:
        allowed = limits.bytes_of(kind_of(file.head))
        words = f"{file.digests.size} bytes; the limit is {allowed}"
        return Fault(file.path, TooManyBytes.code, words)
    return None


def media_type(data: bytes) -> str | None:
    """Such as "image/jpeg", told from the content; None if it is no media."""
    kind = kind_of(data)
    return None if kind is None else kind.mime


def fault(path: str, error: HaechiError) -> Fault:
    """The error of a decoder or a model, as the fault of a file."""
    return Fault(path, error.code, str(error) or str(error.__doc__))


def _record(path: str, shop: Workshop, order: Order | None = None) -> Record:
    empty = dict.fromkeys(COLUMNS[1:6])
    file = read(path, shop.sandbox.limits, shop.stop)
    if isinstance(file, Fault):
        return {"path": path, **empty, "error": file.code, "detail": file.words}
    known = {
        "path": path,
        "type": media_type(file.head),
        "sha256": file.digests.sha256.hex(),
        "md5": file.digests.md5.hex(),
        "pdq": None,
        "pdq_quality": None,
    }
    return known | _pdq(file, shop.sandbox, order)


def _pdq(file: File, sandbox: Sandbox, order: Order | None) -> Record:
    unusable = unfit(file, sandbox.limits)
    if unusable is not None:
        return {"error": unusable.code, "detail": unusable.words}
    try:
        hashes = sandbox.run(fingerprint.hashes, file.data or b"")
    except MediaError as error:
        told = fault(file.path, error)
        return {"error": told.code, "detail": told.words}
    record: Record = _film(hashes, order) if hashes.kind.is_video else {}
    if hashes.pdq is not None:
        record |= {"pdq": hashes.pdq.hex, "pdq_quality": hashes.pdq.quality}
    return record


def _film(hashes: Hashes, order: Order | None) -> Record:
    """What the answer for a video has beside that for a picture."""
    record: Record = {"seconds": hashes.seconds, "frames": len(hashes.frames)}
    if order is not None:
        record["vpdq"] = vpdq.write(hashes.frames, order).splitlines()
    return record


def _row(record: Record) -> Iterator[list[object]]:
    yield ["" if record.get(name) is None else record[name] for name in COLUMNS]


def _line(record: Record) -> Iterator[list[object]]:
    answer = record["pdq"] or f"{record.get('error', 'too small to hash')}".ljust(64)
    quality = "" if record["pdq_quality"] is None else record["pdq_quality"]
    yield [answer, f"{quality:>3}", f"{record['type'] or '-':15}", record["path"]]
    lines = record.get("vpdq")
    yield from ([line] for line in lines) if isinstance(lines, list) else ()
