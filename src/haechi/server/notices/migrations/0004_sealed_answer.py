"""All that a mail server said is sealed; in clear stands its reply code."""

from typing import Any

from django.db import migrations, models

from haechi import seal
from haechi.server.notices.services import reply_code


def seal_answers(apps: Any, _editor: Any) -> None:
    """With the report's recipient, which needs no secret."""
    notices = apps.get_model("notices", "Notice")
    for notice in notices.objects.select_related("decision__case__report"):
        recipient = notice.decision.case.report.recipient
        notices.objects.filter(pk=notice.pk).update(
            answer=reply_code(notice.answer),
            answer_sealed=seal.seal(notice.answer.encode(), recipient),
            last_error=reply_code(notice.last_error),
        )


class Migration(migrations.Migration):
    dependencies = [("notices", "0003_withdrawn"), ("reports", "0003_messages")]

    operations = [
        migrations.AddField("notice", "answer_sealed", models.BinaryField(null=True)),
        migrations.RunPython(seal_answers),
    ]
