"""What was sealed before this was kept is judged by what was known then: nothing published changes by this.

An open meeting in which somebody was counted already: by whoever leads it, unless the leader is the contact person.
"""

from django.db import migrations
from django.db.models import F
from django.db.models.functions import Coalesce, Lower


def fill(apps, schema_editor):
    collections = apps.get_model("surveys", "Collection").objects
    collections.filter(state="sealed").update(n_confirmed=Coalesce(F("n_links"), 0), present_by="before")
    counted = apps.get_model("surveys", "Meeting").objects.filter(present__isnull=False)
    of_open = counted.exclude(collection__state="sealed").annotate(
        contact=Lower("collection__participation__contact_email"),
        leader=Lower("collection__participation__team__leader_email"),
    )
    for meeting in of_open.select_related("collection"):
        by_researcher = meeting.collection.mode == "researcher"
        meeting.present_by = "researcher" if by_researcher else "contact"
        if meeting.contact == meeting.leader and not by_researcher:
            meeting.present_by = "leader"
        meeting.save(update_fields=["present_by"])


class Migration(migrations.Migration):
    dependencies = [("surveys", "0010_who_counts")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
