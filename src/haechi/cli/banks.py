"""`haechi bank`: banks of known pictures, and what is in them. docs/commands.md is the contract.

Needs an installation. Who acts is "operator" in the audit log.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from haechi.cli.files import Fault, read, walk
from haechi.cli.hashing import counted
from haechi.cli.knowing import taken
from haechi.cli.printing import ERROR, MATCH, NONE, Printer, Record, grep_codes, say
from haechi.cli.progress import Progress
from haechi.cli.workshop import Workshop
from haechi.errors import InvalidDocument, MemberUnknown
from haechi.formats import hashlist
from haechi.formats.hashlist import Listed, Malformed

if TYPE_CHECKING:
    from haechi.server.matching.listing import New
    from haechi.server.matching.models import Member

ACTOR = "operator"
LIST_LIMIT_BYTES = 4 * 1024**3
"""Of a hash list: some 30 million lines."""
TELL_AT_MOST = 20

BANK_COLUMNS = (
    "bank",
    "policy",
    "enabled",
    "trusted",
    "pending",
    "confirmed",
    "withdrawn",
    "held",
    "thresholds",
    "flood",
)
MEMBER_COLUMNS = (
    "member",
    "bank",
    "status",
    "held",
    "source",
    "sha256",
    "md5",
    "pdq",
    "pdq_quality",
    "created_at",
    "expires_at",
    "note",
)
ADD_COLUMNS = ("path", "member", "known", "error", "detail")
ACT_COLUMNS = ("member", "changed", "error", "detail")

type Command = Callable[[argparse.Namespace], int]


def inside(command: Command) -> Command:
    """`command`, in a process that is one of the server's."""

    @wraps(command)
    def run(asked: argparse.Namespace) -> int:
        from haechi.cli import installation

        installation.enter()
        return command(asked)

    return grep_codes(run)


@inside
def list_banks(asked: argparse.Namespace) -> int:
    """One record a bank. 1 if there is none."""
    from django.db.models import Count, Q

    from haechi.server.matching.models import Bank

    def count(**which: str) -> Count:
        return Count("members", filter=Q(**{f"members__{name}": of for name, of in which.items()}))

    banks = Bank.objects.filter(deleted_at=None).annotate(
        pending=count(status="pending"),
        confirmed=count(status="confirmed"),
        withdrawn=count(status="withdrawn"),
        held_members=Count("members", filter=~Q(members__held="") & Q(members__status="confirmed")),
    )
    records = (
        {
            "bank": bank.name,
            "policy": bank.policy,
            "enabled": bank.enabled,
            "trusted": bank.trusted,
            "pending": bank.pending,
            "confirmed": bank.confirmed,
            "withdrawn": bank.withdrawn,
            "held": bank.held_members,
            "thresholds": bank.thresholds,
            "flood": bank.flood,
        }
        for bank in banks.order_by("name")
    )
    return _print(asked, BANK_COLUMNS, records)


@inside
def show_bank(asked: argparse.Namespace) -> int:
    """One record a member. 1 if there is none."""
    from haechi.server.matching import banks

    rows = banks.named(asked.bank).members.order_by("pk").select_related("bank")
    if asked.status == "held":
        rows = rows.exclude(held="").filter(status="confirmed")
    elif asked.status:
        rows = rows.filter(status=asked.status)
    return _print(asked, MEMBER_COLUMNS, map(_member, rows.iterator(chunk_size=1_000)))


@inside
def make_bank(asked: argparse.Namespace) -> int:
    """Make a bank."""
    from django.utils import timezone

    from haechi.server.matching import banks
    from haechi.server.matching.models import BankPolicy

    banks.make(asked.bank, BankPolicy(asked.policy), actor=ACTOR, now=timezone.now())
    return MATCH


@inside
def set_bank(asked: argparse.Namespace) -> int:
    """Change settings of a bank or of one source of it."""
    from django.utils import timezone

    from haechi.server.matching import banks
    from haechi.server.matching.models import BankPolicy, Source

    bank = banks.named(asked.bank)
    common: dict[str, Any] = {"reason": asked.reason, "actor": ACTOR, "now": timezone.now()}
    trusted = None if asked.trusted is None else asked.trusted == "yes"
    if asked.source is not None:
        if asked.policy or asked.flood:
            say("a source has no policy and no flood settings; they are the bank's")
            return ERROR
        known = Source.objects.filter(bank=bank, name=asked.source).first()
        limits = _laid(known.thresholds if known else {}, asked.threshold)
        banks.change_source(bank, asked.source, trusted=trusted, limits=limits, **common)
        return MATCH
    banks.change(
        bank,
        policy=None if asked.policy is None else BankPolicy(asked.policy),
        trusted=trusted,
        limits=_laid(bank.thresholds, asked.threshold),
        flood=_laid(bank.flood, asked.flood),
        **common,
    )
    return MATCH


@inside
def enable_bank(asked: argparse.Namespace) -> int:
    """Let a bank match. 1 if it does already."""
    return _switch(asked, enabled=True)


@inside
def disable_bank(asked: argparse.Namespace) -> int:
    """Let a bank match nothing. 1 if it does not already."""
    return _switch(asked, enabled=False)


@inside
def add_files(asked: argparse.Namespace) -> int:
    """One record a file, in order: the number of its member, and whether it was known."""
    from django.utils import timezone

    from haechi.server.matching import banks, listing
    from haechi.server.matching.models import MemberStatus

    bank, expires_at = banks.named(asked.bank), _moment(asked.expires)
    status = MemberStatus.CONFIRMED if asked.confirmed else MemberStatus.PENDING
    faulty = added = 0
    with Workshop() as shop, Progress("add", counted(asked.paths)) as bar:
        printer = Printer(asked, ADD_COLUMNS, _cells(ADD_COLUMNS), _added_line)
        look = partial(_new, shop=shop, asked=asked, expires_at=expires_at)
        for path, new in shop.each(look, walk(asked.paths)):
            if isinstance(new, Fault):
                record: Record = {"path": path, "member": None, "known": None}
                record |= {"error": new.code, "detail": new.words}
                faulty += 1
            else:
                now = timezone.now()
                [made] = listing.add(bank, [new], status=status, actor=ACTOR, now=now)
                record = {"path": path, "member": made.member, "known": made.known}
                added += not made.known
            bar.aside()
            printer.put(record)
            bar.step()
    return ERROR if faulty else MATCH if added else NONE


@inside
def import_list(asked: argparse.Namespace) -> int:
    """Read the whole list first; nothing is imported if a line is malformed, unless told so."""
    from django.utils import timezone

    from haechi.server.matching import banks, listing

    bank = banks.named(asked.bank)
    with _opened(asked.file) as source:
        good, faults = _check(source)
        if faults and not asked.skip_malformed:
            say(
                f"{faults} malformed lines; nothing was imported (--skip-malformed imports the rest)"
            )
            return ERROR
        source.seek(0)
        lines = (one for one in hashlist.read(hashlist.lines_of(source)) if isinstance(one, Listed))
        counts = listing.Counts()
        with Progress("import", lambda: range(good), unit="lines") as bar:
            for counts in listing.take_list(
                bank, lines, collab=asked.collab, actor=ACTOR, now=timezone.now()
            ):
                bar.reach(counts.added + counts.known + counts.harmless)
    print(
        f"{counts.added} added, {counts.known} known already, {counts.harmless} said to be harmless "
        f"and left out, {faults} malformed"
    )
    return ERROR if faults else MATCH if counts.added else NONE


@inside
def export_list(asked: argparse.Namespace) -> int:
    """Print a bank as CSV."""
    from haechi.server.matching import banks, listing

    return _write(listing.list_out(banks.named(asked.bank)))


@inside
def feedback_list(asked: argparse.Namespace) -> int:
    """Print the last opinion on each member that has one, as CSV for its source."""
    from haechi.server.matching import banks, listing

    opinions = listing.feedback(banks.named(asked.bank), asked.source)
    return _write(map(listing.opinion_line, opinions.order_by("member_id").iterator()))


@inside
def confirm_members(asked: argparse.Namespace) -> int:
    """Bring members into force, and look for them in what is hosted already."""
    from haechi.server import flow

    return _act(asked, partial(flow.confirm_member, note=asked.note))


@inside
def withdraw_members(asked: argparse.Namespace) -> int:
    """Take members out of force."""
    from haechi.server.matching import banks

    return _act(asked, partial(banks.withdraw, note=asked.note))


@inside
def dispute_members(asked: argparse.Namespace) -> int:
    """Doubt members: a person looks at each match."""
    from haechi.server.matching import banks

    return _act(asked, partial(banks.dispute, note=asked.note))


@inside
def hold_members(asked: argparse.Namespace) -> int:
    """Hold members."""
    from haechi.server.matching import banks
    from haechi.server.matching.models import Held

    return _act(asked, partial(banks.hold, why=Held.STAFF, reason=asked.note))


@inside
def release_members(asked: argparse.Namespace) -> int:
    """Hold members no more."""
    from haechi.server.matching import banks

    return _act(asked, partial(banks.release, reason=asked.note))


@inside
def expire_members(asked: argparse.Namespace) -> int:
    """Set or take back the end of members."""
    from haechi.server.matching import banks

    return _act(asked, partial(banks.expire, at=_moment(asked.at), reason=asked.note))


def _switch(asked: argparse.Namespace, *, enabled: bool) -> int:
    from django.utils import timezone

    from haechi.server.matching import banks

    bank = banks.named(asked.bank)
    if bank.enabled == enabled:
        return NONE
    now = timezone.now()
    banks.change(bank, enabled=enabled, reason=asked.reason, actor=ACTOR, now=now)
    return MATCH


def _act(asked: argparse.Namespace, act: Callable[..., bool]) -> int:
    """`act` on each member, one transaction each; one record each."""
    from django.utils import timezone

    from haechi.server.matching import banks

    printer = Printer(asked, ACT_COLUMNS, _cells(ACT_COLUMNS), _acted_line)
    changed = faulty = 0
    for typed in _typed(asked.members):
        try:
            member = banks.numbered(_number(typed))
            done = act(member, actor=ACTOR, now=timezone.now())
        except MemberUnknown as error:
            faulty += 1
            record: Record = {"member": typed, "changed": None}
            printer.put(record | {"error": error.code, "detail": str(error)})
            continue
        changed += done
        printer.put({"member": member.pk, "changed": done})
    return ERROR if faulty else MATCH if changed else NONE


def _new(
    path: str, *, shop: Workshop, asked: argparse.Namespace, expires_at: datetime | None
) -> "tuple[str, New | Fault]":
    from haechi.server.evidence.services import columns
    from haechi.server.matching.listing import New

    file = read(path, shop.sandbox.limits, shop.stop)
    if isinstance(file, Fault):
        return path, file
    made = taken(file, shop, member=True)
    if isinstance(made, Fault):
        return path, made
    fingerprint: dict[str, Any] = columns(made)
    return path, New(asked.source[:80], note=asked.note[:255], expires_at=expires_at, **fingerprint)


def _check(source: IO[str]) -> tuple[int, int]:
    """How many lines are good, and how many are not; the first of those are told."""
    good = faults = 0
    for one in hashlist.read(hashlist.lines_of(source)):
        if isinstance(one, Malformed):
            faults += 1
            if faults <= TELL_AT_MOST:
                say(f"line {one.line}: {one.why}")
        else:
            good += 1
    if faults > TELL_AT_MOST:
        say(f"and {faults - TELL_AT_MOST} more")
    return good, faults


@contextmanager
def _opened(name: str) -> Iterator[IO[str]]:
    """A list that can be read twice: standard input is copied first. Raises OSError."""
    options: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape", "newline": "\n"}
    if name != "-":
        if Path(name).stat().st_size > LIST_LIMIT_BYTES:
            raise OSError(f"{name} is larger than {LIST_LIMIT_BYTES} bytes")
        with Path(name).open(**options) as file:
            yield file
        return
    with tempfile.TemporaryFile("w+", **options) as copy:
        seen = 0
        while chunk := sys.stdin.buffer.read(1024 * 1024):
            seen += len(chunk)
            if seen > LIST_LIMIT_BYTES:
                raise OSError(f"the list is larger than {LIST_LIMIT_BYTES} bytes")
            copy.buffer.write(chunk)
        copy.seek(0)
        yield copy


def _typed(members: Iterable[str]) -> Iterator[str]:
    for one in members:
        if one == "-":
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield one


def _number(typed: str) -> int:
    if not typed.isascii() or not typed.isdigit() or len(typed) > 18:
        raise MemberUnknown(f"{typed!r} is no number of a member")
    return int(typed)


def _moment(typed: str | None) -> datetime | None:
    if typed is None:
        return None
    from django.utils import timezone

    try:
        moment = datetime.fromisoformat(typed)
    except ValueError as error:
        raise InvalidDocument(
            f"{typed!r} is no date such as 2027-01-31 or 2027-01-31T12:00Z"
        ) from error
    return moment if moment.tzinfo else timezone.make_aware(moment, timezone.get_default_timezone())


def _laid(before: dict[str, object], typed: list[str] | None) -> dict[str, object] | None:
    """Settings with what was typed laid over them; NAME= takes one back. None if nothing was."""
    if typed is None:
        return None
    made = dict(before)
    for one in typed:
        name, equals, text = one.partition("=")
        if not equals:
            raise InvalidDocument(f"{one!r} is not NAME=VALUE")
        if not text:
            made.pop(name, None)
            continue
        try:
            made[name] = float(text) if "." in text else int(text)
        except ValueError as error:
            raise InvalidDocument(f"{name} must be a number") from error
    return made


def _member(member: "Member") -> Record:
    def hexed(value: Any) -> str | None:  # noqa: ANN401
        return None if value is None else bytes(value).hex()

    return {
        "member": member.pk,
        "bank": member.bank.name,
        "status": member.status,
        "held": member.held or None,
        "source": member.source,
        "sha256": hexed(member.sha256),
        "md5": hexed(member.md5),
        "pdq": hexed(member.pdq),
        "pdq_quality": member.pdq_quality if member.pdq is not None else None,
        "created_at": member.created_at.isoformat(),
        "expires_at": member.expires_at.isoformat() if member.expires_at else None,
        "note": member.note or None,
    }


def _print(asked: argparse.Namespace, columns: tuple[str, ...], records: Iterable[Record]) -> int:
    printer = Printer(asked, columns, _cells(columns), _table(columns))
    shown = 0
    for record in records:
        printer.put(record)
        shown += 1
    return MATCH if shown else NONE


def _write(lines: Iterable[Listed]) -> int:
    written = 0
    sys.stdout.write(hashlist.header())
    for one in lines:
        sys.stdout.write(hashlist.line(one))
        written += 1
    sys.stdout.flush()
    return MATCH if written else NONE


def _cells(columns: tuple[str, ...]) -> Callable[[Record], Iterator[list[object]]]:
    """One row a record; what a spreadsheet would run is made plain text."""

    def rows(record: Record) -> Iterator[list[object]]:
        cells = [record.get(name) for name in columns]
        yield [
            "" if cell is None else hashlist.safe(cell) if isinstance(cell, str) else cell
            for cell in cells
        ]

    return rows


def _table(columns: tuple[str, ...]) -> Callable[[Record], Iterator[list[object]]]:
    def lines(record: Record) -> Iterator[list[object]]:
        told = [
            f"{name} {record[name]}" for name in columns[1:] if record[name] not in (None, {}, "")
        ]
        yield [record[columns[0]], *told]

    return lines


def _added_line(record: Record) -> Iterator[list[object]]:
    if "error" in record:
        yield [f"{record['error']:14}", record["path"]]
        return
    yield [f"{'known' if record['known'] else 'added':14}", record["path"], "is", record["member"]]


def _acted_line(record: Record) -> Iterator[list[object]]:
    if "error" in record:
        yield [f"{record['error']:14}", record["member"], f"({record['detail']})"]
        return
    yield [f"{'changed' if record['changed'] else 'as before':14}", record["member"]]
