"""A bank is searched backwards as one row, in slices; a pause that ends is searched when it ends.

0007 put down every member of a bank that was switched on: a million rows for a bank of a million.
Now that is one row (matching_banksearch), and so is a bank or a source that is trusted, or whose
thresholds let more be found. A member that is paused is put down for the moment its pause ends.

And an UPDATE of embeddings, views or frames alone is in the audit log: they too decide what matches.
"""

import django.db.models.deletion
from django.db import migrations, models

SQL = """
CREATE OR REPLACE FUNCTION matching_seen(given jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  -- What of a row counts as changed.
  SELECT given - ARRAY['seq', 'turns', 'held_at', 'released_at'];
$$;

-- When a member that comes into force is due: at once, or when its pause ends.
CREATE FUNCTION matching_due(paused_until timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$ SELECT greatest(now(), paused_until); $$;

CREATE OR REPLACE FUNCTION matching_search(members bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER AS $$
  INSERT INTO matching_backsearch (member_id, due_at)
  SELECT id, matching_due(paused_until) FROM matching_member WHERE id = ANY(members)
  ON CONFLICT (member_id) DO UPDATE SET due_at = excluded.due_at, done_at = NULL;
$$;

CREATE FUNCTION matching_search_bank(of_bank bigint, of_source text) RETURNS void
LANGUAGE sql SECURITY DEFINER AS $$
  INSERT INTO matching_banksearch (bank_id, source, asked_at, reached)
  VALUES (of_bank, of_source, now(), 0)
  ON CONFLICT (bank_id, source)
  DO UPDATE SET asked_at = excluded.asked_at, reached = 0, done_at = NULL;
$$;
REVOKE EXECUTE ON FUNCTION matching_search_bank(bigint, text) FROM PUBLIC;

CREATE FUNCTION matching_loosened(was jsonb, became jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  -- One that is new or gone may be either: what it is without, only the program knows.
  SELECT was <> became AND (jsonb_typeof(was || became) <> 'object' OR EXISTS (
    SELECT FROM jsonb_each(CASE jsonb_typeof(was || became) WHEN 'object' THEN was || became
                           ELSE '{}' END) AS each(name, value)
    WHERE name <> 'sscd_certain' AND was->name IS DISTINCT FROM became->name
      AND CASE WHEN was->name IS NULL OR became->name IS NULL THEN true
               WHEN jsonb_typeof(was->name) <> 'number' OR jsonb_typeof(became->name) <> 'number'
                 THEN true
               WHEN name LIKE '%\\_bits' THEN (became->>name)::float > (was->>name)::float
               ELSE (became->>name)::float < (was->>name)::float END));
$$;

CREATE OR REPLACE FUNCTION matching_members_added() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM matching_write(array_agg((id, bank_id, 'member:' || status,
    jsonb_build_object('bank', bank_id, 'source', source),
    matching_digest(sha256, md5, pdq))::matching_act)) FROM added;
  PERFORM matching_search(array_agg(id)) FROM added WHERE status = 'confirmed';
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION matching_members_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM matching_write(array_agg((id, bank, matching_tag(was, now),
    jsonb_build_object('bank', bank, 'changed', changed, 'held', now->>'held'),
    digest)::matching_act))
  FROM (SELECT was.id, became.bank_id AS bank, pair.was, pair.now,
               matching_changed(pair.was, pair.now) AS changed,
               matching_digest(became.sha256, became.md5, became.pdq)
                 || CASE WHEN (was.embedding, was.views, was.frames)
                              IS DISTINCT FROM (became.embedding, became.views, became.frames)
                         THEN sha256(coalesce(became.embedding, '') || '|'::bytea
                                     || became.views || '|'::bytea || became.frames)
                         ELSE ''::bytea END AS digest
        FROM old_rows AS was JOIN new_rows AS became USING (id),
             LATERAL (SELECT matching_seen(to_jsonb(was)) AS was,
                             matching_seen(to_jsonb(became)) AS now) AS pair
        WHERE pair.was <> pair.now) AS pairs;
  PERFORM matching_search(array_agg(became.id))
  FROM old_rows AS was JOIN new_rows AS became USING (id)
  WHERE became.status = 'confirmed' AND was.status <> 'confirmed';
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION matching_bank_searched() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  acting boolean := NEW.enabled AND NEW.deleted_at IS NULL AND NEW.policy IN ('block', 'review');
  acted boolean := OLD.enabled AND OLD.deleted_at IS NULL AND OLD.policy IN ('block', 'review');
BEGIN
  IF acting AND (NOT acted OR NEW.trusted AND NOT OLD.trusted
                 OR matching_loosened(OLD.thresholds, NEW.thresholds)) THEN
    PERFORM matching_search_bank(NEW.id, '');
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION matching_source_searched() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  trusted boolean := CASE TG_OP WHEN 'UPDATE' THEN OLD.trusted ELSE false END;
  limits jsonb := CASE TG_OP WHEN 'UPDATE' THEN OLD.thresholds ELSE '{}' END;
BEGIN
  IF NEW.trusted AND NOT trusted OR matching_loosened(limits, NEW.thresholds) THEN
    PERFORM matching_search_bank(NEW.bank_id, NEW.name);
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION matching_members_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM matching_search(array_agg(became.id))
  FROM old_rows AS was JOIN new_rows AS became USING (id)
  JOIN matching_bank AS bank ON bank.id = became.bank_id
  LEFT JOIN matching_source AS source
         ON source.bank_id = became.bank_id AND source.name = became.source
  WHERE (became.status = 'confirmed' OR became.status = 'pending'
         AND (bank.trusted OR coalesce(source.trusted, false)))
    AND (was.paused_until, was.expires_at) IS DISTINCT FROM (became.paused_until, became.expires_at);
  RETURN NULL;
END $$;

DROP FUNCTION matching_in_force(bigint, text);
"""

# See audit/migrations/0003_append.py; replacing a function forgets what was pinned.
PINNED = """
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION {function} SET search_path = %I, pg_temp', current_schema());
END $$;
"""
FUNCTIONS = (
    "matching_search(bigint[])",
    "matching_search_bank(bigint, text)",
    "matching_members_added()",
    "matching_members_changed()",
    "matching_bank_searched()",
    "matching_source_searched()",
    "matching_members_moved()",
)


class Migration(migrations.Migration):
    dependencies = [("matching", "0008_first_keys")]

    operations = [
        migrations.CreateModel(
            name="BankSearch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=80)),
                ("asked_at", models.DateTimeField()),
                ("reached", models.BigIntegerField(default=0)),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="searches",
                        to="matching.bank",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("bank", "source"), name="one_search_per_bank_and_source"
                    )
                ],
            },
        ),
        migrations.RemoveIndex(model_name="backsearch", name="back_searches_due"),
        migrations.RenameField(model_name="backsearch", old_name="asked_at", new_name="due_at"),
        migrations.AddIndex(
            model_name="backsearch",
            index=models.Index(
                condition=models.Q(("done_at", None)), fields=["due_at"], name="back_searches_due"
            ),
        ),
        # No way back, as 0008.
        migrations.RunSQL(SQL + "".join(PINNED.format(function=name) for name in FUNCTIONS)),
    ]
