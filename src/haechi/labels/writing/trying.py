"""A hierarchy of certificates for trying C2PA: made here, trusted by nobody.

An operator's real certificate comes from an authority on the C2PA trust list. With this one a reader
says VALID, and TRUSTED only if it was given `root` as an anchor.
"""

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

NAME = "Haechi trial, trusted by nobody"

_CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""The extended key usage that C2PA asks of who signs claims (C2PA 2.2, section 14.5.1.1)."""
_EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
_LASTS = dt.timedelta(days=365)
_SLACK = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """PEM texts: `root` is the anchor for readers, `chain` and `key` sign (ES256)."""

    root: str
    chain: str
    key: str


def make(now: dt.datetime) -> Hierarchy:
    """A new root, an authority below it, and a key that may sign claims for a year from `now`."""
    root_key, authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _certificate("root", root_key, None, root_key, now, is_authority=True)
    authority = _certificate("authority", authority_key, root, root_key, now, is_authority=True)
    leaf = _certificate("signer", key, authority, authority_key, now, is_authority=False)
    return Hierarchy(root=_pem(root), chain=_pem(leaf) + _pem(authority), key=_key_pem(key))


def _certificate(
    role: str,
    key: ec.EllipticCurvePrivateKey,
    above: x509.Certificate | None,
    above_key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
    *,
    is_authority: bool,
) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, NAME),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{NAME}: {role}"),
        ]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if above is None else above.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + _LASTS)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(above_key.public_key()),
            critical=False,
        )
    )
    if not is_authority:
        purposes = x509.ExtendedKeyUsage([_EMAIL, _CLAIM_SIGNING])
        made = made.add_extension(purposes, critical=False)
    return made.sign(above_key, hashes.SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
