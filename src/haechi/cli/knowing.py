"""The known pictures of one run, in memory only: files fingerprinted once, and members of banks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from haechi import fingerprint
from haechi.cli.files import Fault, File, read, walk
from haechi.cli.hashing import counted, fault, unfit
from haechi.cli.printing import say
from haechi.cli.progress import Progress
from haechi.cli.workshop import Workshop
from haechi.errors import FingerprintError, MediaError, ModelMissing, NotMedia
from haechi.fingerprint import ImageFingerprint, sscd
from haechi.index import Catalog, Entry

BANK = "bank:"


@dataclass(slots=True)
class Known:
    """What queries are compared with.

    Attributes:
        catalog: Entries under the numbers that `paths` has.
        paths: Of each known file.
        faulty: How many known files could not be opened: their edited copies will not be found.
        passed_by: How many files are no media, and so were left out.
    """

    catalog: Catalog = field(default_factory=Catalog)
    paths: list[str] = field(default_factory=list)
    faulty: int = 0
    passed_by: int = 0


def learn(typed: Sequence[str], shop: Workshop) -> Known:
    """Fingerprint what `typed` names; faults are told on standard error as they are met.

    "bank:NAME" stands for the members of a bank of this installation that are in force; their
    "paths" are "bank:NAME#number". Raises BankUnknown.
    """
    known, told = Known(), Counter[str]()
    for name in typed:
        if name.startswith(BANK):
            _take_bank(name.removeprefix(BANK), known)
    files = [name for name in typed if not name.startswith(BANK)]
    with Progress("known", counted(files)) as bar:
        for answer in shop.each(lambda path: _member(path, shop), walk(files)):
            bar.step()
            _take(answer, known)
            if isinstance(answer.outcome, Fault) and answer.outcome.code != NotMedia.code:
                bar.clear()
                told[answer.outcome.code] += 1
                say(f"{answer.path}: {answer.outcome.words} [{answer.outcome.code}]")
    known.faulty = told.total()
    if known.passed_by:
        say(f"{known.passed_by} known files are no pictures and were passed by")
    return known


def _take_bank(name: str, known: Known) -> None:
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    from haechi.server.matching import banks
    from haechi.server.matching.known import entry

    for member in banks.in_force(banks.named(name), now=timezone.now()).iterator(chunk_size=1_000):
        known.catalog.put(entry(len(known.paths), member))
        known.paths.append(f"{BANK}{name}#{member.pk}")


def warn_without_model(shop: Workshop) -> None:
    """One line about what is not found without the copy-detection model; none if it is there."""
    missing = shop.sandbox.run(why_no_model, b"")
    if missing is not None:
        say(
            "crops, frames, collages and screenshots are not found, only what PDQ sees: "
            f"the copy-detection model is missing ({missing})"
        )


def why_no_model(_: bytes) -> str | None:
    """What is missing for embeddings, or None. Run where they are made: in the sandbox."""
    try:
        sscd.embed([])
    except ModelMissing as missing:
        return str(missing)
    return None


@dataclass(frozen=True, slots=True)
class _Answer:
    """A known file: its fingerprint, or why there is none and the digest that remains."""

    path: str
    outcome: ImageFingerprint | Fault
    sha256: bytes | None


def _member(path: str, shop: Workshop) -> _Answer:
    file = read(path, shop.sandbox.limits, shop.stop)
    if isinstance(file, Fault):
        return _Answer(path, file, None)
    return _Answer(path, taken(file, shop, member=True), file.digests.sha256)


def taken(file: File, shop: Workshop, *, member: bool = False) -> ImageFingerprint | Fault:
    """The fingerprint of a file that was read, as a query or as a known picture."""
    unusable = unfit(file, shop.sandbox.limits)
    if unusable is not None:
        return unusable
    look = fingerprint.member if member else fingerprint.image
    try:
        return shop.sandbox.run(look, file.data or b"")
    except (MediaError, FingerprintError) as error:
        return fault(file.path, error)


def _take(answer: _Answer, known: Known) -> None:
    """Media that cannot be opened is known by its digest all the same."""
    if isinstance(answer.outcome, ImageFingerprint):
        entry = Entry.of(len(known.paths), answer.outcome)
    elif answer.outcome.code == NotMedia.code:
        known.passed_by += 1
        return
    elif answer.sha256 is None:
        return
    else:
        entry = Entry(len(known.paths), answer.sha256, None, 0, None)
    known.catalog.put(entry)
    known.paths.append(answer.path)
