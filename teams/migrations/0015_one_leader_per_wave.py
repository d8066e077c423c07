"""A role of a leader is of a wave, and of nothing else."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("teams", "0014_roles_of_a_wave")]

    operations = [
        migrations.RemoveField(model_name="role", name="team"),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "researcher"), ("participation__isnull", True), ("study__isnull", False)
                )
                | models.Q(("kind", "leader"), ("participation__isnull", False), ("study__isnull", True)),
                name="role_of_study_or_wave",
            ),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.UniqueConstraint(
                models.F("participation"), condition=models.Q(("kind", "leader")), name="one_leader_per_wave"
            ),
        ),
    ]
