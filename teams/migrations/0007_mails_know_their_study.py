"""Mails about invitations get their study; whoever was reminded before counts as reminded once."""

from django.db import migrations
from django.db.models import OuterRef, Q, Subquery


def fill(apps, schema_editor):
    Invitation = apps.get_model("teams", "Invitation")
    of_invitations = Q(kind__startswith="teams.director_") | Q(kind__startswith="teams.leader_")
    study = Invitation.objects.filter(pk=OuterRef("object_id")).values("study_id")
    apps.get_model("teams", "OutboxMessage").objects.filter(
        of_invitations | Q(kind="teams.team_withdrawn"), study__isnull=True
    ).update(study_id=Subquery(study))
    Invitation.objects.filter(reminded_at__isnull=False).update(n_reminders=1)


class Migration(migrations.Migration):
    dependencies = [("teams", "0006_mail_texts_hours_and_reminders")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
