"""Hashes above the entries, so that proofs are fast, and checkpoints in other hands."""

import django.db.models.deletion
from django.db import migrations, models

# See 0002_append_only.py. Nodes follow from entries; who may write them at all, config/grants.py says.
TRIGGERS = """
CREATE TRIGGER audit_anchor_append_only BEFORE UPDATE OR DELETE ON audit_anchor
  FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_anchor_no_truncate BEFORE TRUNCATE ON audit_anchor
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""
UNDO = """
DROP TRIGGER audit_anchor_append_only ON audit_anchor;
DROP TRIGGER audit_anchor_no_truncate ON audit_anchor;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_own_voice'),
    ]

    operations = [
        migrations.CreateModel(
            name='Node',
            fields=[
                ('pk', models.CompositePrimaryKey('level', 'number', blank=True, editable=False, primary_key=True, serialize=False)),
                ('level', models.PositiveSmallIntegerField()),
                ('number', models.BigIntegerField()),
                ('hash', models.BinaryField(max_length=32)),
            ],
        ),
        migrations.AddField(
            model_name='checkpoint',
            name='verifier',
            field=models.TextField(db_default='', default=''),
        ),
        migrations.CreateModel(
            name='Anchor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('mail', 'Mail'), ('stamp', 'Stamp')], max_length=5)),
                ('to', models.CharField(max_length=254)),
                ('proof', models.BinaryField()),
                ('at', models.DateTimeField()),
                ('checkpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='anchors', to='audit.checkpoint')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('checkpoint', 'kind'), name='one_anchor_of_a_kind')],
            },
        ),
        migrations.RunSQL(TRIGGERS, UNDO),
    ]
