"""One notice for each receiver, with a row for each place, each attempt and each reply.

The e-mails that were written before stay what is sent; the letters they came from are not known.
"""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def places_to_items(apps: Any, _editor: Any) -> None:
    notices = apps.get_model("notices", "Notice").objects
    items = apps.get_model("notices", "NoticeItem")
    found = notices.exclude(location=None).values_list("pk", "location", "location__number")
    items.objects.bulk_create(
        [items(notice_id=pk, location_id=place, number=number) for pk, place, number in found],
        batch_size=1000,
    )
    notices.exclude(sealed=b"").update(message_sealed=models.F("sealed"), sealed=b"")


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0005_sealed_reason'),
        ('notices', '0004_sealed_answer'),
        ('reports', '0003_messages'),
    ]

    operations = [
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('heard', models.CharField(choices=[('begun', 'begun; what became of it is not known'), ('taken', 'taken'), ('later', 'not taken now'), ('refused', 'refused for good')], default='begun', max_length=10)),
                ('code', models.CharField(blank=True, max_length=60)),
                ('said', models.BinaryField(null=True)),
                ('digest', models.BinaryField(max_length=32)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='NoticeItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('outcome', models.CharField(blank=True, choices=[('removed', 'taken down'), ('restricted', 'blocked for some'), ('kept', 'left up'), ('not_found', 'not found there'), ('need_more', 'more is needed'), ('referred', 'passed on')], max_length=10)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_by', models.CharField(blank=True, max_length=60)),
            ],
            options={
                'ordering': ['notice', 'number'],
            },
        ),
        migrations.CreateModel(
            name='Reply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('answer', 'Answer'), ('receipt', 'Receipt'), ('automatic', 'Automatic reply'), ('delayed', 'Still under way'), ('bounce', 'Came back: it could not be delivered')], max_length=10)),
                ('received_at', models.DateTimeField()),
                ('sealed', models.BinaryField()),
                ('digest', models.BinaryField(max_length=32)),
                ('matched', models.CharField(max_length=10)),
                ('read_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Standing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=60)),
                ('since', models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='notice',
            name='one_notice_per_location',
        ),
        migrations.AddField(
            model_name='notice',
            name='answered_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='channel',
            field=models.CharField(choices=[('haechi', 'to another Haechi'), ('email', 'by e-mail'), ('form', 'a form, filled in by hand')], default='email', max_length=10),
        ),
        migrations.AddField(
            model_name='notice',
            name='kind',
            field=models.CharField(choices=[('takedown', 'Takedown notice'), ('reminder', 'Reminder'), ('counter', 'Counter-notice')], default='takedown', max_length=10),
        ),
        migrations.AddField(
            model_name='notice',
            name='message_sealed',
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='next_act',
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name='notice',
            name='next_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='parent',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='followers', to='notices.notice'),
        ),
        migrations.AddField(
            model_name='notice',
            name='receiver',
            field=models.BinaryField(default=b'', max_length=32),
        ),
        migrations.AddField(
            model_name='notice',
            name='reference_sealed',
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='settled_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='step',
            field=models.CharField(choices=[('platform', 'the site itself'), ('host', 'the company that hosts the site'), ('registrar', 'the company that registered its name'), ('search', 'a search engine'), ('regulator', 'an authority')], default='platform', max_length=10),
        ),
        migrations.AddField(
            model_name='receiver',
            name='country',
            field=models.CharField(blank=True, max_length=2),
        ),
        migrations.AddField(
            model_name='receiver',
            name='dated',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='receiver',
            name='form_url',
            field=models.URLField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='receiver',
            name='haechi_key',
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name='receiver',
            name='haechi_url',
            field=models.URLField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='receiver',
            name='language',
            field=models.CharField(default='en', max_length=10),
        ),
        migrations.AddField(
            model_name='receiver',
            name='laws',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='receiver',
            name='step',
            field=models.CharField(choices=[('platform', 'the site itself'), ('host', 'the company that hosts the site'), ('registrar', 'the company that registered its name'), ('search', 'a search engine'), ('regulator', 'an authority')], default='platform', max_length=10),
        ),
        migrations.AlterField(
            model_name='notice',
            name='state',
            field=models.CharField(choices=[('queued', 'waiting to be sent'), ('held', 'waiting for a person'), ('sent', 'sent'), ('refused', 'refused'), ('bounced', 'came back'), ('dropped', 'not sent: the report was erased'), ('withdrawn', 'withdrawn before it was sent')], default='queued', max_length=10),
        ),
        migrations.AlterField(
            model_name='receiver',
            name='email',
            field=models.EmailField(blank=True, max_length=254),
        ),
        migrations.AlterField(
            model_name='receiver',
            name='host',
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name='receiver',
            name='source',
            field=models.CharField(max_length=300),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('next_at__isnull', False)), fields=['next_at'], name='notices_due'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['state', 'created_at'], name='notices_by_state'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(condition=models.Q(('receiver', b''), _negated=True), fields=('parent', 'kind', 'step', 'receiver'), name='one_follower_per_silence'),
        ),
        migrations.AddConstraint(
            model_name='receiver',
            constraint=models.UniqueConstraint(fields=('host', 'step'), name='one_receiver_per_host_and_step'),
        ),
        migrations.AddField(
            model_name='attempt',
            name='notice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='notices.notice'),
        ),
        migrations.AddField(
            model_name='noticeitem',
            name='location',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='notice_items', to='reports.location'),
        ),
        migrations.AddField(
            model_name='noticeitem',
            name='notice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='notices.notice'),
        ),
        migrations.AddField(
            model_name='reply',
            name='notice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='replies', to='notices.notice'),
        ),
        migrations.RunPython(places_to_items),
        migrations.RemoveField(
            model_name='notice',
            name='location',
        ),
        migrations.AddConstraint(
            model_name='noticeitem',
            constraint=models.UniqueConstraint(fields=('notice', 'number'), name='one_item_per_number'),
        ),
        migrations.AddConstraint(
            model_name='reply',
            constraint=models.UniqueConstraint(fields=('notice', 'digest'), name='one_reply_per_mail'),
        ),
    ]
