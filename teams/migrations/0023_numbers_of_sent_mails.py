"""Numbers of mails that went held the moment at which they went: they are forgotten, so that nothing finer than the day is kept.

A mail that comes back in the days after the update is then not recognised; those that are sent from now on are.
"""

from django.db import migrations


def forget(apps, schema_editor):
    apps.get_model("teams", "OutboxMessage").objects.exclude(state="queued").update(message_id="", provider_id="")


class Migration(migrations.Migration):
    dependencies = [("teams", "0022_refusals_are_hashes")]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
