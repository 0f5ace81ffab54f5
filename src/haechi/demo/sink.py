"""A mail server that keeps every message as a file and says so only once it is on the disk.

Runs as a process of its own: `python -m haechi.demo.sink PORT FOLDER`. Speaks real SMTP on loopback,
passes nothing on.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

from haechi.demo.ports import HOST

LIMIT_BYTES = 20_000_000


class Keeper:
    """Writes `000001.eml`, `000002.eml` ... into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        known = [int(path.stem) for path in folder.glob("*.eml")]
        self._number = max(known, default=0)

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one message durably, then accept it."""
        self._number += 1
        name = f"{self._number:06d}.eml"
        content = envelope.content or b""
        data = content if isinstance(content, bytes) else content.encode()
        _write(self._folder / name, data)
        return f"250 2.0.0 kept as {name}"


def main(port: int, folder: Path) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    folder.mkdir(parents=True, exist_ok=True)
    loop = asyncio.new_event_loop()
    controller = UnthreadedController(
        Keeper(folder), hostname=HOST, port=port, loop=loop, data_size_limit=LIMIT_BYTES
    )
    controller.begin()  # type: ignore[no-untyped-call]  # untyped there
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, loop.stop)
    loop.run_forever()
    controller.end()  # type: ignore[no-untyped-call]  # untyped there
    loop.close()


def _write(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
