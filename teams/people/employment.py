"""Where the researchers of a study work themselves: rows of answers are not for colleagues (docs/data-protection.md, What readers see)."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from teams import history
from teams.models import Academy, Employment, Study, User


def academies_in(study: Study) -> QuerySet[Academy]:
    """The academies of which a study has teams on its list, by institution and name."""
    of_teams = Academy.objects.filter(teams__participations__study=study)
    return Academy.objects.filter(pk__in=of_teams.values("pk")).select_related("institution")


def works_in(user: User, study: Study) -> list[Academy]:
    """The academies of a study in which the researcher said to work."""
    return list(academies_in(study).filter(employments__user=user, employments__works_there=True))


def is_declared(user: User, study: Study) -> bool:
    """Whether the researcher said it of every academy of the study. One that came later is asked about again."""
    return not academies_in(study).exclude(pk__in=Employment.objects.filter(user=user).values("academy")).exists()


@transaction.atomic
def declare(user: User, study: Study, academies: Collection[Academy]) -> None:
    """Keep in which academies of a study a researcher works. Every word stands in the study's history."""
    chosen = {academy.pk for academy in academies}
    for academy in academies_in(study):
        Employment.objects.update_or_create(user=user, academy=academy, defaults={"works_there": academy.pk in chosen})
    history.record(
        study, history.Happened.EMPLOYMENT_DECLARED, by=user, detail=", ".join(academy.name for academy in academies)
    )
