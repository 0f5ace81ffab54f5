"""Kill -9 for every process, twice, at the two worst moments; then start them again."""

import sqlite3
from contextlib import closing
from email import message_from_bytes

from haechi.demo import pictures
from haechi.demo.proof import OUTSIDE_URL, check_notice, decision_of, verify
from haechi.demo.story import REASON
from haechi.demo.tale import Row, Tale
from haechi.demo.telling import expect


def play(tale: Tale) -> None:
    """Raises NotAsTold when anything is lost or happens twice."""
    name = pictures.SPARE[tale.family.chapter % len(pictures.SPARE)]
    photograph = pictures.photograph(name)
    post = tale.publish(pictures.jpeg(photograph), name, account="night_owl")
    case_id = _after_the_receipt(tale, post, pictures.saved_again(photograph))
    _after_the_decision(tale, post, case_id)
    code, said = verify(tale)
    expect("haechi audit verify after both", expected=0, seen=code)
    tale.teller.line(f"   {said}")


def _after_the_receipt(tale: Tale, post: Row, picture: bytes) -> int:
    with tale.teller.timed("Every process killed right after the receipt; started again") as _:
        _, report = tale.reporter_sends(
            "두 번째 신고입니다.", [f"{post['url']}?from=chat", OUTSIDE_URL], [("b.jpg", picture)]
        )
        killed = tale.crew.kill()
        tale.crew.start_database()
        tale.crew.restart(tale.family)
        case_id = tale.case_of(report)
        cases = tale.rows("SELECT id FROM cases_case WHERE report_id = %s", report)
        expect("cases of the report", expected=[{"id": case_id}], seen=cases)
    tale.teller.line(f"   {killed} processes died; the report was examined, and its case is open")
    return case_id


def _after_the_decision(tale: Tale, post: Row, case_id: int) -> None:
    with tale.teller.timed("Every process killed right after the decision; started again"):
        before = len(tale.mails())
        hosted = tale.row("SELECT id FROM matching_hosted WHERE content_id = %s", post["id"])
        reviewer = tale.reviewer("sol")
        reviewer.look(f"/case/{case_id}")
        reviewer.send(f"/case/{case_id}/claim", {})
        reviewer.send(
            f"/case/{case_id}/decide",
            {
                "verdict": "remove",
                "ground": "deepfake",
                "reason": REASON,
                "remove": [str(hosted["id"])],
            },
        )
        killed = tale.crew.kill()
        tale.crew.start_database()
        tale.crew.restart(tale.family)
        made = decision_of(tale, case_id)
        action = tale.row(
            "SELECT idempotency_key FROM cases_action"
            " WHERE decision_id = %s AND done_at IS NOT NULL",
            made["id"],
            what="the board's confirmation after all",
        )
        tale.row(
            "SELECT id FROM notices_notice WHERE decision_id = %s AND state = 'sent'",
            made["id"],
            what="the notice as sent after all",
        )
        expect("the post on the board", expected=410, seen=tale.status_on_board(post["id"]))
        acts = _acts(tale, action["idempotency_key"])
        expect("acts of the board", expected=1, seen=acts)
        new = tale.mails()[before:]
        names = {message_from_bytes(mail)["Message-ID"] for mail in new}
        expect("notices at the sink", expected=1, seen=len(names))
        check_notice(new[0])
    tale.teller.line(f"   {killed} processes died; one removal, one notice, each once")
    if len(new) > 1:
        # Mail knows no transaction: its receiver tells by the Message-ID.
        tale.teller.line("   (sent again under the same Message-ID: killed before it was noted)")


def _acts(tale: Tale, key: str) -> int:
    with closing(sqlite3.connect(tale.family.home / "board" / "board.sqlite3")) as board:
        row = board.execute("SELECT count(*) FROM act WHERE idempotency_key = ?", (key,)).fetchone()
    return int(row[0])
