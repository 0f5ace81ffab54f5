"""What runs inside a sandbox process: take a job, do it, answer, until the pipe closes.

Started by `haechi.media.worker` as a fresh interpreter. It has no secrets in its environment,
writes nothing that anybody reads but its answers, and cannot grow past its limits.
"""

import importlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

from haechi.errors import HaechiError
from haechi.media import wire

LENGTH_BYTES = 8
ALARM_SLACK_S = 2.0


def main() -> None:  # pragma: no cover - runs in the child only
    """Serve jobs on standard input and output until the parent closes them."""
    memory_bytes, result_bytes = int(sys.argv[1]), int(sys.argv[2])
    jobs, answers = _private_pipes()
    _confine(memory_bytes)
    serve(jobs, answers, result_bytes=result_bytes)


def serve(jobs: BinaryIO, answers: BinaryIO, *, result_bytes: int) -> None:
    """Answer each message of `jobs` on `answers`, one by one, until there are no more.

    A message with only a module's name has that module imported; any other is a job, and the
    file it is about follows. Whoever takes longer than the job says, and a little more, is ended
    by the kernel.
    """
    while True:
        told = _read(jobs)
        if told is None:
            return
        message = wire.decode(told)
        if len(message) == 1:
            answer = _import(message[0])
        else:
            *job, seconds = message
            data = _read(jobs) or b""
            # If the parent is gone, nobody else ends a job that hangs.
            signal.setitimer(signal.ITIMER_REAL, seconds + ALARM_SLACK_S)
            answer = _answer(data, *job)
            signal.setitimer(signal.ITIMER_REAL, 0)
        if len(answer) > result_bytes:
            answer = wire.encode(["failed", f"the answer has {len(answer)} bytes"])
        answers.write(len(answer).to_bytes(LENGTH_BYTES, "big"))
        answers.write(answer)
        answers.flush()


def _read(jobs: BinaryIO) -> bytes | None:
    """What follows a length, or None at the end."""
    head = jobs.read(LENGTH_BYTES)
    return jobs.read(int.from_bytes(head, "big")) if len(head) == LENGTH_BYTES else None


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:  # pragma: no cover - as main
    """Take the pipes for ourselves and point 0, 1 and 2 at nothing.

    C libraries write their complaints to 1 and 2, and would otherwise spoil the answers.
    """
    jobs, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    return os.fdopen(jobs, "rb"), os.fdopen(answers, "wb")


def _confine(memory_bytes: int) -> None:  # pragma: no cover - as main
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes the pipe
    import cv2  # noqa: PLC0415 - after the memory limit is set

    cv2.setNumThreads(1)


def _import(module: str) -> bytes:
    """Load a module before its first job is timed; what is wrong with it, the job will say."""
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - any module may be named
        return wire.encode(["failed", str(error)[:500]])
    return wire.encode(["ok", None])


def _answer(
    data: bytes, module: str, name: str, args: tuple[object, ...], options: dict[str, object]
) -> bytes:
    """One encoded answer: ["ok", value], ["error", class, words] or ["failed", words]."""
    try:
        return wire.encode(["ok", _function(module, name)(data, *args, **options)])
    except HaechiError as error:
        return wire.encode(["error", type(error).__name__, str(error)])
    except MemoryError:
        return wire.encode(["failed", "it needed more memory than it may have"])
    except Exception as error:  # noqa: BLE001 - one job costs one answer, whatever it raised
        return wire.encode(["failed", f"{type(error).__name__}: {error}"[:500]])


def _function(module: str, name: str) -> Callable[..., object]:
    found: object = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not callable(found):
        msg = f"{module}.{name} is no function"
        raise TypeError(msg)
    return found
