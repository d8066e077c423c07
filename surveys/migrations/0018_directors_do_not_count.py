"""A director reads results too, so no longer is the contact person of a meeting: as 0012 did it for leaders.

Of collections that are not sealed: such a contact person is taken away (the board says that nobody leads), with the number
present that they counted, and the link that they hold ends. What is sealed stays.
"""

import secrets

from django.db import migrations


def _mailbox(address):
    local, _at, domain = address.strip().lower().rpartition("@")
    plain = local.partition("+")[0].replace(".", "")
    return f"{plain or local}@{domain}"


def part(apps, schema_editor):
    participations = apps.get_model("teams", "Participation").objects
    meetings = apps.get_model("surveys", "Meeting").objects
    outbox = apps.get_model("teams", "OutboxMessage").objects
    with_contact = participations.exclude(contact_email="").exclude(collection__state="sealed")
    for one in with_contact.select_related("team__academy"):
        if _mailbox(one.contact_email) != _mailbox(one.team.academy.director_email):
            continue
        apps.get_model("teams", "Event").objects.create(
            study_id=one.study_id,
            participation_id=one.pk,
            kind="contact_person_changed",
            detail=f"{one.contact_name} {one.contact_email} → –",
        )
        participations.filter(pk=one.pk).update(contact_name="", contact_email="")
        meetings.filter(collection__participation=one.pk).update(
            present=None, present_by="", counted_by=None, facilitator_nonce=secrets.token_hex(16)
        )
        attendees = apps.get_model("teams", "Attendee").objects.filter(
            meeting__participation=one.pk, part="contact", left=False
        )
        kinds = ["teams.meeting_calendar", "teams.meeting_briefing"]
        outbox.filter(kind__in=kinds, object_id__in=list(attendees.values_list("pk", flat=True)), state="queued").update(
            state="dropped"
        )
        attendees.update(left=True)


class Migration(migrations.Migration):
    dependencies = [("surveys", "0017_address_checks"), ("teams", "0021_promises_and_link_codes")]

    operations = [migrations.RunPython(part, migrations.RunPython.noop)]
