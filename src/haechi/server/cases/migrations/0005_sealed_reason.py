"""The reason of a decision is sealed to its report; what was written in clear is sealed now."""

from typing import Any

from django.db import migrations, models

from haechi import seal


def seal_reasons(apps: Any, _editor: Any) -> None:
    """With the report's recipient, which needs no secret."""
    decisions = apps.get_model("cases", "Decision")
    for decision in decisions.objects.select_related("case__report"):
        sealed = seal.seal(decision.reason.encode(), decision.case.report.recipient)
        decisions.objects.filter(pk=decision.pk).update(reason_sealed=sealed)


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_reopened"), ("reports", "0003_messages")]

    operations = [
        migrations.AddField("decision", "reason_sealed", models.BinaryField(default=b"")),
        migrations.RunPython(seal_reasons),
        migrations.RemoveField("decision", "reason"),
        migrations.AlterField("decision", "reason_sealed", models.BinaryField()),
    ]
