"""Notes on a case, and erasures that staff ask for."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

REASONS = [
    ("asked", "whoever sent it asked for it"),
    ("expired", "the time it is kept was over"),
    ("ordered", "a court or an authority ordered it"),
]


def _key(to: str, name: str = "+", *, null: bool = False) -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, null=null, related_name=name, to=to
    )


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0010_queue"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sealed", models.BinaryField()),
                ("at", models.DateTimeField()),
                ("author", _key(settings.AUTH_USER_MODEL, "notes")),
                ("case", _key("cases.case", "notes")),
            ],
            options={"ordering": ["case", "pk"]},
        ),
        migrations.CreateModel(
            name="ErasureRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(choices=REASONS, max_length=10)),
                ("note", models.BinaryField(default=b"")),
                ("asked_at", models.DateTimeField()),
                ("agreed", models.BooleanField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                ("asked_by", _key(settings.AUTH_USER_MODEL)),
                ("case", _key("cases.case", "erasure_requests")),
                ("settled_by", _key(settings.AUTH_USER_MODEL, null=True)),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("settled_at", None)),
                        fields=("case",),
                        name="one_waiting_erasure_per_case",
                    )
                ],
            },
        ),
    ]
