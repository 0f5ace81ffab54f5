"""`haechi inspect`: the marks of each file, what is odd about them, and the report of an examination.

docs/commands.md is the contract.
"""

import argparse
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from haechi import forensics, labels
from haechi.cli import installation
from haechi.cli.files import Fault, File, read, walk
from haechi.cli.hashing import counted, fault
from haechi.cli.printing import ERROR, MATCH, NONE, Printer, Record, grep_codes, say
from haechi.cli.progress import Progress
from haechi.cli.workshop import Workshop
from haechi.errors import MediaError, NotMedia, SettingRefused, TooManyBytes
from haechi.forensics.detector import Detector
from haechi.forensics.models import Registry
from haechi.forensics.words import lines
from haechi.labels import Reading, words
from haechi.media import sniff

COLUMNS = (
    "path",
    "type",
    "headline",
    "kind",
    "carrier",
    "says",
    "trust",
    "tool",
    "finding",
    "error",
    "detail",
    "words",
    "trace_id",
    "details",
)
"""Of the CSV; programs rely on their names and their order, so a new one is the last."""
_WATERMARK_KEY = "HAECHI_WATERMARK_KEY"
_KEY = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


@grep_codes
def inspect_files(asked: argparse.Namespace) -> int:
    """One record a file, in order. 0 if any bears a mark, 1 if none, 2 if there was an error."""
    anchors = _anchors(Path(asked.anchors)) if asked.anchors else None
    named = None if asked.models is None else list(filter(None, asked.models.split(",")))
    faulty = marked = done = 0
    with (
        Workshop() as shop,
        Registry.of_home(installation.home()).detectors(named) as (models, faults),
        Progress("inspect", counted(asked.paths)) as bar,
    ):
        for line in faults:
            say(line)
        printer = Printer(asked, COLUMNS, _rows, _lines)
        examiner = _Examiner(shop, anchors, _watermark_key(), models, whole=not asked.marks)
        for record in shop.each(examiner.record, walk(asked.paths)):
            bar.aside()
            printer.put(record)
            bar.step()
            done += 1
            faulty += "error" in record
            marked += bool(record.get("marks"))
    if not done:
        say("there is no file to inspect")
    if faulty:
        return ERROR
    return MATCH if marked else NONE


class _Examiner:
    """Reads marks, and with `whole` looks at the pixels too."""

    def __init__(
        self,
        shop: Workshop,
        anchors: str | None,
        key: bytes | None,
        models: Sequence[Detector],
        *,
        whole: bool,
    ) -> None:
        self._shop, self._anchors, self._key, self._whole = shop, anchors, key, whole
        self._models = models

    def record(self, path: str) -> Record:
        """Everything about one file, or what is wrong with it."""
        file = read(path, self._shop.sandbox.limits, self._shop.stop)
        if isinstance(file, Fault):
            return {"path": path, "error": file.code, "detail": file.words}
        if file.data is None:
            words_ = f"{file.digests.size} bytes are more than is opened"
            return {"path": path, "error": TooManyBytes.code, "detail": words_}
        try:
            return self._told(path, file, file.data)
        except MediaError as error:
            told = fault(path, error)
            return {"path": path, "error": told.code, "detail": told.words}

    def _told(self, path: str, file: File, data: bytes) -> Record:
        report = self._report(data)
        reading = report.reading if report else self._reading(data)
        record: Record = {
            "path": path,
            "type": reading.media_type,
            "sha256": file.digests.sha256.hex(),
            "headline": words.headline(reading),
            "marks": [mark.to_json() | {"words": words.mark_told(mark)} for mark in reading.marks],
            "findings": [
                finding.to_json() | {"words": words.told(finding)} for finding in reading.findings
            ],
        }
        if report is None:
            return record
        told = report.to_json()
        # It stands above already.
        told.pop("reading")
        return record | {"report": told, "report_words": lines(report)}

    def _reading(self, data: bytes) -> Reading:
        return self._shop.sandbox.run(
            labels.read, data, trust_anchors=self._anchors, watermark_key=self._key
        )

    def _report(self, data: bytes) -> forensics.Report | None:
        """None where marks alone are asked for, or there is nothing to see."""
        try:
            seen = self._whole and bool(sniff(data))
        except NotMedia:
            seen = False
        if not seen:
            return None
        return forensics.examine(
            data,
            models=self._models,
            trust_anchors=self._anchors,
            watermark_key=self._key,
            sandbox=self._shop.sandbox,
        )


def _anchors(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise SettingRefused("--anchors", "holds no certificates (PEM)")
    return text


def _watermark_key() -> bytes | None:
    told = os.environ.get(_WATERMARK_KEY, "")
    if told and not _KEY.fullmatch(told):
        raise SettingRefused(_WATERMARK_KEY, "is not 64 hexadecimal digits")
    return bytes.fromhex(told) or None


def _rows(record: Record) -> Iterator[list[object]]:
    """One a mark and one a finding; one for a file without either. `detail` is of an error."""
    file: Record = {key: record.get(key) for key in COLUMNS}
    marks = ({**mark, "details": mark["detail"]} for mark in _list(record, "marks"))
    findings = (
        {"finding": each["code"], "words": each["words"], "details": each["params"]}
        for each in _list(record, "findings")
    )
    for part in [*marks, *findings] or [{}]:
        told = part.get("details")
        trace = told.get("trace_id") if isinstance(told, dict) else None
        cells = {**file, **part, "detail": file["detail"], "trace_id": trace}
        yield ["" if cells.get(name) is None else cells[name] for name in COLUMNS]


def _lines(record: Record) -> Iterator[list[object]]:
    if "error" in record:
        yield [f"{record['path']}  {record['detail']} [{record['error']}]"]
        return
    headline = str(record["headline"])
    yield [f"{record['path']}  ({record['type']})"]
    yield [f"  {words.HEADLINES[headline]} {words.CAVEATS[headline]}"]
    for mark in _list(record, "marks"):
        yield [f"  mark     {mark['words']}  [{mark['carrier']}]"]
        for key, value in _details(mark):
            yield [f"           {words.DETAILS.get(key, key)}: {value}"]
    for finding in _list(record, "findings"):
        yield [f"  finding  {finding['words']}"]
    report = record.get("report_words")
    if isinstance(report, list):
        yield ["  report"]
        for line in report:
            yield [f"  {line}"]


def _details(mark: Record) -> Iterator[tuple[str, object]]:
    detail = mark["detail"]
    if isinstance(detail, dict):
        yield from ((key, value) for key, value in detail.items() if key not in words.INNER)


def _list(record: Record, key: str) -> list[Record]:
    found = record.get(key)
    return found if isinstance(found, list) else []
