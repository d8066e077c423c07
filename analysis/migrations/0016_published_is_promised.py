"""A study that collects or published has promised its k, also where nobody was invited (answers that were imported)."""

from django.db import migrations
from django.utils import timezone


def promised(apps, schema_editor):
    published = apps.get_model("analysis", "Publication").objects.values_list("study_id", flat=True)
    collected = apps.get_model("surveys", "Collection").objects.values_list("survey__study_id", flat=True)
    studies = apps.get_model("teams", "Study").objects.filter(pk__in={*published, *collected})
    studies.filter(promised_on__isnull=True).update(promised_on=timezone.localdate())


class Migration(migrations.Migration):

    dependencies = [
        ("analysis", "0015_results_of_small_teams"),
        ("surveys", "0011_who_counted_before"),
        ("teams", "0021_promises_and_link_codes"),
    ]

    operations = [migrations.RunPython(promised, migrations.RunPython.noop)]
