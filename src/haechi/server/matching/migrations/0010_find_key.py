"""The API of the public process finds a key by asking for its digest; it can list none."""

from django.db import migrations

SQL = """
CREATE FUNCTION matching_find_key(given bytea, at timestamptz)
RETURNS TABLE (id bigint, platform_id bigint, scopes varchar[])
LANGUAGE sql STABLE AS $$
  SELECT one.id, one.platform_id, one.scopes
  FROM matching_apikey AS one JOIN matching_platform AS platform ON platform.id = one.platform_id
  WHERE one.key_digest = given AND platform.enabled AND one.revoked_at IS NULL
    AND (one.expires_at IS NULL OR one.expires_at > at);
$$;
REVOKE EXECUTE ON FUNCTION matching_find_key(bytea, timestamptz) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("matching", "0009_backwards_in_slices")]

    operations = [
        migrations.RunSQL(SQL, "DROP FUNCTION matching_find_key(bytea, timestamptz)"),
    ]
