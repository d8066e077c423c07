"""A researcher's word on counts that do not add up: it ends the hold on a team's report, with its reason."""

from analysis.models import AccountingDecision
from teams.models import Participation, User


def accept(participation: Participation, reason: str, user: User | None) -> AccountingDecision:
    """Record that the counts of a team are right. ``reason`` is not empty (a constraint)."""
    return AccountingDecision.objects.create(participation=participation, reason=reason, decided_by=user)
