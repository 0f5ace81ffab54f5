"""The models of this installation: a folder each, with the file, its card and its calibration."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from haechi.errors import ModelError, ModelRefused, ModelUnknown
from haechi.forensics.models import selftest
from haechi.forensics.models.calibration import Calibration
from haechi.forensics.models.card import Card
from haechi.forensics.models.detector import OnnxDetector

FOLDER = "models"
"""In an installation's home."""

MODEL, CARD, CALIBRATION, TESTED = "model.onnx", "card.json", "calibration.json", "self-test.json"
LARGEST_BYTES = 2 * 1024**3
"""A protobuf message can be no longer, and parts in other files are not taken."""

_OTHERS = {b"PK": "a PyTorch archive", b"\x80": "a Python pickle", b"\x89HDF": "HDF5 (Keras)"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One model as it lies here. `fault` says why it cannot be used, or is empty."""

    id: str
    card: Card | None
    calibration: Calibration | None
    fault: str = ""


class Registry:
    """The folder of models. Reading takes nothing on trust; writing is all or nothing."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not exist: then there are no models."""
        self._folder = folder

    @classmethod
    def of_home(cls, home: Path) -> "Registry":
        """The registry of an installation."""
        return cls(home / FOLDER)

    def entries(self) -> list[Entry]:
        """Every model, by name; a damaged one with its fault."""
        if not self._folder.is_dir():
            return []
        found = sorted(one.name for one in self._folder.iterdir() if (one / CARD).is_file())
        return [self._entry(name) for name in found]

    def add(self, file: Path, card: Card, *, replace_it: bool = False) -> Card:
        """Take an ONNX file under a card, after its self-test; the card as it is kept, digest and all.

        Raises ModelRefused, with nothing changed. A model that replaces another starts without a
        calibration.
        """
        target = self._folder / card.id
        if target.exists() and not replace_it:
            raise ModelRefused(f"there is a model {card.id}; --replace puts this one in its place")
        digest = _digest(file)
        if card.sha256 is not None and card.sha256 != digest:
            raise ModelRefused(f"the file has the SHA-256 {digest}, and the card {card.sha256}")
        pinned = replace(card, sha256=digest)
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self._folder) as new:
            made = Path(new) / card.id
            made.mkdir()
            shutil.copyfile(file, made / MODEL)
            with OnnxDetector(pinned, made / MODEL) as detector:
                tested = detector.self_test()
            _write(made / CARD, pinned.to_json())
            _write(made / TESTED, tested)
            if target.exists():
                target.rename(Path(new) / "old")
            made.rename(target)
        return pinned

    def remove(self, name: str) -> None:
        """Raises ModelUnknown."""
        shutil.rmtree(self._found(name))

    def calibrate(self, calibration: Calibration, name: str) -> None:
        """Keep a calibration. Raises ModelUnknown, or ModelRefused for one of another card."""
        entry = self._entry(name)
        if entry.card is None or calibration.behaviour != entry.card.behaviour:
            raise ModelRefused(entry.fault or "the calibration is of another file or another card")
        _write(self._found(name) / CALIBRATION, calibration.to_json())

    def open(self, name: str) -> OnnxDetector:
        """A detector, after its self-test gave what it gave when it was added.

        Raises ModelUnknown, ModelRefused or ModelFailed.
        """
        entry = self._entry(name)
        if entry.card is None:
            raise ModelRefused(entry.fault)
        folder = self._found(name)
        detector = OnnxDetector(entry.card, folder / MODEL, entry.calibration)
        try:
            kept = json.loads((folder / TESTED).read_bytes())
            selftest.compare(entry.card, detector.self_test(twice=False), kept)
        except (OSError, ValueError) as error:
            detector.close()
            raise ModelRefused(f"{name}: {error}"[:300]) from error
        except ModelError:
            detector.close()
            raise
        return detector

    @contextmanager
    def detectors(
        self, named: Sequence[str] | None = None
    ) -> Iterator[tuple[Sequence[OnnxDetector], Sequence[str]]]:
        """All models that work, for `examine`, and a line about each that does not.

        With `named`, only these. Raises ModelUnknown where one of them is not here.
        """
        wanted = [entry.id for entry in self.entries()] if named is None else named
        for name in wanted:
            self._found(name)
        with ExitStack() as stack:
            working, faults = [], []
            for name in wanted:
                try:
                    working.append(stack.enter_context(self.open(name)))
                except ModelError as error:
                    faults.append(f"{name}: {error}")
            yield working, faults

    def _found(self, name: str) -> Path:
        folder = self._folder / name
        # A name that walks out of the folder is no name of a model.
        if Path(name).name != name or not (folder / CARD).is_file():
            here = ", ".join(entry.id for entry in self.entries()) or "none"
            raise ModelUnknown(
                f"{name}; here are: {here}. `haechi models add FILE --card CARD` adds one"
            )
        return folder

    def _entry(self, name: str) -> Entry:
        folder = self._found(name)
        try:
            card = Card.from_text((folder / CARD).read_bytes())
            if card.sha256 is None or card.id != name:
                return Entry(name, None, None, "the card pins no file, or is of another model")
        except (OSError, ModelRefused) as error:
            return Entry(name, None, None, str(error))
        with contextlib.suppress(FileNotFoundError, ModelRefused):
            calibration = Calibration.from_text((folder / CALIBRATION).read_bytes())
            if calibration.behaviour == card.behaviour:
                return Entry(name, card, calibration)
        return Entry(name, card, None)


def _digest(file: Path) -> str:
    """Raises ModelRefused for what cannot be an ONNX file."""
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise ModelRefused(f"{file.name} is larger than 2 GiB; export it with half precision")
        with file.open("rb") as source:
            head = source.read(4)
            for start, what in _OTHERS.items():
                if head.startswith(start):
                    raise ModelRefused(
                        f"{file.name} is {what}; only ONNX is taken (docs/models.md)"
                    )
            source.seek(0)
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as error:
        raise ModelRefused(f"the file cannot be read: {error}") from error


def _write(path: Path, value: object) -> None:
    made = path.with_suffix(".new")
    made.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(made, path)  # noqa: PTH105 - Path.replace is the same
