"""A leader leads a team in one wave: the columns for it, beside those of before (the rows move in the next one)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("teams", "0012_study_deletion")]

    operations = [
        migrations.RemoveConstraint(model_name="role", name="role_of_study_or_team"),
        migrations.RemoveConstraint(model_name="role", name="leader_once"),
        migrations.AddField(
            model_name="participation",
            name="leader_name",
            field=models.CharField(default="", max_length=120, verbose_name="team leader"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="participation",
            name="leader_email",
            field=models.EmailField(default="", max_length=254, verbose_name="email address of the team leader"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="role",
            name="participation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="roles",
                to="teams.participation",
            ),
        ),
        migrations.CreateModel(
            name="FormerContact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "part",
                    models.CharField(
                        choices=[
                            ("leader", "team leader"),
                            ("director", "director"),
                            ("contact", "contact person"),
                        ],
                        max_length=8,
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=120)),
                ("email", models.EmailField(max_length=254)),
                (
                    "changer",
                    models.CharField(
                        choices=[
                            ("researcher", "researcher"),
                            ("leader", "team leader"),
                            ("director", "director"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "academy",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="teams.academy",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_contacts",
                        to="teams.participation",
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_contacts",
                        to="teams.study",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("academy__isnull", False), ("part", "director"), ("participation__isnull", True)
                        )
                        | models.Q(
                            ("academy__isnull", True),
                            ("part__in", ["leader", "contact"]),
                            ("participation__isnull", False),
                        ),
                        name="former_contact_of_one_tier",
                    )
                ],
            },
        ),
    ]
