"""What the database writes into the log is what audit.record would have written."""

import json

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import NOON

from haechi import ledger
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry

pytestmark = pytest.mark.django_db

# PostgreSQL stores neither NUL nor half a surrogate pair.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
LARGEST = 2**53 - 1
VALUE = st.recursive(
    TEXT | st.integers(-LARGEST, LARGEST) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)
DETAIL = st.dictionaries(st.from_regex("[A-Za-z_0-9]{1,12}", fullmatch=True), VALUE, max_size=5)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actor=TEXT, tag=TEXT, subject=TEXT, detail=DETAIL, reason=TEXT)
def test_the_database_hashes_as_the_ledger_does(
    db: None, actor: str, tag: str, subject: str, detail: dict[str, object], reason: str
) -> None:
    before = Entry.objects.order_by("-position").first()
    with audit.acting(actor, at=NOON, reason=reason), connection.cursor() as cursor:
        cursor.execute("SELECT audit_append(%s, %s, %s)", [tag, subject, json.dumps(detail)])
    entry = Entry.objects.order_by("-position")[0]
    assert (entry.tag, entry.subject, entry.at) == (tag, subject, NOON)
    assert entry.detail == detail | ({"reason": reason} if reason else {})
    assert entry.actor == (actor[:60] or entry.actor)
    assert bytes(entry.previous) == (bytes(before.hash) if before else bytes(32))
    assert bytes(entry.hash) == ledger.entry_hash(bytes(entry.previous), audit.payload(entry))


def test_both_hands_write_one_chain() -> None:
    with audit.acting("staff:1", at=NOON), connection.cursor() as cursor:
        cursor.execute("SELECT audit_append('a:b', 'c:1', '{}')")
    audit.record("a:c", subject=Entry.objects.get(), actor="staff:1", at=NOON)
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_append('a:d', 'c:1', '{\"n\": [1, true, null, \"x\"]}')")
    assert audit.verify() == 3
    last = Entry.objects.get(position=3)
    assert last.actor.startswith("database:"), "nobody said who acts, so the login is named"
