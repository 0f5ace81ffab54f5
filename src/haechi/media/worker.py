"""One sandbox process as its parent sees it: two pipes, a deadline, and the power to kill."""

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence

from haechi.errors import DecoderCrashed, DecodeTimeout
from haechi.media import wire
from haechi.media.limits import Limits

LENGTH_BYTES = 8
"""Each message on a pipe is preceded by its length, big-endian."""

_BOOT = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop());"
    "from haechi.media.child import main; main()"
)
_START_S = 60.0
"""For a fresh interpreter to import what it needs, on a machine that is busy or has a cold disk."""

_CHUNK_BYTES = 1 << 20
_PIPE_BYTES = 1 << 20
"""Room in the pipe of jobs, so that most pictures are handed over at once; 64 kB at a time costs a
change of processes each. The most that Linux gives to everybody."""
_SAFE_ENVIRONMENT = frozenset(
    {"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "XDG_CACHE_HOME"}
    | {"HAECHI_FACE_MODELS", "HAECHI_SSCD_MODEL", "NUMBA_CACHE_DIR", "VIRTUAL_ENV"}
)
"""All that a child inherits: no key, no pepper and no database address is among it."""


class Worker:
    """A child process that runs `haechi.media.child`. One thread at a time may use it.

    A fresh interpreter and not a fork: forking a process with threads copies locks nobody opens
    again, and multiprocessing would run the caller's main module once more.
    """

    def __init__(self, limits: Limits) -> None:
        """Start the process; `prepare` waits until it is there."""
        self.jobs = 0
        self._modules: set[str] = set()
        from_parent, self._jobs_pipe = os.pipe()
        self._answers_pipe, to_parent = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                _command(limits),
                stdin=from_parent,
                stdout=to_parent,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
        except OSError as error:
            os.close(self._jobs_pipe)
            os.close(self._answers_pipe)
            msg = f"no process can be started: {error}"
            raise DecoderCrashed(msg) from error
        finally:
            os.close(from_parent)
            os.close(to_parent)
        self._open = True
        _widen(self._jobs_pipe)
        os.set_blocking(self._jobs_pipe, False)
        os.set_blocking(self._answers_pipe, False)

    def prepare(self, module: str) -> None:
        """Have the process import `module` once, outside the time of any job."""
        if module not in self._modules:
            self._exchange([wire.encode([module])], _START_S)
            self._modules.add(module)

    def ask(self, job: bytes, data: bytes, seconds: float) -> bytes:
        """The answer to one job on `data`.

        Raises DecodeTimeout or DecoderCrashed; then the process is of no use.
        """
        self.jobs += 1
        return self._exchange([job, data], seconds)

    def kill(self) -> None:
        """End the process. Whoever waits for an answer gets DecoderCrashed."""
        self._process.kill()

    def end(self) -> None:
        """End the process and close the pipes; not while another thread waits on them."""
        self._process.kill()
        self._process.wait()
        if self._open:
            self._open = False
            os.close(self._jobs_pipe)
            os.close(self._answers_pipe)

    def _exchange(self, messages: Sequence[bytes], seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        try:
            self._send([part for one in messages for part in (_length(one), one)], deadline)
            length = int.from_bytes(self._receive(LENGTH_BYTES, deadline), "big")
            return self._receive(length, deadline)
        except TimeoutError as error:
            msg = f"it took longer than {seconds:g} s"
            raise DecodeTimeout(msg) from error
        except (EOFError, OSError) as error:
            msg = f"the process died: {self._last_words()}"
            raise DecoderCrashed(msg) from error

    def _send(self, parts: Iterable[bytes], deadline: float) -> None:
        """All at once if the pipe takes it: each piece would wake the process for itself."""
        left = [memoryview(part) for part in parts if part]
        while left:
            _wait(self._jobs_pipe, select.POLLOUT, deadline)
            with contextlib.suppress(BlockingIOError):
                left = _past(left, os.writev(self._jobs_pipe, left))

    def _receive(self, length: int, deadline: float) -> bytes:
        received = bytearray()
        while len(received) < length:
            _wait(self._answers_pipe, select.POLLIN, deadline)
            chunk = os.read(self._answers_pipe, min(_CHUNK_BYTES, length - len(received)))
            if not chunk:
                raise EOFError
            received += chunk
        return bytes(received)

    def _last_words(self) -> str:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def _length(message: bytes) -> bytes:
    return len(message).to_bytes(LENGTH_BYTES, "big")


def _past(parts: Sequence[memoryview], written: int) -> list[memoryview]:
    """What is left of `parts` after their first `written` bytes."""
    left = []
    for part in parts:
        if written < len(part):
            left.append(part[written:])
        written = max(0, written - len(part))
    return left


def _widen(pipe: int) -> None:
    """As far as the system lets: where pipes cannot be widened the job goes in smaller pieces."""
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    left_s = deadline - time.monotonic()
    if left_s <= 0 or not poll.poll(left_s * 1000):
        raise TimeoutError


def _command(limits: Limits) -> list[str]:
    numbers = [str(limits.memory_bytes), str(limits.result_bytes)]
    path = json.dumps([os.path.abspath(entry) for entry in sys.path])  # noqa: PTH100 - "" is here
    return [sys.executable, "-c", _BOOT, *numbers, path]


def _environment() -> dict[str, str]:
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    kept = {name: value for name, value in os.environ.items() if name in _SAFE_ENVIRONMENT}
    return kept | one_thread
