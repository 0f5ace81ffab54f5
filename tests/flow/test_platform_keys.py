"""Every key of a platform is a row: the one it was registered with too."""

import argparse
import hashlib
from importlib import import_module

import pytest
from django.db import connection

from haechi.cli import installation, keys, people
from haechi.match_service.keys import SCOPES
from haechi.server.matching import api_keys
from haechi.server.matching.models import ApiKey, Platform

pytestmark = pytest.mark.django_db

FIRST_KEYS = import_module("haechi.server.matching.migrations.0008_first_keys")


@pytest.fixture(autouse=True)
def inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests are in a process of the server already."""
    monkeypatch.setattr(installation, "enter", lambda: None)


def added(capsys: pytest.CaptureFixture[str], *, may_curate: bool) -> str:
    """Register a platform by the command; the key it showed."""
    asked = argparse.Namespace(
        name="photos",
        base_url="https://p.example",
        webhook_url="https://p.example/hook",
        may_curate=may_curate,
    )
    assert people.add_platform(asked) == 0
    return capsys.readouterr().out.split()[2]


@pytest.mark.parametrize("may_curate", [False, True])
def test_the_key_of_platform_add_is_listed_and_revoked_like_others(
    capsys: pytest.CaptureFixture[str], *, may_curate: bool
) -> None:
    key = added(capsys, may_curate=may_curate)
    row = ApiKey.objects.get()
    assert bytes(row.key_digest) == hashlib.sha256(key.encode()).digest()
    assert set(row.scopes) == {*api_keys.FIRST_SCOPES, *(["curate"] if may_curate else [])}
    assert api_keys.known(key)

    assert keys.list_keys(argparse.Namespace(platform="photos")) == 0
    told = capsys.readouterr().out
    assert "in force" in told
    assert told.rstrip().endswith("first")
    assert key not in told

    assert keys.revoke_key(argparse.Namespace(number=row.pk)) == 0
    capsys.readouterr()
    keys.list_keys(argparse.Namespace(platform="photos"))
    assert "revoked" in capsys.readouterr().out


def test_a_platform_by_itself_has_no_key() -> None:
    names = {field.name for field in Platform._meta.get_fields()}
    assert not names & {"key_digest", "may_curate"}
    assert set(api_keys.FIRST_SCOPES) < set(SCOPES)


def test_keys_of_before_are_taken_over_with_what_they_could_do() -> None:
    """Temporary tables in the form they had come first on the path, and vanish with the test."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE matching_platform (id bigint, key_digest bytea, may_curate boolean);"
            "CREATE TEMP TABLE matching_apikey (id serial, platform_id bigint, name text,"
            " key_digest bytea UNIQUE, scopes text[], created_at timestamptz);"
            r"INSERT INTO matching_platform VALUES (1, '\x01', false), (2, '\x02', true);"
        )
        cursor.execute(FIRST_KEYS.SQL)
        cursor.execute("SELECT platform_id, name, key_digest, scopes FROM matching_apikey")
        rows = {row[0]: (row[1], bytes(row[2]), set(row[3])) for row in cursor.fetchall()}
    assert rows == {
        1: ("first", b"\x01", {"match", "register", "metrics"}),
        2: ("first", b"\x02", {"match", "register", "metrics", "curate"}),
    }
