"""Mails as regulators, hotlines and people send them, and keys to sign them with."""

import functools
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from haechi.formats.letter import open_letter


@functools.cache
def _pair() -> tuple[bytes, bytes]:
    """An RSA key as DKIM signs with: PEM, and the TXT record of its public half."""
    import base64  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return pem, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def mail(
    text: str,
    *,
    sender: str = "desk@regulator.example",
    to: str = "notices@haechi.example",
    subject: str = "Please remove",
    message_id: str = "<one@regulator.example>",
    **headers: str,
) -> EmailMessage:
    """A plain mail."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"], made["Message-ID"] = sender, to, subject, message_id
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def signed(made: EmailMessage | bytes, domain: bytes = b"regulator.example") -> bytes:
    """The mail with a DKIM signature of that domain."""
    raw = bytes(made)
    return bytes(dkim.sign(raw, b"key", domain, _pair()[0])) + raw


def dns(*domains: str) -> Callable[..., bytes | None]:
    """A DNS that knows the key of these domains."""
    known = {f"key._domainkey.{domain}." for domain in domains}

    def resolve(name: bytes | str, timeout: float = 5) -> bytes | None:
        text = name.decode() if isinstance(name, bytes) else name
        return _pair()[1] if text in known else None

    return resolve


def silent(name: bytes, timeout: float = 5) -> bytes:
    """A DNS that does not answer."""
    raise dkim.DnsTimeoutError(name)


__all__ = ["dns", "mail", "open_letter", "signed", "silent"]
