"""The month itself, step by step."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from django.conf import settings
from django.test import override_settings
from tests import quick
from tests.month import tally
from tests.month.clock import Clock
from tests.month.others import Board, Post
from tests.month.people import Hosts, Reporters, Reviewers
from tests.month.worker import Worker

from haechi.server.matching import services as matching
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role

# Summer time ends in Europe on 25 October and in America on 1 November.
START = datetime(2026, 10, 10, 6, 0, tzinfo=UTC)
STEP = timedelta(hours=1)
# A worker that is down this long is the worst that happens here.
LONGEST_STOP = 9
# Without new reports, so that what is on its way arrives: the longest silence before the last act.
AFTERWARDS = timedelta(days=3)


@dataclass(frozen=True)
class Told:
    """What happened, for people to read."""

    reports: int
    decided: dict[str, int]
    withdrawn: int
    deaths: int
    tried_again: int
    mails: int
    wrong: list[str]


def month(*, cases: int, days: int, seed: int = 7, risk: float = 0.05) -> Told:
    """Live through it in the database that Django has; every figure in `wrong` is a broken promise."""
    dice, clock = Random(seed), Clock(START)  # noqa: S311 - a story, not a secret
    board, post = Board(dice), Post(dice)
    with ExitStack() as open_:
        open_.enter_context(clock.ruling())
        open_.enter_context(quick.codes())
        port = open_.enter_context(post.open())
        webhook = open_.enter_context(board.open())
        house = replace(settings.HAECHI, smtp_host="127.0.0.1", smtp_port=port)
        open_.enter_context(override_settings(HAECHI=house))
        platform = matching.register_platform(
            "board", "https://board.example", webhook, webhook_secret=b"s" * 32
        )
        people = [_reviewer(number, clock.now) for number in range(4)]
        reporters = Reporters(dice, platform, house.digest_key)
        reviewers = Reviewers(dice, people)
        worker, hosts = Worker(clock, dice, risk), Hosts(dice)
        for here in _hours(days):
            if clock.now < START + timedelta(days=days):
                for _ in range(_arrivals(dice, cases, days)):
                    if reporters.reported < cases:
                        reporters.report(clock.now)
                reporters.change_their_minds(clock.now, of_hundred=1)
            if here:
                worker.work()
            reviewers.work(clock.now, at_most=2 + 2 * cases // (days * 24))
            hosts.answer(clock.now)
            clock.pass_by(STEP)
            # The machine's clock was wrong and is set right.
            if dice.randrange(100) == 0:
                clock.pass_by(timedelta(minutes=-dice.randrange(1, 50)))
        worker.risk = 0.0
        worker.work()
        return Told(
            reports=reporters.reported,
            decided=dict(reviewers.decided),
            withdrawn=reporters.withdrawn,
            deaths=worker.deaths,
            tried_again=worker.tried_again,
            mails=post.taken.total(),
            wrong=tally.wrong(
                now=clock.now, slack=STEP * (LONGEST_STOP + 1), reporters=reporters,
                reviewers=reviewers, board=board, post=post,
            ),
        )  # fmt: skip


def _hours(days: int) -> Iterator[bool]:
    """Whether a worker runs, hour by hour: once in a while it is down for up to nine hours."""
    down = Random(days)  # noqa: S311
    left = 0
    for _ in range(int((timedelta(days=days) + AFTERWARDS) / STEP)):
        if not left and down.randrange(60) == 0:
            left = down.randrange(1, LONGEST_STOP)
        left = max(0, left - 1)
        yield not left


def _arrivals(dice: Random, cases: int, days: int) -> int:
    rate = cases / (days * 24)
    return int(rate) + (dice.random() < rate % 1)


def _reviewer(number: int, now: datetime) -> object:
    name = f"reviewer{number}"
    return staff.add(name, name, Role.REVIEWER, "a long pass phrase", actor="test", now=now)[0]
