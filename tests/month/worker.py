"""Runs the jobs whose time has come, by a clock of its own, and dies now and then in the middle."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from croniter import croniter
from django.db import connection
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.jobs import Job
from tests.month.clock import Clock

# What stays stuck is a fault of ours: no job needs more rounds than this within one step.
ROUNDS = 50


class Killed(BaseException):
    """The process is gone: no handler of the code under test may see it."""


@dataclass
class Worker:
    """One worker.

    risk    that it dies while a job runs; then somewhere among the job's first questions to the database
    deaths  so far
    """

    clock: Clock
    dice: Random
    risk: float = 0.0
    deaths: int = 0
    tried_again: int = 0
    last_run: dict[str, datetime] = field(default_factory=dict)

    def work(self) -> None:
        """All that is due now: what died last time, what comes round, and the queue until it is empty."""
        ProcrastinateJob.objects.filter(status="doing").update(status="todo")
        for name, cron, task in _periodic():
            last = self.last_run.setdefault(name, self.clock.now)
            if croniter(cron, last).get_next(datetime) <= self.clock.now:
                self.last_run[name] = self.clock.now
                self._try(lambda task=task: task(timestamp=int(self.clock.now.timestamp())))
        for _ in range(ROUNDS):
            due = list(_due(self.clock.now))
            if not due:
                return
            for job in due:
                if job.lock not in _held():
                    self._run(job)
        raise AssertionError(f"jobs that never end: {[job.task_name for job in due][:5]}")

    def _run(self, row: ProcrastinateJob) -> None:
        ProcrastinateJob.objects.filter(pk=row.pk).update(status="doing")
        task = app.tasks[row.task_name]
        job = Job(
            id=row.pk, queue=row.queue_name, lock=row.lock, queueing_lock=row.queueing_lock,
            task_name=row.task_name, task_kwargs=row.args, attempts=row.attempts, priority=0,
        )  # fmt: skip
        given = (
            [JobContext(job=job, app=app, start_timestamp=0.0, abort_reason=lambda: None)]
            if task.pass_context
            else []
        )
        try:
            alive = self._try(lambda: task.func(*given, **row.args))
        except Exception as error:
            self.tried_again += 1
            decision = task.get_retry_exception(exception=error, job=job)
            if decision is None:
                raise AssertionError(f"{row.task_name} would be dropped") from error
            again = decision.retry_decision.retry_at
            ProcrastinateJob.objects.filter(pk=row.pk).update(
                status="todo", scheduled_at=again, attempts=row.attempts + 1
            )
            return
        if alive:
            ProcrastinateJob.objects.filter(pk=row.pk).delete()

    def _try(self, act: Callable[[], Any]) -> bool:
        """False if it died of it: what was not committed never happened, and the job is still marked."""
        if self.dice.random() >= self.risk:
            act()
            return True
        try:
            with _death_after(self.dice.randrange(1, 40)):
                act()
        except Killed:
            self.deaths += 1
            return False
        return True


@contextmanager
def _death_after(questions: int) -> Iterator[None]:
    left = questions

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield


def _periodic() -> Iterator[tuple[str, str, Any]]:
    for (name, _id), periodic in app.periodic_registry.periodic_tasks.items():
        if name != "rescue_jobs":  # It looks for workers that beat no more; work() does its part.
            yield name, periodic.cron, periodic.task.func


def _due(now: datetime) -> Iterator[ProcrastinateJob]:
    held = _held()
    rows = ProcrastinateJob.objects.filter(status="todo").order_by("pk")
    return (
        row
        for row in rows
        if row.lock not in held and (row.scheduled_at is None or row.scheduled_at <= now)
    )


def _held() -> set[str]:
    """Locks of those that died, until somebody sees that they are dead."""
    locks = ProcrastinateJob.objects.filter(status="doing").values_list("lock", flat=True)
    return {lock for lock in locks if lock}
