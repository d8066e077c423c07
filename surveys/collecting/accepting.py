"""A leader says yes: the team takes part, and its collection opens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from surveys.collecting.collections import open_or_later
from teams.inviting.invitations import accept_team
from teams.meetings.planning import propose
from teams.models import Invitation


@transaction.atomic
def accept(invitation: Invitation, answers: dict[str, Any], meets_at: datetime | None, language: str) -> bool:
    """Taking part, and the open collection: at once, or later where the disk is full.

    Args:
        answers: what ``accept_team`` takes.
        meets_at: the moment of the meeting that the leader proposes.

    Returns False if the invitation was answered before.
    """
    if not accept_team(invitation, language=language, **answers):
        return False
    participation = invitation.participation
    assert participation is not None  # an academy is accepted by its director, elsewhere
    participation.refresh_from_db()
    open_or_later(participation)
    if meets_at is not None:
        propose(participation, [meets_at], by_leader=True, by_link=True)
    return True
