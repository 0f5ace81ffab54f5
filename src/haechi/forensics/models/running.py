"""A model in a process of its own: with a time limit, a memory limit, and nothing to steal."""

import threading
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from haechi import errors
from haechi.errors import DecoderCrashed, DecodeTimeout, HaechiError, ModelFailed
from haechi.forensics.models.card import Budget
from haechi.media import DEFAULT, onnx_child, wire
from haechi.media.limits import MIB
from haechi.media.worker import Worker


class Runner:
    """Runs one ONNX file. Starts its process when it is first needed and again after it died.

    Thread-safe: one run at a time. The model stays loaded until `close`.
    """

    def __init__(self, path: Path, sha256: str, budget: Budget) -> None:
        self._path, self._sha256, self._budget = path, sha256, budget
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._alive: set[Worker] = set()
        self._finalizer = weakref.finalize(self, _end, self._alive)

    def run(
        self, name: str | None, numbers: NDArray[Any], wanted: Mapping[str, str | None]
    ) -> dict[str, NDArray[np.float32]]:
        """Outputs by what they are wanted for: {"score": "logits"}; None is the first output.

        Raises ModelFailed if it took too long, died or failed; ModelRefused if the file is not the
        pinned one, is no ONNX that loads, or has no such input or output.
        """
        with self._lock:
            worker = self._loaded()
            asked: list[object] = [self._sha256, name, numbers, dict(wanted)]
            found: dict[str, NDArray[np.float32]] = self._ask(
                worker, "run", asked, self._budget.seconds
            )
            return found

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _loaded(self) -> Worker:
        if self._worker is None:
            limits = replace(DEFAULT, memory_bytes=self._budget.memory_mb * MIB)
            try:
                worker = Worker(limits)
                self._alive.add(worker)
                worker.prepare(onnx_child.__name__)
            except (DecoderCrashed, DecodeTimeout) as error:
                raise ModelFailed(f"its process did not start: {error}") from error
            self._worker = worker
            self._ask(worker, "load", [str(self._path), self._sha256], self._budget.load_seconds)
        return self._worker

    def _ask(self, worker: Worker, function: str, args: list[object], seconds: float) -> Any:  # noqa: ANN401 - whatever the function gives
        job = wire.encode([onnx_child.__name__, function, tuple(args), {}, seconds])
        try:
            kind, *rest = wire.decode(worker.ask(job, b"", seconds))
        except DecodeTimeout as error:
            self._drop()
            raise ModelFailed(f"it took longer than {seconds:g} s") from error
        except (DecoderCrashed, ValueError) as error:
            self._drop()
            raise ModelFailed(f"its process died: {error}") from error
        if kind == "ok":
            return rest[0]
        if function == "load" or kind != "error":
            self._drop()
        raise _error(kind, [str(part) for part in rest])

    def _drop(self) -> None:
        if self._worker is not None:
            self._alive.discard(self._worker)
            self._worker.end()
            self._worker = None


def _error(kind: str, told: list[str]) -> HaechiError:
    """An error of our own tree that the process named, or ModelFailed."""
    if kind == "error":
        found = getattr(errors, told[0], None)
        if found in {errors.ModelRefused, errors.ModelFailed}:
            made: HaechiError = found(told[1])
            return made
    return ModelFailed(f"the run failed: {': '.join(told)}"[:300])


def _end(workers: set[Worker]) -> None:
    for worker in workers:
        worker.end()
    workers.clear()
