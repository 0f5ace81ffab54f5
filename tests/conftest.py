"""Fixtures every test may use."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest
from hypothesis import settings
from skimage import data

from haechi.fingerprint import sscd

# Machines are noisy: a slow example is no failure.
settings.register_profile("haechi", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("haechi")

needs_model = pytest.mark.skipif(
    not sscd.available(), reason="the copy-detection model (extra sscd) is not installed"
)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHARED_MEDIA = Path(__file__).parents[2] / "shared" / "media"


@pytest.fixture(autouse=True)
def _environment_as_it_was() -> Iterator[None]:
    """Programs under test fill their environment for good; the next test is another program."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def astronaut() -> bytes:
    """A public-domain photograph (NASA) as a JPEG file."""
    return _jpeg(data.astronaut())


@pytest.fixture(scope="session")
def cat() -> bytes:
    """Another photograph (CC0), unrelated to the first."""
    return _jpeg(data.cat())


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """Published test media; tests that use it skip, saying so, where it is absent."""
    if not SHARED_MEDIA.is_dir():
        pytest.skip(f"{SHARED_MEDIA} is absent")
    return SHARED_MEDIA


def _jpeg(rgb: object) -> bytes:
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))  # type: ignore[call-overload]
    assert done
    return bytes(encoded)
