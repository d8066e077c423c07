"""Leaders had the facilitator's link on their page, and could be the contact person themselves. Neither holds any longer.

Of collections that are not sealed: a contact person who is the leader is taken away (the board says that nobody leads), with
the number present that the leader counted; every meeting gets a new link, mailed to its contact person. What is sealed stays.
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
    for one in with_contact.select_related("team"):
        if _mailbox(one.contact_email) != _mailbox(one.team.leader_email):
            continue
        apps.get_model("teams", "Event").objects.create(
            study_id=one.study_id,
            participation_id=one.pk,
            kind="contact_person_changed",
            detail=f"{one.contact_name} {one.contact_email} → –",
        )
        participations.filter(pk=one.pk).update(contact_name="", contact_email="")
        meetings.filter(collection__participation=one.pk).update(present=None, present_by="", counted_by=None)
        attendees = apps.get_model("teams", "Attendee").objects.filter(
            meeting__participation=one.pk, part="contact", left=False
        )
        kinds = ["teams.meeting_calendar", "teams.meeting_briefing"]
        outbox.filter(kind__in=kinds, object_id__in=list(attendees.values_list("pk", flat=True)), state="queued").update(
            state="dropped"
        )
        attendees.update(left=True)
    unsealed = meetings.exclude(collection__state="sealed").select_related("collection__participation")
    for meeting in unsealed:
        meetings.filter(pk=meeting.pk).update(facilitator_nonce=secrets.token_hex(16))
        participation = meeting.collection.participation
        if participation.contact_email and participation.state == "accepted":
            outbox.create(study_id=participation.study_id, kind="surveys.facilitator_link", object_id=meeting.pk)


class Migration(migrations.Migration):
    dependencies = [("surveys", "0011_who_counted_before"), ("teams", "0011_domains_of_known_contacts")]

    operations = [migrations.RunPython(part, migrations.RunPython.noop)]
