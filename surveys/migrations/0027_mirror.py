"""A team that meets may see its own figures in the meeting: whether a survey says so, and when whoever led it asked for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0026_link_secrets"),
    ]

    operations = [
        migrations.AddField(
            model_name="meeting",
            name="picture_asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="survey",
            name="mirror",
            field=models.BooleanField(default=False),
        ),
    ]
