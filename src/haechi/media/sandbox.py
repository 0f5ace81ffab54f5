"""Decoders run where a crash, a hang or a memory blow-up costs one answer and not the server."""

import os
import queue
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, Concatenate, Self

from haechi import errors
from haechi.errors import DecoderCrashed, DecodeTimeout, HaechiError, NotMedia, TooManyBytes
from haechi.media import sounds, wire
from haechi.media.kind import HEAD_BYTES, Kind, sniff
from haechi.media.limits import DEFAULT, Limits
from haechi.media.worker import Worker


class Sandbox:
    """A pool of child processes for work on untrusted bytes.

    Processes start when they are first needed and are reused; one that crashed, hung, ran out of
    memory or did limits.jobs jobs is replaced. Thread-safe: at most `workers` jobs run at once,
    the others wait for a free process. Make one per server process, after any fork.
    """

    def __init__(self, workers: int = 2, limits: Limits = DEFAULT) -> None:
        """`workers` processes at most, each job under `limits`."""
        self.limits = limits
        self._closed = False
        self._lock = threading.Lock()
        self._alive: set[Worker] = set()
        self._free: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        for _ in range(max(1, workers)):
            self._free.put(None)
        # Also when nobody called close: at garbage collection and at exit.
        self._finalizer = weakref.finalize(self, _end_all, self._alive, os.getpid())

    def run[**P, R](
        self,
        function: Callable[Concatenate[bytes, P], R],
        data: bytes,
        *args: P.args,
        **options: P.kwargs,
    ) -> R:
        """`function(data, *args, **options)` in a child process.

        `function` is a top-level function that a fresh interpreter with this `sys.path` can
        import; arguments and result are such as `haechi.media.wire` carries. Arrays in the result
        are read-only. A function that takes `limits` gets its own default, not the sandbox's.

        A video may be longer and take longer than a picture, and sound take longer (Limits). `data` is written to the
        process as it is and read there once: nothing else copies it.

        Raises the HaechiError that the function raised; TooManyBytes before anything is sent;
        DecodeTimeout after the time a job may take; DecoderCrashed if the process died or ran out of
        memory, if the function raised anything else, or if the sandbox was closed.
        """
        kind = _kind(data)
        allowed, seconds = self.limits.bytes_of(kind), self._seconds(data, kind)
        if len(data) > allowed:
            msg = f"{len(data)} bytes; the limit is {allowed}"
            raise TooManyBytes(msg)
        job = wire.encode([function.__module__, function.__qualname__, args, options, seconds])
        worker = self._free.get()
        try:
            if worker is None:
                worker = self._start()
            worker.prepare(function.__module__)
            result: R = result_of(worker.ask(job, data, seconds))
        except (DecodeTimeout, DecoderCrashed):
            self._discard(worker)
            worker = None
            raise
        finally:
            self._give_back(worker)
        return result

    def _seconds(self, data: bytes, kind: Kind | None) -> float:
        """Minutes of sound take as long as a video, though its file may be no longer than a picture's."""
        if kind is None and sounds.sniff(data[:HEAD_BYTES]) is not None:
            return self.limits.video_job_s
        return self.limits.seconds_of(kind)

    def close(self) -> None:
        """End every child process. A job still running raises DecoderCrashed in its thread."""
        with self._lock:
            self._closed = True
            for worker in self._alive:
                worker.kill()
            free = self._free.qsize()
            workers = [self._free.get() for _ in range(free)]
            for idle in workers:
                self._forget(idle)
                self._free.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> Worker:
        with self._lock:
            if self._closed:
                msg = "the sandbox is closed"
                raise DecoderCrashed(msg)
            worker = Worker(self.limits)
            self._alive.add(worker)
            return worker

    def _give_back(self, worker: Worker | None) -> None:
        with self._lock:
            if worker is not None and (self._closed or worker.jobs >= self.limits.jobs):
                self._forget(worker)
                worker = None
            self._free.put(worker)

    def _discard(self, worker: Worker | None) -> None:
        with self._lock:
            self._forget(worker)

    def _forget(self, worker: Worker | None) -> None:
        if worker is not None:
            self._alive.discard(worker)
            worker.end()


def _kind(data: bytes) -> Kind | None:
    """Only to choose limits by; whatever is no media gets those of a picture."""
    try:
        return sniff(data[:HEAD_BYTES])
    except NotMedia:
        return None


def _end_all(workers: set[Worker], maker: int) -> None:
    """End what the process `maker` started; a process forked off it must not."""
    if os.getpid() != maker:
        return
    for worker in workers:
        worker.end()
    workers.clear()


def result_of(answer: bytes) -> Any:  # noqa: ANN401 - whatever was asked for
    """The value of a child's answer, or the error it tells of, raised."""
    try:
        kind, *rest = wire.decode(answer)
        if kind == "ok":
            return rest[0]
        if kind == "error":
            raise _rebuilt(str(rest[0]), str(rest[1]))
        raise DecoderCrashed(str(rest[0]))
    except (ValueError, IndexError) as error:
        msg = f"the answer makes no sense: {error}"
        raise DecoderCrashed(msg) from error


def _rebuilt(name: str, words: str) -> HaechiError:
    """An error of our own tree; its constructor may want more than words, so it is passed by."""
    found = getattr(errors, name, None)
    if not (isinstance(found, type) and issubclass(found, HaechiError)):
        return DecoderCrashed(f"{name}: {words}")
    error = found.__new__(found)
    Exception.__init__(error, words)
    return error
