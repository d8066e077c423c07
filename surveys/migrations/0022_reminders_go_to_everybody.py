"""A round of reminders goes to everybody who did not opt out: no count of who answered before it is kept any more.

What waits of the other reminder goes with the words for everybody. A study's own words for those who had not finished are
deleted: to somebody who did take part they would not be true.
"""

from django.db import migrations

NOT_DONE, TO_ALL = "surveys.personal_reminder", "surveys.personal_reminder_to_all"


def to_everybody(apps, schema_editor):
    apps.get_model("teams", "OutboxMessage").objects.filter(kind=NOT_DONE).update(kind=TO_ALL)
    apps.get_model("teams", "MailText").objects.filter(kind=NOT_DONE).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0021_link_sent_to_contact"),
        ("teams", "0021_promises_and_link_codes"),
    ]

    operations = [
        migrations.RunPython(to_everybody, migrations.RunPython.noop),
        migrations.RemoveField(model_name="collection", name="last_round_submitted"),
    ]
