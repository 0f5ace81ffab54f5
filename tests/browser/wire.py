"""A wire between Chromium and the public site that a test may read and cut."""

import socket
import threading
from contextlib import suppress
from typing import Self


class Wire:
    """Passes connections on to one port, keeps what the browser sent, and breaks when told.

    cut_after   once so many bytes have gone to the server, every connection is cut, once
    """

    def __init__(self, port: int, *, cut_after: int) -> None:
        self.sent = bytearray()
        self.cuts = 0
        self._cut_after = cut_after
        self._to = port
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._close_all()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self._to))
            with self._lock:
                self._open |= {here, there}
            for source, target, kept in ((here, there, True), (there, here, False)):
                threading.Thread(
                    target=self._pass, args=(source, target, kept), daemon=True
                ).start()

    def _pass(self, source: socket.socket, target: socket.socket, kept: bool) -> None:  # noqa: FBT001
        with suppress(OSError):
            while data := source.recv(65_536):
                if kept and self._note(data):
                    self._close_all()
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _note(self, data: bytes) -> bool:
        with self._lock:
            self.sent += data
            due = not self.cuts and len(self.sent) >= self._cut_after
            self.cuts += due
            return due

    def _close_all(self) -> None:
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._open.clear()
