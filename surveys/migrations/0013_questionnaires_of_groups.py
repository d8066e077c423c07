"""A questionnaire belongs to a research group (analysis.0014 finds out to which) and may be offered to the others."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0012_who_counts_does_not_read"),
        ("teams", "0016_research_groups"),
    ]

    operations = [
        migrations.AddField(
            model_name="questionnaire",
            name="group",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="questionnaires",
                to="teams.researchgroup",
            ),
        ),
        migrations.AddField(
            model_name="questionnaire",
            name="offered",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="questionnaire",
            name="code",
            field=models.SlugField(verbose_name="short name"),
        ),
        migrations.AddConstraint(
            model_name="questionnaire",
            constraint=models.UniqueConstraint(
                models.F("group"), models.F("code"), name="questionnaire_once_per_group"
            ),
        ),
    ]
