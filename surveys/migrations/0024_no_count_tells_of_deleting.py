"""Days that count nobody are gone, and what a leader sees of who handed in stands unreadable: no count tells that one deleted."""

import surveys.models.collection
from django.db import migrations, models

from surveys.collecting.returned import closed


def close(apps, schema_editor):
    days = apps.get_model("surveys", "DayCount").objects
    days.filter(n=0).delete()
    for pk in list(days.values_list("pk", flat=True)):
        days.filter(pk=pk).update(id=surveys.models.collection._random_number())
    for collection in apps.get_model("surveys", "Collection").objects.all():
        collection.returned = closed(collection.returned_step, collection.returned_when_moved)
        collection.save(update_fields=["returned"])


class Migration(migrations.Migration):
    dependencies = [("surveys", "0023_no_row_says_by_link")]

    operations = [
        migrations.AlterField(
            model_name="daycount",
            name="id",
            field=models.BigIntegerField(
                default=surveys.models.collection._random_number, editable=False, primary_key=True, serialize=False
            ),
        ),
        migrations.AddField(
            model_name="collection",
            name="returned",
            field=models.CharField(blank=True, max_length=48),
        ),
        migrations.RunPython(close, migrations.RunPython.noop),
        migrations.RemoveField(model_name="collection", name="returned_step"),
        migrations.RemoveField(model_name="collection", name="returned_when_moved"),
        migrations.AlterField(model_name="daycount", name="n", field=models.PositiveIntegerField()),
        migrations.AddConstraint(
            model_name="daycount",
            constraint=models.CheckConstraint(condition=models.Q(n__gt=0), name="day_has_somebody"),
        ),
    ]
