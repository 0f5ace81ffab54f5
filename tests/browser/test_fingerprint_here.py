"""Way 2 in a real browser: the file stays, its fingerprint goes, and the server would make the same.

The agreement of both sides is printed.
"""

import io
import json
import statistics
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms
from playwright.sync_api import Page, Request, expect
from skimage import data
from tests.conftest import SHARED_MEDIA
from tests.unit.videos_made import encoded

from haechi import fingerprint
from haechi.demo import pictures
from haechi.demo.tale import Tale
from haechi.fingerprint import frames, pdq
from haechi.media import decode
from haechi.server.reports.return_code import submission_of

if TYPE_CHECKING:
    from tests.browser.conftest import Opener, Watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE_MS = 60_000
PHOTOGRAPHS = ("astronaut.png", "coffee.png", "rocket.jpg", "chelsea.png", "hubble_deep_field.jpg")
SHARED = ("synthetic-faces/*.jpg", "*/bridge-mods/*.jpg")
SHARED_AT_MOST = 8
DISPLAY_P3 = {
    b"rXYZ": (0.515121, 0.241196, -0.001053),
    b"gXYZ": (0.291977, 0.692245, 0.041885),
    b"bXYZ": (0.157104, 0.066574, 0.784073),
}
NOISE = """
(() => {
  const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
  OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...where) {
    const seen = read.apply(this, where);
    for (let at = 0; at < seen.data.length; at += 97) seen.data[at] ^= 1;
    return seen;
  };
})();
"""

type Files = dict[str, bytes]


@pytest.fixture
def page(open_page: "Opener") -> "Watched":
    """The form, with the second way chosen."""
    window = open_page("public", "en", width=390, height=844)
    window.go("/report")
    window.page.locator("#picture-way-here").check()
    return window


def test_the_browser_and_the_server_agree_on_photographs(
    page: "Watched", tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """PDQ within 4 bits in the median and 10 at most, in all eight turns; SHA-256 exactly."""
    files = {**_photographs(), **_shared()}

    told = _told_of(page.page, files, tmp_path)

    bits: list[int] = []
    for name, content in files.items():
        row = told[fingerprint.digests([content]).sha256.hex()]
        picture = decode(content)
        made = pdq.dihedral(picture.rgb)
        assert (row["width"], row["height"]) == (picture.width, picture.height), name
        assert abs(row["quality"] - made[0].quality) <= 2, name
        turns = zip(row["turns"], made, strict=True)
        apart = [_apart_bits(bytes.fromhex(mine), theirs.bits) for mine, theirs in turns]
        assert max(apart) <= 10, f"{name}: {apart}"
        bits += apart
    median, most = statistics.median(bits), max(bits)
    _say(capsys, f"{len(files)} photographs, 8 turns: median {median} bits, {most} at most")
    assert median <= 4
    page.no_faults()


def test_the_browser_and_the_server_agree_on_the_frames_of_a_video(
    page: "Watched", tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each told moment has the hash the server makes of the frame shown then."""
    films = {"pan.webm": _pan("webm"), "pan.mp4": _pan("mp4")}

    told = _told_of(page.page, films, tmp_path)

    bits: list[int] = []
    for name, content in films.items():
        row = told[fingerprint.digests([content]).sha256.hex()]
        if row["kind"] == "file" and name.endswith("mp4"):
            continue  # a Chromium without the patented codecs
        assert (row["kind"], row["width"], row["height"]) == ("video", 320, 240)
        seen = frames.unpack(bytes.fromhex(row["frames"]))
        assert [frame.seconds for frame in seen] == [tenth / 10 for tenth in range(16)]
        for frame in seen:
            shown = pdq.compute(decode(content, at_s=frame.seconds).rgb)
            bits.append(_apart_bits(frame.pdq.bits, shown.bits))
    median, most = statistics.median(bits), max(bits)
    _say(capsys, f"{len(bits)} frames: median {median} bits, {most} at most")
    assert median <= 4
    assert most <= 10
    page.no_faults()


def test_the_file_is_never_sent(house: Tale, page: "Watched", tmp_path: Path) -> None:
    """B12: what leaves the device is the list that was shown; the report counts all the same."""
    window = page.page
    picture = pictures.saved_again(pictures.photograph(pictures.LEFT))
    sent: list[Request] = []
    window.on("request", lambda request: sent.append(request))  # noqa: PLW0108  # it needs a function
    _choose(window, {"my secret name.jpg": picture}, tmp_path)
    expect(window.locator("[data-told-name]")).to_have_text("my secret name.jpg")
    shown = window.locator("[data-told-sha256]").inner_text()
    assert shown == fingerprint.digests([picture]).sha256.hex()
    listed = json.loads(window.locator("[data-told-all]").text_content() or "")
    page.picture("fingerprint-here")
    token = window.locator('input[name="submission"]').get_attribute("value") or ""
    window.locator('form.form button[type="submit"]').click()
    expect(window.locator(".code-panel")).to_be_visible(timeout=PATIENCE_MS)

    expect(window.locator("main")).to_contain_text("1 file stayed with you")
    bodies = [request.post_data_buffer or b"" for request in sent]
    assert any(shown.encode() in body for body in bodies), "the fingerprint was not sent"
    pieces = [picture[at : at + 48] for at in range(0, len(picture) - 48, 4_096)]
    for body in bodies:
        assert b"my secret name" not in body
        assert not any(piece in body for piece in pieces)
        assert len(body) < 20_000
    report = house.row("SELECT id FROM reports_report WHERE submission = %s", submission_of(token))
    kept = house.row("SELECT * FROM evidence_toldfingerprint WHERE report_id = %s", report["id"])
    assert bytes(kept["sha256"]).hex() == shown
    assert bytes(kept["turns"]).hex() == "".join(listed["turns"])
    exhibits = "SELECT count(*) AS n FROM evidence_exhibit WHERE report_id = %s"
    assert house.row(exhibits, report["id"])["n"] == 0
    page.no_faults()


def test_a_file_chosen_for_sending_is_let_go_when_the_other_way_is_chosen(
    page: "Watched", tmp_path: Path
) -> None:
    """Nobody sends by mistake what she decided to keep; and nothing is told that she took away."""
    window = page.page
    window.locator("#picture-way-send").check()
    window.locator("#id_files").set_input_files(_written({"a.jpg": _jpeg("coffee.png")}, tmp_path))
    window.locator("#picture-way-here").check()
    assert window.evaluate("document.querySelector('#id_files').files.length") == 0
    expect(window.locator("#id_files")).to_be_hidden()

    _choose(window, {"b.jpg": _jpeg("rocket.jpg")}, tmp_path)
    window.locator("[data-told-remove]").click()
    assert _field(window) == []
    _choose(window, {"c.jpg": _jpeg("rocket.jpg")}, tmp_path)
    assert len(_field(window)) == 1
    window.locator("#picture-way-send").check()
    assert window.locator('input[name="fingerprints"]').is_disabled()
    page.no_faults()


def test_a_long_run_can_be_stopped_and_nothing_half_done_is_sent(
    page: "Watched", tmp_path: Path
) -> None:
    window = page.page
    large = tmp_path / "long.mp4"
    with large.open("wb") as file:
        file.truncate(3 * 1024**3)
    window.locator("#here-files").set_input_files(large)
    expect(window.locator("[data-here-working]")).to_be_visible()
    window.locator('form.form button[type="submit"]').click()
    expect(window.locator("[data-here-problem]")).to_contain_text("not finished")
    window.locator("[data-here-stop]").click()
    expect(window.locator("[data-here-problem]")).to_contain_text("Stopped")
    expect(window.locator("[data-here-working]")).to_be_hidden()
    assert _field(window) == []
    assert page.requests.count("POST /report") == 0
    page.no_faults()


def test_a_browser_that_blurs_pictures_tells_the_digest_alone(
    open_page: "Opener", tmp_path: Path
) -> None:
    """A fingerprint of noise would be one of nothing; the page says what is left."""
    window = open_page("public", "en")

    def noisy(route: Any) -> None:  # Playwright's route
        answer = route.fetch()
        route.fulfill(response=answer, body=NOISE + answer.text())

    window.page.route("**/fingerprint.js", noisy)
    window.go("/report")
    window.page.locator("#picture-way-here").check()
    picture = _jpeg("coffee.png")
    _choose(window.page, {"a.jpg": picture}, tmp_path)

    (row,) = _field(window.page)
    assert (row["kind"], row["turns"]) == ("file", [])
    assert row["sha256"] == fingerprint.digests([picture]).sha256.hex()
    expect(window.page.locator("[data-told-closed]")).to_be_visible()
    window.no_faults()


def _say(capsys: pytest.CaptureFixture[str], words: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{words}\n")


def test_when_the_worker_does_not_come_the_page_says_so(
    open_page: "Opener", tmp_path: Path
) -> None:
    """The network may fail between the page and its second script; nothing hangs."""
    window = open_page("public", "en")
    window.page.route("**/fingerprint.js", lambda route: route.abort())
    window.expected.add(f"{window.origin}/static/haechi/fingerprint.js")
    window.go("/report")
    window.page.locator("#picture-way-here").check()
    files = _written({"a.jpg": _jpeg("coffee.png")}, tmp_path)
    window.page.locator("#here-files").set_input_files(files)

    expect(window.page.locator("[data-here-problem]")).to_contain_text("did not work")
    expect(window.page.locator("#here-files")).to_be_enabled()
    assert _field(window.page) == []


@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
def test_the_choice_is_readable_on_a_small_telephone(
    open_page: "Opener", tmp_path: Path, language: str
) -> None:
    """B28: 320 points wide, nothing has to be pushed sideways, and the keyboard is enough."""
    window = open_page("public", language, width=320, height=640)
    window.go("/report")
    window.page.locator("#picture-way-send").focus()
    window.page.keyboard.press("ArrowDown")
    expect(window.page.locator("#picture-way-here")).to_be_checked()
    _choose(window.page, {"a.jpg": _jpeg("coffee.png")}, tmp_path)
    window.page.locator("[data-here] .more > summary").focus()
    window.page.keyboard.press("Enter")
    expect(window.page.locator("[data-told-all]")).to_be_visible()

    assert window.page.evaluate("document.documentElement.scrollWidth") <= 320
    window.picture(f"fingerprint-here-{language}")
    window.no_faults()


def _told_of(page: Page, files: Files, folder: Path) -> dict[str, dict[str, Any]]:
    """What the browser tells of `files`, by digest."""
    page.evaluate("count => { document.querySelector('[data-here]').dataset.most = count }", 99)
    _choose(page, files, folder)
    return {row["sha256"]: row for row in _field(page)}


def _choose(page: Page, files: Files, folder: Path) -> None:
    """Pick the files, and wait until all are done."""
    page.locator("#here-files").set_input_files(_written(files, folder))
    done = page.locator("[data-here-items] > .card")
    expect(done).to_have_count(len(files), timeout=3 * PATIENCE_MS)
    expect(page.locator("[data-here-working]")).to_be_hidden(timeout=PATIENCE_MS)


def _field(page: Page) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(
        page.locator('input[name="fingerprints"]').input_value() or "[]"
    )
    return told


def _written(files: Files, folder: Path) -> list[Path]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def _photographs() -> Files:
    """JPEG, PNG and WebP; turned by EXIF; with a colour profile; transparent; twelve megapixels."""
    made: Files = {}
    for number, name in enumerate(PHOTOGRAPHS):
        rgb = Image.fromarray(pictures.photograph(name)[..., ::-1])
        stem = name.partition(".")[0]
        made[f"{stem}.jpg"] = _saved(rgb, "JPEG", quality=90)
        made[f"{stem}-rough.jpg"] = _saved(rgb, "JPEG", quality=35)
        made[f"{stem}.png"] = _saved(rgb, "PNG")
        made[f"{stem}.webp"] = _saved(rgb, "WEBP", quality=80)
        exif = Image.Exif()
        exif[0x0112] = 2 + (number * 2) % 7
        made[f"{stem}-turned.jpg"] = _saved(rgb, "JPEG", quality=90, exif=exif)
    vivid = Image.fromarray(pictures.photograph("rocket.jpg")[..., ::-1])
    made["vivid.jpg"] = _saved(vivid, "JPEG", quality=90, icc_profile=_display_p3())
    grey = Image.fromarray(data.camera())
    made["grey.jpg"] = _saved(grey, "JPEG", quality=85)
    see_through = Image.fromarray(data.astronaut())
    see_through.putalpha(grey)
    made["see-through.png"] = _saved(see_through, "PNG")
    large = Image.fromarray(data.chelsea()).resize((4_032, 3_024), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(7).normal(0, 6, (3_024, 4_032, 3))
    grainy = np.clip(np.asarray(large) + noise, 0, 255).astype(np.uint8)
    made["large.jpg"] = _saved(Image.fromarray(grainy), "JPEG", quality=88)
    return made


def _display_p3() -> bytes:
    """The profile that telephones write, made of that for sRGB: other primaries, the same curve."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for number in range(int.from_bytes(profile[128:132])):
        name, at, _size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if name in DISPLAY_P3:
            numbers = (round(value * 65_536) for value in DISPLAY_P3[name])
            struct.pack_into(">3i", profile, at + 8, *numbers)
    return bytes(profile)


def _shared() -> Files:
    """Published photographs of faces and things, where they are at hand."""
    found = sorted(path for pattern in SHARED for path in SHARED_MEDIA.glob(pattern))
    chosen = found[:: max(1, len(found) // SHARED_AT_MOST)]
    return {f"shared-{path.name}": path.read_bytes() for path in chosen}


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:  # Pillow's
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _jpeg(name: str) -> bytes:
    return pictures.jpeg(pictures.photograph(name))


def _pan(form: str) -> bytes:
    """A camera that moves over a photograph for a second and a half."""
    wide = np.ascontiguousarray(cv2.resize(data.astronaut(), (480, 480)))

    def moves() -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
        for number in range(38):
            yield np.ascontiguousarray(wide[60:300, 4 * number : 4 * number + 320])

    return encoded(moves(), form)


def _apart_bits(left: bytes, right: bytes) -> int:
    return (int.from_bytes(left) ^ int.from_bytes(right)).bit_count()
