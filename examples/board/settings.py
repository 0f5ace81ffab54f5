"""What the board is told by its environment."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


class SettingMissing(Exception):
    """A variable is missing or makes no sense; the message names it."""


@dataclass(frozen=True)
class Settings:
    """home: folder for pictures and the database. url: where people find this board.

    api_url: Haechi's public address, where the board asks for orders too; "" where it does not.
    """

    home: Path
    url: str
    match_url: str
    match_key: str = field(repr=False)
    webhook_secret: bytes = field(repr=False)
    limit_bytes: int = 50_000_000
    retry_s: float = 5.0
    api_url: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read BOARD_* and HAECHI_*. Raises SettingMissing."""

        def needed(name: str) -> str:
            if not environ.get(name):
                raise SettingMissing(name)
            return environ[name]

        return cls(
            home=Path(needed("BOARD_HOME")).expanduser(),
            url=environ.get("BOARD_URL", "http://127.0.0.1:8413").rstrip("/"),
            match_url=environ.get("HAECHI_MATCH_URL", "http://127.0.0.1:8412").rstrip("/"),
            match_key=needed("HAECHI_MATCH_KEY"),
            webhook_secret=secret_bytes(needed("HAECHI_WEBHOOK_SECRET")),
            api_url=environ.get("HAECHI_API_URL", "").rstrip("/"),
        )


def secret_bytes(text: str) -> bytes:
    """The key in a webhook secret: Base64 after "whsec_", as Standard Webhooks writes it, or UTF-8."""
    if not text.startswith("whsec_"):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise SettingMissing("HAECHI_WEBHOOK_SECRET") from error
