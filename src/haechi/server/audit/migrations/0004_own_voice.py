"""Nobody writes into the log but through a function, and each process speaks in its own voice.

audit_record() is what audit.services.record() calls. Roles of the processes (config/roles.py) may run it
and may not insert; the public one can only say what a reporter or a poster did, the match service
only what a platform did. The name is that of the role which is in force, or else of the login: inside
a function that runs as its owner, `current_user` would be the owner.
"""

from django.db import migrations

SQL = """
CREATE FUNCTION audit_voice() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(nullif(current_setting('role', true), 'none'), session_user::text);
$$;

CREATE FUNCTION audit_check_voice(actor text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF audit_voice() = 'haechi_public' AND actor NOT IN ('reporter', 'poster')
     OR audit_voice() = 'haechi_match' AND actor <> 'stranger' AND actor NOT LIKE 'platform:%' THEN
    RAISE EXCEPTION '% may not say what % did', audit_voice(), actor
      USING ERRCODE = 'insufficient_privilege';
  END IF;
END $$;

CREATE FUNCTION audit_record(tag text, subject text, detail jsonb, actor text, moment timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  before text[] := ARRAY[current_setting('haechi.actor', true), current_setting('haechi.at', true),
                         current_setting('haechi.reason', true)];
BEGIN
  PERFORM audit_acting(actor, moment, NULL);
  PERFORM audit_append(tag, subject, detail);
  PERFORM set_config('haechi.actor', coalesce(before[1], ''), true),
          set_config('haechi.at', coalesce(before[2], ''), true),
          set_config('haechi.reason', coalesce(before[3], ''), true);
END $$;
REVOKE EXECUTE ON FUNCTION audit_record(text, text, jsonb, text, timestamptz) FROM PUBLIC;

CREATE FUNCTION audit_entry_voice() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM audit_check_voice(NEW.actor);
  RETURN NEW;
END $$;
CREATE TRIGGER audit_entry_voice BEFORE INSERT ON audit_entry
  FOR EACH ROW EXECUTE FUNCTION audit_entry_voice();
"""

# See 0003_append.py.
PINNED = """
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION {function} SET search_path = %I, pg_temp', current_schema());
END $$;
"""
FUNCTIONS = (
    "audit_check_voice(text)",
    "audit_record(text, text, jsonb, text, timestamptz)",
    "audit_entry_voice()",
)

UNDO = """
DROP TRIGGER audit_entry_voice ON audit_entry;
DROP FUNCTION audit_entry_voice();
DROP FUNCTION audit_record(text, text, jsonb, text, timestamptz);
DROP FUNCTION audit_check_voice(text);
DROP FUNCTION audit_voice();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_append")]

    operations = [migrations.RunSQL(
            SQL + "".join(PINNED.format(function=name) for name in FUNCTIONS), UNDO
        )]
