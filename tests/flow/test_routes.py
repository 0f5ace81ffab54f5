"""Every route of both sites: its headers, whom it lets in, and what another's number gets (B27).

A route without a row here fails: whoever adds one says what stands in its address and who may see it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.core.exceptions import BadRequest
from django.db import OperationalError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import OUTSIDE_URL, submit

from haechi.server import counting, flow
from haechi.server.config.unreadable import answer_unreadable
from haechi.server.counting import Limit
from haechi.server.public import page_token
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User

pytestmark = pytest.mark.django_db

NOBODY = 987_654_321
NOTHING = UUID(int=0)
HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}
# The one page with a camera; what it sees stays in the browser.
LIVE = {
    "Permissions-Policy": "camera=(self), display-capture=(self), microphone=(), geolocation=(), "
    "payment=(), usb=()"
}
CSP = ("default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'",
       "form-action 'self'", "frame-ancestors 'none'")  # fmt: skip


@dataclass(frozen=True)
class Route:
    """What stands in its address, and who sees what.

    given   what its address needs, naming nothing that exists, or somebody else's
    seen    status of a GET by whoever may use the site but not this object
    role    of the desk: who may come in; "" for everybody
    """

    seen: int = 200
    given: Mapping[str, object] = field(default_factory=dict)
    role: str = ""


GET_ONLY = 405
PAIR = {"case_id": NOBODY, "one": NOTHING, "other": NOTHING}
PUBLIC = {
    "set_language": Route(302),
    "public:landing": Route(),
    "public:report": Route(),
    "public:return": Route(),
    "public:status": Route(302),
    "public:leave": Route(GET_ONLY),
    "public:begin_upload": Route(GET_ONLY),
    "public:upload": Route(403, {"name": "nothing-of-that-name"}),
    **{
        f"public:{name}": Route(302)
        for name in (
            "talk",
            "add",
            "compare",
            "correct",
            "object",
            "mail",
            "own",
            "take",
            "withdraw",
            "erase",
        )
    },
    "public:keep": Route(GET_ONLY),
    "public:code_file": Route(GET_ONLY),
    "public:appeal": Route(404, {"token": "nothing-of-that-name"}),
    "public:numbers": Route(),
    "public:numbers_json": Route(),
    "public:log": Route(),
    "public:log_known": Route(),
    "public:log_key": Route(404),
    "public:live": Route(),
    "public:log_at": Route(404, {"size": NOBODY}),
    "public:log_grew": Route(404, {"old": NOBODY, "size": NOBODY}),
    "public:own_log": Route(302),
    "public:own_log_file": Route(302),
    "public:inspect": Route(),
    "public:help": Route(),
    "public:well_known": Route(),
    "api:openapi": Route(),
    "api:actions": Route(401),
    "api:action": Route(401, {"key": "nothing-of-that-name"}),
    "api:notices": Route(GET_ONLY),
    "api:generations": Route(GET_ONLY),
    "api:erase_account": Route(GET_ONLY),
    "api:labels": Route(GET_ONLY),
    "api:notice": Route(401, {"number": NOTHING}),
}
DESK = {
    "set_language": Route(302),
    "desk:login": Route(),
    "desk:logout": Route(GET_ONLY),
    "desk:queue": Route(role="reviewer"),
    "desk:next": Route(GET_ONLY, role="reviewer"),
    "desk:save_view": Route(GET_ONLY, role="reviewer"),
    "desk:drop_view": Route(GET_ONLY, {"view_id": NOBODY}, "reviewer"),
    "desk:search": Route(role="reviewer"),
    "desk:live": Route(role="reviewer"),
    "desk:order": Route(role="staff"),
    "desk:case": Route(404, {"case_id": NOBODY}, "reviewer"),
    "desk:claim": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:release": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:decide": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:agreement": Route(200, role="staff"),
    "desk:second": Route(404, {"review_id": NOBODY}, "reviewer"),
    "desk:preview": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:go_on": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:decide_alike": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:renew": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:hand_over": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:set_aside": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:lift": Route(GET_ONLY, {"case_id": NOBODY, "exhibit_id": NOTHING}, "reviewer"),
    "desk:exhibit": Route(404, {"exhibit_id": NOTHING}, "reviewer"),
    "desk:picture": Route(404, {"exhibit_id": NOTHING}, "reviewer"),
    "desk:examine_again": Route(GET_ONLY, {"case_id": NOBODY, "exhibit_id": NOTHING}, "reviewer"),
    "desk:origin_picture": Route(
        404, {"case_id": NOBODY, "exhibit_id": NOTHING, "signal": "pixels.noise"}, "reviewer"
    ),
    "desk:open_content": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:ask_identity": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:write": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:pursue": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:note": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:lift_pair": Route(GET_ONLY, PAIR, "reviewer"),
    "desk:pair": Route(404, PAIR, "reviewer"),
    "desk:pair_picture": Route(404, PAIR, "reviewer"),
    "desk:keeping": Route(role="staff"),
    "desk:keep": Route(404, {"case_id": NOBODY}, "staff"),
    "desk:place_hold": Route(GET_ONLY, {"case_id": NOBODY}, "staff"),
    "desk:ask_erasure": Route(GET_ONLY, {"case_id": NOBODY}, "staff"),
    "desk:end_hold": Route(GET_ONLY, {"hold_id": NOBODY}, "staff"),
    "desk:settle_erasure": Route(GET_ONLY, {"request_id": NOBODY, "act": "agree"}, "staff"),
    "desk:packages": Route(404, {"case_id": NOBODY}, "reviewer"),
    "desk:package": Route(GET_ONLY, {"package_id": NOBODY, "act": "agree"}, "reviewer"),
    "desk:package_file": Route(404, {"package_id": NOBODY}, "reviewer"),
    "desk:news": Route(role="reviewer"),
    "desk:end": Route(GET_ONLY, {"member_id": NOBODY}, "reviewer"),
    "desk:grants": Route(role="staff"),
    "desk:grant": Route(GET_ONLY, {"grant_id": NOBODY, "act": "end"}, "staff"),
    "desk:undo_aside": Route(GET_ONLY, {"recusal_id": NOBODY}, "reviewer"),
    "desk:undoing": Route(GET_ONLY, {"undoing_id": NOBODY}, "staff"),
    "desk:deliveries": Route(role="reviewer"),
    "desk:delivery": Route(GET_ONLY, {"action_id": NOBODY, "act": "again"}, "reviewer"),
    "desk:look": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:capture": Route(404, {"recheck_id": NOBODY}, "reviewer"),
    "desk:trace": Route(role="reviewer"),
    "desk:inquiry": Route(404, {"inquiry_id": NOBODY}, "reviewer"),
    "desk:ask_name": Route(GET_ONLY, {"inquiry_id": NOBODY}, "reviewer"),
    "desk:hangs": Route(GET_ONLY, {"inquiry_id": NOBODY}, "reviewer"),
    "desk:trace_hold": Route(404, {"inquiry_id": NOBODY}, "reviewer"),
    "desk:naming": Route(404, {"naming_id": NOBODY}, "reviewer"),
    "desk:naming_act": Route(GET_ONLY, {"naming_id": NOBODY, "act": "end"}, "reviewer"),
    "desk:platforms": Route(role="staff"),
    "desk:test_platform": Route(GET_ONLY, {"platform_id": NOBODY}, "staff"),
    "desk:notices": Route(role="reviewer"),
    "desk:notice": Route(404, {"notice_id": NOTHING}, "reviewer"),
    "desk:notice_act": Route(GET_ONLY, {"notice_id": NOTHING, "act": "stop"}, "reviewer"),
    "desk:directory": Route(role="staff"),
    "desk:appeals": Route(role="reviewer"),
    "desk:appeal": Route(404, {"appeal_id": NOBODY}, "reviewer"),
    "desk:banks": Route(role="staff"),
    "desk:bank": Route(404, {"bank_id": NOBODY}, "staff"),
    "desk:member": Route(404, {"member_id": NOBODY}, "reviewer"),
    "desk:incoming_list": Route(role="reviewer"),
    "desk:incoming": Route(404, {"number": NOTHING}, "reviewer"),
    "desk:open_incoming": Route(GET_ONLY, {"number": NOTHING}, "reviewer"),
    "desk:aside_incoming": Route(GET_ONLY, {"number": NOTHING}, "reviewer"),
    "desk:senders": Route(role="staff"),
    "desk:sender": Route(404, {"sender_id": NOBODY}, "staff"),
    "desk:sender_key": Route(GET_ONLY, {"sender_id": NOBODY}, "staff"),
    "desk:judge": Route(GET_ONLY, {"member_id": NOBODY}, "reviewer"),
    "desk:settle": Route(GET_ONLY, {"sighting_id": NOBODY}, "reviewer"),
    "desk:dashboard": Route(role="staff"),
    "desk:law": Route(role="staff"),
    "desk:policies": Route(role="staff"),
    "desk:policy": Route(404, {"key": "nothing-of-that-name"}, "staff"),
    "desk:rule": Route(404, {"rule_id": "nothing_of_that_name"}, "staff"),
    "desk:missed": Route(role="staff"),
    "desk:ask_missing": Route(GET_ONLY, {"case_id": NOBODY}, "reviewer"),
    "desk:log": Route(role="staff"),
}


@pytest.fixture
def administrator(db: None) -> User:
    """Somebody who manages people and keys, not content."""
    return staff.add(
        "ada", "Ada", Role.ADMINISTRATOR, "a long pass phrase", actor="test", now=NOON
    )[0]


def names(module: str) -> set[str]:
    """Every named route of a site."""

    def within(resolver: URLResolver, prefix: str) -> set[str]:
        found = set()
        for each in resolver.url_patterns:
            if isinstance(each, URLPattern):
                found.add(f"{prefix}{each.name}")
            else:
                found |= within(each, f"{each.app_name}:" if each.app_name else prefix)
        return found

    return within(get_resolver(module), "")


@pytest.mark.parametrize(("site", "table"), [("public", PUBLIC), ("desk", DESK)])
def test_every_route_has_a_row(site: str, table: dict[str, Route]) -> None:
    found = names(f"haechi.server.config.urls_{site}")
    assert found == table.keys(), (
        f"rows to add to or take from {site.upper()} in tests/flow/test_routes.py: "
        f"{sorted(found ^ table.keys())}"
    )


def secure(answer: Any, *, robots: str = "noindex, nofollow") -> None:
    """Every header of security is there, with its one value."""
    wanted = HEADERS | {"X-Robots-Tag": robots}
    if answer.wsgi_request.path == "/live" and answer.status_code == 200:
        wanted |= LIVE
    for name, value in wanted.items():
        assert answer.headers[name] == value, f"{answer.status_code}: {name}"
    for part in CSP:
        assert part in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Server" not in answer.headers
    for cookie in answer.cookies.values():
        if not cookie.value:
            continue  # It is being deleted.
        assert cookie["samesite"] == "Strict"
        assert cookie["httponly"]


@pytest.mark.parametrize(("name", "row"), PUBLIC.items(), ids=PUBLIC)
def test_public_routes(public: Client, name: str, row: Route) -> None:
    """Whatever the method: headers, and nothing of another's."""
    public.handler.enforce_csrf_checks = True
    public.cookies["visit"] = "somebody else's"
    path = reverse(name, kwargs=dict(row.given))
    seen = public.get(path)
    assert seen.status_code == row.seen
    secure(seen, robots="all" if name == "public:landing" else "noindex, nofollow")
    for method in ("post", "put", "delete", "options", "head"):
        answer = getattr(public, method)(path)
        assert answer.status_code < 500
        # The API knows nobody by a cookie: what it takes, it takes with a key or a signature.
        no = (401, GET_ONLY) if name.startswith("api:") else (403, GET_ONLY)
        assert method != "post" or answer.status_code in no
        secure(answer, robots="all" if (name, method) == ("public:landing", "head") else "noindex, nofollow")  # fmt: skip


@pytest.mark.parametrize(("name", "row"), DESK.items(), ids=DESK)
def test_desk_routes(
    desk: Client, reviewer: User, administrator: User, name: str, row: Route
) -> None:
    """Strangers are sent to the login, other roles away, and what is not there is not there."""
    path = reverse(name, kwargs=dict(row.given), urlconf="haechi.server.config.urls_desk")
    stranger = desk.get(path)
    admin, right = (_as(desk, who, path) for who in (administrator, reviewer))
    for answer in (stranger, admin, right):
        secure(answer)
    if row.seen == GET_ONLY:
        desk.logout()
        stranger = desk.post(path)
    if row.role:
        assert (stranger.status_code, stranger["location"].partition("?")[0]) == (302, "/login")
    if row.role == "reviewer":
        assert admin.status_code in (403, GET_ONLY)
    assert right.status_code == row.seen
    if row.given and row.seen == GET_ONLY:
        desk.force_login(reviewer)
        assert desk.post(path).status_code == 404
        desk.force_login(administrator)
        assert desk.post(path).status_code == (403 if row.role == "reviewer" else 404)
    desk.logout()
    desk.handler.enforce_csrf_checks = True
    if name != "set_language":
        posted = desk.post(path)
        assert posted.status_code in (403, GET_ONLY)
        secure(posted)


def _as(desk: Client, who: User, path: str) -> Any:
    desk.force_login(who)
    return desk.get(path)


def test_an_exhibit_is_not_lifted_through_another_case(
    desk: Client, reviewer: User, astronaut: bytes, cat: bytes
) -> None:
    """Each number exists; together they name nothing."""
    mine, others = (submit(picture, places=(OUTSIDE_URL,))[0] for picture in (astronaut, cat))
    case = flow.open_case(mine, now=NOON)
    flow.open_case(others, now=NOON)
    desk.force_login(reviewer)
    exhibit = others.exhibits.get()
    assert desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift").status_code == 404


def test_a_visit_opens_one_report(public: Client) -> None:
    """A cookie made up, cut, or of a visit that is over opens nothing."""
    _, code = submit(places=(OUTSIDE_URL,))
    public.post("/return", {"code": code.digits()})
    token = public.cookies["visit"].value
    assert public.get("/status").status_code == 200
    for wrong in (token[:-1], token + "a", token.swapcase(), ""):
        public.cookies["visit"] = wrong
        assert public.get("/status").status_code == 302
    public.cookies["visit"] = token
    public.post("/status/leave")
    public.cookies["visit"] = token
    assert public.get("/status").status_code == 302


@pytest.mark.parametrize("site", ["public", "desk"])
def test_error_pages_have_every_header(
    site: str, request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400, 403, 404, 405, 413, 500 on both sites; 413 in words."""
    client: Client = request.getfixturevalue(site)
    client.raise_request_exception = False
    login = "/login" if site == "desk" else "/return"
    odd = client.post(
        login, b"a=1", content_type="application/x-www-form-urlencoded; charset=utf-7"
    )
    many = client.post(login, {f"field{n}": "" for n in range(1_500)})
    assert odd.status_code == 400
    assert many.status_code == 413
    assert "web.too_large" in many.content.decode()
    assert "Nothing was stored." in many.content.decode()
    missing, refused = client.get("/nowhere"), client.put(login)
    client.handler.enforce_csrf_checks = True
    forged = client.post(login, {})
    assert (missing.status_code, refused.status_code, forged.status_code) == (404, 405, 403)
    with monkeypatch.context() as within:
        within.setattr("django.middleware.common.CommonMiddleware.process_request", _fail)
        failed = client.get(login)
    assert failed.status_code == 500
    for answer in (odd, many, missing, refused, forged, failed):
        secure(answer)


def _fail(*_: object) -> None:
    raise RuntimeError("a fault of our own")


def test_pages_of_the_door_that_refuse_have_every_header(
    public: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """422, 429 and 503, with what was typed still there."""
    empty = public.post("/report", {"submission": page_token.issue(), "told": "typed"})
    with patch(
        "django.db.backends.base.base.BaseDatabaseWrapper.ensure_connection",
        side_effect=OperationalError("away"),
    ):
        away = public.post("/report", _filled())
    monkeypatch.setattr(counting, "LIMITS", {"report": (Limit("address", 1),)})
    many = public.post("/report", _filled())
    assert [answer.status_code for answer in (empty, away, many)] == [422, 503, 429]
    for answer in (empty, away, many):
        secure(answer)
        assert "typed" in answer.content.decode()


def _filled() -> dict[str, object]:
    return {"submission": page_token.issue(), "told": "typed", "location": OUTSIDE_URL}


def test_what_django_cannot_read_at_all_is_answered_with_every_header() -> None:
    """400 from before Django, which has no page for it."""
    given: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        given.update(headers, status=status)

    def unreadable(_environ: object, _start: object) -> Any:
        raise BadRequest

    answer_unreadable(unreadable)({}, start)
    assert given["status"] == "400 Bad Request"
    assert {name: given[name] for name in HEADERS} == HEADERS
    assert "default-src 'none'" in given["Content-Security-Policy"]
