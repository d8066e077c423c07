"""Each wave gets its leader. Until now a leader's role was of a team, so of all its waves.

Who leads a team today keeps every wave they can open today, with one exception: a wave that the history shows somebody else
to have accepted, who was replaced afterwards otherwise than by a researcher of that wave's own study. Such a replacement
was made for a later wave (a director named somebody else by link, or a researcher of another study did), and took the
earlier one along unasked. That wave goes back to who accepted it; its leader or a researcher can give it away again. What a
researcher of the wave's own study changed stays: it was meant for that wave, and is recorded.

A wave nobody accepted yet gets the leader last known. Teams lose nothing: ``Team.leader_*`` stays as it is.
"""

import re

from django.db import migrations

CHANGE = re.compile(r"^(?P<old_name>.*?) ?<(?P<old>[^<>]+)> → (?P<new_name>.*?) ?<(?P<new>[^<>]+)>$", re.DOTALL)


def who_accepted(researchers, changes):
    """Name and address to whom a wave goes back; None where it stays with who leads the team today.

    Args:
        researchers: users whose changes count as meant for this wave.
        changes: its events of acceptance and of changed contacts, oldest first.
    """
    accepted, meant, taken = False, None, False
    for event in changes:
        if event.kind == "leader_accepted":
            accepted, meant, taken = True, None, False
            continue
        told = CHANGE.match(event.detail)
        if not accepted or told is None or told["old"].lower() == told["new"].lower():
            continue
        if event.by_id is not None and event.by_id in researchers:
            meant, taken = (told["new_name"], told["new"].lower()), False
        else:
            meant, taken = meant or (told["old_name"], told["old"].lower()), True
    return meant if taken else None


def to_waves(apps, schema_editor):
    Role = apps.get_model("teams", "Role")
    User = apps.get_model("teams", "User")
    Participation = apps.get_model("teams", "Participation")
    Event = apps.get_model("teams", "Event")
    administrators = set(User.objects.filter(is_superuser=True).values_list("pk", flat=True))
    of_team = {}
    for role in Role.objects.filter(kind="leader").select_related("user").order_by("pk"):
        of_team.setdefault(role.team_id, []).append(role.user)
    Role.objects.filter(kind="leader").delete()
    researchers = {}
    for study, user in Role.objects.filter(kind="researcher").values_list("study_id", "user_id"):
        researchers.setdefault(study, set()).add(user)
    for participation in Participation.objects.select_related("team").order_by("pk").iterator(chunk_size=500):
        team = participation.team
        name, email = team.leader_name, team.leader_email
        takes_part = participation.state == "accepted"
        holders = of_team.get(team.pk, [])
        before = None
        if takes_part:
            changes = Event.objects.filter(
                participation=participation, kind__in=["leader_accepted", "contact_changed"]
            ).order_by("at", "pk")
            own = researchers.get(participation.study_id, set()) | administrators
            before = who_accepted(own, changes)
        if before is not None:
            name, email = before
        Participation.objects.filter(pk=participation.pk).update(leader_name=name[:120], leader_email=email)
        if not takes_part or not holders:
            continue  # a wave that opens to nobody today goes on to do so until its leader accepts
        if before is not None:
            holder = User.objects.filter(email__iexact=email).first()
        else:
            same = [user for user in holders if user.email.lower() == email.lower()]
            holder = (same or holders)[0]
        if holder is not None:
            Role.objects.create(kind="leader", user=holder, team=team, participation=participation)


def to_teams(apps, schema_editor):
    """Back: who leads the newest wave leads the team."""
    Role = apps.get_model("teams", "Role")
    newest = {}
    for role in Role.objects.filter(kind="leader").order_by("participation__study__starts_on", "pk"):
        newest[role.participation.team_id] = role.user_id
    Role.objects.filter(kind="leader").delete()
    for team, user in newest.items():
        Role.objects.create(kind="leader", user_id=user, team_id=team)


class Migration(migrations.Migration):

    dependencies = [("teams", "0013_leaders_of_a_wave")]

    operations = [migrations.RunPython(to_waves, to_teams)]
