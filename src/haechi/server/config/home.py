"""The data folder of one installation: its keys, and the environment they make."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from haechi import seal

ENVIRONMENT_FILE = "haechi.env"
VAULT_FILE = "vault.age-identity"
SIGNING_FILE = "signing.pem"
DESK_FILE = "desk.secret"


def prepare(home: Path) -> dict[str, str]:
    """Make the keys of a new home, or read those of an existing one; never overwrites a key.

    Returns the environment every process needs. The vault identity's path is not in it: only desk
    and worker get that (`for_vault`). Files are readable by their owner alone.

    A home from before `desk.secret` gets one; second factors that were sealed with the older key do
    not open with it, so its accounts have to be made anew.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = home / ENVIRONMENT_FILE
    if not file.exists():
        identity = seal.new_identity()
        _write(
            home / VAULT_FILE,
            f"# The vault. Whoever has this file opens every report.\n{identity}\n",
        )
        _write(home / SIGNING_FILE, _new_signing_key())
        # Written last: a home without this file is made again from the start.
        _write(file, "".join(f"{key}={value}\n" for key, value in _new_keys(identity).items()))
    _write_once(home / DESK_FILE, f"{secrets.token_urlsafe(48)}\n")
    lines = file.read_text(encoding="utf-8").splitlines()
    return {"HAECHI_HOME": str(home), **dict(line.split("=", 1) for line in lines if "=" in line)}


def for_vault(home: Path) -> dict[str, str]:
    """What desk and worker are told besides: where vault identity, signing key and desk secret are."""
    return {
        "HAECHI_VAULT_IDENTITY_FILE": str(home / VAULT_FILE),
        "HAECHI_SIGNING_KEY_FILE": str(home / SIGNING_FILE),
        "HAECHI_DESK_SECRET_FILE": str(home / DESK_FILE),
    }


def replace_key(path: Path, data: bytes) -> None:
    """Put `data` in place of a key file in one step, durably, readable by its owner alone."""
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _new_keys(identity: str) -> dict[str, str]:
    return {
        "HAECHI_SECRET_KEY": secrets.token_urlsafe(48),
        "HAECHI_PEPPER_LOOKUP": secrets.token_hex(32),
        "HAECHI_PEPPER_UNLOCK": secrets.token_hex(32),
        "HAECHI_DIGEST_KEY": secrets.token_hex(32),
        "HAECHI_WATERMARK_KEY": secrets.token_hex(32),
        "HAECHI_VAULT_RECIPIENT": seal.recipient_of(identity),
    }


def _new_signing_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(path.suffix + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)


def _write_once(path: Path, text: str) -> None:
    # Of two processes that start together in an older home, both must end up with one secret.
    if path.exists():
        return
    own = path.with_suffix(f".{os.getpid()}")
    _write(own, text)
    with suppress(FileExistsError):
        path.hardlink_to(own)
    own.unlink()
