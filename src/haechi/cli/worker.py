"""`haechi worker`: runs the jobs that server/flow.py puts off."""

import argparse
import asyncio
from collections.abc import Callable

# A worker that has not been heard of for this long is dead; flow.rescue_jobs puts its jobs back.
HEARTBEAT_S = 2.0
DEAD_AFTER_S = 10.0


def worker(_asked: argparse.Namespace) -> int:
    """Work until SIGTERM or Ctrl-C; the job at hand is finished first."""
    from haechi.cli import installation

    installation.enter()
    from procrastinate.contrib.django import app

    with app.replace_connector(app.connector.get_worker_connector()) as working:  # type: ignore[attr-defined]  # Django's connector
        asyncio.run(_work(working))
    return 0


async def _work(app: object) -> None:
    from procrastinate import App

    assert isinstance(app, App)  # noqa: S101  # narrows for the type checker
    async with app.open_async():
        await app.run_worker_async(
            # Jobs are synchronous and one machine's worth of work: one at a time.
            concurrency=1,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=DEAD_AFTER_S,
            install_signal_handlers=True,
            # A failed job stays for people to see; a done one is in the audit log.
            delete_jobs="successful",
            task_middleware=[_fresh_connection],
        )


def _fresh_connection[T](go_on: Callable[[], T], _context: object, _worker: object) -> T:
    """Drop a database connection that broke since the last job, as Django does between requests."""
    from django.db import close_old_connections

    close_old_connections()
    try:
        return go_on()
    finally:
        close_old_connections()
