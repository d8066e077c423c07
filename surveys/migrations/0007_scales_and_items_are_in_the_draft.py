"""The rows of scales and items go: 0006 put what they held into the drafts."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0006_questionnaire_draft"),
    ]

    operations = [
        migrations.DeleteModel(name="Item"),
        migrations.DeleteModel(name="Scale"),
        migrations.RemoveField(model_name="questionnaire", name="settings"),
    ]
