"""What the steps of the story share: who, where, and what was found out so far."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from haechi.demo import household, pictures
from haechi.demo.household import Family
from haechi.demo.pictures import Image
from haechi.demo.processes import Crew
from haechi.demo.telling import NotAsTold, Teller, expect
from haechi.demo.visitor import Visitor
from haechi.server.reports.return_code import submission_of

type Row = dict[str, Any]

PATIENCE_S = 45.0


@dataclass
class Tale:
    """One telling. Fields below `teller` are filled by the steps."""

    family: Family
    crew: Crew
    teller: Teller
    photograph: Image
    before: dict[str, int] = field(default_factory=dict)
    post_id: str = ""
    post_url: str = ""
    report_id: str = ""
    code: str = ""
    case_id: int = 0
    mails_before: int = 0
    left_case_id: int = 0
    left_code: str = ""

    @classmethod
    def begin(cls, family: Family, crew: Crew, teller: Teller) -> "Tale":
        """Take the chapter's photograph. Raises NotAsTold when every one has been used."""
        if family.chapter >= len(pictures.CHAPTERS):
            raise NotAsTold(
                "a photograph that is new here",
                expected=f"at most {len(pictures.CHAPTERS)} tellings in one home",
                seen=f"all used; start again with --reset (home {family.home})",
            )
        if family.chapter:
            teller.line(
                f"The data of {family.chapter} earlier telling(s) is still here: the story is "
                "played with another photograph, and counts are told as differences."
            )
        household.turn_the_page(family)
        photograph = pictures.photograph(pictures.CHAPTERS[family.chapter])
        return cls(family, crew, teller, photograph)

    def rows(self, sql: str, *values: object) -> list[Row]:
        """Ask the database, in a connection and transaction of its own."""
        with psycopg.connect(self.family.database_url, row_factory=dict_row) as connection:
            cursor = connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def wait_for[T](
        self, what: str, probe: Callable[[], T | None], *, within_s: float = PATIENCE_S
    ) -> T:
        """What `probe` finds, once it finds something. Raises NotAsTold after `within_s`."""
        until = time.monotonic() + within_s
        while True:
            found = probe()
            if found:
                return found
            self.crew.check()
            if time.monotonic() > until:
                raise NotAsTold(what, expected=f"within {within_s:.0f} s", seen="not yet")
            time.sleep(0.1)

    def row(self, sql: str, *values: object, what: str = "a row") -> Row:
        """The one row, once it is there."""
        return self.wait_for(what, lambda: next(iter(self.rows(sql, *values)), None))

    def case_of(self, report: str) -> int:
        """The report's case, once its pictures were examined and something was found."""
        row = self.row(
            "SELECT open.id FROM cases_case open JOIN matching_hit hit"
            " ON hit.report_id = open.report_id WHERE open.report_id = %s",
            report,
            what="the case, with what the report meets",
        )
        return int(row["id"])

    def mails(self) -> list[bytes]:
        """What the mail sink holds, oldest first."""
        return [path.read_bytes() for path in sorted(self.family.mail.glob("*.eml"))]

    def visitor(self, name: str, language: str = "ko") -> Visitor:
        """Somebody who opens one of the sites."""
        return Visitor(self.family.url(name), language)

    def upload(
        self, picture: bytes, label: str, *, account: str = "anonymous", caption: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Post a picture on the board through its interface; status and JSON of the answer."""
        answer = httpx.post(
            f"{self.family.url('board')}/api/posts",
            files={"file": (label, picture, "image/jpeg")},
            data={"account": account, "caption": caption},
            timeout=60,
            trust_env=False,
        )
        body: dict[str, Any] = answer.json()
        return answer.status_code, body

    def status_on_board(self, post_id: str) -> int:
        """The HTTP status of a post's page on the board."""
        url = f"{self.family.url('board')}/post/{post_id}"
        return httpx.get(url, timeout=30, trust_env=False).status_code

    def publish(self, picture: bytes, label: str, **said: str) -> dict[str, Any]:
        """Post a picture that must be published, and wait until the match service knows it."""
        status, body = self.upload(picture, label, **said)
        expect(f"the board's answer to {label}", expected=201, seen=status)
        self.row(
            "SELECT id FROM matching_hosted WHERE content_id = %s",
            body["id"],
            what="the board's registration of what it publishes",
        )
        return body

    def reporter_sends(
        self, told: str, places: list[str], files: list[tuple[str, bytes]]
    ) -> tuple[Visitor, str]:
        """Fill in the report form in Korean; the visitor at the receipt, and the report's id."""
        reporter = self.visitor("public")
        reporter.look("/report")
        submission = reporter.hidden("/report").get("submission", "")
        reporter.send(
            "/report",
            {
                "age": "adult",
                "harms": ["made", "shared"],
                "told": told,
                "location": places,
                "declared": "on",
                "signature": "ㄱㅎ",
            },
            [("files", (name, data, "image/jpeg")) for name, data in files],
        )
        report = self.row(
            "SELECT id FROM reports_report WHERE submission = %s",
            submission_of(submission),
            what="the report",
        )
        return reporter, str(report["id"])

    def reviewer(self, name: str) -> Visitor:
        """Somebody who logged in to the desk with password and second factor."""
        visitor = self.visitor("desk", "en")
        visitor.look("/login")
        fields = {"username": name, "password": household.PASSWORD, "token": self.token(name)}
        visitor.send("/login", fields)
        expect("the page after the login", expected="/", seen=visitor.path)
        return visitor

    def token(self, name: str) -> str:
        """A token of `name` that was not used before; waits when both current ones were."""
        # Loaded here: only a login needs it.
        import pyotp  # noqa: PLC0415

        row = self.row("SELECT totp_last_step FROM staff_user WHERE username = %s", name)
        step = max(int(time.time()) // 30, int(row["totp_last_step"]) + 1)
        while step > int(time.time()) // 30 + 1:
            time.sleep(0.5)
        return pyotp.TOTP(self.family.totp[name]).generate_otp(step)
