"""`haechi trace FILE`: which service made it and with what; which account, only the desk tells."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haechi.server.tracing.models import Finding, Inquiry

LIMIT_BYTES = 256 * 1024 * 1024


def trace(asked: argparse.Namespace) -> int:
    """Ask the register of this installation. 0 where a record was found, 1 where none was."""
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    from haechi.errors import TooManyBytes
    from haechi.server.tracing import asking
    from haechi.server.tracing.models import Purpose

    path = Path(asked.file)
    if path.stat().st_size > LIMIT_BYTES:
        raise TooManyBytes(str(path))
    question = asking.Question(Purpose(asked.purpose), asked.reason, asked.case)
    inquiry = asking.ask(path.read_bytes(), question, actor=None, now=timezone.now())
    found = list(inquiry.findings.select_related("generation__platform"))
    if asked.json:
        print(json.dumps(_document(inquiry, found), indent=1))
    else:
        _print(inquiry, found)
    return 0 if found else 1


def _document(inquiry: "Inquiry", found: "list[Finding]") -> dict[str, object]:
    from haechi.labels.watermark import spelled

    return {
        "inquiry": inquiry.pk,
        "records": [
            {
                "number": one.generation_id,
                "service": one.generation.platform.name,
                "model": one.generation.model,
                "made_at": one.generation.made_at.isoformat(),
                "trace_id": spelled(one.generation.trace_id),
                "ways": one.ways.split(),
                "strength": one.strength,
                "alike": one.alike,
            }
            for one in found
        ],
    }


_ALIKE = {
    True: "looks like what was recorded",
    False: "does not look like what was recorded, as far as fingerprints tell",
    None: "cannot be compared with what was recorded",
}


def _print(inquiry: "Inquiry", found: "list[Finding]") -> None:
    print(f"Question {inquiry.pk}: {len(found)} record(s) found.")
    for one in found:
        made = one.generation
        print(f"\nRecord {made.pk}: made with {made.platform.name}, model {made.model},")
        print(f"  at {made.made_at:%Y-%m-%d %H:%M} UTC. How far this goes: {one.strength}.")
        print(f"  Found by: {'; '.join(one.way_words)}. It {_ALIKE[one.alike]}.")
    if found:
        print("\nWhich account it was, the desk tells, where a second person agrees:")
        print(f"  Who made it, question {inquiry.pk}.")
        if inquiry.purpose == "law":
            print("Held for three days; for 90 where a second person agrees there.")
    else:
        print("That there is no record does not mean that no machine made it.")
