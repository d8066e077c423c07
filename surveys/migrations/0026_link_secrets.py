"""What a personal link is made of stands in a table of its own, whose rows go at sealing: it holds open links only.

The old columns leave the disk with the next sweep, and PostgreSQL samples the new ones no more than the old ones (0008).
"""

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

THERE = """\
INSERT INTO surveys_linksecret (invitee_id, nonce, token_hash)
SELECT id, nonce, token_hash FROM surveys_invitee WHERE nonce <> '' AND token_hash <> ''
"""
BACK = """\
UPDATE surveys_invitee SET
    nonce = COALESCE((SELECT nonce FROM surveys_linksecret WHERE invitee_id = surveys_invitee.id), ''),
    token_hash = COALESCE((SELECT token_hash FROM surveys_linksecret WHERE invitee_id = surveys_invitee.id), '')
"""


def there(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for column in ("nonce", "token_hash"):
            schema_editor.execute(f'ALTER TABLE "surveys_linksecret" ALTER COLUMN "{column}" SET STATISTICS 0')
    schema_editor.execute(THERE)
    leftover = apps.get_model("teams", "Leftover")
    leftover.objects.bulk_create(
        leftover(table=table, due_at=timezone.now()) for table in ("surveys_invitee", "surveys_linksecret")
    )


def back(apps, schema_editor):
    schema_editor.execute(BACK)


class Migration(migrations.Migration):
    dependencies = [("surveys", "0025_sealed_answers_apart"), ("teams", "0029_sign_in_mails")]

    operations = [
        migrations.CreateModel(
            name="LinkSecret",
            fields=[
                (
                    "invitee",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="secret",
                        serialize=False,
                        to="surveys.invitee",
                    ),
                ),
                ("nonce", models.CharField(max_length=32)),
                ("token_hash", models.CharField(max_length=64)),
            ],
            options={"constraints": [models.UniqueConstraint("token_hash", name="link_token_once")]},
        ),
        migrations.RunPython(there, back),
        migrations.RemoveConstraint(model_name="invitee", name="invitee_token_once"),
        migrations.RemoveField(model_name="invitee", name="nonce"),
        migrations.RemoveField(model_name="invitee", name="token_hash"),
    ]
