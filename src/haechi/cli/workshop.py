"""Work on many files, two at a time, with answers in the order of the questions."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

from haechi.media import DEFAULT, Limits, Sandbox

WORKERS = 2
AHEAD = 16
"""Answers that may wait for an earlier one. Each is small; pictures are held by workers only."""

LIMITS: Limits = replace(DEFAULT, seconds=30.0)
"""Nobody waits at a form here, and the machine may be busy."""


@dataclass(frozen=True, slots=True)
class _End:
    """There are no more questions; or the one who asks them failed."""

    error: BaseException | None = None


class Workshop:
    """A sandbox and the threads that feed it. Closing it, as on Ctrl-C, waits for no decoder."""

    def __init__(self, workers: int = WORKERS, limits: Limits = LIMITS) -> None:
        self.sandbox = Sandbox(workers, limits)
        self.stop = threading.Event()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="haechi-work")

    def each[T, R](self, work: Callable[[T], R], questions: Iterable[T]) -> Iterator[R]:
        """`work` of every question, in order, while later ones are worked on.

        Questions are taken from their own thread: one that blocks, such as on a pipe that somebody
        types into, keeps no finished answer back. Raises what `work` or `questions` raises.
        """
        waiting: queue.Queue[Future[R] | _End] = queue.Queue(AHEAD)
        asking = threading.Thread(target=self._ask, args=(work, questions, waiting), daemon=True)
        asking.start()
        while not isinstance(answer := waiting.get(), _End):
            yield answer.result()
        if answer.error is not None:
            raise answer.error

    def close(self) -> None:
        """Give up what is under way."""
        self.stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask[T, R](
        self,
        work: Callable[[T], R],
        questions: Iterable[T],
        waiting: "queue.Queue[Future[R] | _End]",
    ) -> None:
        try:
            for question in questions:
                if self.stop.is_set():
                    return
                waiting.put(self._threads.submit(work, question))
        except Exception as error:  # noqa: BLE001 - told to whoever takes the answers
            waiting.put(_End(error))
        else:
            waiting.put(_End())
