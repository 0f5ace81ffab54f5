"""Read and write the vault's identities: plain or guarded files, and what a command prints."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from haechi import seal
from haechi.errors import CannotOpen, KeyMissing

COMMAND_TIMEOUT_S = 60.0
LONGEST_BYTES = 64 * 1024
BEGINNING = "AGE-SECRET-KEY-"


class Signature(NamedTuple):
    """A file as it is now: another one, or other content, has another signature."""

    path: Path
    inode: int
    changed_ns: int
    size: int


def signature(path: Path) -> Signature:
    """Raises KeyMissing where there is no such file."""
    try:
        found = path.stat()
    except OSError as error:
        raise KeyMissing(f"{path.name} cannot be read: {error.strerror}") from error
    return Signature(path, found.st_ino, found.st_mtime_ns, found.st_size)


def bytes_of(path: Path) -> bytes:
    """The file. Raises KeyMissing."""
    try:
        with path.open("rb") as file:
            return file.read(LONGEST_BYTES)
    except OSError as error:
        raise KeyMissing(f"{path.name} cannot be read: {error.strerror}") from error


def read_passphrase(path: Path) -> str:
    """The first line of a file, as `age` would be typed it. Raises KeyMissing."""
    try:
        lines = bytes_of(path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise KeyMissing(f"{path.name} holds no text") from error
    if not lines or not lines[0]:
        raise KeyMissing(f"{path.name} holds no passphrase")
    return lines[0]


def output_of(command: Sequence[str]) -> bytes:
    """What a command prints. It gets no input and runs under no shell. Raises KeyMissing."""
    try:
        done = subprocess.run(  # noqa: S603  # the operator's own words
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KeyMissing(f"{command[0]} cannot be run: {type(error).__name__}") from None
    if done.returncode:
        # What it says may quote a secret; its number does not.
        raise KeyMissing(f"{command[0]} ended with {done.returncode}")
    return done.stdout[:LONGEST_BYTES]


def read(data: bytes, passphrase: Callable[[], str]) -> tuple[str, ...]:
    """The identities in an identity file of age, guarded or not, in its order.

    Raises KeyMissing: no passphrase, a wrong one, no identity in it.
    """
    try:
        plain = seal.unguard(data, passphrase()) if seal.guarded(data) else data
    except CannotOpen as error:
        raise KeyMissing(f"the vault identity: {error}") from error
    lines = plain.decode("ascii", errors="replace").splitlines()
    found = tuple(line.strip() for line in lines if line.startswith(BEGINNING))
    if not found:
        raise KeyMissing("there is no age identity in the vault's file")
    return found


def text(identities: Sequence[str]) -> bytes:
    """An identity file of age, as `read` reads it."""
    lines = ["# The vault. Whoever has this file opens every report. The newest identity is first."]
    for identity in identities:
        lines += [f"# public key: {seal.recipient_of(identity)}", identity]
    return ("\n".join(lines) + "\n").encode()
