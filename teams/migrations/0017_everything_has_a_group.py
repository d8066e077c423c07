"""No study and no institution is without a research group: analysis.0014 gave each its own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0016_research_groups"),
        ("analysis", "0014_split_by_research_group"),
    ]

    operations = [
        migrations.AlterField(
            model_name="study",
            name="group",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="studies",
                to="teams.researchgroup",
                verbose_name="research group",
            ),
        ),
        migrations.AlterField(
            model_name="institution",
            name="group",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="institutions",
                to="teams.researchgroup",
            ),
        ),
    ]
