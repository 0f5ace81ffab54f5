"""`haechi worker`: runs the jobs that server/flow puts off."""

import argparse
import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from procrastinate import App

# A worker that has not been heard of for this long is dead; flow.rescue_jobs puts its jobs back.
HEARTBEAT_S = 2.0
DEAD_AFTER_S = 10.0
LONGEST_WAIT_S = 15.0
# That of everything, and that of flow.origins.
QUEUES = ("default", "origin")

log = logging.getLogger(__name__)


def worker(_asked: argparse.Namespace) -> int:
    """Work until SIGTERM or Ctrl-C; the job at hand is finished first."""
    from haechi.cli import installation

    installation.enter(process="worker")
    from procrastinate.contrib.django import app

    told = _ToldToStop()
    wait_s = 1.0
    while not told.stop:
        with app.replace_connector(app.connector.get_worker_connector()) as working:  # type: ignore[attr-defined]  # Django's connector
            began = time.monotonic()
            try:
                asyncio.run(_work(working, told))
            except Exception:  # a worker that ends for whatever reason is started again
                log.exception("the worker ended")
        # The database went away, most often. Clocks run on, so this never gives up.
        wait_s = (
            1.0 if time.monotonic() - began > LONGEST_WAIT_S else min(2 * wait_s, LONGEST_WAIT_S)
        )
        told.wait(wait_s)
    return 0


class _ToldToStop:
    """Whether SIGTERM or Ctrl-C came, between two runs of the worker or during one."""

    def __init__(self) -> None:
        self.stop = False
        self._event = threading.Event()

    def tell(self) -> None:
        self.stop = True
        self._event.set()

    async def end(self, running: asyncio.Task[None]) -> None:
        """Wait for `running`, which finishes its job and ends when a signal comes."""

        def told() -> None:
            self.tell()
            running.cancel()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told)
        try:
            await running
        except asyncio.CancelledError:
            if not self.stop:
                raise

    def wait(self, seconds: float) -> None:
        """Wait before the next run, unless told to stop."""
        if self.stop:
            return
        log.warning("the worker starts again in %.0f s", seconds)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.tell())
        self._event.wait(seconds)


async def _work(app: "App", told: _ToldToStop) -> None:
    async with app.open_async():
        await told.end(asyncio.create_task(_serve(app)))


async def _serve(app: "App") -> None:
    """One job at a time of each queue: what takes minutes to examine holds up nothing else."""
    async with asyncio.TaskGroup() as group:
        for queue in QUEUES:
            running = app.run_worker_async(
                queues=[queue],
                name=f"haechi {queue}",
                concurrency=1,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=DEAD_AFTER_S,
                install_signal_handlers=False,
                # A failed job stays for people to see; a done one is in the audit log.
                delete_jobs="successful",
                task_middleware=[_fresh_connection],
            )
            group.create_task(running)


def _fresh_connection[T](go_on: Callable[[], T], _context: object, _worker: object) -> T:
    """Drop a database connection that broke since the last job, as Django does between requests."""
    from django.db import close_old_connections

    close_old_connections()
    try:
        return go_on()
    finally:
        close_old_connections()
