"""Combine sibling teams into one unit, before publication, so that together they reach k: docs/data-protection.md, Which people count for k."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from analysis.history import Happened
from analysis.models import EarlyPicture, Publication, Unit
from surveys.models import Meeting
from teams import history
from teams.models import Participation, Study, User


class CombiningRefused(Exception):
    """Why these teams cannot be combined or taken apart, in a sentence for the researcher."""


def combine_teams(study: Study, participations: Collection[Participation], user: User | None) -> Unit:
    """Combine teams of one academy into a unit: from now on they have one report, and stand in aggregates together.

    Raises `CombiningRefused` for fewer than two teams, teams of other studies or of different academies, a team that
    takes no part or is in a unit already, and after the first publication or early picture of the study.
    """
    members = {participation.pk for participation in participations}
    with transaction.atomic():
        _before_publication(study)
        taking_part = list(
            Participation.objects.filter(pk__in=members, study=study, state=Participation.State.ACCEPTED)
            .select_related("team__academy")
            .order_by("team__name", "pk")
        )
        if len(taking_part) < 2:
            raise CombiningRefused(_("Choose at least two teams that take part in this study."))
        if len(taking_part) < len(members):
            raise CombiningRefused(_("Only teams that take part in this study can be combined."))
        academies = {participation.team.academy for participation in taking_part}
        if len(academies) > 1:
            raise CombiningRefused(_("Only teams of the same academy can be combined."))
        if Unit.objects.filter(study=study, participations__in=taking_part).exists():
            raise CombiningRefused(_("One of these teams is combined already. Take that combination apart first."))
        name = " + ".join(participation.team.name for participation in taking_part)
        academy = academies.pop()
        unit = Unit.objects.create(study=study, academy=academy, name=name[:200], decided_by=user)
        unit.participations.set(taking_part)
        history.record(study, Happened.TEAMS_COMBINED, academy=academy, by=user, detail=name[:500])
    return unit


def separate_teams(unit: Unit, user: User | None) -> None:
    """Undo a combination; after the first publication or early picture of the study it stands. Undoing twice changes nothing.

    Raises `CombiningRefused` after that.
    """
    with transaction.atomic():
        _before_publication(unit.study)
        deleted, _rows = Unit.objects.filter(pk=unit.pk).delete()
        if deleted:
            history.record(unit.study, Happened.TEAMS_SEPARATED, academy=unit.academy, by=user, detail=unit.name)


def fixed_by_pictures(study: Study) -> bool:
    """Whether a team of the study saw its own figures in its meeting, or asked for them: from then on no teams are combined."""
    asked = Meeting.objects.filter(collection__survey__study=study, picture_asked_at__isnull=False)
    return asked.exists() or EarlyPicture.objects.filter(study=study).exists()


def _before_publication(study: Study) -> None:
    # The study's row is the lock: two combinations at once see each other, and publishing takes it too. SQLite has one
    # writer at a time anyway.
    Study.objects.select_for_update().get(pk=study.pk)
    if Publication.objects.filter(study=study).exists():
        raise CombiningRefused(_("Results of this study were published: its teams stay as they were shown."))
    if fixed_by_pictures(study):
        raise CombiningRefused(
            _(
                "A team of this study has seen its own figures in its meeting, or asked for them: the teams stay as they are."
            )
        )
