"""An institution is known by its name without regard to capitals, as it was looked up already.

Where a research group has one twice ("HAN", "Han"), the later one gets a number, so that no academy changes hands here: a
researcher puts them together on the page of duplicates.
"""

import django.db.models.functions.text
from django.db import migrations, models

LENGTH = 160


def number_the_later(apps, schema_editor):
    Institution = apps.get_model("teams", "Institution")
    known = set()
    later = []
    for one in Institution.objects.using(schema_editor.connection.alias).order_by("pk").iterator():
        key = (one.group_id, one.name.lower())
        if key in known:
            later.append(one)
        known.add(key)
    for one in later:
        number = 2
        while (one.group_id, numbered(one.name, number).lower()) in known:
            number += 1
        one.name = numbered(one.name, number)
        one.save(update_fields=["name"])
        known.add((one.group_id, one.name.lower()))


def numbered(name, number):
    end = f" ({number})"
    return name[: LENGTH - len(end)] + end


class Migration(migrations.Migration):
    dependencies = [("teams", "0034_languages_of_the_settings")]

    operations = [
        migrations.RunPython(number_the_later, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="institution", name="institution_once_per_group"),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.UniqueConstraint(
                models.F("group"), django.db.models.functions.text.Lower("name"), name="institution_once_per_group"
            ),
        ),
    ]
