"""Until when the answers of studies that made a promise are kept: as their settings say today."""

from datetime import date

from django.db import migrations, models


def keep(apps, schema_editor):
    studies = apps.get_model("teams", "Study").objects
    for study in studies.filter(promised_on__isnull=False, kept_until__isnull=True):
        year = study.ends_on.year + study.retention_years
        try:
            until = study.ends_on.replace(year=year)
        except ValueError:  # 29 February
            until = date(year, 3, 1)
        studies.filter(pk=study.pk).update(kept_until=until)


class Migration(migrations.Migration):

    dependencies = [("teams", "0023_numbers_of_sent_mails")]

    operations = [
        migrations.AddField(
            model_name="study",
            name="kept_until",
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
