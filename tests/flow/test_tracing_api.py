"""What AI services tell through the API, and the file they get back."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from tests.conftest import NOON
from tests.flow.test_api import KEY, bearer

from haechi.server.matching import api_keys
from haechi.server.matching.models import ApiKey, Platform
from haechi.server.tracing import registry
from haechi.server.tracing.models import Erasure, Generation

pytestmark = pytest.mark.django_db
TOLD = {"account": "mina@mail.example", "model": "painter 2", "made_at": "2026-11-22T11:00:00Z"}


@pytest.fixture
def key(board: Platform) -> ApiKey:
    """A key of a service that labels what it makes."""
    return api_keys.add(
        board, KEY, name="ai", scopes=["label"], expires_at=None, actor="test", now=NOON
    )


def tell(public: Client, what: object, where: str = "/api/v1/generations") -> Any:
    body = what if isinstance(what, bytes) else json.dumps(what).encode()
    kind = "application/json"
    return public.post(where, body, content_type=kind, headers=bearer(KEY))


def test_a_service_writes_down_what_it_made(public: Client, key: ApiKey) -> None:
    """B21: the same number again is answered the same, and is one record."""
    told = TOLD | {"produce_id": "n-1", "pdq": "0f" * 32, "pdq_quality": 90, "sha256": "ab" * 32}
    first, again = tell(public, told), tell(public, told)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert re.fullmatch("[0-9a-f]{12}", first.json()["trace_id"])
    row = Generation.objects.get()
    assert (bytes(row.pdq or b"").hex(), row.pdq_quality) == ("0f" * 32, 90)
    other = tell(public, told | {"account": "another"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "tracing.known")


@pytest.mark.parametrize(
    "changed",
    [
        {"account": ""},
        {"account": "x" * 201},
        {"account": "a\x00b"},
        {"account": "\ud800"},
        {"account": 7},
        {"model": None},
        {"made_at": "yesterday"},
        {"made_at": "2026-11-22T11:00:00"},
        {"made_at": "2999-01-01T00:00:00Z"},
        {"made_at": "0001-01-01T00:00:00+23:59"},
        {"produce_id": "with space"},
        {"produce_id": 'quo"te'},
        {"produce_id": "번호"},
        {"prompt_sha256": "ab"},
        {"sha256": ["ab"]},
        {"pdq": "0f" * 32},
        {"pdq": "0f" * 32, "pdq_quality": 101},
        {"pdq": "0f" * 32, "pdq_quality": True},
        {"media_type": "text/html"},
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    public: Client, key: ApiKey, changed: dict[str, object]
) -> None:
    """B16."""
    answer = tell(public, TOLD | changed)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "format.invalid")
    assert not Generation.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"\xff", b"[" * 60_000])
def test_what_is_no_document_is_refused(public: Client, key: ApiKey, body: bytes) -> None:
    assert tell(public, body).status_code == 400


def test_without_the_scope_nothing_is_taken(public: Client, board: Platform) -> None:
    api_keys.add(board, KEY, name="x", scopes=["act"], expires_at=None, actor="test", now=NOON)
    for where in ("generations", "accounts/erase"):
        answer = tell(public, TOLD, f"/api/v1/{where}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            403,
            "matching.scope_missing",
        )


def test_a_service_asks_that_an_account_be_erased(public: Client, key: ApiKey) -> None:
    tell(public, TOLD)
    answer = tell(public, {"account": TOLD["account"]}, "/api/v1/accounts/erase")
    again = tell(public, {"account": TOLD["account"]}, "/api/v1/accounts/erase")
    assert (answer.status_code, again.json()) == (202, answer.json())
    assert Erasure.objects.get().asked_at.isoformat() == answer.json()["asked_at"]
    assert registry.forget(now=NOON.replace(year=2027)) == 1
