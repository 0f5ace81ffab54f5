"""The JSON API: what its document tells is what it does, and it says no in one form."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, close_old_connections
from django.http import HttpRequest, JsonResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from pytest_django.fixtures import Settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.conftest import NOON
from tests.flow.conftest import playing

from haechi.server import counting
from haechi.server.api import bodies, door
from haechi.server.api.door import by_method, open_to_all, with_key
from haechi.server.api.openapi import SCHEMAS, TOLD
from haechi.server.counting import Limit
from haechi.server.matching import api_keys
from haechi.server.matching.api_keys import Caller
from haechi.server.matching.models import ApiKey, Platform

pytestmark = pytest.mark.django_db

KEY = "haechi_key_of_the_board"
EXAMPLES = int(os.environ.get("HAECHI_EXAMPLES", "4"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def key(board: Platform) -> ApiKey:
    """A key of the board that may ask for everything there is."""
    scopes = {told.scope for told in TOLD.values()} - {""}
    return api_keys.add(
        board, KEY, name="api", scopes=scopes, expires_at=None, actor="test", now=NOON
    )


def served() -> Iterator[str]:
    """Every address of the public process, as OpenAPI writes it."""

    def within(resolver: URLResolver, prefix: str) -> Iterator[str]:
        for each in resolver.url_patterns:
            here = prefix + str(each.pattern)
            if isinstance(each, URLPattern):
                yield "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", here)
            else:
                yield from within(each, here)

    return within(get_resolver("haechi.server.config.urls_public"), "")


def test_the_document_tells_of_every_address_and_of_no_other() -> None:
    told, there = {where for _, where in TOLD}, set(served())
    assert told <= there
    assert {each for each in there if each.startswith("/api/")} <= told
    used = {name for one in TOLD.values() for name in (*one.answers.values(), one.refusal)}
    assert used <= SCHEMAS.keys()


def test_methods_that_are_not_told_of_are_refused(public: Client, key: ApiKey) -> None:
    """405 with what is allowed, in JSON."""
    for where in {each for _, each in TOLD if each.startswith("/api/") and "{" not in each}:
        told = {method for method, each in TOLD if each == where}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - told:
            answer = public.generic(method, where, headers=bearer(KEY))
            assert answer.status_code == 405, (method, where)
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == told
            assert answer.json()["error"]["code"] == "web.method"


@pytest.mark.slow
@pytest.mark.timeout(120 + 10 * EXAMPLES)
def test_every_operation_answers_as_the_document_says(
    public: Client, key: ApiKey, settings: Settings
) -> None:
    """B16, at the public process: fitting and unfitting requests; nothing is a fault of ours."""
    page = public.get("/report").content.decode()
    headers = {
        "Authorization": f"Bearer {KEY}",
        "X-CSRFToken": _value(page, "csrfmiddlewaretoken"),
        "Upload-Page": _value(page, "submission"),
    }
    cookies = {name: one.value for name, one in public.cookies.items()}
    with playing("public"), _one_transaction():
        document = schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application())
        asked, faults = 0, []
        for found in document.get_all_operations():
            asked += 1
            faults += _faults(found.ok(), headers, cookies)
    assert faults == []
    # Its own address was asked by reading it.
    assert asked == len(TOLD) - 1


@contextmanager
def _one_transaction() -> Iterator[None]:
    """The end of a request leaves the connection open, as with Django's own client for tests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def _value(page: str, name: str) -> str:
    return page.partition(f'name="{name}" value="')[2].partition('"')[0]


def _faults(operation: Any, headers: dict[str, str], cookies: dict[str, str]) -> Iterator[str]:
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        try:
            _ask(operation, mode, headers, cookies)
        except (FailureGroup, Failure) as fault:
            yield f"{operation.method} {operation.path}: {_told(fault)}"


def _told(fault: BaseException) -> str:
    causes = fault.exceptions if isinstance(fault, BaseExceptionGroup) else (fault,)
    return f"{fault} " + "; ".join(str(cause) for cause in causes)


def _ask(
    operation: Any, mode: GenerationMode, headers: dict[str, str], cookies: dict[str, str]
) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        case.call_and_validate(checks=CHECKS, headers=headers, cookies=cookies)

    # Of what takes nothing at all, nothing unfitting can be made.
    with suppress(Unsatisfiable):
        check()


# --- the doors, by an endpoint that is nobody's


@with_key("register")
def who(_request: HttpRequest, caller: Caller) -> JsonResponse:
    """Says who asks."""
    return JsonResponse({"platform": caller.platform.name})


def echo(request: HttpRequest) -> JsonResponse:
    """Says what was sent."""
    return JsonResponse(bodies.document(request, limit_bytes=100))


@pytest.fixture
def house(public: Client, settings: Settings, key: ApiKey) -> Client:
    """The public process with two addresses more."""
    module = ModuleType("urls_of_a_test")
    module.__dict__.update(
        handler404="haechi.server.config.failures.not_found",
        handler500="haechi.server.config.failures.failed",
        urlpatterns=[
            path("api/who", by_method(GET=who)),
            path("api/echo", by_method(POST=open_to_all("api_open")(echo))),
        ],
    )
    settings.ROOT_URLCONF = module
    ApiKey.objects.filter(pk=key.pk).update(scopes=["register"])
    public.handler.enforce_csrf_checks = True
    public.raise_request_exception = False
    return public


def code(answer: Any) -> tuple[int, str]:
    """Status and stable code."""
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()["error"]["code"]


def bearer(text: str) -> dict[str, str]:
    """The header of a key."""
    return {"authorization": f"Bearer {text}"}


def test_a_key_opens_what_it_is_for_and_nothing_else(house: Client, key: ApiKey) -> None:
    """No key, a wrong, expired, revoked one, one of a disabled platform: one answer."""
    good = house.get("/api/who", headers=bearer(KEY))
    assert (good.status_code, good.json()) == (200, {"platform": "board"})
    for wrong in (
        "",
        "Basic abc",
        "Bearer",
        "Bearer  ",
        "Bearer wrong",
        "Bearer \udcff" + "x" * 300,
    ):
        answer = house.get("/api/who", headers={"authorization": wrong} if wrong else {})
        assert code(answer) == (401, "matching.key_refused")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    now = timezone.now()
    for columns in ({"expires_at": now}, {"revoked_at": now}):
        ApiKey.objects.filter(pk=key.pk).update(**columns)
        assert code(house.get("/api/who", headers=bearer(KEY)))[0] == 401
        ApiKey.objects.filter(pk=key.pk).update(expires_at=None, revoked_at=None)
    ApiKey.objects.filter(pk=key.pk).update(scopes=["match"])
    assert code(house.get("/api/who", headers=bearer(KEY))) == (403, "matching.scope_missing")
    Platform.objects.update(enabled=False)
    assert code(house.get("/api/who", headers=bearer(KEY)))[0] == 401


def test_too_many_requests_are_told_when_to_come_back(
    house: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B30: of a key, of wrong keys, and of whoever needs none."""
    one = Limit("address", 1)
    few = {"api": (Limit("key", 1),), "api_refused": (one,), "api_open": (one,)}
    monkeypatch.setattr(counting, "LIMITS", few)
    asked = {
        "/api/who": lambda: house.get("/api/who", headers=bearer(KEY)),
        "wrong": lambda: house.get("/api/who", headers=bearer("wrong")),
        "/api/echo": lambda: house.post("/api/echo", "{}", content_type="application/json"),
    }
    assert [ask().status_code for ask in asked.values()] == [200, 401, 200]
    for ask in asked.values():
        answer = ask()
        assert code(answer) == (429, "matching.rate_limited")
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"{'a': 1}", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff", b"[" * 90],
    ids=range(8),
)
def test_what_is_no_document_is_refused(house: Client, body: bytes) -> None:
    answer = house.post("/api/echo", body, content_type="application/json")
    assert code(answer) == (400, "format.invalid")


def test_a_document_has_a_length_and_a_charset(house: Client) -> None:
    long = house.post("/api/echo", b" " * 101, content_type="application/json")
    assert code(long) == (413, "media.too_many_bytes")
    odd = house.post("/api/echo", b"{}", content_type="application/json; charset=utf-7")
    assert code(odd) == (400, "web.unreadable")
    assert house.post("/api/echo", {"a": "b"}, content_type="application/json").json() == {"a": "b"}


def test_what_goes_wrong_around_an_endpoint_is_json(
    house: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """404, 500 and 503."""
    assert code(house.get("/api/nothing")) == (404, "web.not_found")
    with monkeypatch.context() as within:
        within.setattr(door.api_keys, "find", _raise(OperationalError("away")))
        away = house.get("/api/who", headers=bearer(KEY))
        within.setattr(door.api_keys, "find", _raise(RuntimeError("a fault of our own")))
        failed = house.get("/api/who", headers=bearer(KEY))
    assert code(away) == (503, "web.away")
    assert int(away.headers["Retry-After"]) > 0
    assert code(failed) == (500, "web.failed")


def _raise(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail
