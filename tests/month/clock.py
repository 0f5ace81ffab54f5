"""Time that passes when it is told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch


class Clock:
    """Now, for everything that asks Django or the queue of jobs."""

    def __init__(self, start: datetime) -> None:
        """`start` is aware."""
        self.now = start

    def pass_by(self, time: timedelta) -> None:
        """Later by `time`; a negative one is a clock that was set back."""
        self.now += time

    @contextmanager
    def ruling(self) -> Iterator[None]:
        """Until the end, `timezone.now()` and the queue's own idea of now are this clock's."""
        with (
            patch("django.utils.timezone.now", lambda: self.now),
            patch("procrastinate.utils.utcnow", lambda: self.now),
        ):
            yield
