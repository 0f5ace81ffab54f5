"""Our own mark is read from pixels where the key is given, and missing labels beside it are told."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data as shipped
from tests.unit.videos_made import encoded

from haechi import labels
from haechi.labels import Says, watermark, words

KEY = bytes(range(32))
TRACE = 0xC0FFEE123456


@pytest.fixture(scope="module")
def carrying() -> np.ndarray:
    """A cat that carries a trace id."""
    return watermark.embed(np.ascontiguousarray(shipped.cat()), TRACE, key=KEY)


def jpeg(rgb: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=85)
    return out.getvalue()


def test_the_mark_is_read_with_its_key(carrying: np.ndarray) -> None:
    """And with no other; that nothing readable stands beside it is a finding."""
    reading = labels.read(jpeg(carrying), watermark_key=KEY)

    (mark,) = reading.marks
    assert (mark.kind, mark.says, mark.detail["trace_id"]) == (
        "watermark",
        Says.MADE,
        "c0ffee123456",
    )
    assert [finding.code for finding in reading.findings] == ["removed.labels"]
    assert words.headline(reading) == "watermark"
    assert not labels.read(jpeg(carrying)).marks
    assert not labels.read(jpeg(carrying), watermark_key=bytes(32)).marks
    assert not labels.read(jpeg(carrying), watermark_key=KEY, watermark=False).marks


def test_a_photograph_carries_none() -> None:
    """False alarms are what a reader must not have."""
    assert not labels.read(jpeg(shipped.cat()), watermark_key=KEY).marks


@pytest.mark.slow
def test_the_mark_of_a_film_is_read() -> None:
    """Its frames speak together."""
    part = np.ascontiguousarray(shipped.cat()[:300, :450])
    frame = watermark.embed(part, TRACE, key=KEY)

    reading = labels.read(encoded([frame] * 6, crf="18"), watermark_key=KEY)

    assert [mark.detail["trace_id"] for mark in reading.marks] == ["c0ffee123456"]
