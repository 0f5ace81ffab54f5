"""Who reports, who decides, and who answers notices or does not."""

import secrets
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from random import Random

from django.db import transaction

from haechi import seal
from haechi.errors import CaseClaimed, CaseClosed, NotAllowed
from haechi.fingerprint.address import url_digest
from haechi.server import flow
from haechi.server.cases import claims, reviews
from haechi.server.cases.models import Case, Ground, State, Verdict
from haechi.server.cases.ruling import Ruling
from haechi.server.matching.models import Hosted, Platform
from haechi.server.notices import services as notices
from haechi.server.notices.models import Notice
from haechi.server.reports.models import Age, Harm, Report
from haechi.server.reports.models import State as ReportState
from haechi.server.reports.services import Submission
from haechi.server.reports.story import Story
from haechi.server.staff.models import User

HOSTS = 12


@dataclass
class Reporters:
    """People who report pages of hosts outside and posts of the board, and some who take it back."""

    dice: Random
    board: Platform
    digest_key: bytes
    reported: int = 0
    withdrawn: int = 0

    def report(self, now: datetime) -> Report:
        """One report: a place outside, or a post of the board, or both."""
        number, roll = self.reported, self.dice.randrange(10)
        self.reported += 1
        places = []
        if roll < 7:
            places.append(f"https://host{number % HOSTS}.example/p/{number}")
        if roll >= 5:
            places.append(f"https://board.example/post/{number}")
            self._post(places[-1], number, now)
        told = Submission(
            token=secrets.token_urlsafe(32),
            identity=seal.new_identity(),
            language=self.dice.choice(("ko", "zh-hans", "en")),
            age=self.dice.choice((Age.ADULT, Age.ADULT, Age.ADULT, Age.UNDER_18)),
            harms=(Harm.MADE, Harm.SHARED),
            story=Story(told="It is me.", declared=True, signature="K."),
            locations=tuple(places),
        )
        return flow.submit_report(told, (), now=now)[0]

    def change_their_minds(self, now: datetime, *, of_hundred: int) -> None:
        """Some take back what nobody has decided yet."""
        waiting = Report.objects.filter(state=ReportState.LOOKED_AT).order_by("received_at")[:20]
        for report in waiting:
            if self.dice.randrange(100) < of_hundred:
                self.withdrawn += flow.withdraw_report(report, now=now)

    def _post(self, url: str, number: int, now: datetime) -> None:
        Hosted.objects.create(
            platform=self.board,
            content_id=str(number),
            url_digest=url_digest(self.digest_key, url),
            registered_at=now,
            sha256=secrets.token_bytes(32),
        )


@dataclass
class Reviewers:
    """People who work through the queue, most urgent first, and sometimes get there second."""

    dice: Random
    people: list[User]
    decided: Counter[str] = field(default_factory=Counter)
    lost: int = 0

    def work(self, now: datetime, *, at_most: int) -> None:
        """Each takes the most urgent case that is theirs to take."""
        for _ in range(at_most):
            person = self.dice.choice(self.people)
            case = self._next(person, now)
            if case is None:
                return
            with suppress(CaseClaimed, CaseClosed, NotAllowed):
                self._conclude(case, person, now)
                if self.dice.randrange(20) == 0:
                    self._come_second(case, now)

    def _next(self, person: User, now: datetime) -> Case | None:
        waiting = Case.objects.queue().filter(state__in=(State.OPEN, State.SECOND))[:10]
        return next((case for case in waiting if not reviews.heard(case, person)), None)

    def _conclude(self, case: Case, person: User, now: datetime) -> None:
        claims.claim(case, person, now=now)
        ruling = self._ruling()
        found = Hosted.objects.filter(hit__report=case.report).distinct()
        place = reviews.place_of(case)
        decision = flow.judge(case, ruling, remove=found, place=place, actor=person, now=now)
        if decision is not None:
            self.decided[decision.verdict] += 1

    def _ruling(self) -> Ruling:
        if self.dice.randrange(4):
            return Ruling(Verdict.REMOVE, Ground.DEEPFAKE, "It is what was reported.")
        return Ruling(Verdict.KEEP, Ground.NONE, "It is a landscape.")

    def _come_second(self, case: Case, now: datetime) -> None:
        """Somebody presses the button on a page that is old by now."""
        other = self.dice.choice(self.people)
        ruling = Ruling(Verdict.REMOVE, Ground.DEEPFAKE, "Too late.")
        try:
            flow.judge(case, ruling, remove=(), place=1, actor=other, now=now)
        except (CaseClaimed, CaseClosed, NotAllowed):
            self.lost += 1
        else:
            raise AssertionError(f"{case} was decided twice")


@dataclass
class Hosts:
    """Whoever answers for a host: some at once, some after days, some never, some by machine."""

    dice: Random
    answered: int = 0
    automatic: int = 0

    def answer(self, now: datetime) -> None:
        """Each notice that went out a while ago may get its answer."""
        quiet = Notice.objects.filter(sent_at__lt=now - timedelta(hours=6), answered_at=None)
        for notice in quiet.order_by("sent_at", "pk")[:50]:
            roll = self.dice.randrange(100)
            if roll < 3:
                self._say(notice, now, automatic=True)
            elif roll < 10:
                self._say(notice, now, automatic=False)

    def _say(self, notice: Notice, now: datetime, *, automatic: bool) -> None:
        with transaction.atomic():
            sent = notices.message_of(notice)
        mail = EmailMessage()
        mail["From"], mail["To"] = str(sent["To"]), str(sent["From"])
        mail["In-Reply-To"] = str(sent["Message-ID"])
        mail["Subject"] = "Re: " + str(sent["Subject"])
        if automatic:
            mail["Auto-Submitted"] = "auto-replied"
        mail.set_content("We are away." if automatic else "It is gone.")
        reply = flow.take_reply(mail.as_bytes(), now=now)
        assert reply is not None, "an answer to our notice was not recognised"
        self.automatic += automatic
        self.answered += not automatic
