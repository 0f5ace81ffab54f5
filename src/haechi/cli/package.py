"""`haechi package`: evidence for police or a court in one file, and the record that it arrived."""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from haechi.cli.progress import Progress

ACTOR = "operator"
RECEIVED = "received"


def package(asked: argparse.Namespace) -> int:
    """Write one, or record a receipt. 1 where there is nothing to record."""
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    act = _received if asked.case == RECEIVED else _make
    return act(asked, timezone.now())


def _make(asked: argparse.Namespace, now: datetime) -> int:
    from haechi.cli.keeping import report_of
    from haechi.errors import SettingRefused, StorageUnavailable
    from haechi.server.cases import packages
    from haechi.server.cases.models import Case
    from haechi.server.cases.packages import Purpose
    from haechi.server.flow import packaging

    if not asked.to or not asked.out:
        print("haechi package: --to and --out are needed", file=sys.stderr)
        return 2
    case = Case.objects.select_related("report").filter(report=report_of(asked.case)).first()
    if case is None:
        raise SettingRefused(asked.case, "has no case yet; the worker opens it within minutes")
    if case.minor:
        print(
            "A person under 18 is concerned. Passing this on is a crime but where a law allows it.",
            file=sys.stderr,
        )
    purpose = Purpose(asked.receiver, asked.why, asked.authority, asked.basis)
    path = Path(asked.out)
    total = sum(case.report.exhibits.values_list("size", flat=True))
    try:
        # Nothing is overwritten, and nobody else reads it, though only the receiver could open it.
        with (
            path.open("xb") as out,
            Progress("packed", lambda: range(total), unit="bytes") as shown,
        ):
            path.chmod(0o600)
            ordered = packages.order(case, purpose, asked.to, now=now)
            made = packaging.write(
                ordered, out, now=now, told=lambda done, _total: shown.reach(done)
            )
    except FileExistsError:
        raise
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StorageUnavailable(f"cannot write {path.name}: {error.strerror}") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    packages.made(ordered, sha256=made.sha256, size=made.size, file="", now=now)
    print(f"Package {ordered.pk}: {path}, {made.size:,} bytes, SHA-256 {made.sha256.hex()}.")
    print(
        f"Only {', '.join(asked.to)} can open it. It is in the log. verify.md in it says how to check it."
    )
    print(f"When it has arrived: haechi package {RECEIVED} {ordered.pk} --receipt TEXT")
    return 0


def _received(asked: argparse.Namespace, now: datetime) -> int:
    from haechi.server.cases.models import Package
    from haechi.server.flow import packaging

    number = asked.number or ""
    found = Package.objects.select_related("case__report").filter(
        pk=int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
    )
    package = found.first()
    if package is None or not packaging.receive_package(
        package, asked.receipt, actor=ACTOR, now=now
    ):
        print(f"There is no package {number} that waits for a receipt. Nothing is logged.")
        return 1
    print(f"Package {package.pk} has arrived. That is in the log.")
    return 0
