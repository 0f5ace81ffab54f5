"""The key that came with a platform becomes a row like its others: listed, and revoked by itself."""

from django.db import migrations

# What the one key that came with a platform could do; may_curate added `curate`.
SQL = """
INSERT INTO matching_apikey (platform_id, name, key_digest, scopes, created_at)
SELECT id, 'first', key_digest,
       CASE WHEN may_curate THEN ARRAY['curate', 'match', 'metrics', 'register']
            ELSE ARRAY['match', 'metrics', 'register'] END, now()
FROM matching_platform
ON CONFLICT (key_digest) DO NOTHING;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("matching", "0007_into_force")]

    operations = [
        # No way back: which of a platform's keys came first is no longer known.
        migrations.RunSQL(SQL),
        migrations.RemoveField(model_name="platform", name="key_digest"),
        migrations.RemoveField(model_name="platform", name="may_curate"),
    ]
