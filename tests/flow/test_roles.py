"""Each process has its own database role, which may do what config/grants.py says and nothing else."""

from collections.abc import Iterator

import psycopg
import pytest
from django.apps import apps
from django.db import connection
from procrastinate.contrib.django import app
from psycopg.errors import InsufficientPrivilege
from tests.conftest import NOON
from tests.flow.conftest import host, playing, submit

from haechi.server import flow
from haechi.server.appeals.models import Appeal
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases.models import State as CaseState
from haechi.server.config import roles
from haechi.server.config.grants import FUNCTIONS, JOBS, PROCESSES, SEQUENCES, TABLES, Row
from haechi.server.matching.models import Platform
from haechi.server.reports import erasing, holds
from haechi.server.reports.models import ErasureReason, Report, Tombstone
from haechi.server.withheld import withheld

pytestmark = pytest.mark.django_db

VERBS = ("SELECT", "INSERT", "UPDATE")


@pytest.fixture
def columns() -> dict[str, tuple[str, ...]]:
    """Every table with its columns, as PostgreSQL knows them."""
    connection.ensure_connection()
    return roles.tables(connection.connection)


@pytest.fixture(params=["public", "match", "mail"])
def process(request: pytest.FixtureRequest) -> Iterator[str]:
    """A process that faces strangers; until the end of the test, this one has its rights."""
    with playing(request.param):
        yield request.param


def refused(statement: str) -> None:
    """The role in force may not do this."""
    raw = connection.connection
    with pytest.raises(InsufficientPrivilege), raw.transaction():
        raw.execute(statement)


def test_every_table_has_a_row_of_grants(columns: dict[str, tuple[str, ...]]) -> None:
    missing = columns.keys() - TABLES.keys()
    assert not missing, (
        f"new tables without a row in config/grants.py: {sorted(missing)}. Add "
        f'"{next(iter(missing))}": Row("why public needs it, or not", public=Right(...)) there; a '
        "column that public must not read becomes a Withheld*Field in its model"
    )
    gone = TABLES.keys() - columns.keys()
    assert not gone, f"rows of config/grants.py for tables that are not there: {sorted(gone)}"


def test_every_name_in_the_grants_is_a_column(columns: dict[str, tuple[str, ...]]) -> None:
    """A column that is renamed must not slip out of `all_but`."""
    wrong = [
        f"{table}.{name} ({process})"
        for table, row in TABLES.items()
        for process in PROCESSES
        for part in (
            getattr(row, process).read,
            getattr(row, process).add,
            getattr(row, process).change,
        )
        for name in part.names
        if name not in columns[table]
    ]
    assert wrong == []
    assert all(why for why in (row.why for row in TABLES.values()))


def test_what_public_may_not_read_is_withheld_in_the_model(
    columns: dict[str, tuple[str, ...]],
) -> None:
    """Django asks for all columns of a row; it must not ask for one that the role may not read."""
    for model in apps.get_models():
        table = model._meta.db_table
        if table not in TABLES:
            continue
        may = TABLES[table].public.read
        if not may.but:
            continue  # Django never reads whole rows of it there.
        assert set(columns[table]) - set(may.of(columns[table])) == withheld(model), (
            f"{table}: columns that public may not read must be Withheld*Field, and those only"
        )


@pytest.mark.parametrize("name", PROCESSES)
def test_the_database_gives_exactly_what_the_table_says(
    name: str, columns: dict[str, tuple[str, ...]]
) -> None:
    role, raw = roles.role_of(name), connection.connection
    wanted, given = set(), set()
    for table, names in columns.items():
        right = getattr(TABLES[table], name)
        parts = dict(zip(VERBS, (right.read, right.add, right.change), strict=True))
        wanted |= {(verb, table, one) for verb, part in parts.items() for one in part.of(names)}
        wanted |= {("DELETE", table, "")} if right.delete else set()
        for verb in VERBS:
            given |= {
                (verb, table, one)
                for one in names
                if raw.execute(
                    "SELECT has_column_privilege(%s, %s, %s, %s)", [role, table, one, verb]
                ).fetchone()[0]
            }
        given |= {
            (verb, table, "")
            for verb in ("DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")
            if raw.execute(
                "SELECT has_table_privilege(%s, %s, %s)", [role, table, verb]
            ).fetchone()[0]
        }
    assert given == wanted
    drawn = {
        row[0]
        for row in raw.execute(
            "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema()"
        )
        if raw.execute("SELECT has_sequence_privilege(%s, %s, 'USAGE')", [role, row[0]]).fetchone()[
            0
        ]
    }
    assert drawn == {one for one, processes in SEQUENCES.items() if name in processes}
    runs = {
        proname
        for proname, signature in roles._functions(raw)
        if raw.execute(
            "SELECT has_function_privilege(%s, %s, 'EXECUTE')", [role, signature.as_string()]
        ).fetchone()[0]
    }
    assert runs == {one for one, processes in FUNCTIONS.items() if name in processes}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_role_is_nobody_else_and_owns_nothing(name: str) -> None:
    raw = connection.connection
    flags = raw.execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication, rolinherit"
        " FROM pg_roles WHERE rolname = %s",
        [roles.role_of(name)],
    ).fetchone()
    assert not any(flags)
    owned = raw.execute(
        "SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", [roles.role_of(name)]
    ).fetchone()
    assert owned[0] == 0
    with playing(name):
        refused("CREATE TABLE mine (a int)")
        refused("CREATE TEMPORARY TABLE mine (a int)")
        refused("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
        refused("SET session_replication_role = replica")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password FROM staff_user",
        "SELECT totp_secret FROM staff_user",
        "SELECT count(*) FROM django_session",
        "SELECT count(*) FROM staff_loginattempt",
        "SELECT webhook_secret FROM matching_platform",
        "SELECT email FROM notices_receiver",
        "SELECT actor FROM audit_entry",
        "UPDATE cases_decision SET verdict = 'keep'",
        "UPDATE cases_case SET state = 'open'",
        "UPDATE audit_entry SET actor = 'nobody'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "DELETE FROM reports_report",
        "DELETE FROM evidence_exhibit",
        "INSERT INTO audit_entry (position) VALUES (1)",
        "INSERT INTO staff_user (username) VALUES ('me')",
        "INSERT INTO procrastinate_jobs (task_name) VALUES ('deliver_action')",
        "SELECT procrastinate_fetch_job_v2(NULL, 1)",
        "SELECT audit_append('a:b', 'c:1', '{}')",
        "SELECT haechi_check_job()",
    ],
)
def test_those_who_face_strangers_may_not(process: str, statement: str) -> None:
    refused(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT wrap_vault FROM reports_report",
        "SELECT key_digest FROM matching_apikey",
        "SELECT reason_sealed FROM cases_decision",
        "SELECT note FROM matching_member",
    ],
)
def test_public_may_not(statement: str) -> None:
    with playing("public"):
        refused(statement)


@pytest.mark.parametrize(
    "table", [name for name, row in TABLES.items() if not name.startswith("matching_")]
)
def test_the_match_service_knows_nothing_of_reports(table: str) -> None:
    with playing("match"):
        for statement in (f'SELECT count(*) FROM "{table}"', f'DELETE FROM "{table}"'):
            refused(statement)


def test_the_wrap_of_the_vault_is_not_even_asked_for(astronaut: bytes) -> None:
    """Django leaves out what the role may not read, also through joins."""
    report, _ = submit(astronaut)
    with playing("public"):
        assert Report.objects.get().wrap_vault is None
        assert Report.objects.get().wrap_code
    assert bytes(Report.objects.get(pk=report.pk).wrap_vault)


def test_secrets_of_platforms_are_not_asked_for(board: Platform, astronaut: bytes) -> None:
    hosted = host(board, astronaut)
    with playing("public"):
        found = type(hosted).objects.select_related("platform").get()
        assert found.platform.name == "board"
        assert found.platform.webhook_secret is None


@pytest.mark.parametrize(
    ("name", "actor", "may"),
    [
        ("public", "reporter", True),
        ("public", "poster", True),
        ("public", "staff:1", False),
        ("public", "worker", False),
        ("desk", "staff:1", True),
    ],
)
def test_the_log_is_written_in_ones_own_voice(
    board: Platform, name: str, actor: str, *, may: bool
) -> None:
    """A stolen public server cannot put words into the mouth of a reviewer (B34)."""
    with playing(name), connection.cursor():
        if may:
            audit.record("a:b", subject=board, actor=actor, at=NOON)
        else:
            statement = f"SELECT audit_record('a:b', 'c:1', '{{}}', '{actor}', now())"
            refused(statement)
    assert Entry.objects.filter(tag="a:b").count() == may
    assert audit.verify() == Entry.objects.count()


NO_REPORT = "00000000-0000-0000-0000-000000000000"


def asked(
    task: str, *, args: str, lock: str = "NULL", queueing: str = "NULL", at: str = "NULL"
) -> str:
    """The statement by which a process asks for a job."""
    row = f"'default', '{task}', 0, {lock}, {queueing}, '{args}', {at}"
    return f"SELECT procrastinate_defer_jobs_v1(ARRAY[ROW({row})::procrastinate_job_to_defer_v1])"


def test_public_asks_only_for_its_own_jobs() -> None:
    """And plainly: no other's lock, no periodic job's place, no other moment, no odd argument."""
    args, lock = f'{{"report_id": "{NO_REPORT}"}}', f"'report-{NO_REPORT}'"
    with playing("public"):
        flow.examine_report.configure(lock=f"report-{NO_REPORT}").defer(report_id=NO_REPORT)
        for statement in (
            asked("deliver_action", args="{}"),
            asked("examine_report", args=args),
            asked("examine_report", args=args, lock="'search_backwards'"),
            asked("examine_report", args=args, lock=lock, queueing="'watch_clocks'"),
            asked("examine_report", args=args, lock=lock, at="'2099-01-01'::timestamptz"),
            asked("examine_report", args='{"report_id": "x"}', lock="'report-x'"),
        ):
            refused(statement)
    known = {task.name for task in app.tasks.values()}
    assert {job for jobs in JOBS.values() for job in jobs} <= known


def test_public_takes_the_vaults_wrap_away_and_gives_no_other(cat: bytes) -> None:
    """A stolen public server seals no report to somebody else, and erases none under a hold."""
    report, _ = submit(cat)
    statement = "UPDATE reports_report SET wrap_vault = {} WHERE id = '" + str(report.pk) + "'"
    with playing("public"):
        refused(statement.format("'another'"))
    holds.place(report, holds.Grounds("w", "a"), until=None, actor="operator", now=NOON)
    with playing("public"):
        refused(statement.format("''"))


def test_the_worker_ends_an_erasure_with_its_own_rights(cat: bytes) -> None:
    """B32: every table that an erasure empties lets the worker do so."""
    report, _ = submit(cat, places=("https://a.example/1",))
    flow.open_case(report, now=NOON)
    erasing.destroy_keys(report, exhibits=1, actor="reporter", reason=ErasureReason.ASKED, now=NOON)
    with playing("worker"):
        flow.finish_erasure(str(report.pk))
    assert Tombstone.objects.get().finished_at is not None


def test_a_tombstone_alone_erases_nothing(cat: bytes) -> None:
    """Nor does a job that nobody asked for take a report back."""
    report, _ = submit(cat)
    case = flow.open_case(report, now=NOON)
    Tombstone.objects.create(
        report=report.pk,
        reason=ErasureReason.ASKED,
        actor="reporter",
        received_at=NOON,
        begun_at=NOON,
    )
    flow.finish_erasure(str(report.pk))
    flow.wind_down(str(report.pk))
    assert report.exhibits.exists()
    case.refresh_from_db()
    assert case.state == CaseState.OPEN


def test_rights_are_brought_back_and_nothing_is_given_twice() -> None:
    """`haechi setup` run again puts right what somebody has given by hand."""
    raw = connection.connection
    raw.execute("GRANT ALL ON staff_user, reports_report TO haechi_public")
    roles.apply(raw, {})
    with playing("public"):
        refused("SELECT count(*) FROM staff_user")
        refused("DELETE FROM reports_report")
        raw.execute("SELECT count(*) FROM reports_report")


def test_a_row_gives_strangers_nothing_by_itself() -> None:
    row = Row("new")
    assert not row.public.read.of(("a",))
    assert not row.match.read.of(("a",))
    assert row.worker.read.of(("a",)) == ("a",)


def test_appeals_are_taken_in_and_not_judged_in_public() -> None:
    assert Appeal._meta.db_table in TABLES
    with playing("public"):
        refused("UPDATE appeals_appeal SET outcome = 'granted'")


def test_a_login_with_too_many_rights_is_told() -> None:
    settings = connection.settings_dict
    url = psycopg.conninfo.make_conninfo(
        dbname=settings["NAME"], user=settings["USER"], host=settings["HOST"]
    )
    assert [found.table for found in roles.too_much(url, "public")] == [
        "staff_user",
        "django_session",
        "cases_decision",
    ]
    assert roles.too_much(url, "worker") == []
