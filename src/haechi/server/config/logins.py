"""How each process logs in to the database: one address with a role and a password for each.

`haechi setup` writes them into files of the home, readable by their owner alone; whoever runs the
processes as different users gives each its own file's content as HAECHI_DATABASE_URL. The embedded
server asks every role for its password, and lets the owner in by the name of the system's user.
"""

import os
import pwd
import secrets
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg

from haechi.errors import RolesMissing, RoleTooStrong
from haechi.server.config import roles
from haechi.server.config.database import start_embedded
from haechi.server.config.grants import PROCESSES

FOLDER = "database"
MARK = "# Written by Haechi: roles give a password, the owner comes by its system user."


def prepare(home: Path, owner_url: str) -> dict[str, str]:
    """Make the roles, give them their rights, keep their addresses; returns the addresses.

    Safe to repeat: passwords that are known stay. Raises RolesMissing and psycopg.Error.
    """
    known = {process: _password(home, process) for process in PROCESSES}
    with psycopg.connect(owner_url) as connection:
        roles.apply(connection, known)
        if (home / "postgres").exists():
            _close(home / "postgres", connection)
    urls = {process: _as(owner_url, process, known[process]) for process in PROCESSES}
    for process, url in urls.items():
        _write(_file(home, process), url)
    return urls


def url_of(home: Path, process: str) -> str:
    """The address by which `process` logs in; starts the embedded server. Raises RolesMissing."""
    if not _file(home, process).exists():
        raise RolesMissing(roles.role_of(process))
    if not (home / "postgres").exists():
        return _file(home, process).read_text(encoding="utf-8").strip()
    # Where the socket is depends on where the home is, and a home may be moved.
    return _as(start_embedded(home), process, _password(home, process))


def check(url: str, process: str) -> None:
    """Raises RoleTooStrong where `process` would log in with rights it must not have.

    A database that is away cannot be asked, and is no reason not to start.
    """
    try:
        found = roles.too_much(url, process)
    except psycopg.OperationalError:
        return
    if found:
        raise RoleTooStrong(process, found[0].verb, found[0].table)


def _file(home: Path, process: str) -> Path:
    return home / FOLDER / f"{process}.url"


def _password(home: Path, process: str) -> str:
    file = _file(home, process)
    if not file.exists():
        return secrets.token_urlsafe(32)
    return unquote(urlsplit(file.read_text(encoding="utf-8").strip()).password or "")


def _as(url: str, process: str, password: str) -> str:
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    login = f"{roles.role_of(process)}:{quote(password, safe='')}@{where}"
    # "postgresql:///name" has no place for a login: the database is named after it all the same.
    return urlunsplit((parts.scheme, login, parts.path, parts.query, ""))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"{text}\n")
    part.replace(file)


def _close(data: Path, connection: psycopg.Connection) -> None:
    """Have the embedded server ask who is there; as it is made, it believes everybody."""
    rules = data / "pg_hba.conf"
    if rules.read_text(encoding="utf-8").startswith(MARK):
        return
    # The wheel's server runs as this user or, where that is root, as a user of its own.
    users = {pwd.getpwuid(os.geteuid()).pw_name, pwd.getpwuid(data.stat().st_uid).pw_name}
    names = "".join(f'haechi "{user}" postgres\n' for user in sorted(users))
    (data / "pg_ident.conf").write_text(f"{MARK}\n{names}", encoding="utf-8")
    rules.write_text(
        f"{MARK}\nlocal all postgres peer map=haechi\nlocal all all scram-sha-256\n",
        encoding="utf-8",
    )
    connection.execute("SELECT pg_reload_conf()")
