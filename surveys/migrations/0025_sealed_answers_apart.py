"""A table for sealed answers alone. analysis/0019 and 0020 move there what is sealed already, with what refers to it."""

import django.db.models.deletion
from django.db import migrations, models


def without_samples(apps, schema_editor):
    """As 0008 did for the open ones: what PostgreSQL samples for its planner outlives the row."""
    if schema_editor.connection.vendor == "postgresql":
        for column in ("key", "answers"):
            schema_editor.execute(f'ALTER TABLE "surveys_sealedresponse" ALTER COLUMN "{column}" SET STATISTICS 0')


class Migration(migrations.Migration):
    dependencies = [("surveys", "0024_no_count_tells_of_deleting")]

    operations = [
        migrations.CreateModel(
            name="SealedResponse",
            fields=[
                ("key", models.CharField(max_length=43, primary_key=True, serialize=False)),
                ("state", models.CharField(choices=[("draft", "started"), ("submitted", "submitted")], max_length=9)),
                ("eligibility", models.CharField(blank=True, max_length=20)),
                ("answers", models.JSONField(default=dict)),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sealed_responses",
                        to="surveys.collection",
                    ),
                ),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=~models.Q(key=""), name="sealed_response_has_key")]
            },
        ),
        migrations.RunPython(without_samples, migrations.RunPython.noop),
    ]
