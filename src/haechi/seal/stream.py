"""Envelopes while they pass: sealing as bytes come in, opening as bytes are asked for.

pyrage pulls from a reader and pushes into a writer until it is done. Each of the two classes here
gives it a thread of its own and turns one side round: StreamSealer is written to, OpenStream is
read from. Between the threads lie at most LIMIT_BYTES of plaintext.
"""

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self

import pyrage  # type: ignore[import-untyped]  # a Rust extension without annotations

from haechi.errors import CannotOpen, SealError
from haechi.seal.channel import Channel, ChannelClosed
from haechi.seal.keys import parse_identity, parse_recipients

LIMIT_BYTES = 512 * 1024
CHUNK_BYTES = 64 * 1024
# How long abort() and close() wait for a thread that is stuck inside the caller's own file.
STUCK_S = 5.0


class Writable(Protocol):
    """Where sealed bytes go: a file, a blob writer."""

    def write(self, data: bytes, /) -> int | None:
        """Take `data`, or its first n bytes and return n; None means all of it."""


class Readable(Protocol):
    """Where sealed bytes come from: a file, an open blob."""

    def read(self, size: int, /) -> bytes:
        """Give at most `size` bytes, b"" at the end."""


class StreamSealer:
    """Seals what is written to it into `out`, while it is written.

    out         Gets the envelope; is not closed here. Until finish() has returned it holds a
                part that nobody can open to the end.
    recipients  As in seal(). KeyMissing without one, SealError if one is malformed.

    One thread writes. Whatever `out` raises comes back from the next write() or from finish().
    As a context manager it finishes at the end of the block and aborts on an exception.
    """

    def __init__(self, out: Writable, *recipients: str) -> None:
        keys = parse_recipients(recipients)
        self._channel = channel = Channel(LIMIT_BYTES)
        self._closed = False

        # The thread must not hold `self`: a sealer that is dropped unfinished ends its thread.
        def call(worker: _Worker) -> None:
            pyrage.encrypt_io(_Source(channel, worker), _Sink(out, worker), keys)

        self._worker = _Worker(channel, call)
        weakref.finalize(self, channel.close)

    def write(self, chunk: bytes) -> int:
        """Seal one more chunk of any length; blocks while `out` is slower. Returns its length."""
        if self._closed:
            raise SealError("this envelope is closed")
        try:
            self._channel.put(chunk)
        except ChannelClosed:
            self._settle()
            raise
        return len(chunk)

    def finish(self) -> None:
        """Write the rest of the envelope; once it returns, `out` has all of it."""
        if self._closed:
            raise SealError("this envelope is closed")
        self._channel.end()
        self._settle()

    def abort(self) -> None:
        """Break off: what `out` holds cannot be opened. After finish() it does nothing."""
        if not self._closed:
            self._closed = True
            self._channel.close()
            self._worker.wait(STUCK_S)

    def _settle(self) -> None:
        """Wait for the thread and raise what went wrong in it."""
        self._closed = True
        self._worker.wait()
        error = self._worker.error
        if isinstance(error, pyrage.EncryptError):
            raise SealError("sealing failed") from error
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and not self._closed:
            self.finish()
        self.abort()


class OpenStream:
    """The plaintext of an envelope, in pieces: iterate over it, or read().

    Each piece is authentic on its own, but only the end proves that nothing was cut off: act on
    the whole only after the last piece. A damaged or shortened envelope raises CannotOpen before
    anything from beyond the damage is given; what `src` raises comes through as it is. `src` is not closed here.
    """

    def __init__(self, src: Readable, identity: str) -> None:
        key = parse_identity(identity)
        self._channel = channel = Channel(LIMIT_BYTES)

        def call(worker: _Worker) -> None:
            pyrage.decrypt_io(_Source(src, worker), _Sink(_Puts(channel), worker), [key])

        self._worker = _Worker(channel, call)
        weakref.finalize(self, channel.close)
        self._ahead = b""
        self._ahead = self._next_chunk()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._next_chunk()
        if not chunk:
            raise StopIteration
        return chunk

    def read(self, size: int = -1) -> bytes:
        """Give `size` bytes, fewer only at the end; all that is left if negative."""
        pieces = []
        while size:
            chunk = self._next_chunk()
            if not chunk:
                break
            if 0 <= size < len(chunk):
                chunk, self._ahead = chunk[:size], chunk[size:]
            size -= len(chunk) if size > 0 else 0
            pieces.append(chunk)
        return b"".join(pieces)

    def close(self) -> None:
        """Stop reading. May be called at any time and more than once."""
        self._ahead = b""
        self._channel.close()
        self._worker.wait(STUCK_S)

    def _next_chunk(self) -> bytes:
        if self._ahead:
            chunk, self._ahead = self._ahead, b""
            return chunk
        try:
            return self._channel.read(CHUNK_BYTES)
        except ChannelClosed:
            self._worker.wait(STUCK_S)
            self._raise()
            raise

    def _raise(self) -> None:
        error = self._worker.error
        if error is None or isinstance(error, ChannelClosed):
            return
        if self._worker.ours:
            raise error
        raise CannotOpen(str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_stream(src: Readable, identity: str) -> OpenStream:
    """Open an envelope while it is read from `src`; pieces of at most 64 KiB.

    Raises CannotOpen at once if the identity is malformed or does not fit, or if this is no
    envelope; later if the envelope is damaged further on. See OpenStream.
    """
    return OpenStream(src, identity)


class _Worker:
    """One pyrage call in a thread of its own, with the first error of either side kept.

    pyrage turns what its reader raises into text, and loses what its writer raises for the last
    buffered bytes. So both sides report here first; `ours` says that one of them did.
    """

    def __init__(self, channel: Channel, call: "Callable[[_Worker], None]") -> None:
        self.error: BaseException | None = None
        self.ours = False
        self._channel = channel
        self._thread = threading.Thread(target=self._run, args=(call,), name="seal", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            raise SealError("no thread can be started") from error

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the thread has ended, or until the time is up."""
        self._thread.join(timeout_s)

    @contextlib.contextmanager
    def side(self) -> Iterator[None]:
        """Run a call to one of the two sides; its error is kept."""
        try:
            yield
        except BaseException as error:
            if self.error is None:
                self.error, self.ours = error, True
            raise

    def _run(self, call: "Callable[[_Worker], None]") -> None:
        try:
            call(self)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            if self.error is None:
                self.error = error
        # Also after an error that pyrage did not pass on: nobody may take this for the end.
        if self.error is None:
            self._channel.end()
        else:
            self._channel.close()


class _Source:
    """The reader that pyrage pulls from."""

    def __init__(self, src: Readable, worker: _Worker) -> None:
        self._src = src
        self._worker = worker

    def read(self, size: int) -> bytes:
        with self._worker.side():
            return self._src.read(size)


class _Sink:
    """The writer that pyrage pushes into; it takes all of each piece or fails."""

    def __init__(self, out: Writable, worker: _Worker) -> None:
        self._out = out
        self._worker = worker

    def write(self, data: bytes) -> int:
        with self._worker.side():
            rest = data
            while rest:
                taken = self._out.write(rest)
                if taken == 0:
                    raise SealError("the file takes no more bytes")
                rest = b"" if taken is None else rest[taken:]
        return len(data)

    def flush(self) -> None:
        """Nothing is held back here; when to flush `out` is its owner's decision."""


class _Puts:
    """A channel as a writer."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def write(self, data: bytes) -> None:
        self._channel.put(data)
