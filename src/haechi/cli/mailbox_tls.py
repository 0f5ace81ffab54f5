"""STARTTLS for `haechi mailbox`: the operator's certificate and key, read anew when they are renewed.

SMTP alone has it. LMTP is for the mail server beside us, on this machine.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from haechi.errors import SettingRefused

CERTIFICATE = "HAECHI_MAILBOX_TLS_CERT_FILE"
KEY = "HAECHI_MAILBOX_TLS_KEY_FILE"
REQUIRED = "HAECHI_MAILBOX_TLS_REQUIRED"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# A renewal is known within a minute.
LOOKS_EVERY_S = 60.0

log = logging.getLogger(__name__)

type _Seen = tuple[tuple[int, int, int], ...]


@dataclass
class Tls:
    """What SMTP over a network is encrypted with.

    context    for new connections; another once the files were renewed
    required   a mail is taken over TLS only
    """

    context: ssl.SSLContext
    required: bool
    certificate: Path
    key: Path
    seen: _Seen

    @classmethod
    def read(cls, env: dict[str, str]) -> Self | None:
        """From the environment; None where no certificate is named. Raises SettingRefused.

        A file that is missing, unreadable or no certificate, and a key of another certificate, are
        refused by the name of the setting.
        """
        named, key = env.get(CERTIFICATE, ""), env.get(KEY, "")
        required = env.get(REQUIRED) or "0"
        if required not in ("0", "1"):
            raise SettingRefused(REQUIRED, "is 0 or 1")
        if not named and not key:
            if required == "1":
                raise SettingRefused(CERTIFICATE, f"names no file, and {REQUIRED} is 1")
            return None
        for name, other, value in ((CERTIFICATE, KEY, named), (KEY, CERTIFICATE, key)):
            if not value:
                raise SettingRefused(name, f"names no file, and {other} does")
        paths = Path(named).expanduser(), Path(key).expanduser()
        seen = _state(paths)
        return cls(_context(*paths), required == "1", *paths, seen)

    def renew(self) -> bool:
        """Take up files that have changed; True where they were.

        Raises SettingRefused where they do not fit, for instance while only one of them is new:
        what was read before goes on.
        """
        found = _state((self.certificate, self.key))
        if found == self.seen:
            return False
        self.context = _context(self.certificate, self.key)
        self.seen = found
        return True


async def keep_fresh(tls: Tls, *, every_s: float = LOOKS_EVERY_S) -> None:
    """Look at the files for ever. What does not fit is said once, and looked at again."""
    said = ""
    while True:
        await asyncio.sleep(every_s)
        try:
            if tls.renew():
                log.warning("the mailbox has taken up a new certificate")
            said = ""
        except SettingRefused as error:
            if str(error) != said:
                log.error("the mailbox keeps its old certificate: %s", error)  # noqa: TRY400
            said = str(error)


def lmtp_stays_here(tls: Tls | None, host: str, lmtp_port: int) -> None:
    """Raises SettingRefused where TLS is required and LMTP, which has none, would listen to a network."""
    if tls and tls.required and lmtp_port and host not in LOOPBACK:
        raise SettingRefused(REQUIRED, f"is 1, and LMTP at {host} has no TLS: use --lmtp-socket")


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 at least. Raises SettingRefused; a key with a passphrase is refused, nobody is asked."""
    _readable(CERTIFICATE, certificate)
    _readable(KEY, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Apart, so that it is clear which of the two is no good.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError as error:
        raise SettingRefused(CERTIFICATE, f"holds no certificate (PEM): {certificate}") from error
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except ssl.SSLError as error:
        why = "is of another certificate" if "MISMATCH" in str(error) else "holds no key (PEM)"
        raise SettingRefused(KEY, f"{why}: {key}") from error
    return context


def _no_passphrase() -> str:
    raise SettingRefused(KEY, "is guarded by a passphrase, which nobody could enter")


def _readable(name: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise SettingRefused(name, f"cannot be read: {error.strerror}: {path}") from error


def _state(paths: tuple[Path, Path]) -> _Seen:
    """What changes when a file is replaced, behind a link too; zeros where there is none."""
    found = []
    for path in paths:
        try:
            stat = path.stat()
            found.append((stat.st_mtime_ns, stat.st_ino, stat.st_size))
        except OSError:
            found.append((0, 0, 0))
    return tuple(found)
