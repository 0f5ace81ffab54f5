"""Uploads: sealed while they arrive, durably, and never in plaintext on a disk (B12 to B14, B16)."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import encode_multipart
from pytest_django.fixtures import Settings

from haechi import seal
from haechi.blobs import LocalStore
from haechi.blobs.local import MARKER
from haechi.errors import NotMedia, TooManyBytes
from haechi.media import Kind
from haechi.server.evidence.sealing import SealedUpload, SealingUploadHandler


def upload(data: bytes, *, name: str = "me.jpg") -> tuple[SealedUpload, SealingUploadHandler]:
    """One file through the handler, in the chunks Django would make."""
    handler = SealingUploadHandler()
    handler.file_name = name
    for start in range(0, len(data), handler.chunk_size):
        handler.receive_data_chunk(data[start : start + handler.chunk_size], start)
    done = handler.file_complete(len(data))
    assert done is not None
    return done, handler


def test_b14_the_envelope_opens_with_the_requests_identity_alone(astronaut: bytes) -> None:
    """Bit-exact, with the right digests."""
    done, handler = upload(astronaut)
    assert done.sealed is not None
    assert done.sealed.kind is Kind.JPEG
    with LocalStore(django_settings.BLOBS).open(done.sealed.blob) as sealed:
        assert seal.open_sealed(sealed.read(), handler.identity) == astronaut


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Every temporary file of this process lands here."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_b12_no_plaintext_touches_a_disk(
    watched: Path, settings: Settings, astronaut: bytes
) -> None:
    """Look into every file that exists while the upload is half-way and after it."""
    settings.BLOBS = watched / "blobs"
    large = astronaut + bytes(8_000_000)
    handler = SealingUploadHandler()
    handler.file_name = "me.jpg"
    for start in range(0, len(large), handler.chunk_size):
        handler.receive_data_chunk(large[start : start + handler.chunk_size], start)
        assert not _holding(watched, astronaut[:64])
    handler.file_complete(len(large))
    assert not _holding(watched, astronaut[:64])
    assert len(files_in(watched)) == 1


def test_what_is_no_media_is_refused_and_nothing_stays() -> None:
    """Told from the content, whatever it is called."""
    done, _ = upload(b"#!/bin/sh\necho hello\n" * 100, name="../../etc/me.jpg")
    assert isinstance(done.refusal, NotMedia)
    assert list(LocalStore(django_settings.BLOBS).names()) == []


def test_60_mb_are_refused_while_streaming_and_nothing_stays(astronaut: bytes) -> None:
    """B13: the limit is met while bytes arrive, not after."""
    done, _ = upload(astronaut + bytes(60_000_000))
    assert isinstance(done.refusal, TooManyBytes)
    assert list(LocalStore(django_settings.BLOBS).names()) == []


def test_an_interrupted_upload_leaves_nothing(astronaut: bytes) -> None:
    """The telephone lost its connection: no half exhibit, no thread, no file."""
    handler = SealingUploadHandler()
    handler.receive_data_chunk(astronaut, 0)
    handler.upload_interrupted()
    root = Path(django_settings.BLOBS)
    assert files_in(root) == []


def test_a_form_that_ends_inside_a_file_is_refused_whole(public: Client, astronaut: bytes) -> None:
    """Fields before the file look complete; nothing of them may become a report."""
    body = encode_multipart("b0und", {"told": "x", "files": SimpleUploadedFile("a.jpg", astronaut)})
    cut = body[: len(body) // 2]

    answer = public.post("/report", cut, content_type="multipart/form-data; boundary=b0und")

    assert answer.status_code == 400
    root = Path(django_settings.BLOBS)
    assert files_in(root) == []


def files_in(folder: Path) -> list[Path]:
    """Every file but the one that marks the folder of blobs."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != MARKER]


def _holding(folder: Path, needle: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes()]
