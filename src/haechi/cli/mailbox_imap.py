"""Notices from an IMAP mailbox: fetched, stored, and only then marked as seen or moved away.

A mail is named by its bytes: should this process die between the commit and the mark, the same mail
is fetched again and is the same notice.
"""

import imaplib
import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from haechi.errors import SettingRefused

TIMEOUT_S = 60.0
AT_ONCE = 50
LONGEST_WAIT_S = 900.0
MOST_BYTES = 25 * 1024 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """Where the mailbox is.

    done      folder that stored mails are moved to; "" marks them as seen instead
    every_s   seconds between two looks
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str
    encrypted: bool
    done: str
    every_s: float

    @classmethod
    def read(cls, env: dict[str, str]) -> Self | None:
        """From HAECHI_IMAP_URL and its like; None without. Raises SettingRefused."""
        url = env.get("HAECHI_IMAP_URL", "")
        if not url:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("imaps", "imap") or not parts.hostname or not parts.username:
            raise SettingRefused("HAECHI_IMAP_URL", "has the form imaps://user@host/folder")
        if parts.scheme == "imap" and parts.hostname not in _LOOPBACK:
            raise SettingRefused("HAECHI_IMAP_URL", "is unencrypted and leaves this machine")
        return cls(
            host=parts.hostname,
            port=parts.port or (993 if parts.scheme == "imaps" else 143),
            user=unquote(parts.username),
            password=_password(env.get("HAECHI_IMAP_PASSWORD_FILE", "")),
            folder=unquote(parts.path.strip("/")) or "INBOX",
            encrypted=parts.scheme == "imaps",
            done=env.get("HAECHI_IMAP_DONE", ""),
            every_s=float(env.get("HAECHI_IMAP_EVERY_S") or 60),
        )


def poll(account: Account, keep: Callable[[bytes], str], stop: threading.Event) -> None:
    """Look again and again until `stop`; whatever goes wrong is tried again, later and later."""
    wait_s = account.every_s
    while not stop.is_set():
        try:
            fetch(account, keep, stop)
            wait_s = account.every_s
        except Exception as error:  # noqa: BLE001  # mailbox or database away: nothing was marked
            log.error("the IMAP mailbox: %s", type(error).__name__)  # noqa: TRY400  # it may quote
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        stop.wait(wait_s)


def fetch(account: Account, keep: Callable[[bytes], str], stop: threading.Event) -> int:
    """Store every unseen mail; returns how many. Raises what the server or `keep` raises."""
    stored = 0
    with _opened(account) as box:
        while not stop.is_set():
            unseen = _unseen(box)
            if not unseen:
                break
            for number in unseen:
                raw = _raw(box, number)
                if raw is not None:
                    keep(raw)
                    stored += 1
                    _done(box, number, account.done)
    return stored


def _password(path: str) -> str:
    if not path:
        raise SettingRefused("HAECHI_IMAP_PASSWORD_FILE", "names no file")
    return Path(path).read_text(encoding="utf-8").strip()


@contextmanager
def _opened(account: Account) -> Iterator[imaplib.IMAP4]:
    kind = imaplib.IMAP4_SSL if account.encrypted else imaplib.IMAP4
    more = {"ssl_context": ssl.create_default_context()} if account.encrypted else {}
    box = kind(account.host, account.port, timeout=TIMEOUT_S, **more)
    try:
        box.login(account.user, account.password)
        _expect(box.select(_quoted(account.folder)))
        yield box
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            box.logout()


def _unseen(box: imaplib.IMAP4) -> list[bytes]:
    """Numbers (UID) of mails that were not stored yet, at most AT_ONCE."""
    found = _expect(box.uid("SEARCH", "UNSEEN", "UNFLAGGED", "UNDELETED"))
    first = found[0]
    return first.split()[:AT_ONCE] if isinstance(first, bytes) else []


def _raw(box: imaplib.IMAP4, number: bytes) -> bytes | None:
    """One mail, without marking it. One too long is flagged for a person, and left."""
    name = number.decode("ascii")
    said = b" ".join(
        part for part in _expect(box.uid("FETCH", name, "(RFC822.SIZE)")) if isinstance(part, bytes)
    )
    size = _SIZE.search(said)
    if size and int(size[1]) > MOST_BYTES:
        log.error("a mail of %s bytes is left in the IMAP mailbox, flagged", int(size[1]))
        _expect(box.uid("STORE", name, "+FLAGS.SILENT", "(\\Flagged)"))
        return None
    parts = _expect(box.uid("FETCH", name, "(BODY.PEEK[])"))
    return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None)


def _done(box: imaplib.IMAP4, number: bytes, folder: str) -> None:
    """It is stored: move it away, or mark it as seen."""
    name = number.decode("ascii")
    if folder and "MOVE" in box.capabilities:
        _expect(box.uid("MOVE", name, _quoted(folder)))
        return
    if folder:
        _expect(box.uid("COPY", name, _quoted(folder)))
    flags = "(\\Seen \\Deleted)" if folder else "(\\Seen)"
    _expect(box.uid("STORE", name, "+FLAGS.SILENT", flags))


def _expect(answer: tuple[str, list[Any]]) -> list[Any]:
    said, data = answer
    if said != "OK":
        raise imaplib.IMAP4.error(said)
    return data


def _quoted(folder: str) -> str:
    plain = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'
