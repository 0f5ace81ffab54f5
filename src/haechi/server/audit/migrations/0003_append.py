"""The log is also written by the database, so that no change of a bank can pass it by.

audit_append() does what audit.services.record() does, byte for byte (tests/flow/test_audit_sql.py):
the hash is SHA-256 over 0x02, the hash before, and the canonical JSON of the entry (haechi.ledger).
Keys of a detail must be ASCII, and its numbers whole. Only the owner of the tables may call it;
others reach it through triggers.

Whoever changes what is watched says first, in the same transaction, who acts: audit_acting().
"""

from django.db import migrations

# audit.services.CHAIN_LOCK
CHAIN_LOCK = 0x4841_4543

SQL = f"""
CREATE FUNCTION audit_canonical(given jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  CASE jsonb_typeof(given)
    WHEN 'object' THEN
      RETURN '{{' || coalesce((
        SELECT string_agg(to_json(key)::text || ':' || audit_canonical(value), ','
                          ORDER BY key COLLATE "C")
        FROM jsonb_each(given)), '') || '}}';
    WHEN 'array' THEN
      RETURN '[' || coalesce((
        SELECT string_agg(audit_canonical(value), ',' ORDER BY place)
        FROM jsonb_array_elements(given) WITH ORDINALITY AS row(value, place)), '') || ']';
    WHEN 'string' THEN
      RETURN to_json(given #>> '{{}}')::text;
    ELSE
      RETURN given::text;
  END CASE;
END $$;

CREATE FUNCTION audit_lock() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  -- Before any row is locked: two acts that lock in different orders would wait for each other.
  PERFORM pg_advisory_xact_lock({CHAIN_LOCK});
  RETURN NULL;
END $$;

CREATE FUNCTION audit_acting(actor text, moment timestamptz, reason text) RETURNS void
LANGUAGE sql AS $$
  SELECT set_config('haechi.actor', coalesce(actor, ''), true),
         set_config('haechi.at', coalesce(moment::text, ''), true),
         set_config('haechi.reason', coalesce(reason, ''), true);
$$;

CREATE FUNCTION audit_append(tag text, subject text, detail jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  moment timestamptz := coalesce(
    nullif(current_setting('haechi.at', true), '')::timestamptz, clock_timestamp());
  actor text := left(coalesce(
    nullif(current_setting('haechi.actor', true), ''), 'database:' || session_user), 60);
  reason text := nullif(current_setting('haechi.reason', true), '');
  before bytea;
  place bigint;
  payload text;
BEGIN
  PERFORM pg_advisory_xact_lock({CHAIN_LOCK});
  SELECT position, hash INTO place, before FROM audit_entry ORDER BY position DESC LIMIT 1;
  place := coalesce(place, 0) + 1;
  before := coalesce(before, decode(repeat('00', 32), 'hex'));
  IF reason IS NOT NULL THEN
    detail := detail || jsonb_build_object('reason', reason);
  END IF;
  payload := '{{"actor":' || to_json(actor)::text
    || ',"at":"' || to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00"'
    || ',"detail":' || audit_canonical(detail)
    || ',"position":' || place
    || ',"subject":' || to_json(subject)::text
    || ',"tag":' || to_json(tag)::text || '}}';
  INSERT INTO audit_entry (position, at, tag, actor, subject, detail, previous, hash)
  VALUES (place, moment, tag, actor, subject, detail, before,
          sha256('\\x02'::bytea || before || convert_to(payload, 'UTF8')));
END $$;
REVOKE EXECUTE ON FUNCTION audit_append(text, text, jsonb) FROM PUBLIC;
"""

# Who may only change banks runs these as their owner, so the path to the tables is fixed, and
# temporary tables come last on it.
PINNED = """
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION {function} SET search_path = %I, pg_temp', current_schema());
END $$;
"""
FUNCTIONS = ("audit_canonical(jsonb)", "audit_lock()", "audit_append(text, text, jsonb)")

UNDO = """
DROP FUNCTION audit_append(text, text, jsonb);
DROP FUNCTION audit_acting(text, timestamptz, text);
DROP FUNCTION audit_lock();
DROP FUNCTION audit_canonical(jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [migrations.RunSQL(
            SQL + "".join(PINNED.format(function=name) for name in FUNCTIONS), UNDO
        )]
