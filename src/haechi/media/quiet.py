"""Keeps the warnings of decoders (corrupt EXIF, odd palettes) out of logs and test runs."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_lock = threading.Lock()
_inside = 0
_filters = ExitStack()


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore all warnings while any thread is inside.

    `warnings.catch_warnings` saves and restores one global list, so two threads that overlap
    would restore each other's state in the wrong order. Here the first in saves, the last out
    restores.
    """
    global _inside, _filters  # noqa: PLW0603 - the warning filters are global too
    with _lock:
        if _inside == 0:
            _filters = ExitStack()
            _filters.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _filters.close()
