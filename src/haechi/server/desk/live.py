"""The database's word that the queue changed, passed on to everybody who has it open.

One connection of this process listens (LISTEN haechi_queue, migration cases/0010) and wakes the open
streams; each stream waits in a thread of its own, of which there are enough (docs/adr/0007). What is
passed on is that something changed and nothing else: the page then asks for itself.
"""

import logging
import threading
from typing import Self

import psycopg
from django.db import connections

from haechi.errors import TooManyStreams

log = logging.getLogger(__name__)

CHANNEL = "haechi_queue"
# More people than this with an open queue get a page that they reload.
MOST_STREAMS = 48
# A proxy, or a browser that is gone, is noticed by a line that means nothing.
BEAT_S = 15.0
# Changes that come together are told together.
PAUSE_S = 1.0
# Then the browser asks again, and whether it may is looked at anew.
BEATS = 20
AGAIN_S = 5.0


class Hub:
    """Wakes the streams of this process. Its thread starts with the first that is read, and ends with the last."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._most = most
        self._streams = 0
        self._listens = False

    def stream(self) -> "Stream":
        """A stream that must be closed. Raises TooManyStreams."""
        with self._changed:
            if self._streams >= self._most:
                raise TooManyStreams(self._most)
            self._streams += 1
            return Stream(self, self._count)

    def wait(self, seen: int) -> int:
        """What has changed by now; after BEAT_S at the latest, then as before."""
        with self._changed:
            if not self._listens:
                self._listens = True
                threading.Thread(target=self._listen, name="haechi-live", daemon=True).start()
            self._changed.wait_for(lambda: self._count != seen, BEAT_S)
            return self._count

    def leave(self) -> None:
        """A stream ends."""
        with self._changed:
            self._streams -= 1

    def _listen(self) -> None:
        """Until nobody has it open any more; a connection that breaks is made anew."""
        while True:
            try:
                return self._hear()
            except psycopg.Error as error:
                log.warning("the queue is not told of changes, for now: %s", error)
                threading.Event().wait(AGAIN_S)

    def _hear(self) -> None:
        told = connections["default"].get_connection_params()
        wanted = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert")
        own = {key: value for key, value in told.items() if key in wanted}
        with psycopg.connect(**own, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            # What changed while nobody listened.
            self._wake()
            while self._wanted():
                for _ in connection.notifies(timeout=PAUSE_S, stop_after=1):
                    self._wake()
                    threading.Event().wait(PAUSE_S)

    def _wake(self) -> None:
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def _wanted(self) -> bool:
        with self._changed:
            self._listens = self._streams > 0
            return self._listens


class Stream:
    """Lines for one browser (text/event-stream)."""

    def __init__(self, hub: Hub, seen: int) -> None:
        self._hub, self._seen = hub, seen
        self._beats, self._open = -1, True

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        """Waits until something changed, or a while."""
        self._beats += 1
        if not self._open or self._beats > BEATS:
            self.close()
            raise StopIteration
        if self._beats == 0:
            return f"retry: {int(AGAIN_S * 1000)}\n\n".encode()
        before, self._seen = self._seen, self._hub.wait(self._seen)
        return b": still here\n\n" if before == self._seen else b"event: changed\ndata:\n\n"

    def close(self) -> None:
        """Makes room for another; safe to repeat."""
        if self._open:
            self._open = False
            self._hub.leave()

    def __del__(self) -> None:
        """One that was never read to its end has no other end."""
        self.close()


hub = Hub()
