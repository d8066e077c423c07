from django.db import migrations, models


def fill(apps, schema_editor):
    """A contact person may hold the link of every meeting for which one was mailed."""
    events = apps.get_model("teams", "Event").objects.filter(kind="facilitator_link_sent")
    meetings = apps.get_model("surveys", "Meeting").objects
    mailed = meetings.filter(collection__participation__in=list(events.values_list("participation", flat=True)))
    meetings.filter(pk__in=list(mailed.values_list("pk", flat=True))).update(sent_to_contact=True)


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0020_rows_under_keyed_hashes"),
    ]

    operations = [
        migrations.AddField(
            model_name="meeting",
            name="sent_to_contact",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
