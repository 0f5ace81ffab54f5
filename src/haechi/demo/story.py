"""The story, step by step, through the interfaces that people and machines really use."""

import re
from datetime import timedelta

import httpx

from haechi.demo import household, pictures
from haechi.demo.proof import (
    OUTSIDE_URL,
    SHOWN,
    audit,
    caught,
    check_notice,
    counts,
    decision_of,
    expect_korean,
    stands,
    verify,
)
from haechi.demo.tale import Row, Tale
from haechi.demo.telling import NotAsTold, expect, expect_in

DIGITS = re.compile(r"(?<!\d)(?:\d{3}[\s-]?){8}\d{3}(?!\d)")
TOLD = "누군가 제 사진을 바꿔서 올렸어요."
REASON = "The report's picture and the post show the same altered photograph."


def play(tale: Tale) -> None:
    """All eight steps. Raises NotAsTold at the first that is not as told."""
    tale.before = counts(tale)
    tale.mails_before = len(tale.mails())
    posted(tale)
    reported(tale)
    examined(tale)
    decided(tale)
    delivered(tale)
    stopped_at_the_door(tale)
    read_by_the_reporter(tale)
    counted_and_proven(tale)


def posted(tale: Tale) -> None:
    """1. The photograph goes up; nobody knows it yet."""
    with tale.teller.step(1, "Somebody posts a photograph on the board") as notes:
        body = tale.publish(
            pictures.jpeg(tale.photograph), "photograph.jpg", account="night_owl", caption="look"
        )
        tale.post_id, tale.post_url = body["id"], body["url"]
        notes.append(f"published at {tale.post_url}")


def reported(tale: Tale) -> None:
    """2. The person depicted reports it, in Korean, without an account."""
    with tale.teller.step(
        2, "The person depicted reports it in Korean, without an account"
    ) as notes:
        # As people paste links: with a tail, so that only the picture itself leads to the post.
        places = [f"{tale.post_url}?from=chat", OUTSIDE_URL]
        copy = pictures.saved_again(tale.photograph)
        reporter, tale.report_id = tale.reporter_sends(TOLD, places, [("사진.jpg", copy)])
        expect_in("the receipt's language", 'lang="ko"', reporter.page)
        expect_korean("the receipt", reporter.text())
        tale.code = code_on(reporter.text())
        exhibit = tale.row("SELECT * FROM evidence_exhibit WHERE report_id = %s", tale.report_id)
        blob = next((tale.family.home / "blobs").rglob(exhibit["blob"]))
        expect("the stored exhibit", expected=b"age-encryption.org", seen=blob.read_bytes()[:18])
        notes.append("sealed before the receipt; return code shown once, as words and as digits")


def code_on(text: str) -> str:
    """The 27 digits of the return code on the receipt. Raises NotAsTold."""
    found = DIGITS.search(text)
    if found is None:
        raise NotAsTold("the return code", expected="27 digits on the receipt", seen=text[:300])
    return found[0]


def examined(tale: Tale) -> None:
    """3. The worker opens, fingerprints, finds, opens a case, starts the clocks."""
    with tale.teller.step(
        3, "The worker fingerprints it, finds the copy, starts the clocks"
    ) as notes:
        tale.case_id = tale.case_of(tale.report_id)
        hits = tale.rows(
            "SELECT hit.*, content_id FROM matching_hit hit JOIN matching_hosted hosted"
            " ON hosted.id = hit.hosted_id WHERE report_id = %s",
            tale.report_id,
        )
        expect(
            "what the report meets on the board",
            expected=[tale.post_id],
            seen=[hit["content_id"] for hit in hits],
        )
        notes.append(f"found on the board by {how_found(hits[0])}")
        clocks = tale.rows(
            "SELECT rule, jurisdiction, due_at - started_at AS limit FROM cases_clock"
            " WHERE case_id = %s ORDER BY due_at",
            tale.case_id,
        )
        if not clocks:
            raise NotAsTold("the clocks of law", expected="at least one", seen="none")
        notes += [f"clock {clock['rule']} runs: {_span(clock['limit'])}" for clock in clocks]


def _span(limit: timedelta) -> str:
    hours = round(limit.total_seconds() / 3600)
    return f"{hours} hours" if hours <= 72 else f"{hours // 24} days"


def how_found(row: Row) -> str:
    """What found it, with its distance or similarity."""
    measured = [
        *([f"{row['distance_bits']} of 256 bits"] if row["distance_bits"] is not None else []),
        *([f"similarity {row['similarity']:.3f}"] if row["similarity"] is not None else []),
    ]
    return f"{row['found_by']} ({', '.join(measured)})" if measured else str(row["found_by"])


def decided(tale: Tale) -> None:
    """4. A reviewer with a second factor looks and decides."""
    with tale.teller.step(
        4, "A reviewer logs in with a second factor and decides to remove"
    ) as notes:
        reviewer = tale.reviewer("rim")
        case = f"/case/{tale.case_id}"
        expect_in("the queue", case, reviewer.page)
        reviewer.look(case)
        before = reviewer.page
        reviewer.send(f"{case}/claim", {})
        expect("what she wrote, before the case is taken", expected=False, seen=TOLD in before)
        expect_in("what she wrote, once it is", TOLD, reviewer.page)
        exhibit = tale.row("SELECT id FROM evidence_exhibit WHERE report_id = %s", tale.report_id)
        picture = f"/exhibit/{exhibit['id']}/picture"
        reviewer.look(picture, expected=403)
        reviewer.look(case)
        reviewer.send(f"{case}/exhibit/{exhibit['id']}/lift", {}, expected=204)
        reviewer.look(picture)
        reviewer.look(case)
        hosted = tale.row("SELECT id FROM matching_hosted WHERE content_id = %s", tale.post_id)
        reviewer.send(
            f"{case}/decide",
            {
                "verdict": "remove",
                "ground": "deepfake",
                "reason": REASON,
                "remove": [str(hosted["id"])],
            },
        )
        notes.append(
            "her words stayed sealed until the case was taken, the picture until the veil was"
        )
        notes.append("lifted; both are in the log")


def delivered(tale: Tale) -> None:
    """5. One transaction; then the board removes and the outside host has its notice."""
    with tale.teller.step(5, "The board removes it; the outside host gets a notice") as notes:
        made = decision_of(tale, tale.case_id)
        expect("made in one transaction", expected=1, seen=made["transactions"])
        action = tale.row(
            "SELECT done_at - created_at AS took FROM cases_action"
            " WHERE decision_id = %s AND done_at IS NOT NULL",
            made["id"],
            what="the board's confirmation",
        )
        expect("the post on the board", expected=410, seen=tale.status_on_board(tale.post_id))
        notes.append(
            f"the board removed it {action['took'].total_seconds():.1f} s after the decision"
        )
        tale.row(
            "SELECT id FROM notices_notice WHERE decision_id = %s AND state = 'sent'",
            made["id"],
            what="the notice as sent",
        )
        new = tale.mails()[tale.mails_before :]
        expect("mails at the sink", expected=1, seen=len(new))
        report_id = check_notice(new[0])
        notes.append(f"notice to {household.OUTSIDE_MAILBOX}, XARF {report_id}, parsed as valid")


def stopped_at_the_door(tale: Tale) -> None:
    """6. Edited copies are refused at upload; another picture is published."""
    rows = []
    with tale.teller.step(6, "Edited copies are posted again, and an unrelated picture"):
        wait_until_known(tale)
        for edit, make in {"unchanged": pictures.jpeg, **pictures.EDITS}.items():
            status, body = tale.upload(make(tale.photograph), f"{edit} {tale.family.chapter}")
            rows.append(_answer(tale, edit, status, body))
        status, body = tale.upload(
            pictures.jpeg(pictures.photograph(pictures.UNRELATED)), "unrelated"
        )
        expect("the board's answer to the unrelated picture", expected=201, seen=status)
        rows.append(_answer(tale, "unrelated picture", status, body))
    tale.teller.table(("edit", "answer", "verdict", "found by", "distance", "similarity"), rows)
    refused = [row for row in rows if row[1].startswith("refused")]
    must = 6 if has_model(tale) else 4
    if len(refused) < must:
        raise NotAsTold("edited copies refused", expected=f"{must} or more", seen=len(refused))


def wait_until_known(tale: Tale) -> None:
    """Until the match service has read the new bank member: a second at the latest."""
    newest = tale.rows("SELECT max(seq) AS seq FROM matching_member")[0]["seq"]

    def has_read() -> bool:
        answer = httpx.get(f"{tale.family.url('match')}/v1/status", timeout=10, trust_env=False)
        return int(answer.json()["seq"]) >= int(newest)

    tale.wait_for("the bank member at the match service", has_read, within_s=10)


def has_model(tale: Tale) -> bool:
    """True where the copy-detection model is installed."""
    # Loaded here: the model's runtime is large.
    from haechi.fingerprint import sscd  # noqa: PLC0415

    del tale
    return sscd.available()


def _answer(tale: Tale, edit: str, status: int, body: Row) -> tuple[str, ...]:
    check = tale.row(
        "SELECT * FROM matching_check ORDER BY id DESC LIMIT 1", what="the row of the check"
    )
    answers = {201: "published", 202: "held for review", 409: "refused, may appeal"}
    if status == 409:
        expect_in("the way to appeal", "/appeal/", str(body["reason"].get("appeal_url")))
    bits, similarity = check["distance_bits"], check["similarity"]
    return (
        edit,
        answers.get(status, str(status)),
        check["verdict"],
        check["found_by"] or "-",
        "-" if bits is None else f"{bits} bits",
        "-" if similarity is None else f"{similarity:.3f}",
    )


def read_by_the_reporter(tale: Tale) -> None:
    """7. The reporter comes back with the code."""
    with tale.teller.step(7, "The reporter comes back and reads what was done, in Korean") as notes:
        with tale.visitor("public") as reporter:
            reporter.look("/return")
            reporter.send("/return", {"code": tale.code})
            expect("where the code leads", expected="/status", seen=reporter.path)
            expect_in("the page's language", 'lang="ko"', reporter.page)
            expect_korean("what was done", reporter.text())
            expect_in("the outside host", household.OUTSIDE_HOST, reporter.text())
            expect_in(
                "the board", tale.family.url("board").removeprefix("http://"), reporter.text()
            )
        notes.append("what was done at the board and at the outside host, each with its time")


def counted_and_proven(tale: Tale) -> None:
    """8. Public counts move; the log is whole, and says so when it is not."""
    with tale.teller.step(
        8, "The public counts move; the log is proven, and catches a change"
    ) as notes:
        now = counts(tale)
        for name, wanted in (
            ("reports", 1),
            ("removals_decided", 1),
            ("pieces_removed", 1),
            ("notices_sent", 1),
        ):
            expect(f"{name} more than before", expected=wanted, seen=now[name] - tale.before[name])
        notes += [
            f"{what}: {now[name]} (+{now[name] - tale.before[name]} by the story so far)"
            for name, what in SHOWN.items()
        ]
        notes.append("bad input, below, also reports; the last lines count that too")
        notes.append(f"time to removal (median): {now['median_time_to_removal_s']} s")
        with tale.visitor("public", "en") as anybody:
            anybody.look("/numbers")
            for name, what in SHOWN.items():
                stands(anybody.text(), what, now[name])
        code, said = audit(tale, "checkpoint")
        expect("haechi audit checkpoint", expected=0, seen=code)
        with tale.visitor("public", "en") as anybody:
            anybody.look("/log")
            expect("the signed log on the public site", expected=said, seen=anybody.page.strip())
        notes.append(f"the log is signed: {tale.family.url('public')}/log")
        code, said = verify(tale)
        expect("haechi audit verify", expected=0, seen=code)
        notes.append(said)
        notes.extend(caught(tale))
