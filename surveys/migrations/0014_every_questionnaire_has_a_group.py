"""No questionnaire is without a research group: analysis.0014 gave each its own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0013_questionnaires_of_groups"),
        ("analysis", "0014_split_by_research_group"),
    ]

    operations = [
        migrations.AlterField(
            model_name="questionnaire",
            name="group",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="questionnaires",
                to="teams.researchgroup",
            ),
        ),
    ]
