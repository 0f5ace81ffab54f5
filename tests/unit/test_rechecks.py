"""A look at a place outside: real servers, honest and hostile ones, and what is said of each."""

import gzip
import ipaddress
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import cv2
import numpy as np
import pytest
from tests.conftest import NOON
from warcio.archiveiterator import ArchiveIterator

from haechi import fingerprint
from haechi.index import Query, Verdict
from haechi.index.catalog import Catalog
from haechi.index.entry import Entry
from haechi.media import Sandbox
from haechi.reach import Reply
from haechi.server.notices.rechecks import page, services, warc
from haechi.server.notices.rechecks.looking import Compare, Look, Looker
from haechi.server.notices.rechecks.models import Basis, Recheck, Seen

pytestmark = pytest.mark.timeout(120)

HERE = (ipaddress.ip_network("127.0.0.0/8"),)
HTML = "text/html; charset=utf-8"
type Made = tuple[int, dict[str, str], bytes]


class Site:
    """A site on this machine: what each path answers."""

    def __init__(self) -> None:
        self.pages: dict[str, Made | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                made = outer.pages.get(self.path, (404, {}, b"nothing"))
                if callable(made):
                    made(self)
                    return
                status, headers, body = made
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://site.example:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def shows(self, *pictures: bytes) -> None:
        """A page with these pictures, by every way a page has to name one."""
        forms = (
            '<img src="/{}">',
            '<img data-src="/{}">',
            '<meta property="og:image" content="/{}">',
        )
        tags = "".join(
            form.format(n) for n, form in zip(range(len(pictures)), forms * 4, strict=False)
        )
        self.pages["/post"] = (200, {"Content-Type": HTML}, f"<html>{tags}</html>".encode())
        for number, picture in enumerate(pictures):
            self.pages[f"/{number}"] = (200, {"Content-Type": "image/jpeg"}, picture)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as made:
        yield made


@pytest.fixture
def compare(sandbox: Sandbox, astronaut: bytes) -> Compare:
    """With a report of one photograph."""
    catalog = Catalog()
    catalog.put(Entry.of(0, fingerprint.member(astronaut)))

    def compare(file: bytes) -> Verdict | None:
        try:
            hits = catalog.search(Query.of(sandbox.run(fingerprint.image, file)))
        except Exception:  # noqa: BLE001  # as services.comparing: no picture
            return None
        return hits[0].verdict if hits else Verdict.NO_MATCH

    return compare


async def nearby(host: str, _port: int) -> list[str]:
    """Names of the tests lead here; others inside."""
    return ["127.0.0.1"] if host == "site.example" else ["10.0.0.1"]


def look(site: Site, compare: Compare, path: str = "/post", **more: object) -> Look:
    told = {"allow": HERE, "robots": False, "resolve": nearby} | more
    return Looker(compare, **told).look(site.url + path)  # type: ignore[arg-type]


def test_what_each_answer_means(site: Site, compare: Compare) -> None:
    """Only 404, 410 and 451 are gone; what cannot be looked at never is."""
    expected = {
        **dict.fromkeys((404, 410, 451), Seen.GONE),
        401: Seen.LOGIN,
        403: Seen.BLOCKED,
        **dict.fromkeys((429, 500, 503, 206, 418), Seen.UNREACHABLE),
    }
    for status, seen in expected.items():
        site.pages["/post"] = (status, {"Content-Type": HTML}, b"<p>words</p>")
        found = look(site, compare)
        assert (found.seen, found.basis, found.status) == (seen, Basis.STATUS, status)


def test_the_picture_is_found_on_the_page_and_at_its_own_address(
    site: Site, compare: Compare, astronaut: bytes, cat: bytes
) -> None:
    site.shows(cat, astronaut)
    assert (look(site, compare).seen, look(site, compare).basis) == (Seen.THERE, Basis.PICTURE)
    assert look(site, compare, "/1").seen == Seen.THERE
    # Another picture says nothing by itself; where the reported one was seen before, it is gone.
    site.shows(cat)
    assert (look(site, compare).seen, look(site, compare).basis) == (Seen.THERE, Basis.PAGE)
    assert (look(site, compare, "/0").seen, look(site, compare, "/0").basis) == (
        Seen.THERE,
        Basis.PAGE,
    )
    for path in ("/post", "/0"):
        found = look(site, compare, path, before=True)
        assert (found.seen, found.basis) == (Seen.GONE, Basis.PICTURE)


def test_pictures_that_cannot_be_read_hide_nothing(
    site: Site, compare: Compare, cat: bytes
) -> None:
    """A page whose picture does not load is not a page without it."""
    site.shows(cat, cat)
    site.pages["/1"] = (503, {}, b"")
    assert look(site, compare, before=True).seen == Seen.THERE
    site.pages["/1"] = (200, {"Content-Type": "image/jpeg"}, b"\xff\xd8 broken")
    assert look(site, compare, before=True).seen == Seen.THERE


def test_a_changed_copy_is_told_apart(site: Site, compare: Compare, astronaut: bytes) -> None:
    image = cv2.imdecode(np.frombuffer(astronaut, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    cv2.rectangle(image, (0, 440), (511, 511), (0, 0, 0), -1)
    done, edited = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert done
    verdict = compare(bytes(edited))
    site.shows(bytes(edited))
    found = look(site, compare).seen
    assert found == (Seen.EDITED if verdict == Verdict.EDITED_COPY else Seen.THERE)


def test_a_login_is_no_removal(site: Site, compare: Compare) -> None:
    site.pages["/login?next=/post"] = (200, {"Content-Type": HTML}, b"<form></form>")
    site.pages["/post"] = (302, {"Location": "/login?next=/post"}, b"")
    assert look(site, compare, before=True).seen == Seen.LOGIN
    site.pages["/post"] = (200, {"Content-Type": HTML}, b"<input type=PASSWORD>")
    assert look(site, compare, before=True).seen == Seen.LOGIN


def test_robots_are_obeyed_where_that_is_set(
    site: Site, compare: Compare, astronaut: bytes
) -> None:
    site.shows(astronaut)
    site.pages["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /post")
    found = look(site, compare, robots=True)
    assert (found.seen, found.basis) == (Seen.UNREACHABLE, Basis.ROBOTS)
    assert "/post" not in site.asked
    assert look(site, compare, robots=False).seen == Seen.THERE
    del site.pages["/robots.txt"]
    assert look(site, compare, robots=True).seen == Seen.THERE


def test_inner_places_are_not_asked_whatever_leads_there(
    site: Site, compare: Compare, astronaut: bytes
) -> None:
    """By name, by redirect, by a picture of the page, and by a name that changes its answer."""
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    site.shows(astronaut)
    assert look(site, compare, allow=()).seen == Seen.UNREACHABLE
    assert site.asked == []
    found = look(site, compare, resolve=rebinding, before=True)
    assert found.seen == Seen.THERE  # the page was read; its picture was not, and says nothing
    assert site.asked == ["/post"]
    site.pages["/post"] = (302, {"Location": "http://inner.example/secret"}, b"")
    assert look(site, compare).seen == Seen.UNREACHABLE
    site.pages["/post"] = (302, {"Location": "/post"}, b"")
    assert look(site, compare).seen == Seen.UNREACHABLE


def test_hostile_answers_end(site: Site, compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too long, compressed to nothing, slow, cut off: unreachable, within time."""
    monkeypatch.setattr("haechi.server.notices.rechecks.looking.PAGE_S", 1.0)
    html = {"Content-Type": HTML}
    bomb = gzip.compress(bytes(30_000_000))
    release = threading.Event()

    def slow(request: BaseHTTPRequestHandler) -> None:
        release.wait(60)

    answers = [
        (200, html | {"Content-Length": "9000000"}, b"x"),
        (200, html | {"Content-Encoding": "gzip"}, bomb),
        (200, html | {"Content-Encoding": "gzip"}, b"no gzip"),
        (200, html | {"Content-Encoding": "br"}, b"x"),
        (200, html | {"Content-Length": "100"}, b"cut off"),
        slow,
    ]
    for made in answers:
        site.pages["/post"] = made
        found = look(site, compare, before=True)
        assert found.seen == Seen.UNREACHABLE, made
        assert found.basis == Basis.NONE
    release.set()


def test_a_page_of_rubbish_is_read(compare: Compare, site: Site) -> None:
    for body in (
        b"\xff\xfe\x00" * 1_000,
        b"<" * 50_000,
        b"<img src='http://['>",
        b"<img " + b"a" * 100_000,
    ):
        site.pages["/post"] = (200, {"Content-Type": HTML}, body)
        assert look(site, compare).seen == Seen.THERE
    many = b"".join(b"<img src='/%d'>" % n for n in range(10_000))
    assert len(page.read(many, "http://a.example/")[0]) == page.MOST_PICTURES


def test_a_compressed_page_is_opened(site: Site, compare: Compare, astronaut: bytes) -> None:
    site.shows(astronaut)
    status, headers, body = site.pages["/post"]  # type: ignore[misc]
    site.pages["/post"] = (status, headers | {"Content-Encoding": "gzip"}, gzip.compress(body))
    assert look(site, compare).seen == Seen.THERE


def test_a_kept_page_is_read_by_published_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """B12, B35: WARC as others read it, with digests that hold; made in memory."""
    monkeypatch.setattr("tempfile.SpooledTemporaryFile", None)
    headers = (("Content-Type", HTML), ("Content-Encoding", "gzip"), ("X-A", "b"))
    made, digest = warc.of(Reply("http://a.example/", 200, "OK", headers, b"<p>x</p>"), at=NOON)
    assert len(digest) == 32
    archive = ArchiveIterator(BytesIO(made), check_digests="raise")
    record = next(archive)
    assert record.rec_headers["WARC-Target-URI"] == "http://a.example/"
    assert record.rec_headers["WARC-Date"] == "2026-11-22T12:00:00Z"
    assert record.rec_headers["WARC-Payload-Digest"].startswith("sha1:")
    assert record.content_stream().read() == b"<p>x</p>"


def looks(*seen: tuple[float, Seen]) -> list[Recheck]:
    """Looks at these hours after noon."""
    return [
        Recheck(at=NOON + timedelta(hours=hours), seen=each, step=n)
        for n, (hours, each) in enumerate(seen)
    ]


def test_removed_is_gone_twice_apart_and_nothing_else_between() -> None:
    gone, there, away = Seen.GONE, Seen.THERE, Seen.UNREACHABLE
    for row, expected in (
        (looks(), False),
        (looks((0, gone)), False),
        (looks((0, gone), (1, gone)), False),
        (looks((0, gone), (12, gone)), True),
        (looks((0, gone), (6, away), (13, gone)), True),
        (looks((0, gone), (13, away)), False),
        (looks((0, gone), (6, there), (13, gone)), False),
        (looks((0, gone), (13, gone), (24, there)), False),
        (looks((0, away), (13, away)), False),
        (looks((0, there), (6, gone), (19, gone), (24, away)), True),
        (looks((0, gone), (13, Seen.LOGIN)), False),
        (looks((0, gone), (13, Seen.BLOCKED)), False),
    ):
        assert services.removed(row) is expected, row


def test_what_is_due_by_the_schedule() -> None:
    """A stopped worker makes up for what it missed with one look, not with all of them."""

    def due(hours: float, *done: int) -> int | None:
        rows = [Recheck(at=NOON, step=step, seen=Seen.THERE) for step in done]
        return services.due_step(NOON, rows, now=NOON + timedelta(hours=hours))

    assert due(-1) is None
    assert due(0) == 0
    assert due(5, 0) is None
    assert due(6, 0) == 1
    assert due(100, 0) == 3
    assert due(100, 0, 3) is None
    gone = looks((0, Seen.GONE))
    assert not services.confirms(gone, now=NOON + timedelta(hours=11))
    assert services.confirms(gone, now=NOON + timedelta(hours=12))
    assert not services.confirms(
        looks((0, Seen.GONE), (13, Seen.GONE)), now=NOON + timedelta(days=9)
    )
