"""A bounded hand-over of bytes between two threads, one writing and one reading."""

import threading
from collections import deque
from collections.abc import Iterator

from haechi.errors import SealError


class ChannelClosed(SealError):
    """The other side has left; nothing more goes through."""


class Channel:
    """Bytes in order from one thread to another, at most `limit_bytes` of them under way.

    Both sides block until the other moves. close() from any thread wakes both for good, so
    neither can wait for somebody who has gone.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._chunks: deque[memoryview] = deque()
        self._held_bytes = 0
        self._ended = False
        self._closed = False
        self._moved = threading.Condition()

    def put(self, data: bytes) -> None:
        """Hand over all of `data`; blocks while the channel is full, raises ChannelClosed."""
        # A copy of anything but bytes: the caller may fill the same buffer again.
        rest = memoryview(bytes(data))
        while rest:
            with self._moved:
                self._moved.wait_for(lambda: self._closed or self._held_bytes < self._limit_bytes)
                if self._closed:
                    raise ChannelClosed("the reader has left")
                piece = rest[: self._limit_bytes - self._held_bytes]
                self._chunks.append(piece)
                self._held_bytes += len(piece)
                self._moved.notify_all()
            rest = rest[len(piece) :]

    def end(self) -> None:
        """Say that nothing follows: after what is under way, read() gives b""."""
        with self._moved:
            self._ended = True
            self._moved.notify_all()

    def close(self) -> None:
        """Break off: drop what is under way and wake both sides. May be called often."""
        with self._moved:
            self._closed = True
            self._chunks.clear()
            self._held_bytes = 0
            self._moved.notify_all()

    def read(self, size: int) -> bytes:
        """Give 1 to `size` bytes, or b"" after the end; blocks, raises ChannelClosed."""
        with self._moved:
            self._moved.wait_for(lambda: self._closed or self._chunks or self._ended)
            if self._closed:
                raise ChannelClosed("the writer has left")
            data = b"".join(self._take(size))
            self._held_bytes -= len(data)
            self._moved.notify_all()
            return data

    def _take(self, size: int) -> Iterator[memoryview]:
        while size and self._chunks:
            head = self._chunks.popleft()
            if len(head) > size:
                self._chunks.appendleft(head[size:])
                head = head[:size]
            size -= len(head)
            yield head
