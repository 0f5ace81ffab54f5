"""Restrict and restore beside remove; answers of platforms, refusals among them; test messages."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0008_notes'),
        ('matching', '0011_test_mode'),
    ]

    operations = [
        migrations.CreateModel(
            name='Answer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('done', 'done'), ('refused', 'refused')], max_length=10)),
                ('reason', models.CharField(blank=True, choices=[('not_found', 'It cannot find it.'), ('legal_objection', 'It has a legal objection.'), ('other', 'It has another reason.')], default='', max_length=20)),
                ('note_sealed', models.BinaryField(default=b'')),
                ('way', models.CharField(max_length=20)),
                ('at', models.DateTimeField()),
                ('taken_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Trial',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=10)),
                ('content_id', models.CharField(blank=True, max_length=200)),
                ('idempotency_key', models.CharField(max_length=80, unique=True)),
                ('created_at', models.DateTimeField()),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('last_error', models.CharField(blank=True, max_length=200)),
                ('failing_since', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, choices=[('done', 'done'), ('refused', 'refused')], default='', max_length=10)),
                ('reason', models.CharField(blank=True, choices=[('not_found', 'It cannot find it.'), ('legal_objection', 'It has a legal objection.'), ('other', 'It has another reason.')], default='', max_length=20)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='action',
            name='one_action_per_content',
        ),
        migrations.AddField(
            model_name='action',
            name='failing_since',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='action',
            name='given_up_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='action',
            name='given_up_sealed',
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name='action',
            name='kind',
            field=models.CharField(choices=[('remove', 'remove'), ('restrict', 'restrict'), ('restore', 'restore')], db_default='remove', default='remove', max_length=10),
        ),
        migrations.AddField(
            model_name='action',
            name='late_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='action',
            name='refused_as',
            field=models.CharField(blank=True, choices=[('not_found', 'It cannot find it.'), ('legal_objection', 'It has a legal objection.'), ('other', 'It has another reason.')], db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='action',
            name='refused_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='action',
            index=models.Index(condition=models.Q(('done_at', None), ('given_up_at', None), ('refused_at', None), ('withdrawn_at', None)), fields=['platform', 'id'], name='actions_open'),
        ),
        migrations.AddConstraint(
            model_name='action',
            constraint=models.UniqueConstraint(fields=('decision', 'hosted', 'kind'), name='one_action_per_content_and_kind'),
        ),
        migrations.AddField(
            model_name='answer',
            name='action',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answers', to='cases.action'),
        ),
        migrations.AddField(
            model_name='trial',
            name='platform',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='trials', to='matching.platform'),
        ),
        migrations.AddIndex(
            model_name='answer',
            index=models.Index(condition=models.Q(('taken_at', None)), fields=['action'], name='answers_to_take'),
        ),
    ]
