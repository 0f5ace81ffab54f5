"""Nothing can be sealed or stored: intake says so plainly, names others, and never answers 500 (B31).

The disk is a real one that is really full: a file system of 1 MiB where this process may mount one,
else a limit on the length of files, which the kernel refuses in the same place.
"""

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings
from tests.flow.test_public_report import assert_closed, filled, picture

from haechi import seal
from haechi.server.evidence import storage as places
from haechi.server.evidence.storage import storage
from haechi.server.reports.models import Report

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120)]
ROOM_BYTES = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """Blobs on a disk with room for 1 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and _mount(disk)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard = signal.getsignal(signal.SIGXFSZ)
    if not mounted:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, before[1]))
    settings.BLOBS = disk / "blobs"
    try:
        yield disk
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heard)
        if mounted:
            subprocess.run(["umount", "-l", str(disk)], check=True)  # noqa: S603, S607  # ours


def _mount(disk: Path) -> bool:
    words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_BYTES}", "none", str(disk)]
    done = subprocess.run(words, capture_output=True, check=False)  # noqa: S603  # ours
    return done.returncode == 0


def send(public: Client, data: bytes, **fields: object) -> HttpResponse:
    return public.post("/report", filled(files=[picture(data)], **fields))


def test_a_full_disk_is_said_and_there_is_room_again_for_the_next(
    public: Client, astronaut: bytes, small_disk: Path
) -> None:
    """B31: nothing of what did not fit stays, so a smaller picture goes in at once."""
    too_long = astronaut + bytes(2 * ROOM_BYTES)

    assert_closed(send(public, too_long))

    assert not Report.objects.exists()
    assert (list(storage().names()), list(storage().unfinished())) == ([], [])
    assert send(public, astronaut).status_code == 200
    assert Report.objects.get().exhibits.count() == 1


def test_a_bucket_that_is_away_is_said(
    public: Client, astronaut: bytes, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B31: nobody listens at the address of the storage."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    settings.HAECHI = replace(
        django_settings.HAECHI, blobs="s3://exhibits", blobs_endpoint="http://127.0.0.1:9"
    )

    assert_closed(send(public, astronaut))

    assert not Report.objects.exists()
    places._bucket.cache_clear()


@pytest.mark.parametrize("recipient", ["", "age1nonsense", seal.new_identity()])
def test_a_vault_key_that_is_missing_is_said(
    public: Client, astronaut: bytes, settings: Settings, recipient: str
) -> None:
    """B31: what nobody at the desk could open is not taken in; nor is a secret key in its place."""
    settings.HAECHI = replace(django_settings.HAECHI, vault_recipients=(recipient,))

    assert_closed(send(public, astronaut))

    assert not Report.objects.exists()


def test_no_recipient_at_all_is_said(public: Client, astronaut: bytes, settings: Settings) -> None:
    """B31."""
    settings.HAECHI = replace(django_settings.HAECHI, vault_recipients=())

    assert_closed(send(public, astronaut))
