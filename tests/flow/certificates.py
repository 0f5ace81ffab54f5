"""Certificates that tests make: for 127.0.0.1, trusted by who is told."""

import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from django.utils import timezone

from haechi.cli.mailbox_tls import CERTIFICATE, KEY


def write(
    folder: Path, name: str = "one", guard: KeySerializationEncryption | None = None
) -> dict[str, str]:
    """A new certificate for 127.0.0.1 and its key in `folder`, as the settings that name them."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
    made = made.not_valid_before(timezone.now() - timedelta(days=1))
    made = made.not_valid_after(timezone.now() + timedelta(days=1))
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = made.add_extension(here, critical=False).sign(key, SHA256())
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    private.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, guard or NoEncryption())
    )
    return {CERTIFICATE: str(certificate), KEY: str(private)}


def trusting(settings: dict[str, str]) -> ssl.SSLContext:
    """A client that knows this one certificate."""
    return ssl.create_default_context(cafile=settings[CERTIFICATE])
