"""Keyed digests: what is compared here and read by nobody.

Each kind has a prefix of its own, so that equal texts of two kinds differ. An account is taken as it
is, to the letter: two accounts that differ in case alone are two people.
"""

import hmac

from django.conf import settings


def account(platform: int, name: str) -> bytes:
    """Of one account of one service."""
    return _digest("account", f"{platform}\0{name}")


def produce_id(text: str) -> bytes:
    """Of the number in an AIGC label (GB 45438, ProduceID)."""
    return _digest("produce", text)


def manifest(name: str) -> bytes:
    """Of the name of a C2PA manifest."""
    return _digest("manifest", name)


def prompt(sha256: bytes) -> bytes:
    """Of a prompt, of which the service told the SHA-256: short prompts could be guessed from that."""
    return _digest("prompt", sha256.hex())


def file(sha256: bytes) -> bytes:
    """Of a file that was asked about."""
    return _digest("file", sha256.hex())


def _digest(kind: str, text: str) -> bytes:
    key: bytes = settings.HAECHI.digest_key
    return hmac.digest(key, f"tracing {kind}\0{text}".encode("utf-8", "surrogatepass"), "sha256")
