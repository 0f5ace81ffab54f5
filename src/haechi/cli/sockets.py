"""Granian with listening sockets that outlive its processes: one for each place, held by the parent.

On Linux each process of Granian opens a socket of its own (SO_REUSEPORT). Connections that wait at
the socket of a process which ends are reset, and while a single process is being replaced the port
can be shut. Here the parent holds the sockets: until somebody accepts it, a connection waits, and
whoever takes a process's place takes its socket. Not one socket for all: of several processes that
wait at one, the kernel wakes the same one as long as it keeps up, and clients keep connections for
hours; so one process would answer nearly all. Among several sockets connections are spread evenly.
"""

import socket
from collections.abc import Callable

from granian.net import SocketHolder, SocketSpec  # type: ignore[attr-defined]  # not re-exported
from granian.server.mp import MPServer, WorkerProcess


class HeldSockets(MPServer):
    """Granian, with sockets that are opened once.

    This relies on names that Granian does not promise;
    tests/unit/test_match_service_processes.py notices when they change.
    """

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._holders: list[SocketHolder] = []
        self._sockets: list[socket.socket] = []
        for _ in range(self.workers):
            holder = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
            taken = socket.socket(fileno=holder.get_fd())
            taken.set_inheritable(True)
            self._holders.append(holder)
            self._sockets.append(taken)
        self._give(0)

    def _spawn_worker(  # type: ignore[override]  # as MPServer overrides it
        self,
        idx: int,
        target: Callable[..., object],
        callback_loader: Callable[..., object],
    ) -> WorkerProcess:
        self._give(idx)
        return super()._spawn_worker(idx, target, callback_loader)

    def _give(self, place: int) -> None:
        """What the next process gets."""
        self._shd = self._holders[place]  # type: ignore[assignment]  # None until here
        self._sfd = self._shd.get_fd()  # type: ignore[attr-defined]
        self._sso = self._sockets[place]
