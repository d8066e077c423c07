"""Each team, and each academy with one, has an invitation: those whose answers were imported had none.

Never sent, as of a team that is only listed. Pages, access and mails ask the invitation.
"""

from typing import Any

from django.db import migrations

from teams.links import new_nonce


def list_them(apps: Any, schema_editor: Any) -> None:
    Invitation, Participation = (apps.get_model("teams", name) for name in ("Invitation", "Participation"))
    for participation in Participation.objects.filter(invitation=None).select_related("team").iterator():
        Invitation.objects.create(study_id=participation.study_id, participation=participation, nonce=new_nonce())
        Invitation.objects.get_or_create(
            study_id=participation.study_id,
            academy_id=participation.team.academy_id,
            defaults={"nonce": new_nonce()},
        )


class Migration(migrations.Migration):
    dependencies = [("teams", "0030_done_once")]
    operations = [migrations.RunPython(list_them, migrations.RunPython.noop)]
