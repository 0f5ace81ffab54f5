"""Granian with one listening socket for all its processes, old and new.

On Linux each process of Granian listens by a socket of its own (SO_REUSEPORT). Connections that wait
at the socket of a process which ends are reset, and while a single process is being replaced the
port can be shut. Here the parent holds the one socket: until somebody accepts it, a connection waits.
"""

import socket

from granian.net import SocketSpec  # type: ignore[attr-defined]  # not re-exported
from granian.server.mp import MPServer


class OneSocket(MPServer):
    """Granian, listening as it does on other systems than Linux.

    This relies on names that Granian does not promise;
    tests/unit/test_match_service_processes.py notices when they change.
    """

    def _init_shared_socket(self) -> None:
        holder = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._shd = holder  # type: ignore[assignment]  # None until here
        self._sfd = holder.get_fd()
        self._ssp = None
        self._sso = socket.socket(fileno=self._sfd)
        self._sso.set_inheritable(True)
