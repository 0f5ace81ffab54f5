"""Every change of what we know gets the next number and wakes the match processes.

The advisory lock is held until commit, so numbers become visible in their order: a reader that
asks for "everything after n" misses nothing.
"""

from django.db import migrations

SQL = """
CREATE SEQUENCE matching_seq;
CREATE FUNCTION matching_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1297371208);
  NEW.seq := nextval('matching_seq');
  PERFORM pg_notify('haechi_matching', NEW.seq::text);
  RETURN NEW;
END $$;
"""
TRIGGER = """
CREATE TRIGGER {table}_number BEFORE INSERT OR UPDATE ON {table}
  FOR EACH ROW EXECUTE FUNCTION matching_number();
"""
TABLES = ("matching_bank", "matching_member", "matching_hosted")


class Migration(migrations.Migration):
    dependencies = [("matching", "0001_initial")]

    operations = [
        migrations.RunSQL(
            SQL + "".join(TRIGGER.format(table=table) for table in TABLES),
            "DROP FUNCTION matching_number() CASCADE; DROP SEQUENCE matching_seq",
        )
    ]
