"""Orders to platforms: told or fetched, obeyed once, refused, late, tried out."""

import argparse
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone
from examples.board.fetch import Orders
from examples.board.obey import obey
from examples.board.settings import Settings as BoardSettings
from examples.board.store import Store
from tests.conftest import NOON
from tests.flow.conftest import host, submit

from haechi.cli import installation, platforms
from haechi.errors import AppealUnknown, DeliveryFailed, NotAllowed
from haechi.formats import webhook
from haechi.server import flow
from haechi.server.appeals import services as appeals
from haechi.server.audit.models import Entry
from haechi.server.cases import acting, delivery, grants
from haechi.server.cases.models import (
    Action,
    ActionKind,
    Answer,
    Case,
    Decision,
    Ground,
    Purpose,
    Trial,
    Verdict,
)
from haechi.server.matching import api_keys
from haechi.server.matching.models import Hosted, Platform
from haechi.server.matching.platforms import rotate_secret
from haechi.server.staff.models import User
from haechi.server.transparency import services as transparency

pytestmark = pytest.mark.django_db

KEY = "haechi_key_of_the_board"


@pytest.fixture
def decision(astronaut: bytes, reviewer: User) -> Decision:
    """A standing decision; what platforms are asked is the test's."""
    report, _ = submit(astronaut)
    case = flow.open_case(report, now=NOON)
    return flow.decide(
        case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="I saw it.",
        remove=(),
        actor=reviewer,
        now=NOON,
    )


@pytest.fixture
def ask(decision: Decision, board: Platform, astronaut: bytes) -> Callable[..., Action]:
    """Ask the board to do something to one of its pictures."""
    hosted: dict[str, Hosted] = {}

    def ask(content_id: str = "1", kind: ActionKind = ActionKind.REMOVE) -> Action:
        if content_id not in hosted:
            url = f"https://board.example/post/{content_id}"
            hosted[content_id] = host(board, astronaut, url=url, content_id=content_id)
        return flow.act_on_hosted(
            decision, hosted[content_id], kind, actor="test", by_machine=False, now=NOON
        )

    return ask


@pytest.fixture
def key(board: Platform) -> None:
    """A key of the board."""
    api_keys.add(board, KEY, name="api", scopes=["act"], expires_at=None, actor="test", now=NOON)


class Hook:
    """A platform's webhook on this machine: what it got, and what it says next."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.says: Callable[[bytes], tuple[int, bytes]] = lambda _: (200, b'{"outcome": "done"}')
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.got.append((dict(self.headers), body))
                status, said = outer.says(body)
                self.send_response(status)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, **said: object) -> None:
        """Say this from now on."""
        self.says = lambda _: (200, json.dumps(said).encode())

    @property
    def orders(self) -> list[dict[str, Any]]:
        """The documents that came."""
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def hook(board: Platform) -> Iterator[Hook]:
    """The board's webhook."""
    made = Hook()
    Platform.objects.filter(pk=board.pk).update(webhook_url=made.url)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_each_kind_of_order_is_signed_and_done_once(ask: Callable[..., Action], hook: Hook) -> None:
    """B21, over a real connection; one secret rotated, the old one still fits."""
    old, new = b"s" * 32, b"t" * 32
    platform = Platform.objects.get()
    later = timezone.now() + timedelta(days=1)
    rotate_secret(platform, new, old_until=later, actor="test", now=NOON)
    for kind in (ActionKind.REMOVE, ActionKind.RESTRICT, ActionKind.RESTORE):
        action = ask("1", kind)
        flow.deliver_action(action.pk)
        flow.deliver_action(action.pk)
        action.refresh_from_db()
        assert (action.state, action.attempts) == ("done", 1)
    assert [one["type"] for one in hook.orders] == [
        "content.remove",
        "content.restrict",
        "content.restore",
    ]
    for headers, body in hook.got:
        for secret in (old, new):
            webhook.verify(secret, headers, body, now=timezone.now(), window_s=60)
    assert hook.orders[0]["statement"]["puid"]
    assert hook.orders[2]["statement"] is None
    assert Hosted.objects.get().removed_at is None  # it was put back
    assert not any(one["test"] for one in hook.orders)


@pytest.mark.parametrize(
    "said",
    [
        (500, b"no"),
        (200, b"not json"),
        (200, b"{}"),
        (200, b"[]"),
        (200, b'{"outcome": "perhaps"}'),
        (200, b'{"outcome": "refused", "reason": "mood"}'),
        (200, b'{"outcome": "refused", "reason": "other", "note": 7}'),
        (200, b'{"removed": 1}'),
        (302, b""),
        (200, b"x" * 100_000),
    ],
    ids=range(10),
)
def test_what_is_no_answer_is_tried_again_and_told(
    ask: Callable[..., Action], hook: Hook, said: tuple[int, bytes]
) -> None:
    """B21: nothing but a plain answer ends it."""
    hook.says = lambda _: said
    action = ask()
    for _ in range(2):
        with pytest.raises(DeliveryFailed):
            flow.deliver_action(action.pk)
    action.refresh_from_db()
    assert (action.state, action.attempts) == ("open", 2)
    assert action.last_error
    assert action.failing_since is not None
    assert len({headers["webhook-id"] for headers, _ in hook.got}) == 1


def test_a_refusal_comes_before_a_person(
    ask: Callable[..., Action], hook: Hook, desk: Client, reviewer: User
) -> None:
    """Recorded, shown with its words to who opened the case, asked anew under another delivery."""
    hook.answer(outcome="refused", reason="legal_objection", note="Our counsel <objects>.")
    action = ask()
    flow.deliver_action(action.pk)
    flow.deliver_action(action.pk)
    action.refresh_from_db()
    assert (action.state, len(hook.got)) == ("refused", 1)
    assert Entry.objects.filter(tag="action:refused").count() == 1
    assert b"objects" not in bytes(Answer.objects.get().note_sealed)
    assert action.decision.case.clocks.filter(stopped_at=None, stopped_by="removal").exists()

    desk.force_login(reviewer)
    page = desk.get("/deliveries").content.decode()
    assert "It has a legal objection." in page
    assert "objects" not in page
    case = action.decision.case
    grants.open_content(case, reviewer, Purpose.REVIEW, now=timezone.now())
    assert "Our counsel &lt;objects&gt;." in desk.get("/deliveries").content.decode()
    assert desk.post(f"/delivery/{action.pk}/gone").status_code == 409  # that is for "cannot find"

    assert desk.post(f"/delivery/{action.pk}/again").status_code == 302
    hook.answer(outcome="done")
    flow.deliver_action(action.pk)
    action.refresh_from_db()
    assert action.state == "done"
    first, second = (headers["webhook-id"] for headers, _ in hook.got)
    assert first != second
    assert len({one["idempotency_key"] for one in hook.orders}) == 1
    assert desk.post(f"/delivery/{action.pk}/give-up", {"reason": "x"}).status_code == 409


def test_a_won_appeal_has_it_put_back_and_the_case_page_says_so(
    ask: Callable[..., Action], hook: Hook, desk: Client, reviewer: User, second_reviewer: User
) -> None:
    """B22: asked once; what was not done yet is not done any more."""
    done, waiting = ask("1"), ask("2")
    flow.deliver_action(done.pk)
    for action in (done, waiting):
        appeal = appeals.receive(appeals.find(action.appeal_token), "It is mine.", now=NOON)
        flow.answer_appeal(appeal, grant=True, reason="So it is.", actor=second_reviewer, now=NOON)
    restore = Action.objects.get(kind=ActionKind.RESTORE)
    assert restore.hosted_id == done.hosted_id
    waiting.refresh_from_db()
    assert waiting.state == "withdrawn"
    flow.deliver_action(restore.pk)
    assert [one["type"] for one in hook.orders] == ["content.remove", "content.restore"]
    with pytest.raises(AppealUnknown):
        appeals.find(restore.appeal_token)
    desk.force_login(reviewer)
    assert "Putting back on board: 1" in desk.get(f"/case/{done.decision.case_id}").content.decode()


def test_what_cannot_be_found_is_gone_when_a_person_says_so(
    ask: Callable[..., Action], hook: Hook, desk: Client, reviewer: User
) -> None:
    hook.answer(outcome="refused", reason="not_found")
    action = ask()
    flow.deliver_action(action.pk)
    desk.force_login(reviewer)
    assert desk.post(f"/delivery/{action.pk}/gone").status_code == 302
    assert desk.post(f"/delivery/{action.pk}/gone").status_code == 409
    done = Entry.objects.get(tag="action:done")
    assert done.actor == reviewer.name_in_log
    assert not action.decision.case.clocks.filter(stopped_at=None, stopped_by="removal").exists()


def test_giving_up_needs_a_reason_and_is_in_the_log(
    ask: Callable[..., Action], hook: Hook, desk: Client, reviewer: User
) -> None:
    action = ask()
    desk.force_login(reviewer)
    assert desk.post(f"/delivery/{action.pk}/give-up", {"reason": " "}).status_code == 400
    assert desk.post(f"/delivery/{action.pk}/nothing").status_code == 403
    assert desk.post(f"/delivery/{action.pk}/give-up", {"reason": "It went out of business."})
    action.refresh_from_db()
    assert action.state == "given_up"
    assert b"business" not in bytes(action.given_up_sealed or b"")
    assert Entry.objects.get(tag="action:given_up").actor == reviewer.name_in_log
    flow.deliver_action(action.pk)
    assert hook.got == []


def test_who_takes_too_long_is_told_of_once(
    ask: Callable[..., Action], desk: Client, reviewer: User, caplog: pytest.LogCaptureFixture
) -> None:
    """B21: an alarm, a mark on the page, when it is tried next, and a button to try now."""
    action = ask()
    Action.objects.update(created_at=timezone.now() - acting.late_after() - timedelta(minutes=1))
    for _ in range(2):
        flow.watch_deliveries(0)
    assert Entry.objects.filter(tag="action:late").count() == 1
    assert sum("has not done" in line for line in caplog.messages) == 1
    desk.force_login(reviewer)
    page = desk.get("/deliveries").content.decode()
    assert ">late<" in page
    assert f"/delivery/{action.pk}/again" in page


# --- a platform that asks


def api(public: Client, method: str, path: str, body: object = None) -> Any:
    """One question of the board."""
    data = b"" if body is None else json.dumps(body).encode()
    site = {
        "ROOT_URLCONF": "haechi.server.config.urls_public",
        "MIDDLEWARE": settings.MIDDLEWARE_PUBLIC,
    }
    with override_settings(**site):  # a test may have the desk open beside it
        return public.generic(
            method,
            f"/api/v1/actions{path}",
            data,
            content_type="application/json",
            headers={"authorization": f"Bearer {KEY}"},
        )


@pytest.mark.usefixtures("key")
def test_what_waits_is_listed_in_pages_and_answered(
    ask: Callable[..., Action], public: Client
) -> None:
    """B21: the same documents as the webhook's; answered once, whatever is sent again."""
    actions = [ask(str(number)) for number in range(5)]
    first = api(public, "GET", "?limit=3").json()
    second = api(public, "GET", f"?limit=3&after={first['next']}").json()
    listed = [*first["actions"], *second["actions"]]
    assert [one["idempotency_key"] for one in listed] == [str(one) for one in actions]
    assert second["next"] is None
    document = flow.order_of(Action.objects.get(pk=actions[0].pk))
    assert {name: value for name, value in listed[0].items() if name != "state"} == document

    path = f"/{actions[0]}"
    refused = {"outcome": "refused", "reason": "not_found", "note": "Where is it?"}
    assert api(public, "POST", path, {"outcome": "done"}).json()["state"] == "done"
    assert api(public, "GET", path).json()["state"] == "done"  # before the worker took it
    assert api(public, "POST", path, {"outcome": "done"}).status_code == 200
    assert api(public, "POST", path, refused).status_code == 409
    assert api(public, "POST", f"/{actions[1]}", refused).json()["state"] == "refused"
    assert Answer.objects.count() == 2

    flow.take_answers(str(actions[0].decision.case.report_id))
    flow.take_answers(str(actions[0].decision.case.report_id))
    states = [Action.objects.get(pk=one.pk).state for one in actions]
    assert states == ["done", "refused", "open", "open", "open"]
    assert Entry.objects.get(tag="action:done").actor == actions[0].platform.name_in_log
    left = api(public, "GET", "").json()["actions"]
    assert [one["idempotency_key"] for one in left] == [str(one) for one in actions[2:]]


@pytest.mark.usefixtures("key")
def test_a_platform_sees_its_own_orders_alone(ask: Callable[..., Action], public: Client) -> None:
    action = ask()
    Action.objects.update(
        platform=Platform.objects.create(
            name="other", base_url="https://o.example", webhook_secret=b"o" * 32
        )
    )
    assert api(public, "GET", "").json() == {"actions": [], "next": None}
    for method, body in (("GET", None), ("POST", {"outcome": "done"})):
        answer = api(public, method, f"/{action}", body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "delivery.unknown")
    assert api(public, "GET", "/%00").status_code == 404
    assert api(public, "GET", "?after=x").status_code == 400
    assert api(public, "GET", "?limit=0").status_code == 400


@pytest.mark.usefixtures("key")
def test_the_sample_board_obeys_both_ways_and_acts_once(
    ask: Callable[..., Action],
    hook: Hook,
    public: Client,
    tmp_path: Path,
) -> None:
    """One order is sent and fetched; another only fetched, after the webhook was away."""
    store = Store(tmp_path)
    posts = [
        store.hold(b"x", caption="", account="", label="", mime="image/png", now=0) for _ in "12"
    ]
    both, fetched = (ask(post.id) for post in posts)

    def by_webhook(body: bytes) -> tuple[int, bytes]:
        headers = hook.got[-1][0]
        said = obey(Store(tmp_path), b"s" * 32, headers, body, timezone.now().timestamp())
        return 200, json.dumps(said).encode()

    hook.says = by_webhook
    told = BoardSettings(tmp_path, "", "", KEY, b"s" * 32, api_url="http://haechi.test")
    orders = Orders(told, httpx.MockTransport(lambda asked: _answered(public, asked)))
    assert finished(orders.obey_all(store, 1.0)) == 2
    finished(orders.close())
    flow.deliver_action(both.pk)  # it comes once more, before the worker took what was said
    flow.take_answers(str(both.decision.case.report_id))
    assert [store.find(post.id).state for post in posts] == ["removed", "removed"]  # type: ignore[union-attr]
    for action in (both, fetched):
        action.refresh_from_db()
        assert action.state == "done"
    assert Entry.objects.filter(tag="action:done").count() == 2
    store.close()


def finished[T](work: Coroutine[Any, Any, T]) -> T:
    """What it gives; it waits for nothing, so no loop is needed in which Django would refuse to work."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


def _answered(public: Client, asked: httpx.Request) -> httpx.Response:
    made = public.generic(
        asked.method,
        asked.url.raw_path.decode(),
        asked.content,
        content_type="application/json",
        headers={"authorization": asked.headers["authorization"]},
    )
    return httpx.Response(made.status_code, content=made.content)


# --- test mode


def counted() -> dict[str, object]:
    """The public count, but for the length of the log."""
    counts = transparency.count(now=NOON).as_dict()
    return {name: value for name, value in counts.items() if not name.startswith("log")}


@pytest.mark.usefixtures("key")
def test_test_messages_are_answered_and_count_nowhere(
    board: Platform, hook: Hook, public: Client, desk: Client, reviewer: User
) -> None:
    before = counted()
    desk.force_login(reviewer)
    assert desk.post(f"/platform/{board.pk}/test", {"kind": "remove"}).status_code == 403
    assert desk.post(f"/platform/{board.pk}/test").status_code == 302  # a ping is always sent
    Platform.objects.update(testing=True)
    desk.post(f"/platform/{board.pk}/test", {"kind": "remove", "content_id": "7"})
    ping, removal = Trial.objects.order_by("pk")
    listed = api(public, "GET", "").json()["actions"]
    assert [(one["type"], one["content_id"], one["test"]) for one in listed] == [
        ("ping", None, True),
        ("content.remove", "7", True),
    ]
    flow.deliver_trial(ping.pk)
    flow.deliver_trial(ping.pk)
    assert len(hook.got) == 1
    headers, body = hook.got[0]
    webhook.verify(b"s" * 32, headers, body, now=timezone.now())
    assert hook.orders == [flow.trial_order_of(ping)]
    said = api(public, "POST", f"/{removal}", {"outcome": "refused", "reason": "not_found"})
    assert said.json()["state"] == "refused"
    assert counted() == before
    assert not Action.objects.exists()
    page = desk.get("/platforms").content.decode()
    assert "test mode" in page
    assert ">refused<" in page


def test_a_test_message_that_fails_says_how(board: Platform, desk: Client, reviewer: User) -> None:
    trial = flow.try_out(board, "ping", "", actor="test", now=NOON)
    flow.deliver_trial(trial.pk)  # nobody listens on port 9
    trial.refresh_from_db()
    assert (trial.done_at, trial.attempts) == (None, 1)
    assert trial.last_error
    with pytest.raises(NotAllowed):
        flow.try_out(board, "dance", "", actor="test", now=NOON)


def test_the_command_line_lists_changes_rotates_and_tries(
    board: Platform, hook: Hook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installation, "enter", lambda: None)
    asked = argparse.Namespace(
        name="board",
        testing=True,
        enabled=None,
        webhook_url=None,
        days=7,
        type="remove",
        content_id="9",
    )
    assert platforms.test_platform(asked) == 3
    assert "not in test mode" in capsys.readouterr().err
    assert platforms.change_platform(asked) == 0
    assert platforms.test_platform(asked) == 0
    assert "done" in capsys.readouterr().out
    assert platforms.rotate(asked) == 0
    assert "whsec_" in capsys.readouterr().out
    board.refresh_from_db()
    assert bytes(board.previous_secret or b"") == b"s" * 32
    assert len(delivery.secrets_of(board, now=timezone.now())) == 2
    assert len(delivery.secrets_of(board, now=timezone.now() + timedelta(days=8))) == 1
    assert platforms.list_platforms(asked) == 0
    assert "test mode" in capsys.readouterr().out
    for command in (platforms.change_platform, platforms.rotate, platforms.test_platform):
        assert command(argparse.Namespace(name="nobody")) == 3
    assert Case.objects.count() == 0
