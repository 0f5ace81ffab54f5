"""Where a case stands in the queue, who keeps what of it; and a word to the desk when it changes."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models.deletion import PROTECT
from django.db.models.functions import Now

_WAITING = models.Q(state__in=("open", "second"))

# Roughly, so that nobody's time is lost before the worker puts each where it belongs (keep_queue).
_PLACES = """
UPDATE cases_case SET urgent_at = coalesce(
  (SELECT min(due_at) FROM cases_clock WHERE case_id = cases_case.id AND stopped_at IS NULL
   AND paused_at IS NULL),
  opened_at + interval '72 hours')
"""

# One word for each statement, with nothing in it; whoever listens asks anew (desk.live). A claim that
# is only prolonged changes nothing that others see.
_TELL = """
CREATE FUNCTION haechi_queue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('haechi_queue', '');
  RETURN NULL;
END $$;
CREATE TRIGGER haechi_queue_changed
AFTER INSERT OR UPDATE OF state, urgent_at, facets, claimed_by_id, kept_for_id ON cases_case
FOR EACH STATEMENT EXECUTE FUNCTION haechi_queue_changed();
"""
_TELL_NO_MORE = """
DROP TRIGGER haechi_queue_changed ON cases_case;
DROP FUNCTION haechi_queue_changed();
"""
_ID = (
    "id",
    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
)
_USER = settings.AUTH_USER_MODEL


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0009_reviews"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "case", "facets", ArrayField(models.CharField(max_length=80), default=list)
        ),
        migrations.AddField(
            "case",
            "kept_for",
            models.ForeignKey(_USER, on_delete=PROTECT, null=True, related_name="+"),
        ),
        migrations.AddField("case", "kept_until", models.DateTimeField(null=True)),
        migrations.AddField("case", "urgent_at", models.DateTimeField(db_default=Now())),
        migrations.RunSQL(_PLACES, migrations.RunSQL.noop),
        migrations.AddIndex(
            "case",
            models.Index(
                fields=["-minor", "urgent_at", "opened_at", "id"],
                name="queue_order",
                condition=_WAITING,
            ),
        ),
        migrations.AddIndex(
            "case", GinIndex(fields=["facets"], name="queue_facets", condition=_WAITING)
        ),
        migrations.RunSQL(_TELL, _TELL_NO_MORE),
        migrations.CreateModel(
            "Weight",
            [
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("hours", models.PositiveIntegerField()),
                ("reason", models.TextField()),
                ("changed_by", models.ForeignKey(_USER, on_delete=PROTECT, related_name="+")),
                ("changed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            "SavedView",
            [
                _ID,
                ("name", models.CharField(max_length=40)),
                ("asked", models.CharField(max_length=300, blank=True)),
                ("shared", models.BooleanField(default=False)),
                ("owner", models.ForeignKey(_USER, on_delete=PROTECT, related_name="views")),
            ],
            options={"ordering": ["name", "pk"]},
        ),
        migrations.AddConstraint(
            "savedview",
            models.UniqueConstraint(fields=["owner", "name"], name="one_view_per_name"),
        ),
        migrations.CreateModel(
            "Recusal",
            [
                _ID,
                ("at", models.DateTimeField()),
                (
                    "case",
                    models.ForeignKey("cases.case", on_delete=PROTECT, related_name="recusals"),
                ),
                ("user", models.ForeignKey(_USER, on_delete=PROTECT, related_name="recusals")),
            ],
        ),
        migrations.AddConstraint(
            "recusal",
            models.UniqueConstraint(fields=["case", "user"], name="one_recusal_per_person"),
        ),
        migrations.CreateModel(
            "HandOver",
            [
                _ID,
                ("note", models.BinaryField(default=b"")),
                ("at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey("cases.case", on_delete=PROTECT, related_name="hand_overs"),
                ),
                ("giver", models.ForeignKey(_USER, on_delete=PROTECT, related_name="+")),
                ("to", models.ForeignKey(_USER, on_delete=PROTECT, related_name="+")),
            ],
            options={"ordering": ["-pk"]},
        ),
    ]
