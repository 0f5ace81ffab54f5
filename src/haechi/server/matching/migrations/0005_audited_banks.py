"""Whoever changes a bank leaves an entry in the audit log: the database itself writes it.

The desk, the commands, HMA's API and a person with psql all change the same tables, so the entry
is written there, in the transaction of the change. More than 20 members changed by one statement
in the same way are one entry with their number and a digest over them.

A confirmed member is put down to be looked for in what is hosted already, in the same transaction.

Locks are always taken in this order: the log's, the number's, rows. Hosted content has a lock of
its own for its numbers, because it is registered far more often and never waits for the log.
"""

from django.db import migrations

SQL = """
-- One payload for all: a transaction then wakes each match process once, however much it changed.
CREATE OR REPLACE FUNCTION matching_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1297371208);
  NEW.seq := nextval('matching_seq');
  PERFORM pg_notify('haechi_matching', '');
  RETURN NEW;
END $$;
DROP TRIGGER matching_hosted_number ON matching_hosted;
CREATE FUNCTION matching_number_hosted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1297371209);
  NEW.seq := nextval('matching_seq');
  RETURN NEW;
END $$;
CREATE TRIGGER matching_hosted_number BEFORE INSERT OR UPDATE ON matching_hosted
  FOR EACH ROW EXECUTE FUNCTION matching_number_hosted();
CREATE TRIGGER matching_source_number BEFORE INSERT OR UPDATE ON matching_source
  FOR EACH ROW EXECUTE FUNCTION matching_number();

CREATE FUNCTION matching_seen(given jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  -- What of a row counts as changed; fingerprints are told by the digest of an addition.
  SELECT given - ARRAY['seq', 'embedding', 'views', 'frames', 'turns', 'held_at', 'released_at'];
$$;

CREATE FUNCTION matching_tag(was jsonb, now jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN was IS NULL OR was->>'status' <> now->>'status' THEN 'member:' || (now->>'status')
    WHEN was->>'held' <> now->>'held' AND now->>'held' = '' THEN 'member:released'
    WHEN was->>'held' <> now->>'held' THEN 'member:held'
    ELSE 'member:changed'
  END;
$$;

CREATE FUNCTION matching_changed(was jsonb, now jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_agg(key ORDER BY key COLLATE "C"), '[]')
  FROM jsonb_each(now) WHERE was->key IS DISTINCT FROM value;
$$;

CREATE TYPE matching_act AS (id bigint, bank bigint, tag text, detail jsonb, digest bytea);

CREATE FUNCTION matching_write(acts matching_act[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  alike record;
  one record;
BEGIN
  FOR alike IN
    SELECT bank, tag, detail, count(*) AS members, min(id) AS first, max(id) AS last,
           encode(sha256(string_agg(int8send(id) || digest, ''::bytea ORDER BY id)), 'hex') AS digest
    FROM unnest(acts) GROUP BY bank, tag, detail ORDER BY min(id)
  LOOP
    IF alike.members > 20 THEN
      PERFORM audit_append(alike.tag, 'matching.bank:' || alike.bank, alike.detail || jsonb_build_object(
        'members', alike.members, 'first', alike.first, 'last', alike.last, 'digest', alike.digest));
    ELSE
      FOR one IN SELECT id FROM unnest(acts)
        WHERE bank = alike.bank AND tag = alike.tag AND detail = alike.detail ORDER BY id
      LOOP
        PERFORM audit_append(alike.tag, 'matching.member:' || one.id, alike.detail);
      END LOOP;
    END IF;
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION matching_write(matching_act[]) FROM PUBLIC;

CREATE FUNCTION matching_digest(sha256 bytea, md5 bytea, pdq bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(sha256, '') || '|'::bytea || coalesce(md5, '') || '|'::bytea || coalesce(pdq, '');
$$;

CREATE FUNCTION matching_members_added() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM matching_write(array_agg((id, bank_id, 'member:' || status,
    jsonb_build_object('bank', bank_id, 'source', source),
    matching_digest(sha256, md5, pdq))::matching_act)) FROM added;
  INSERT INTO matching_backsearch (member_id, asked_at)
  SELECT id, now() FROM added WHERE status = 'confirmed';
  RETURN NULL;
END $$;

CREATE FUNCTION matching_members_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM matching_write(array_agg((id, bank, matching_tag(was, now),
    jsonb_build_object('bank', bank, 'changed', changed, 'held', now->>'held'),
    digest)::matching_act))
  FROM (SELECT was.id, became.bank_id AS bank, pair.was, pair.now,
               matching_changed(pair.was, pair.now) AS changed,
               matching_digest(became.sha256, became.md5, became.pdq) AS digest
        FROM old_rows AS was JOIN new_rows AS became USING (id),
             LATERAL (SELECT matching_seen(to_jsonb(was)) AS was,
                             matching_seen(to_jsonb(became)) AS now) AS pair
        WHERE pair.was <> pair.now) AS pairs;
  INSERT INTO matching_backsearch (member_id, asked_at)
  SELECT became.id, now() FROM old_rows AS was JOIN new_rows AS became USING (id)
  WHERE became.status = 'confirmed' AND was.status <> 'confirmed'
  ON CONFLICT (member_id) DO UPDATE SET asked_at = excluded.asked_at, done_at = NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION matching_bank_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  here text := 'matching.bank:' || CASE TG_TABLE_NAME
    WHEN 'matching_bank' THEN to_jsonb(NEW)->>'id' ELSE to_jsonb(NEW)->>'bank_id' END;
  was jsonb := CASE TG_OP WHEN 'UPDATE' THEN matching_seen(to_jsonb(OLD)) ELSE '{}' END;
  became jsonb := matching_seen(to_jsonb(NEW));
  changed jsonb := matching_changed(was, became);
  kind text := CASE TG_TABLE_NAME WHEN 'matching_bank' THEN 'bank' ELSE 'source' END;
  tag text;
BEGIN
  IF changed = '[]' THEN
    RETURN NULL;
  END IF;
  tag := CASE
    WHEN TG_OP = 'INSERT' THEN kind || ':made'
    WHEN kind = 'bank' AND was->>'deleted_at' IS NULL AND became->>'deleted_at' IS NOT NULL
      THEN 'bank:deleted'
    WHEN changed = '["enabled"]' AND (became->>'enabled')::boolean THEN 'bank:enabled'
    WHEN changed = '["enabled"]' THEN 'bank:disabled'
    ELSE kind || ':changed'
  END;
  -- As text: thresholds are fractions, which the log's canonical form does not admit.
  PERFORM audit_append(tag, here, jsonb_build_object('changed', changed,
    'before', (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(was)
               WHERE changed ? key)::text,
    'after', (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(became)
              WHERE changed ? key)::text));
  RETURN NULL;
END $$;

CREATE FUNCTION matching_opinion_given() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM audit_append('opinion:given', 'matching.member:' || NEW.member_id,
                       jsonb_build_object('verdict', NEW.verdict));
  RETURN NULL;
END $$;

CREATE TRIGGER matching_bank_lock BEFORE INSERT OR UPDATE ON matching_bank
  FOR EACH STATEMENT EXECUTE FUNCTION audit_lock();
CREATE TRIGGER matching_source_lock BEFORE INSERT OR UPDATE ON matching_source
  FOR EACH STATEMENT EXECUTE FUNCTION audit_lock();
CREATE TRIGGER matching_member_lock BEFORE INSERT OR UPDATE ON matching_member
  FOR EACH STATEMENT EXECUTE FUNCTION audit_lock();
CREATE TRIGGER matching_bank_audit AFTER INSERT OR UPDATE ON matching_bank
  FOR EACH ROW EXECUTE FUNCTION matching_bank_changed();
CREATE TRIGGER matching_source_audit AFTER INSERT OR UPDATE ON matching_source
  FOR EACH ROW EXECUTE FUNCTION matching_bank_changed();
CREATE TRIGGER matching_member_added AFTER INSERT ON matching_member
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION matching_members_added();
CREATE TRIGGER matching_member_changed AFTER UPDATE ON matching_member
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION matching_members_changed();
CREATE TRIGGER matching_opinion_audit AFTER INSERT ON matching_opinion
  FOR EACH ROW EXECUTE FUNCTION matching_opinion_given();
"""

UNDO = """
DROP FUNCTION matching_opinion_given() CASCADE;
DROP FUNCTION matching_bank_changed() CASCADE;
DROP FUNCTION matching_members_changed() CASCADE;
DROP FUNCTION matching_members_added() CASCADE;
DROP FUNCTION matching_write(matching_act[]);
DROP FUNCTION matching_digest(bytea, bytea, bytea);
DROP TYPE matching_act;
DROP FUNCTION matching_changed(jsonb, jsonb);
DROP FUNCTION matching_tag(jsonb, jsonb);
DROP FUNCTION matching_seen(jsonb);
DROP TRIGGER matching_bank_lock ON matching_bank;
DROP TRIGGER matching_source_lock ON matching_source;
DROP TRIGGER matching_member_lock ON matching_member;
DROP TRIGGER matching_source_number ON matching_source;
DROP FUNCTION matching_number_hosted() CASCADE;
CREATE TRIGGER matching_hosted_number BEFORE INSERT OR UPDATE ON matching_hosted
  FOR EACH ROW EXECUTE FUNCTION matching_number();
"""


# See audit/migrations/0003_append.py.
PINNED = """
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION {function} SET search_path = %I, pg_temp', current_schema());
END $$;
"""
FUNCTIONS = (
    "matching_write(matching_act[])",
    "matching_members_added()",
    "matching_members_changed()",
    "matching_bank_changed()",
    "matching_opinion_given()",
)


class Migration(migrations.Migration):
    dependencies = [("matching", "0004_banks"), ("audit", "0003_append")]

    operations = [migrations.RunSQL(
            SQL + "".join(PINNED.format(function=name) for name in FUNCTIONS), UNDO
        )]
