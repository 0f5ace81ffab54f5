"""The page that looks at somebody live, with a film instead of a camera: nothing leaves the browser."""

from collections.abc import Iterator

import cv2
import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests.browser.conftest import ARGUMENTS, CHROMIUM, Opener
from tests.unit import heads

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RATE = 10
# The order would be drawn; with zeros it is: a hand, light, digits, a turn.
NO_CHANCE = "crypto.getRandomValues = (numbers) => numbers.fill(0);"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera plays a film over and over, and that is not asked whether it may."""
    film = tmp_path_factory.mktemp("camera") / "head.mjpeg"
    film.write_bytes(_camera())
    camera = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *camera])
        yield browser
        browser.close()


def test_what_is_done_is_seen_and_nothing_is_sent(open_page: Opener) -> None:
    window = open_page("public", "en")
    window.page.add_init_script(NO_CHANCE)
    window.go("/live")
    page = window.page
    expect(page.locator("[data-live-without]")).to_be_hidden()

    page.locator("[data-live-camera]").click()
    results = page.locator("[data-live-results] li")
    expect(results).to_have_count(3)
    window.picture("live")
    page.locator("[data-live-stop]").click()

    told = [
        (row.get_attribute("data-step"), row.get_attribute("data-outcome")) for row in results.all()
    ]
    assert told == [("straight", "seen"), ("hand", "seen"), ("light", "seen")]
    expect(page.locator("video")).to_be_hidden()
    assert {request.split()[0] for request in window.requests} == {"GET"}
    assert {path for path in map(_path, window.requests) if "/static/" not in path} == {"/live"}
    window.no_faults()


@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
def test_without_scripts_the_page_says_what_to_ask_for(language: str, open_page: Opener) -> None:
    window = open_page("public", language, scripts=False)
    window.go("/live")

    expect(window.page.locator("[data-live]")).to_be_hidden()
    expect(window.page.locator("[data-live-without]")).to_be_visible()
    assert window.page.locator("main li").count() >= 4
    window.no_faults()


def _path(request: str) -> str:
    return request.split()[1]


def _camera() -> bytes:
    """Motion JPEG, as Chromium's film camera wants it: one picture after the other, 30 a second."""
    acts = {"straight": 2.5, "hand": 6.0, "light": 4.0}
    frames = (frame for act, seconds in acts.items() for frame in heads.acted(act, seconds, RATE))
    return b"".join(_jpeg(frame) * (30 // RATE) for frame in frames)


def _jpeg(frame: heads.Rgb) -> bytes:
    done, coded = cv2.imencode(".jpg", frame[..., ::-1])
    assert done
    return coded.tobytes()
