"""Way 3 in a real browser: 30 MB sealed in Chromium, cut in the middle, opened by the worker."""

import hashlib
import random
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.wire import Wire

from haechi.demo import pictures
from haechi.demo.tale import Tale
from haechi.server.reports.return_code import submission_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MB = 1024 * 1024
OPENED = (
    "SELECT encode(e.sha256, 'hex') AS sha256, e.way, e.state, e.size FROM evidence_exhibit e"
    " JOIN reports_report r ON r.id = e.report_id"
    " WHERE r.submission = %s AND e.verified_at IS NOT NULL AND e.state <> 'sealed'"
)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A photograph with 30 MB behind it that no two places have alike."""
    path = tmp_path / "at-the-lake.jpg"
    tail = random.Random(30).randbytes(30 * MB)  # noqa: S311  # not a secret
    path.write_bytes(pictures.jpeg(pictures.photograph(pictures.SPARE[1])) + tail)
    return path


def test_30_mb_are_sealed_here_cut_in_the_middle_and_opened_by_the_worker(
    house: Tale, chromium: Browser, large: Path
) -> None:
    """B12, B14: what goes over the wire is ciphertext alone; the worker finds the same SHA-256."""
    data = large.read_bytes()
    with Wire(house.family.ports.public, cut_after=14 * MB) as wire:
        window = chromium.new_context(locale="en-GB")
        page = window.new_page()
        page.set_default_timeout(120_000)
        page.goto(f"http://127.0.0.1:{wire.port}/report")
        submission = page.locator('input[name="submission"]').get_attribute("value") or ""
        _chooses(page, large)
        page.locator('button[type="submit"]', has_text="Send this report").click()
        page.locator("[data-code-words]").wait_for()
        expect(page.locator("main")).to_contain_text("1 file was locked on your own device")
        window.close()
    assert wire.cuts == 1
    _nothing_readable(bytes(wire.sent), data)
    # Cut in the middle of a piece: no more than that one piece went twice.
    assert len(data) < len(wire.sent) < len(data) + 5 * MB

    found = house.wait_for(
        "the worker opens it",
        lambda: house.rows(OPENED, submission_of(submission)),
        within_s=180,
    )
    digest = hashlib.sha256(data).hexdigest()
    assert found == [
        {"sha256": digest, "way": "browser", "state": "fingerprinted", "size": len(data)}
    ]
    _nothing_readable_below(house.family.home, data)


def test_a_file_can_be_paused_taken_away_and_is_told_by_its_content(
    house: Tale, chromium: Browser, tmp_path: Path
) -> None:
    """The list by keyboard and in words; what is no picture never leaves the device."""
    (tmp_path / "note.jpg").write_text("not a picture at all, whatever its name says")
    (tmp_path / "me.jpg").write_bytes(pictures.jpeg(pictures.photograph(pictures.SPARE[0])))
    with Wire(house.family.ports.public, cut_after=10**12) as wire:
        window = chromium.new_context(locale="en-GB")
        page = window.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{wire.port}/report")
        _chooses(page, tmp_path / "note.jpg")
        note = page.locator("[data-exhibit]", has_text="note.jpg")
        expect(note).to_contain_text("not a picture or video")
        page.locator('button[type="submit"]', has_text="Send this report").click()
        expect(page.locator("[data-exhibits-said]")).to_contain_text("has not arrived")
        note.locator('[data-exhibit-do="remove"]').press("Enter")
        expect(note).to_have_count(0)
        _chooses(page, tmp_path / "me.jpg")
        mine = page.locator("[data-exhibit]", has_text="me.jpg")
        expect(mine).to_contain_text("Locked, and it has arrived.", timeout=60_000)
        window.close()
    assert b"not a picture" not in wire.sent


def _chooses(page: Page, path: Path) -> None:
    page.locator("[data-exhibits]:not([hidden])").wait_for(state="attached")
    page.locator("#id_files").set_input_files(path)


def _nothing_readable(sent: bytes, data: bytes) -> None:
    assert sent.count(b"AGE-SECRET-KEY-1") == 1
    assert b"age-encryption.org/v1\n-> X25519 " in sent
    for at in (0, 1000, *range(MB // 2, len(data) - 64, MB)):
        assert data[at : at + 24] not in sent


def _nothing_readable_below(home: Path, data: bytes) -> None:
    """Not in blobs, parts, logs or the database's own files."""
    # Not its first bytes: every JPEG here begins so, also those that people posted on the board.
    marks = [data[1000:1024], data[MB : MB + 24], b"at-the-lake"]
    for path in home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            try:
                held = path.read_bytes()
            except OSError:  # PostgreSQL takes files away while it works.
                continue
            assert not [mark for mark in marks if mark in held], path
