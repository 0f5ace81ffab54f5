"""The sample board: it asks before it publishes, holds when nobody answers, and obeys orders."""

import asyncio
import base64
import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from examples.board.app import create_app
from examples.board.settings import SettingMissing, Settings, secret_bytes

from haechi.formats import webhook

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

SECRET = b"a secret that the board and Haechi share"
GIF = b"GIF89a" + bytes(60)
NOW = 1_800_000_000.0


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Haechi:
    """A stand-in for the match service that answers as it is told and remembers what it was asked."""

    outcome: str = "publish"
    status: int = 200
    away: bool = False
    code: str = "matching.unavailable"
    refuses: list[str] = field(default_factory=list)
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    registered: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """One call of the board."""
        assert request.headers["authorization"] == "Bearer key of the board"
        if self.away:
            raise httpx.ConnectError("nobody there")
        if request.method == "PUT" and self.refuses:
            code = self.refuses.pop(0)
            return httpx.Response(404, json={"error": {"code": code, "message": ""}})
        if self.status != 200:
            body = {"error": {"code": self.code, "message": "Words of the service."}}
            return httpx.Response(self.status, json=body)
        if request.method == "PUT":
            self.registered.append((request.url.path, json.loads(request.content)))
            return httpx.Response(200, json={})
        self.asked.append((request.headers["haechi-label"], request.content))
        blocked = self.outcome == "block"
        answer = {
            "outcome": self.outcome,
            "check": len(self.asked),
            "reason": {"code": "match.edited_copy", "words": "It is on the <list>."},
            "appeal_url": "https://haechi.example/appeal/abc" if blocked else None,
        }
        return httpx.Response(200, json=answer)


@dataclass
class Scene:
    """A running board with its stand-in and a clock that tests move."""

    haechi: Haechi
    http: httpx.AsyncClient
    home: Path
    now: list[float]

    async def post(
        self, content: bytes = GIF, name: str = "cat.gif", **form: str
    ) -> httpx.Response:
        """Upload through the JSON API."""
        return await self.http.post(
            "/api/posts", files={"file": (name, content)}, data={"account": "Mina", **form}
        )

    async def order(
        self, body: bytes, delivery_id: str = "d1", *, at: float = NOW, secret: bytes = SECRET
    ) -> httpx.Response:
        """Deliver a signed order."""
        when = datetime.fromtimestamp(at, UTC)
        headers = webhook.sign(secret, body, delivery_id=delivery_id, at=when)
        return await self.http.post("/haechi/webhook", content=body, headers=headers)

    def files(self) -> list[str]:
        """Names of the pictures on disk."""
        return sorted(path.name for path in (self.home / "pictures").iterdir())


@asynccontextmanager
async def board(home: Path, haechi: Haechi | None = None) -> AsyncIterator[Scene]:
    haechi, now = haechi or Haechi(), [NOW]
    settings = Settings(
        home, "http://board.test", "http://match.test", "key of the board", SECRET, 200_000, 0.05
    )
    app = create_app(settings, transport=httpx.MockTransport(haechi.answer), clock=lambda: now[0])
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://board.test") as client,
    ):
        yield Scene(haechi, client, home, now)


def removal(content_id: str, key: str = "act-1", **more: object) -> bytes:
    return json.dumps(
        {
            "type": "content.remove",
            "idempotency_key": key,
            "content_id": content_id,
            "reason": "It shows a person without consent.",
            "statement": {"decision_facts": "A report was <checked>.", "puid": "x-1"},
            "appeal_url": "https://haechi.example/appeal/xyz",
            **more,
        }
    ).encode()


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


# --- uploads


async def test_a_picture_is_published_and_registered(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        response = await scene.post(name="\uace0\uc591\uc774.gif", caption="Cat & <b>hat</b>")
        assert response.status_code == 201
        made = response.json()
        assert made["url"] == f"http://board.test/post/{made['id']}"
        assert scene.haechi.asked == [("%EA%B3%A0%EC%96%91%EC%9D%B4.gif", GIF)]
        assert scene.haechi.registered == [
            (
                f"/v1/content/{made['id']}",
                {"url": made["url"], "account": "Mina", "fingerprint_of": 1},
            )
        ]
        picture = await scene.http.get(f"/picture/{made['id']}")
        assert (picture.content, picture.headers["content-type"]) == (GIF, "image/gif")
        page = (await scene.http.get(f"/post/{made['id']}")).text
        assert "Cat &amp; &lt;b&gt;hat" in page
        assert made["id"] in (await scene.http.get("/")).text
        listed = (await scene.http.get("/api/posts")).json()["posts"]
        assert [post["id"] for post in listed] == [made["id"]]


async def test_a_blocked_picture_is_refused_with_words_code_and_appeal(tmp_path: Path) -> None:
    async with board(tmp_path, Haechi(outcome="block")) as scene:
        response = await scene.post()
        reason = response.json()["reason"]
        assert response.status_code == 409
        assert (reason["code"], reason["words"]) == ("match.edited_copy", "It is on the <list>.")
        page = await scene.http.post(
            "/upload", files={"file": ("cat.gif", GIF)}, data={"account": "Mina"}
        )
        assert page.status_code == 409
        assert "It is on the &lt;list&gt;." in page.text
        assert "match.edited_copy" in page.text
        assert 'href="https://haechi.example/appeal/abc"' in page.text
        assert scene.files() == []
        assert scene.haechi.registered == []
        assert (await scene.http.get("/api/posts")).json() == {"posts": []}


async def test_the_form_leads_to_the_post(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        assert 'enctype="multipart/form-data"' in (await scene.http.get("/upload")).text
        response = await scene.http.post(
            "/upload", files={"file": ("cat.gif", GIF)}, data={"account": "Mina"}
        )
        assert response.status_code == 303
        assert (await scene.http.get(response.headers["location"])).status_code == 200


@pytest.mark.parametrize(
    "haechi",
    [
        Haechi(away=True),
        Haechi(status=503),
        Haechi(status=429, code="matching.busy"),
        Haechi(status=401, code="matching.key_refused"),
        Haechi(outcome="nonsense"),
        Haechi(outcome="review"),
    ],
    ids=["away", "503", "429", "401", "nonsense", "review"],
)
async def test_without_a_yes_nothing_is_shown_and_it_is_tried_again(
    tmp_path: Path, haechi: Haechi
) -> None:
    """Fails closed; the picture is kept, and published by itself once the answer is yes."""
    async with board(tmp_path, haechi) as scene:
        response = await scene.post()
        assert response.status_code == 202
        assert response.json()["state"] == "held"
        post_id = response.json()["id"]
        assert "Not published yet" in (await scene.http.get(f"/post/{post_id}")).text
        assert (await scene.http.get(f"/picture/{post_id}")).status_code == 404
        assert (await scene.http.get("/api/posts")).json() == {"posts": []}
        haechi.away, haechi.status, haechi.outcome = False, 200, "publish"
        scene.now[0] += 61
        for _ in range(100):
            await asyncio.sleep(0.02)
            if haechi.registered:
                break
        assert (await scene.http.get(f"/picture/{post_id}")).content == GIF
        assert [path for path, _ in haechi.registered] == [f"/v1/content/{post_id}"]


@pytest.mark.parametrize(
    ("refuses", "checks"),
    [(["matching.unavailable"] * 2, 1), (["matching.check_unknown"], 2)],
    ids=["away", "check forgotten"],
)
async def test_a_registration_that_failed_is_made_up_for(
    tmp_path: Path, refuses: list[str], checks: int
) -> None:
    """Again by itself; where the service has forgotten the check, it is asked anew."""
    async with board(tmp_path, Haechi(refuses=refuses)) as scene:
        await scene.post()
        for _ in range(100):
            await asyncio.sleep(0.02)
            if scene.haechi.registered:
                break
        [(_, body)] = scene.haechi.registered
        assert body["fingerprint_of"] == checks == len(scene.haechi.asked)
        [post] = (await scene.http.get("/api/posts")).json()["posts"]
        assert post["state"] == "published"


async def test_what_a_killed_board_left_held_is_settled_after_a_restart(tmp_path: Path) -> None:
    async with board(tmp_path, Haechi(away=True)) as scene:
        post_id = (await scene.post()).json()["id"]
    async with board(tmp_path, Haechi(outcome="block")) as scene:
        scene.now[0] += 61
        for _ in range(100):
            await asyncio.sleep(0.02)
            if not scene.files():
                break
        page = (await scene.http.get(f"/post/{post_id}")).text
        assert "was not published" in page
        assert "haechi.example/appeal/abc" in page


async def test_bad_uploads_are_refused_and_kept_nowhere(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        assert code(await scene.post(b"a letter, not a picture")) == (415, "media.not_media")
        assert code(await scene.post(b"")) == (400, "board.no_file")
        assert code(await scene.post(GIF + bytes(200_001))) == (413, "media.too_many_bytes")
        assert (await scene.post(GIF + bytes(600_000))).status_code == 413
        assert code(await scene.http.post("/api/posts", data={"account": "x"})) == (
            400,
            "board.no_file",
        )
        assert (await scene.http.post("/api/posts", content=b"nothing")).status_code == 400
        scene.haechi.status, scene.haechi.code = 422, "media.broken"
        assert code(await scene.post()) == (422, "media.broken")
        page = await scene.http.post("/upload", files={"file": ("a.gif", GIF)})
        assert page.status_code == 422
        assert "Words of the service. (media.broken)" in page.text
        assert scene.files() == []
        assert code(await scene.http.get("/api/nothing")) == (404, "http.404")
        assert (await scene.http.get("/post/../../etc/passwd")).status_code == 404


# --- orders


async def test_an_order_removes_the_picture_and_says_why(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        post_id = (await scene.post()).json()["id"]
        answer = await scene.order(removal(post_id))
        assert answer.status_code == 200
        assert answer.json() == {
            "outcome": "done",
            "content_id": post_id,
            "removed_at": datetime.fromtimestamp(NOW, UTC).isoformat(),
        }
        assert scene.files() == []
        assert (await scene.http.get(f"/picture/{post_id}")).status_code == 410
        page = await scene.http.get(f"/post/{post_id}")
        assert page.status_code == 410
        assert "It shows a person without consent." in page.text
        assert "A report was &lt;checked&gt;." in page.text
        assert 'href="https://haechi.example/appeal/xyz"' in page.text
        assert post_id not in (await scene.http.get("/")).text


async def test_a_repeated_delivery_is_answered_the_same_and_acts_once(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        post_id = (await scene.post()).json()["id"]
        first = await scene.order(removal(post_id))
        scene.now[0] += 100
        again = await scene.order(removal(post_id), at=NOW + 100)
        other_delivery = await scene.order(removal(post_id), "d2", at=NOW + 100)
        other_key = await scene.order(removal(post_id, "act-2"), "d3", at=NOW + 100)
        assert first.json() == again.json() == other_delivery.json() == other_key.json()
        assert again.status_code == 200
        replayed = await scene.order(removal("another"), "d1", at=NOW + 100)
        assert code(replayed) == (409, "webhook.replayed")


async def test_what_is_not_there_is_refused_and_looked_for_anew(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        for number, content_id in enumerate(("nothing-here", "../../etc/passwd")):
            answer = await scene.order(removal(content_id, str(number)), f"d{number}")
            assert answer.json() == {"outcome": "refused", "reason": "not_found"}


async def test_a_restricted_picture_comes_back_and_a_removed_one_does_not(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        post_id = (await scene.post()).json()["id"]

        async def ordered(kind: str, key: str) -> object:
            body = removal(post_id, key, type=f"content.{kind}")
            return (await scene.order(body, key)).json()["outcome"]

        assert await ordered("restrict", "a") == "done"
        page = await scene.http.get(f"/post/{post_id}")
        assert (page.status_code, "not shown for now" in page.text) == (451, True)
        assert (await scene.http.get(f"/picture/{post_id}")).status_code == 404
        assert await ordered("restore", "b") == "done"
        assert (await scene.http.get(f"/picture/{post_id}")).status_code == 200
        assert await ordered("remove", "c") == "done"
        assert await ordered("restore", "d") == "refused"


async def test_a_label_is_written_beside_the_picture(tmp_path: Path) -> None:
    """Suspected, may be, is: in the words of the order; the picture stays, and a mark can go again."""
    async with board(tmp_path) as scene:
        post_id = (await scene.post()).json()["id"]

        async def ordered(key: str, label: object, kind: str = "restrict") -> object:
            body = removal(
                post_id, key, type=f"content.{kind}", restriction="labelled", label=label
            )
            return (await scene.order(body, key)).json()["outcome"]

        async def pages() -> list[str]:
            return [(await scene.http.get(at)).text for at in ("/", f"/post/{post_id}")]

        words = {"en": "Suspected <b>AI-generated", "ko": "AI로 생성된 것으로 의심되는 콘텐츠"}
        assert await ordered("a", {"level": 3, "words": words}) == "done"
        assert all("Suspected &lt;b&gt;AI-generated" in page for page in await pages())
        assert (await scene.http.get(f"/picture/{post_id}")).status_code == 200
        assert await ordered("b", {"level": 1, "words": {"en": "AI-generated"}}) == "done"
        assert not any("Suspected" in page for page in await pages())
        assert await ordered("c", None) == "done"
        assert all("without consent" in page for page in await pages())
        assert await ordered("d", None, "restore") == "done"
        assert not any('class="mark"' in page for page in await pages())


async def test_a_test_order_and_a_ping_are_answered_and_change_nothing(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        post_id = (await scene.post()).json()["id"]
        assert (await scene.order(removal(post_id, test=True))).json() == {"outcome": "done"}
        ping = {"type": "ping", "idempotency_key": "p", "test": True}
        assert (await scene.order(json.dumps(ping).encode(), "p")).json() == {"outcome": "done"}
        assert scene.files() == [post_id]


async def test_one_idempotency_key_is_one_act(tmp_path: Path) -> None:
    """A sender that reuses a key by mistake gets the first answer, and nothing more is removed."""
    async with board(tmp_path) as scene:
        one, two = [(await scene.post()).json()["id"] for _ in range(2)]
        first = await scene.order(removal(one, "same"), "d1")
        second = await scene.order(removal(two, "same"), "d2")
        assert first.json() == second.json()
        assert scene.files() == [two]


async def test_orders_that_are_not_from_haechi_are_not_obeyed(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        post_id = (await scene.post()).json()["id"]
        body = removal(post_id)
        forged = await scene.order(body, secret=b"guessed")
        assert code(forged) == (401, "webhook.forged")
        unsigned = await scene.http.post("/haechi/webhook", content=body)
        assert code(unsigned) == (401, "webhook.forged")
        assert code(await scene.order(body, at=NOW - 301)) == (400, "webhook.stale")
        assert code(await scene.order(body, at=NOW + 301)) == (400, "webhook.stale")
        assert (await scene.http.get(f"/picture/{post_id}")).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "format.invalid")),
        (b"[]", (400, "format.invalid")),
        (b"[" * 100_000, (400, "format.invalid")),
        (b"x" * 300_000, (413, "format.invalid")),
        (b'{"type": "content.dance"}', (422, "board.order_unknown")),
        (removal("", "k"), (400, "format.invalid")),
        (removal("x", ""), (400, "format.invalid")),
        (removal("x", "k", reason=7), (400, "format.invalid")),
    ],
)
async def test_orders_that_make_no_sense_have_a_code_and_change_nothing(
    tmp_path: Path, body: bytes, expected: tuple[int, str]
) -> None:
    """The delivery is not remembered: a sender that corrects itself is heard."""
    async with board(tmp_path) as scene:
        post_id = (await scene.post()).json()["id"]
        assert code(await scene.order(body)) == expected
        assert scene.files() == [post_id]
        assert (await scene.order(removal(post_id))).status_code == 200


async def test_an_appeal_link_that_is_no_web_address_is_left_out(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        post_id = (await scene.post()).json()["id"]
        await scene.order(removal(post_id, appeal_url="javascript:alert(1)", statement=None))
        assert "javascript" not in (await scene.http.get(f"/post/{post_id}")).text


# --- every page


async def test_pages_ask_no_third_party_and_carry_their_headers(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        post_id = (await scene.post()).json()["id"]
        for path in ("/", "/upload", f"/post/{post_id}", "/post/none", "/static/board.css"):
            response = await scene.http.get(path)
            assert "default-src 'none'" in response.headers["content-security-policy"], path
            assert response.headers["x-content-type-options"] == "nosniff"
            loaded = re.findall(r'(?:src|href|action)="([^"]*)"', html.unescape(response.text))
            assert all(address.startswith("/") for address in loaded), path
            if "html" in response.headers["content-type"]:
                assert '<html lang="en">' in response.text
                assert 'name="viewport"' in response.text


def test_settings_name_what_is_missing() -> None:
    environ = {"BOARD_HOME": "x", "HAECHI_MATCH_KEY": "k", "HAECHI_WEBHOOK_SECRET": "s"}
    assert Settings.from_environ(environ).url == "http://127.0.0.1:8413"
    for name in environ:
        with pytest.raises(SettingMissing, match=name):
            Settings.from_environ({**environ, name: ""})


def test_a_webhook_secret_is_read_as_standard_webhooks_writes_it() -> None:
    assert secret_bytes("whsec_" + base64.b64encode(SECRET).decode()) == SECRET
    assert secret_bytes("plain") == b"plain"
    with pytest.raises(SettingMissing):
        secret_bytes("whsec_not base64!")


async def test_an_order_for_another_spelling_of_an_id_leaves_the_picture(tmp_path: Path) -> None:
    async with board(tmp_path) as scene:
        post_id = (await scene.post()).json()["id"]
        response = await scene.order(removal(f"{post_id[:8]}-{post_id[8:]}"))
        assert response.json() == {"outcome": "refused", "reason": "not_found"}
        assert (await scene.http.get(f"/post/{post_id}")).status_code == 200
        assert (tmp_path / "pictures" / post_id).is_file()
