"""Whatever brings a member into force has it looked for in what is hosted; and nothing is deleted.

0005 did so only for members whose own status became confirmed. They also come into force when their
bank is switched on or begins to act, when the bank or their source is trusted, and when a pause or an
end is moved.

Match processes catch up by numbers, and a row that is gone has none: its member would go on matching
until they are started again, and the log would not say why.
"""

from django.db import migrations

SQL = """
CREATE FUNCTION matching_search(members bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER AS $$
  INSERT INTO matching_backsearch (member_id, asked_at)
  SELECT DISTINCT id, now() FROM unnest(members) AS id
  ON CONFLICT (member_id) DO UPDATE SET asked_at = excluded.asked_at, done_at = NULL;
$$;
REVOKE EXECUTE ON FUNCTION matching_search(bigint[]) FROM PUBLIC;

CREATE FUNCTION matching_in_force(of_bank bigint, of_source text) RETURNS bigint[]
LANGUAGE sql STABLE AS $$
  SELECT array_agg(member.id)
  FROM matching_member AS member JOIN matching_bank AS bank ON bank.id = member.bank_id
  LEFT JOIN matching_source AS source
         ON source.bank_id = member.bank_id AND source.name = member.source
  WHERE member.bank_id = of_bank AND (of_source IS NULL OR member.source = of_source)
    AND (member.status = 'confirmed' OR member.status = 'pending'
         AND (bank.trusted OR coalesce(source.trusted, false)));
$$;

CREATE FUNCTION matching_bank_searched() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  acting boolean := NEW.enabled AND NEW.deleted_at IS NULL AND NEW.policy IN ('block', 'review');
  acted boolean := OLD.enabled AND OLD.deleted_at IS NULL AND OLD.policy IN ('block', 'review');
BEGIN
  IF acting AND (NOT acted OR NEW.trusted AND NOT OLD.trusted) THEN
    PERFORM matching_search(matching_in_force(NEW.id, NULL));
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION matching_source_searched() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF NEW.trusted AND (TG_OP = 'INSERT' OR NOT OLD.trusted) THEN
    PERFORM matching_search(matching_in_force(NEW.bank_id, NEW.name));
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION matching_members_searched() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM matching_search(array_agg(added.id))
  FROM added JOIN matching_bank AS bank ON bank.id = added.bank_id
  LEFT JOIN matching_source AS source
         ON source.bank_id = added.bank_id AND source.name = added.source
  WHERE added.status = 'pending' AND (bank.trusted OR coalesce(source.trusted, false));
  RETURN NULL;
END $$;

CREATE FUNCTION matching_members_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM matching_search(array_agg(became.id))
  FROM old_rows AS was JOIN new_rows AS became USING (id)
  WHERE became.status = 'confirmed'
    AND (was.paused_until, was.expires_at) IS DISTINCT FROM (became.paused_until, became.expires_at);
  RETURN NULL;
END $$;

CREATE TRIGGER matching_bank_search AFTER UPDATE ON matching_bank
  FOR EACH ROW EXECUTE FUNCTION matching_bank_searched();
CREATE TRIGGER matching_source_search AFTER INSERT OR UPDATE ON matching_source
  FOR EACH ROW EXECUTE FUNCTION matching_source_searched();
CREATE TRIGGER matching_member_search AFTER INSERT ON matching_member
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION matching_members_searched();
CREATE TRIGGER matching_member_moved AFTER UPDATE ON matching_member
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION matching_members_moved();

CREATE FUNCTION matching_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never deleted: withdraw the member, disable the bank', TG_TABLE_NAME;
END $$;
"""
KEPT = """
CREATE TRIGGER {table}_kept BEFORE DELETE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION matching_kept();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION matching_kept();
"""
TABLES = ("matching_bank", "matching_source", "matching_member", "matching_opinion")

# See audit/migrations/0003_append.py.
PINNED = """
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION {function} SET search_path = %I, pg_temp', current_schema());
END $$;
"""
FUNCTIONS = (
    "matching_search(bigint[])",
    "matching_in_force(bigint, text)",
    "matching_bank_searched()",
    "matching_source_searched()",
    "matching_members_searched()",
    "matching_members_moved()",
)
UNDO = """
DROP FUNCTION matching_kept() CASCADE;
DROP FUNCTION matching_members_moved() CASCADE;
DROP FUNCTION matching_members_searched() CASCADE;
DROP FUNCTION matching_source_searched() CASCADE;
DROP FUNCTION matching_bank_searched() CASCADE;
DROP FUNCTION matching_in_force(bigint, text);
DROP FUNCTION matching_search(bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [("matching", "0006_api_keys")]

    operations = [
        migrations.RunSQL(
            SQL
            + "".join(KEPT.format(table=table) for table in TABLES)
            + "".join(PINNED.format(function=name) for name in FUNCTIONS),
            UNDO,
        )
    ]
