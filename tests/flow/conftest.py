"""A database with a platform, a bank, two reviewers; and both surfaces as clients."""

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client, override_settings
from django.utils import translation
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings
from tests import quick
from tests.conftest import NOON

from haechi import fingerprint, seal
from haechi.blobs import LocalStore
from haechi.fingerprint.address import url_digest
from haechi.server import flow
from haechi.server.api import door
from haechi.server.cases import rules
from haechi.server.cases.models import Case, Decision, Verdict
from haechi.server.cases.ruling import Ruling
from haechi.server.config import roles
from haechi.server.evidence import services as evidence
from haechi.server.evidence.sealing import SealedFile, SealingUploadHandler
from haechi.server.matching import services as matching
from haechi.server.matching.models import Hosted, Platform
from haechi.server.public import limits
from haechi.server.reports.models import Age, Harm, Report
from haechi.server.reports.return_code import ReturnCode
from haechi.server.reports.services import Submission
from haechi.server.reports.story import Story
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User

BOARD_URL = "https://board.example/post/1"
EMPTIED = ("matching", "audit", "procrastinate")
OUTSIDE_URL = "https://photos.outside.example/a/1.jpg"


@pytest.fixture(autouse=True)
def _blobs(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.BLOBS = tmp_path_factory.mktemp("home") / "blobs"
    LocalStore(settings.BLOBS)


@pytest.fixture(autouse=True)
def _quick(settings: Settings) -> Iterator[None]:
    settings.PASSWORD_HASHERS = quick.HASHERS
    with quick.codes():
        yield


@pytest.fixture(autouse=True)
def _nobody_was_here() -> None:
    """All tests come from one address."""
    limits.COUNTS.forget()
    door.COUNTS.forget()


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """A page leaves the language of its reader active in its thread."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _fresh_catalog() -> Iterator[None]:
    """The catalog remembers rows that the next test's rolled-back database does not have."""
    matching.known.cache_clear()
    yield
    matching.known.cache_clear()


@pytest.fixture(autouse=True)
def _fresh_rules() -> Iterator[None]:
    """So does the memory of the rules of law."""
    rules.forget()
    yield
    rules.forget()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Rows that other connections see, and that are gone afterwards.

    Not pytest-django's `transaction=True`: it empties all tables, and the audit log refuses.
    """
    with django_db_blocker.unblock():
        kept = {table for table in connection.introspection.table_names() if _rows_in(table)}
        yield
        with connection.cursor() as cursor:
            cursor.execute(
                "SET session_replication_role = replica"
            )  # no triggers: the log goes too
            for table in connection.introspection.table_names():
                if table not in kept or table.partition("_")[0] in EMPTIED:
                    cursor.execute(f'DELETE FROM "{table}"')
            cursor.execute("RESET session_replication_role")
        connection.close()


def _rows_in(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}")')
        return bool(cursor.fetchone()[0])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The tables, and the roles of the processes with their rights."""
    with django_db_blocker.unblock():
        connection.ensure_connection()
        roles.apply(connection.connection, {})
        connection.close()


@contextmanager
def playing(process: str) -> Iterator[None]:
    """Until the end, this process has the database rights of another, in the same transaction.

    The public one has no vault either, and no desk's secret.
    """
    told = django_settings.HAECHI
    if process == "public":
        told = replace(told, surface="public", vault_identity_file=None, signing_key_file=None)
    # Past Django, which some tests have pretend that the database is away, or forbid to ask it.
    raw = connection.connection
    if raw is not None:
        raw.execute(f"SET ROLE {roles.role_of(process)}")
    try:
        with override_settings(HAECHI=told):
            yield
    finally:
        # In a transaction that an error has ended already, the role goes with it.
        if raw is not None and not raw.closed:
            with suppress(psycopg.Error):
                raw.execute("RESET ROLE")


class AsProcess(Client):
    """A browser at a site whose process has its own database rights."""

    process = "public"

    def request(self, **asked: Any) -> Any:
        """One request, with that process's rights."""
        with playing(self.process):
            return super().request(**asked)


@pytest.fixture
def public(settings: Settings) -> Client:
    """A browser at the public site; this process plays the public one, without the vault."""
    settings.ROOT_URLCONF = "haechi.server.config.urls_public"
    settings.MIDDLEWARE = django_settings.MIDDLEWARE_PUBLIC
    return AsProcess(headers={"accept-language": "en"})


class AsDesk(AsProcess):
    """A browser at the desk, whose process has the desk's rights."""

    process = "desk"


@pytest.fixture
def desk(settings: Settings) -> Client:
    """A browser at the desk."""
    settings.ROOT_URLCONF = "haechi.server.config.urls_desk"
    settings.MIDDLEWARE = django_settings.MIDDLEWARE_DESK
    return AsDesk(headers={"accept-language": "en"})


@pytest.fixture
def reviewer(db: None) -> User:
    """Somebody who decides."""
    return staff.add("rim", "Rim", Role.REVIEWER, "a long pass phrase", actor="test", now=NOON)[0]


@pytest.fixture
def second_reviewer(db: None) -> User:
    """Somebody else who decides."""
    return staff.add("sol", "Sol", Role.REVIEWER, "a long pass phrase", actor="test", now=NOON)[0]


@pytest.fixture
def board(db: None) -> Platform:
    """A platform that obeys webhooks."""
    return matching.register_platform(
        "board",
        "https://board.example",
        "http://127.0.0.1:9/haechi/webhook",
        webhook_secret=b"s" * 32,
    )


def seal_file(data: bytes, identity: str, name: str = "me.jpg") -> SealedFile:
    """What the upload handler makes of one file, sealed to `identity`."""
    handler = SealingUploadHandler()
    handler.identity = identity
    handler.file_name = name
    source = io.BytesIO(data)
    while chunk := source.read(handler.chunk_size):
        handler.receive_data_chunk(chunk, 0)
    upload = handler.file_complete(len(data))
    assert upload is not None
    assert upload.sealed is not None, upload.refusal
    return upload.sealed


def submit(*pictures: bytes, places: tuple[str, ...] = ()) -> tuple[Report, ReturnCode]:
    """A complete report of an adult, with every element of a valid request."""
    identity = seal.new_identity()
    submission = Submission(
        token=secrets.token_urlsafe(32),
        identity=identity,
        language="ko",
        age=Age.ADULT,
        harms=(Harm.MADE, Harm.SHARED),
        story=Story(told="Somebody posted this.", declared=True, signature="K."),
        locations=places,
    )
    files = [seal_file(picture, identity) for picture in pictures]
    return flow.submit_report(submission, files, now=NOON)


def host(board: Platform, picture: bytes, *, url: str = BOARD_URL, content_id: str = "1") -> Hosted:
    """A picture the board publishes, as the match service registers it."""
    key = django_settings.HAECHI.digest_key
    return Hosted.objects.create(
        platform=board,
        content_id=content_id,
        url_digest=url_digest(key, url),
        account_digest=url_digest(key, "@somebody"),
        registered_at=NOON,
        **evidence.columns(fingerprint.image(picture)),
    )


def refused(
    case: Case,
    reviewer: User,
    *,
    verdict: Verdict = Verdict.KEEP,
    reason: str = "A holiday photo.",
    now: datetime = NOON,
) -> Decision:
    """Two people conclude the same, each without the other; `reviewer` is the second."""
    other = (
        User.objects.filter(username="han").first()
        or staff.add("han", "Han", Role.REVIEWER, "a long pass phrase", actor="test", now=NOON)[0]
    )
    for place, actor in enumerate((other, reviewer), start=1):
        decision = flow.judge(
            case, Ruling(verdict, reason=reason), remove=(), place=place, actor=actor, now=now
        )
    assert decision is not None
    return decision
