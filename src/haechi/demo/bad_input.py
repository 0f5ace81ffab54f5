"""What goes wrong around a story: each has a stable code, plain words, and loses nothing."""

import json
import struct
import zlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx

from haechi import law
from haechi.demo import household, pictures
from haechi.demo.tale import Tale
from haechi.demo.telling import expect, expect_in
from haechi.errors import UnknownRule
from haechi.formats import webhook

TOLD = "이 글은 사라지지 않습니다."
LARGE_BYTES = 60_000_000


def play(tale: Tale) -> None:
    """Every bad input of the issue. Raises NotAsTold at the first that is answered otherwise."""
    rows: list[tuple[str, str, str]] = []
    with tale.teller.timed("Bad input"):
        rows += _at_the_front_door(tale)
        rows.append(_bomb(tale))
        rows.append(_wrong_code(tale))
        rows += _at_the_board(tale)
        rows.append(_unknown_rule())
    tale.teller.table(("input", "code", "what stays"), rows)


def _at_the_front_door(tale: Tale) -> list[tuple[str, str, str]]:
    large = pictures.jpeg(tale.photograph) + bytes(LARGE_BYTES)
    return [
        _refused(tale, "not media", "note.jpg", b"This is a letter. " * 40, "media.not_media"),
        _refused(tale, "60 MB", "large.jpg", large, "media.too_many_bytes"),
        _refused(tale, "empty form", None, b"", "report.empty"),
    ]


def _refused(
    tale: Tale, what: str, name: str | None, data: bytes, code: str
) -> tuple[str, str, str]:
    before = tale.rows("SELECT count(*) AS n FROM reports_report")[0]["n"]
    with tale.visitor("public") as reporter:
        reporter.look("/report")
        files = [("files", (name, data, "image/jpeg"))] if name else []
        place = [story_place()] if name else [""]
        reporter.send(
            "/report", {"told": TOLD, "age": "adult", "location": place}, files, expected=422
        )
        expect_in(f"{what}: the code on the page", code, reporter.page)
        expect_in(f"{what}: what was typed", TOLD, reporter.page)
        expect_in(f"{what}: the page's language", 'lang="ko"', reporter.page)
    after = tale.rows("SELECT count(*) AS n FROM reports_report")[0]["n"]
    expect(f"{what}: reports stored", expected=before, seen=after)
    return what, code, "what was typed, in the form"


def story_place() -> str:
    """A place outside, for reports that are about something else."""
    return f"https://{household.OUTSIDE_HOST}/album/7/4.jpg"


def _bomb(tale: Tale) -> tuple[str, str, str]:
    """Sealed unseen like every file; the worker refuses to unfold it, and the report goes on."""
    _, report = tale.reporter_sends(TOLD, [story_place()], [("bomb.png", bomb())])
    exhibit = tale.row(
        "SELECT refusal FROM evidence_exhibit WHERE report_id = %s AND state = 'refused'",
        report,
        what="the refusal of the bomb",
    )
    expect("the bomb's code", expected="media.too_many_pixels", seen=exhibit["refusal"])
    tale.row("SELECT id FROM cases_case WHERE report_id = %s", report, what="the case all the same")
    return "decompression bomb", exhibit["refusal"], "the report; its case is open at the desk"


def bomb(side_px: int = 40_000) -> bytes:
    """A PNG of a few hundred kilobytes that would unfold to `side_px` squared grey pixels."""
    packer = zlib.compressobj(9)
    row = bytes(1 + side_px // 8)
    body = b"".join(packer.compress(row * 500) for _ in range(side_px // 500)) + packer.flush()
    header = struct.pack(">IIBBBBB", side_px, side_px, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _wrong_code(tale: Tale) -> tuple[str, str, str]:
    digits = f"{int(tale.code.replace(' ', '')) ^ 1:027d}"
    with tale.visitor("public") as stranger:
        stranger.look("/return")
        stranger.send("/return", {"code": digits}, expected=403)
        expect_in("the wrong code's code", "report.code_unknown", stranger.page)
    return "wrong return code", "report.code_unknown", "the report, closed to strangers"


def _at_the_board(tale: Tale) -> list[tuple[str, str, str]]:
    """An order nobody signed, and a signed one that was changed and sent again."""
    up = tale.publish(pictures.jpeg(pictures.photograph(pictures.UNRELATED)), "webhook")
    now = datetime.now(UTC)  # noqa: TID251  # this is the edge
    forged = _order(tale, up["id"], secret=b"not the secret, just thirty-two b", at=now)
    expect("forged webhook", expected=(401, "webhook.forged"), seen=forged)
    stale = _order(
        tale, up["id"], secret=tale.family.webhook_secret, at=now - timedelta(minutes=10)
    )
    expect("stale webhook", expected=(400, "webhook.stale"), seen=stale)
    expect("the post after both", expected=200, seen=tale.status_on_board(up["id"]))
    return [
        ("forged webhook", "webhook.forged", "the post"),
        ("webhook ten minutes old", "webhook.stale", "the post"),
        _replayed(tale, up["id"], now),
    ]


def _replayed(tale: Tale, other: str, now: datetime) -> tuple[str, str, str]:
    """The delivery that removed the photograph, its id used once more for another post."""
    action = tale.rows("SELECT idempotency_key FROM cases_action ORDER BY id DESC LIMIT 1")[0]
    answer = _order(
        tale, other, secret=tale.family.webhook_secret, at=now, delivery=action["idempotency_key"]
    )
    expect("replayed webhook", expected=(409, "webhook.replayed"), seen=answer)
    expect("the post after the replay", expected=200, seen=tale.status_on_board(other))
    return "replayed webhook", "webhook.replayed", "the post"


def _order(
    tale: Tale, content_id: str, *, secret: bytes, at: datetime, delivery: str = ""
) -> tuple[int, str]:
    delivery = delivery or f"demo-{uuid4()}"
    body = json.dumps(
        {
            "type": "content.remove",
            "idempotency_key": delivery,
            "content_id": content_id,
            "reason": "demo",
        }
    ).encode()
    answer = httpx.post(
        f"{tale.family.url('board')}/haechi/webhook",
        content=body,
        headers=webhook.sign(secret, body, delivery_id=delivery, at=at),
        timeout=30,
        trust_env=False,
    )
    return answer.status_code, str(answer.json().get("error", {}).get("code", ""))


def _unknown_rule() -> tuple[str, str, str]:
    try:
        law.rule("KR-NO-SUCH-RULE")
    except UnknownRule as error:
        return "clock rule that does not exist", error.code, "every clock that runs"
    expect("a rule that does not exist", expected="law.unknown_rule", seen="a rule")
    return "", "", ""
