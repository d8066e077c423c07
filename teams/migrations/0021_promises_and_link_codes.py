"""Since when k and the promised times are fixed; and the codes without which a mailed link stops no team."""

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone


def promised(apps, schema_editor):
    """Whoever invited anybody before today has promised."""
    asked = apps.get_model("teams", "Invitation").objects.exclude(state="listed").values_list("study_id", flat=True)
    studies = apps.get_model("teams", "Study").objects.filter(pk__in=set(asked))
    studies.update(promised_on=timezone.localdate())


class Migration(migrations.Migration):

    dependencies = [("teams", "0020_where_researchers_work")]

    operations = [
        migrations.AddField(
            model_name="study",
            name="promised_on",
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.CreateModel(
            name="LinkCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("nonce", models.CharField(max_length=32)),
                ("asked_at", models.DateTimeField()),
                ("n_tries", models.PositiveSmallIntegerField(default=0)),
                ("n_asked", models.PositiveSmallIntegerField(default=1)),
                (
                    "invitation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="code", to="teams.invitation"
                    ),
                ),
            ],
        ),
        migrations.RunPython(promised, migrations.RunPython.noop),
    ]
