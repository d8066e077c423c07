"""Reviews refer to sealed answers where they are now, and the old rows go. Their bytes leave the disk as soon as beat sweeps."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.exceptions import IrreversibleError
from django.utils import timezone

REMOVE = """\
DELETE FROM surveys_response
WHERE collection_id IN (SELECT id FROM surveys_collection WHERE state = 'sealed')
"""
TABLES = ("surveys_paperform", "surveys_response", "surveys_slip")


def remove(apps, schema_editor):
    """All that a sealing sweeps is marked: one may have stopped between its last two steps, when nothing was marked yet."""
    schema_editor.execute(REMOVE)
    apps.get_model("teams", "Leftover").objects.bulk_create(
        apps.get_model("teams", "Leftover")(table=table, due_at=timezone.now()) for table in TABLES
    )


def only_without_answers(apps, schema_editor):
    """The way back is for an empty installation: the table would go, with all that is in it."""
    if apps.get_model("surveys", "SealedResponse").objects.exists():
        raise IrreversibleError("Sealed answers do not go back to the table of open ones.")


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0019_sealed_answers_copied"),
        ("surveys", "0025_sealed_answers_apart"),
        ("teams", "0029_sign_in_mails"),
    ]

    operations = [
        migrations.AlterField(
            model_name="textreview",
            name="response",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="text_reviews",
                to="surveys.sealedresponse",
            ),
        ),
        migrations.RunPython(remove, only_without_answers),
    ]
