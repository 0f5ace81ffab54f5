"""What the story checks behind the scenes.

The notice as its receiver parses it, one transaction behind a decision, the public counts, and the
log before and after somebody tampers with it.
"""

import json
import re
import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage

import psycopg
from psycopg.types.json import Jsonb

from haechi.demo import household
from haechi.demo.tale import Row, Tale
from haechi.demo.telling import NotAsTold, expect, expect_in

# Where the outside host shows it.
OUTSIDE_URL = f"https://{household.OUTSIDE_HOST}/album/7/3.jpg"
HANGUL = re.compile("[가-힣]")
# A page in another language shows five: the name of the language, and what the reporter typed.
ENOUGH_HANGUL = 80

# Names of the public counts, and what the public page calls them in English.
SHOWN = {
    "reports": "Reports received",
    "removals_decided": "Decisions to remove",
    "pieces_removed": "Copies removed",
    "notices_sent": "Notices sent to other hosts",
    "uploads_refused": "Uploads stopped",
}


def stands(text: str, what: str, number: int) -> None:
    """Raises NotAsTold unless `number` is the next number after the words `what`."""
    after = re.search(rf"{what}\D{{0,150}}(\d+)", text)
    expect(f"{what} on the public page", expected=str(number), seen=after and after[1])


def counts(tale: Tale) -> dict[str, int]:
    """The public numbers, as the public page's own JSON gives them."""
    with tale.visitor("public", "en") as anybody:
        anybody.look("/numbers.json")
        found: dict[str, int | str | None] = json.loads(anybody.page)
        return {name: value or 0 for name, value in found.items() if not isinstance(value, str)}


def expect_korean(what: str, text: str) -> None:
    """Raises NotAsTold unless the page's own words are Korean."""
    count = len(HANGUL.findall(text))
    if count < ENOUGH_HANGUL:
        seen = f"{count} in: {text[:200]}"
        raise NotAsTold(what, expected=f"{ENOUGH_HANGUL} Korean syllables or more", seen=seen)


def decision_of(tale: Tale, case_id: int) -> Row:
    """The decision, and how many transactions wrote it with all that follows (PostgreSQL's xmin)."""
    return tale.row(
        """
        SELECT decision.id, count(DISTINCT part.xmin::text) AS transactions
          FROM cases_decision decision
          JOIN LATERAL (
            SELECT decision.xmin
            UNION ALL SELECT xmin FROM audit_entry
              WHERE subject = 'cases.decision:' || decision.id
            UNION ALL SELECT entry.xmin FROM audit_entry entry
              JOIN cases_action action ON entry.subject = 'cases.action:' || action.id
              WHERE action.decision_id = decision.id AND entry.tag = 'action:asked'
            UNION ALL SELECT statement.xmin FROM transparency_statement statement
              JOIN cases_action action ON action.id = statement.action_id
              WHERE action.decision_id = decision.id
            UNION ALL SELECT entry.xmin FROM audit_entry entry
              JOIN notices_notice notice ON entry.subject = 'notices.notice:' || notice.id
              WHERE notice.decision_id = decision.id AND entry.tag = 'notice:queued'
            UNION ALL SELECT entry.xmin FROM audit_entry entry
              JOIN matching_member member ON entry.subject = 'matching.member:' || member.id
              WHERE member.source = 'case ' || decision.case_id AND entry.tag = 'member:confirmed'
          ) part ON true
         WHERE decision.case_id = %s
         GROUP BY decision.id
        """,
        case_id,
        what="the decision",
    )


def check_notice(mail: bytes) -> str:
    """Parse the notice as its receiver would; its XARF identifier. Raises NotAsTold."""
    # Loaded here: the library reads its schemas when imported.
    import xarf  # noqa: PLC0415

    message = message_from_bytes(mail, policy=policy.SMTP)
    assert isinstance(message, EmailMessage)  # noqa: S101  # what this policy makes
    expect("the notice's receiver", expected=household.OUTSIDE_MAILBOX, seen=str(message["To"]))
    parts = [part for part in message.walk() if part.get_content_type() == "application/json"]
    expect("XARF parts", expected=1, seen=len(parts))
    payload = parts[0].get_payload(decode=True)
    text = payload.decode() if isinstance(payload, bytes) else str(payload)
    parsed = xarf.parse(text)
    expect("errors of the xarf library", expected=[], seen=list(parsed.errors))
    expect_in("the notice", OUTSIDE_URL, text)
    return str(getattr(parsed.report, "report_id", ""))


def verify(tale: Tale) -> tuple[int, str]:
    """Exit code and words of `haechi audit verify`."""
    return audit(tale, "verify")


def audit(tale: Tale, act: str) -> tuple[int, str]:
    """Exit code and words of `haechi audit <act>`."""
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "haechi.cli", "audit", act],
        env=tale.family.environment | tale.family.vault,
        cwd=household.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, (done.stdout or done.stderr).strip()


def caught(tale: Tale) -> list[str]:
    """Change one entry as somebody with the database's password could; put it back."""
    entry = tale.rows(
        "SELECT position, detail FROM audit_entry WHERE tag = 'case:decided'"
        " ORDER BY position DESC LIMIT 1"
    )[0]
    position = entry["position"]
    _rewrite(tale, position, 'detail || \'{"verdict": "keep"}\'')
    try:
        code, said = verify(tale)
    finally:
        _rewrite(tale, position, "%s::jsonb", Jsonb(entry["detail"]))
    expect("verify after the change", expected=1, seen=code)
    expect_in("the entry it names", f"entry {position}:", said)
    whole, _ = verify(tale)
    expect("verify once the row is put back", expected=0, seen=whole)
    return [f"entry {position} changed by hand: {said}", "entry put back: the log is whole again"]


def _rewrite(tale: Tale, position: int, detail: str, *values: object) -> None:
    with psycopg.connect(tale.family.database_url) as connection:
        connection.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        sql = f"UPDATE audit_entry SET detail = {detail} WHERE position = %s"  # noqa: S608  # ours
        connection.execute(sql.encode(), [*values, position])
        connection.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
