"""Versions of the rules of law, added and never changed; clocks that stand, and that were told of."""

from django.db import migrations, models
from django.db.models import Q

# As for the audit log: whoever asks, a version that a case runs under stays as it was.
REFUSE = """
CREATE FUNCTION haechi_rule_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a version of a rule is never changed; add the next one';
END $$;
CREATE TRIGGER cases_rule_kept BEFORE UPDATE OR DELETE ON cases_rule
  FOR EACH ROW EXECUTE FUNCTION haechi_rule_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0005_sealed_reason")]

    operations = [
        migrations.CreateModel(
            name="Rule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rule", models.CharField(max_length=60)),
                ("version", models.PositiveIntegerField()),
                ("runs", models.BooleanField()),
                ("amount", models.PositiveIntegerField()),
                ("unit", models.CharField(max_length=20)),
                ("event", models.CharField(max_length=20)),
                ("stopped_by", models.CharField(max_length=10)),
                ("paused_by", models.CharField(blank=True, max_length=10)),
                ("only_minors", models.BooleanField()),
                ("in_force_from", models.DateField()),
                ("in_force_until", models.DateField(null=True)),
                ("source", models.TextField()),
                ("reason", models.CharField(max_length=1000)),
                ("made_by", models.CharField(max_length=40)),
                ("made_at", models.DateTimeField()),
            ],
            options={"ordering": ["rule", "-version"]},
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(
                fields=["rule", "version"], name="one_rule_per_version"
            ),
        ),
        migrations.RunSQL(REFUSE, "DROP FUNCTION haechi_rule_refuse() CASCADE"),
        migrations.AddField("clock", "rule_version", models.PositiveIntegerField(default=0)),
        migrations.AddField(
            "clock", "paused_by", models.CharField(blank=True, default="", max_length=10)
        ),
        migrations.AddField("clock", "paused_at", models.DateTimeField(null=True)),
        migrations.AddField("clock", "told_at", models.DateTimeField(null=True)),
        migrations.RemoveIndex("clock", "running_clocks"),
        migrations.AddIndex(
            "clock",
            models.Index(condition=Q(stopped_at=None), fields=["due_at"], name="running_clocks"),
        ),
        migrations.AddIndex(
            "clock",
            models.Index(
                condition=Q(missed_at__isnull=False), fields=["missed_at"], name="missed_clocks"
            ),
        ),
    ]
