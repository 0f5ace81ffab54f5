"""Content Credentials: signed with a key of our own, read with the trust that its certificate deserves."""

import datetime as dt
import io
import json
from dataclasses import dataclass
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.unit import marked

from haechi import labels
from haechi.labels import Mark, Reading, Says, Trust, words

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Office:
    """A certificate authority and one signer below it, both made for the test."""

    chain: bytes
    key: bytes
    anchor: str

    def sign(
        self, data: bytes, media_type: str, manifest: dict[str, Any], *, edit: bool = False
    ) -> bytes:
        """`data` with a manifest in it; with `edit`, what was there before becomes its parent."""
        info = c2pa.C2paSignerInfo(b"es256", self.chain, self.key, None)
        settings = {"builder": {"thumbnail": {"enabled": False}}}
        out = io.BytesIO()
        with c2pa.Signer.from_info(info) as signer, c2pa.Context.from_dict(settings) as context:
            builder = c2pa.Builder(json.dumps(manifest), context)
            if edit:
                builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
            builder.sign(signer, media_type, io.BytesIO(data), out)
        return out.getvalue()


def _name(organisation: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


@pytest.fixture(scope="module")
def office() -> Office:
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - the certificate must be in force while the test runs
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _name("Test", "Test root"), _name("A service of pictures", "signer")
    root = (
        x509.CertificateBuilder(
            root_name, root_name, root_key.public_key(), 1, now - DAY, now + 30 * DAY
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        x509.CertificateBuilder(root_name, name, key.public_key(), 2, now - DAY, now + 30 * DAY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Office(
        leaf.public_bytes(pem) + root.public_bytes(pem), private, root.public_bytes(pem).decode()
    )


def manifest(word: str, action: str = "c2pa.created") -> dict[str, Any]:
    """A claim with one action."""
    did = {
        "action": action,
        "digitalSourceType": f"{SOURCE}{word}",
        "softwareAgent": {"name": "Painter"},
    }
    return {
        "claim_generator_info": [{"name": "Test generator", "version": "1"}],
        "title": "x",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [did]}}],
    }


def _marks(reading: Reading) -> list[Mark]:
    return [mark for mark in reading.marks if mark.kind == "c2pa"]


FILES = {
    "image/jpeg": lambda: marked.saved(marked.picture(), "JPEG"),
    "image/png": lambda: marked.saved(marked.picture(), "PNG"),
    "image/webp": lambda: marked.saved(marked.picture(), "WEBP"),
    "image/avif": lambda: marked.saved(marked.picture(), "AVIF"),
    "video/mp4": lambda: marked.film("mp4", "libx264", {}),
    "audio/mpeg": lambda: marked.sound("mp3", "libmp3lame", "fltp", {}),
}


@pytest.mark.parametrize("media_type", FILES)
def test_a_signature_is_worth_what_its_certificate_is(office: Office, media_type: str) -> None:
    """Trusted with the anchor, merely valid without; who signed and with what is told."""
    signed = office.sign(FILES[media_type](), media_type, manifest("trainedAlgorithmicMedia"))

    trusting = labels.read(signed, trust_anchors=office.anchor)
    alone = labels.read(signed)

    (mark,) = _marks(trusting)
    assert (mark.says, mark.trust, mark.tool) == (Says.MADE, Trust.TRUSTED, "Painter")
    assert mark.detail["issuer"] == "A service of pictures"
    assert mark.detail["digital_source_type"] == "trainedAlgorithmicMedia"
    assert words.headline(trusting) == "signed_ai"
    assert [mark.trust for mark in _marks(alone)] == [Trust.VALID]
    assert words.headline(alone) == "says_ai"
    assert not trusting.findings + alone.findings


def test_one_changed_byte_takes_the_trust_away(office: Office) -> None:
    """The mark is still shown, and called what it is."""
    signed = bytearray(office.sign(FILES["image/jpeg"](), "image/jpeg", manifest("digitalCapture")))
    signed[-200] ^= 1

    reading = labels.read(bytes(signed), trust_anchors=office.anchor)

    assert [mark.trust for mark in _marks(reading)] == [Trust.INVALID]
    assert [finding.code for finding in reading.findings] == ["c2pa.changed"]
    assert words.headline(reading) == "changed"


def test_a_photograph_by_a_trusted_camera(office: Office) -> None:
    """The strongest that can be said for a picture, and what it does not say."""
    signed = office.sign(FILES["image/jpeg"](), "image/jpeg", manifest("digitalCapture"))

    reading = labels.read(signed, trust_anchors=office.anchor)

    assert words.headline(reading) == "signed_camera"
    assert [mark.says for mark in _marks(reading)] == [Says.CAMERA]


def test_what_an_ingredient_was_is_told_and_never_trusted(office: Office) -> None:
    """A picture made by a machine and then edited: both manifests are read."""
    before = office.sign(FILES["image/jpeg"](), "image/jpeg", manifest("trainedAlgorithmicMedia"))
    edited = office.sign(before, "image/jpeg", manifest("humanEdits", "c2pa.edited"), edit=True)

    after = labels.read(edited, trust_anchors=office.anchor)

    assert {(mark.detail["role"], mark.says) for mark in _marks(after)} == {
        ("in_force", Says.HUMAN),
        ("ingredient", Says.MADE),
    }
    assert all(
        mark.trust is not Trust.TRUSTED
        for mark in _marks(after)
        if mark.detail["role"] == "ingredient"
    )
    assert words.headline(after) == "says_ai"


def test_a_machine_that_edits_did_not_make_it(office: Office) -> None:
    """The same word means made in an act of creation, and edited in any other."""
    did = manifest("trainedAlgorithmicMedia", "c2pa.edited")
    signed = office.sign(FILES["image/png"](), "image/png", did, edit=True)

    assert [mark.says for mark in _marks(labels.read(signed))] == [Says.EDITED]


def test_words_that_look_like_credentials_are_none() -> None:
    """A caption that speaks of c2pa and jumb is no manifest."""
    reading = labels.read(marked.png({"Comment": "c2pa in a jumb box"}))

    assert (reading.marks, reading.findings) == ((), ())


def test_credentials_that_cannot_be_read_are_a_finding() -> None:
    """Their place is there, and nonsense in it."""
    reading = labels.read(marked.png_chunk(b"caBX", b"nothing of the kind"))

    assert [finding.code for finding in reading.findings] == ["broken.c2pa"]
