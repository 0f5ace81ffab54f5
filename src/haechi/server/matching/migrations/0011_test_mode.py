"""A platform may be in test mode, may have no webhook, and has two secrets while one is changed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("matching", "0010_find_key")]

    operations = [
        migrations.AddField("platform", "previous_secret", models.BinaryField(null=True)),
        migrations.AddField("platform", "previous_until", models.DateTimeField(null=True)),
        migrations.AddField(
            "platform", "testing", models.BooleanField(default=False, db_default=False)
        ),
        migrations.AlterField("platform", "webhook_url", models.URLField(blank=True)),
    ]
