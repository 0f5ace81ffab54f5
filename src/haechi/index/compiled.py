"""Kernels that numba compiles, loaded in the background so that no search waits for them.

Importing numba takes a second and compiling a few more, once an installation. Small indexes never
need it; one that grows large asks for its kernels and scans in NumPy until they are there.
"""

import importlib
import logging
import threading
from types import ModuleType

_log = logging.getLogger(__name__)


class Kernels:
    """One module of compiled functions. It has a function `warm()` that uses each of them once."""

    def __init__(self, module: str) -> None:
        """`module` is the dotted name; nothing is imported yet."""
        self._name = module
        self._module: ModuleType | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ready(self) -> ModuleType | None:
        """The module, or None while it is being loaded; the first call starts that."""
        if self._module is None:
            self._start()
        return self._module

    def wait(self) -> None:
        """Load, and return when it is done."""
        self._start().join()

    def _start(self) -> threading.Thread:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._load, name=self._name, daemon=True)
                self._thread.start()
            return self._thread

    def _load(self) -> None:
        try:
            module = importlib.import_module(self._name)
            module.warm()
        except Exception:  # noqa: BLE001 - the scan goes on answering; somebody should still hear of it
            _log.exception("%s cannot be compiled; searches stay slow", self._name)
        else:
            self._module = module


BANDS = Kernels("haechi.index.bands")
DOTS = Kernels("haechi.index.dots")


def prepare() -> None:
    """Wait until all kernels are there: for a server before it takes requests, and for tests."""
    BANDS.wait()
    DOTS.wait()
