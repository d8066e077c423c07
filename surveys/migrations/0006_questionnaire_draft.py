"""A questionnaire's working draft becomes one document, with the number of its last edit. Filled from scales and items."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def fill_drafts(apps, schema_editor):
    """The document as publishing made it from the rows of scales and items."""
    for questionnaire in apps.get_model("surveys", "Questionnaire").objects.all():
        scales = questionnaire.scales.order_by("position").prefetch_related("items")
        questionnaire.draft = {
            "code": questionnaire.code,
            "title": questionnaire.title,
            **questionnaire.settings,
            "scales": [
                {
                    "code": scale.code,
                    "name": scale.name,
                    "meaning": scale.meaning,
                    "items": [
                        {"code": item.code, "text": item.text, "reverse_keyed": item.reverse_keyed}
                        for item in sorted(scale.items.all(), key=lambda item: item.position)
                    ],
                }
                for scale in scales
            ],
        }
        questionnaire.edit = 1
        questionnaire.save(update_fields=["draft", "edit"])


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("surveys", "0005_meeting_texts_and_reminder_rounds"),
    ]

    operations = [
        migrations.AddField(model_name="questionnaire", name="draft", field=models.JSONField(default=dict)),
        migrations.AddField(model_name="questionnaire", name="edit", field=models.PositiveIntegerField(default=0)),
        migrations.AddField(model_name="questionnaire", name="before", field=models.JSONField(blank=True, null=True)),
        migrations.AddField(
            model_name="questionnaireversion", name="note", field=models.CharField(blank=True, max_length=500)
        ),
        migrations.AddField(
            model_name="questionnaireversion",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunPython(fill_drafts, migrations.RunPython.noop),
    ]
