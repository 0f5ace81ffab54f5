"""The PostgreSQL roles of the processes: made, given exactly what grants.py says, and checked.

haechi_public, haechi_desk, haechi_worker and haechi_match log in, own nothing and inherit nothing. The
owner, who sets up and migrates, is whoever `haechi setup` connects as.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from haechi.errors import RolesMissing
from haechi.server.config.grants import (
    AS_OWNER,
    FAMILIES,
    FUNCTIONS,
    JOBS,
    PROCESSES,
    SEQUENCES,
    TABLES,
    TOLD,
    Columns,
)

type Connection = psycopg.Connection[Any]

# Any number, as long as nothing else in this database uses it.
SETUP_LOCK = 0x4841_5253


def role_of(process: str) -> str:
    """The database role of a process."""
    return f"haechi_{process}"


def apply(connection: Connection, passwords: Mapping[str, str]) -> None:
    """Make the roles and bring their rights to grants.py, in one transaction; safe to repeat.

    `passwords` by process; a role whose process is missing there keeps the one it has. Raises
    RolesMissing where the owner may not make roles: an administrator then makes them once.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [SETUP_LOCK])
        _make(connection, passwords)
        _tell_entries(connection)
        _nothing_for_everybody(connection)
        columns = tables(connection)
        for process in PROCESSES:
            _grant(connection, process, columns)
        _guard_jobs(connection)
        _guard_wraps(connection)


def tables(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Every table of the schema with its columns, in their order."""
    rows = connection.execute(
        "SELECT relname, array_agg(attname ORDER BY attnum) FROM pg_class"
        " JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped"
        " WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = current_schema()::regnamespace"
        " GROUP BY relname"
    ).fetchall()
    return {str(name): tuple(names) for name, names in rows}


def _make(connection: Connection, passwords: Mapping[str, str]) -> None:
    known = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
    for process in PROCESSES:
        role = sql.Identifier(role_of(process))
        try:
            if role_of(process) not in known:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(role))
            if process in passwords:
                _set_password(connection, role, role_of(process), passwords[process])
        except InsufficientPrivilege as error:
            raise RolesMissing(role_of(process)) from error


def _set_password(connection: Connection, role: sql.Identifier, name: str, password: str) -> None:
    # Hashed here: the server's log must not be able to show it.
    hashed = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    ).decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(hashed)))


def _nothing_for_everybody(connection: Connection) -> None:
    """Take what PostgreSQL gives to all by itself."""
    database, schema = _here(connection)
    for statement in (
        "REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",
        "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC",
        "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM PUBLIC",
    ):
        connection.execute(sql.SQL(statement).format(database=database, schema=schema))
    for name, signature in _functions(connection):
        connection.execute(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(signature))
        if name in AS_OWNER:
            connection.execute(
                sql.SQL("ALTER FUNCTION {} SECURITY DEFINER SET search_path = {}, pg_temp").format(
                    signature, schema
                )
            )


def _grant(connection: Connection, process: str, columns: Mapping[str, tuple[str, ...]]) -> None:
    role = sql.Identifier(role_of(process))
    database, schema = _here(connection)
    for statement in (
        "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
        "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}",
        "GRANT CONNECT ON DATABASE {database} TO {role}",
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
    ):
        connection.execute(sql.SQL(statement).format(database=database, schema=schema, role=role))
    for table, names in columns.items():
        if table not in TABLES:
            continue
        right = getattr(TABLES[table], process)
        _grant_columns(connection, "SELECT", right.read, table, names, role)
        _grant_columns(connection, "INSERT", right.add, table, names, role)
        _grant_columns(connection, "UPDATE", right.change, table, names, role)
        if right.delete:
            connection.execute(
                sql.SQL("GRANT DELETE ON {} TO {}").format(sql.Identifier(table), role)
            )
    for sequence, processes in SEQUENCES.items():
        if process in processes:
            connection.execute(
                sql.SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(sql.Identifier(sequence), role)
            )
    for name, signature in _functions(connection):
        may = process in FUNCTIONS.get(name, ())
        act = "GRANT EXECUTE ON FUNCTION {} TO {}" if may else "REVOKE ALL ON FUNCTION {} FROM {}"
        connection.execute(sql.SQL(act).format(signature, role))


def _grant_columns(
    connection: Connection,
    verb: str,
    wanted: Columns,
    table: str,
    names: tuple[str, ...],
    role: sql.Identifier,
) -> None:
    chosen = wanted.of(names)
    if not chosen:
        return
    listed = sql.SQL(", ").join(map(sql.Identifier, chosen))
    # For the whole table where that is meant: a column that a migration adds is then included.
    what = sql.SQL("") if wanted.but and not wanted.names else sql.SQL("({})").format(listed)
    connection.execute(
        sql.SQL("GRANT {} {} ON {} TO {}").format(sql.SQL(verb), what, sql.Identifier(table), role)
    )


def _functions(connection: Connection) -> list[tuple[str, sql.SQL]]:
    """Functions of our families: name, and what GRANT calls them."""
    rows = connection.execute(
        "SELECT proname, oid::regprocedure::text FROM pg_proc"
        " WHERE pronamespace = current_schema()::regnamespace AND proname ~ %s ORDER BY 1, 2",
        [f"^({'|'.join(FAMILIES)})"],
    ).fetchall()
    return [(str(name), sql.SQL(str(signature))) for name, signature in rows]


# A job that the public process asks for is about one report, waits behind that report's others, and
# stands in the way of nothing: no lock of a periodic job, no other moment, no higher priority.
_PLAIN_JOB = """
given.queueing_lock IS NULL AND given.scheduled_at IS NULL AND given.priority = 0
AND given.queue_name = 'default' AND given.status = 'todo'
AND CASE WHEN given.args ? 'report_id'
    THEN given.args->>'report_id' ~ '^[0-9a-f-]{36}$'
         AND given.lock = 'report-' || (given.args->>'report_id')
    ELSE given.args->>'exhibit_id' ~ '^[0-9a-f-]{36}$' AND given.lock IS NOT DISTINCT FROM NULL END
"""


def _tell_entries(connection: Connection) -> None:
    """Give the public process entries about what it names, of the kinds in TOLD and no others."""
    connection.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION audit_told(subjects text[]) RETURNS SETOF audit_entry"
            " LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$"
            "  SELECT * FROM audit_entry WHERE subject = ANY (subjects)"
            "  AND tag = ANY ({tags}::text[]) ORDER BY position"
            " $body$"
        ).format(schema=_here(connection)[1], tags=sql.Literal(list(TOLD)))
    )


def _guard_wraps(connection: Connection) -> None:
    """Let the public process empty the vault's wrap of a report, and nothing else; not under a hold."""
    connection.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION haechi_check_wrap() RETURNS trigger LANGUAGE plpgsql"
            " SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$"
            " BEGIN"
            "  IF audit_voice() = {public} AND (NEW.wrap_vault <> '' OR EXISTS ("
            "     SELECT FROM reports_hold hold WHERE hold.report_id = NEW.id"
            "     AND hold.released_at IS NULL AND coalesce(hold.until > now(), true))) THEN"
            "   RAISE EXCEPTION '% may not change what the vault opens', audit_voice()"
            "     USING ERRCODE = 'insufficient_privilege';"
            "  END IF;"
            "  RETURN NEW;"
            " END $body$"
        ).format(schema=_here(connection)[1], public=sql.Literal(role_of("public")))
    )
    connection.execute("REVOKE ALL ON FUNCTION haechi_check_wrap() FROM PUBLIC")
    connection.execute(
        "CREATE OR REPLACE TRIGGER haechi_check_wrap BEFORE UPDATE ON reports_report FOR EACH ROW"
        " WHEN (OLD.wrap_vault IS DISTINCT FROM NEW.wrap_vault)"
        " EXECUTE FUNCTION haechi_check_wrap()"
    )


def _guard_jobs(connection: Connection) -> None:
    """Let the public process and the match service ask only for the jobs in JOBS, plainly."""
    cases = sql.SQL(" ").join(
        sql.SQL("WHEN {} THEN given.task_name = ANY ({}::text[]) AND ({})").format(
            sql.Literal(role_of(process)), sql.Literal(list(names)), sql.SQL(_PLAIN_JOB)
        )
        for process, names in JOBS.items()
    )
    connection.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION haechi_check_job() RETURNS trigger LANGUAGE plpgsql"
            " SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$"
            " DECLARE given procrastinate_jobs := NEW;"
            " BEGIN"
            "  IF (CASE audit_voice() {cases} ELSE true END) IS NOT TRUE THEN"
            "   RAISE EXCEPTION '% may not ask for the job %', audit_voice(), given.task_name"
            "     USING ERRCODE = 'insufficient_privilege';"
            "  END IF;"
            "  RETURN NEW;"
            " END $body$"
        ).format(schema=_here(connection)[1], cases=cases)
    )
    connection.execute("REVOKE ALL ON FUNCTION haechi_check_job() FROM PUBLIC")
    connection.execute(
        "CREATE OR REPLACE TRIGGER haechi_check_job BEFORE INSERT OR UPDATE ON procrastinate_jobs"
        " FOR EACH ROW EXECUTE FUNCTION haechi_check_job()"
    )


def _here(connection: Connection) -> tuple[sql.Identifier, sql.Identifier]:
    row = connection.execute("SELECT current_database(), current_schema()").fetchone()
    assert row is not None  # noqa: S101  # a SELECT without FROM has one row
    return sql.Identifier(str(row[0])), sql.Identifier(str(row[1]))


@dataclass(frozen=True)
class TooMuch:
    """A right that the connected role has and its process must not have."""

    verb: str
    table: str


# One or two of what a process must not do: enough to tell its role from the owner's or another's.
FORBIDDEN: dict[str, tuple[tuple[str, str], ...]] = {
    "public": (
        ("SELECT", "staff_user"),
        ("SELECT", "django_session"),
        ("UPDATE", "cases_decision"),
    ),
    "match": (
        ("SELECT", "reports_report"),
        ("SELECT", "staff_user"),
    ),
    "mail": (
        ("SELECT", "notices_incoming"),
        ("SELECT", "reports_report"),
        ("SELECT", "staff_user"),
    ),
}


def too_much(url: str, process: str) -> list[TooMuch]:
    """What the role in `url` may do that `process` must not. Raises psycopg.Error.

    Tables that are not there yet count as harmless.
    """
    if process not in FORBIDDEN:
        return []
    found = []
    with psycopg.connect(url, connect_timeout=5) as connection:
        for verb, table in FORBIDDEN[process]:
            row = connection.execute(
                "SELECT coalesce(CASE WHEN %(verb)s IN ('SELECT', 'INSERT', 'UPDATE')"
                " THEN has_any_column_privilege(to_regclass(%(table)s)::oid, %(verb)s)"
                " ELSE has_table_privilege(to_regclass(%(table)s)::oid, %(verb)s) END, false)",
                {"table": table, "verb": verb},
            ).fetchone()
            if row and row[0]:
                found.append(TooMuch(verb, table))
    return found
