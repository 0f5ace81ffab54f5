"""The open queue, in front of a real desk: it changes by itself, and many open ones stand in nobody's way."""

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from haechi.demo import pictures
from haechi.demo.tale import Tale

if TYPE_CHECKING:
    from tests.browser.conftest import Opener

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE_S = 90
OPEN_QUEUES = 30


@pytest.fixture(scope="module")
def rim(house: Tale) -> dict[str, str]:
    """The session of a reviewer."""
    with house.reviewer("rim") as reviewer:
        return {"haechi_desk": reviewer._http.cookies["haechi_desk"]}


def reported(house: Tale, place: str) -> int:
    """Somebody reports a place; the number of the case."""
    reporter, report_id = house.reporter_sends("제 사진이에요.", [place], [])
    with reporter:
        row = house.row("SELECT id FROM cases_case WHERE report_id = %s", report_id)
    return int(row["id"])


def test_30_open_queues_are_told_and_take_no_thread_from_the_pages(
    house: Tale, rim: dict[str, str]
) -> None:
    """Each stream says that something changed, and nothing else; pages are answered meanwhile."""
    heard: list[str] = []
    everybody = threading.Event()

    def listens(stream: httpx.Response) -> None:
        for line in stream.iter_lines():
            if line == "event: changed":
                heard.append(line)
                if len(heard) >= OPEN_QUEUES:
                    everybody.set()
                return

    with (
        ExitStack() as opened,
        httpx.Client(
            base_url=house.family.url("desk"),
            cookies=rim,
            timeout=PATIENCE_S,
            trust_env=False,
            limits=httpx.Limits(max_connections=OPEN_QUEUES + 8),
        ) as desk,
    ):
        streams = [
            opened.enter_context(desk.stream("GET", "/queue/live")) for _ in range(OPEN_QUEUES)
        ]
        assert {stream.status_code for stream in streams} == {200}
        assert streams[0].headers["content-type"] == "text/event-stream"
        assert desk.get("/").status_code == 200
        listeners = [threading.Thread(target=listens, args=[stream]) for stream in streams]
        for listener in listeners:
            listener.start()
        reported(house, "https://example.org/thirty")
        assert everybody.wait(PATIENCE_S), f"{len(heard)} of {OPEN_QUEUES} were told"
        for listener in listeners:
            listener.join(PATIENCE_S)


def test_a_stranger_is_told_nothing(house: Tale) -> None:
    answer = httpx.get(f"{house.family.url('desk')}/queue/live", trust_env=False)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (302, "/login")


def test_a_case_appears_without_a_reload(
    house: Tale, open_page: "Opener", rim: dict[str, str]
) -> None:
    """While somebody looks at the page; and the keys go through the list."""
    first = reported(house, "https://example.org/first")
    window = open_page("desk", "en", cookies=rim)
    window.go("/")
    page = window.page
    expect(page.locator("[data-live-state]")).to_have_text("New cases appear by themselves.")
    expect(page.get_by_role("link", name=f"Case {first}", exact=True)).to_be_visible()
    page.evaluate("window.here = true")

    number = reported(house, "https://example.org/appears")

    expect(page.get_by_role("link", name=f"Case {number}", exact=True)).to_be_visible()
    assert page.evaluate("window.here")
    rows = page.locator("[data-row]")
    page.keyboard.press("j")
    expect(rows.nth(0).get_by_role("link")).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("w")
    expect(rows.nth(1).locator("details")).to_have_attribute("open", "")
    page.keyboard.press("k")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(str(number))
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 case found")).to_be_visible()
    window.no_faults()


def test_the_queue_is_looked_at(house: Tale, open_page: "Opener", rim: dict[str, str]) -> None:
    """In three languages and two widths nothing sticks out; screenshots where they are kept."""
    house.wait_for("a picture's case", lambda: _with_a_picture(house))
    for language in ("ko", "zh-hans", "en"):
        for width in (1280, 320):
            window = open_page("desk", language, width=width, cookies=rim)
            for name, path in (
                ("queue", "/"),
                ("search", "/queue/search"),
                ("order", "/queue/order"),
            ):
                window.go(path)
                wide = window.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{path}: {wide}"
                window.picture(f"{name}-{language}-{width}")
            window.page.emulate_media(color_scheme="dark")
            window.go("/?danger=yes")
            window.picture(f"filtered-dark-{language}-{width}")
            window.no_faults()


def _with_a_picture(house: Tale) -> bool:
    picture = pictures.jpeg(pictures.photograph(pictures.CHAPTERS[1]))
    reporter, _ = house.reporter_sends("제 사진이에요.", [], [("a.jpg", picture)])
    with reporter:
        return True
