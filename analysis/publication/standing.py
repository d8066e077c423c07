"""What readers see now of a study, and what that follows from beside the objects of its publication.

A page asks the judge each time (served.py). What was made before, a PDF, is given out only as long as all that its own report
follows from is what it was; whether anything changed for anybody is asked here, in a few queries of all teams.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple

from analysis.models import AnalysisRun, LookBackStep, Publication
from analysis.models.readers import TeamGoal
from analysis.reports.groups import counted_groups
from teams.models import Participation, Study

OF_TEAMS = (
    "pk",
    "state",
    "director_sees_team",
    "leader_email",
    "team__name",
    "team__form",
    "team__academy__name",
    "team__academy__institution__name",
)


def published(study_id: int) -> Publication | None:
    """What readers see now."""
    return (
        Publication.objects.filter(study_id=study_id)
        .select_related("run__survey__version", "run__survey__study")
        .first()
    )


def published_run(study_id: int) -> AnalysisRun | None:
    """The run that readers see now."""
    publication = published(study_id)
    return publication.run if publication else None


def world_of(publication: Publication) -> str:
    """A fingerprint of all that the reports of a publication follow from beside their objects, of all readers together.

    That is what the judge looks at: counts, decisions on them and combinations, k, and which leaders let the director see their
    team; the same of the previous wave, whose means stand beside; names; and what teams wrote down after that wave and said when they looked back.
    """
    study = publication.run.survey.study
    facts = [_facts_of(publication)]
    if study.previous_id is not None:
        goals = TeamGoal.objects.filter(participation__study=study.previous_id).order_by("participation", "scale")
        facts.append(list(goals.values_list("participation", "scale", "target", "next_steps")))
        said = LookBackStep.objects.filter(look_back__participation__study=study.previous_id).order_by("pk")
        facts.append(list(said.values_list("pk", "step", "status", "line")))
        if (before := published(study.previous_id)) is not None:
            facts.append(_facts_of(before))
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def _facts_of(publication: Publication) -> list[object]:
    study_id = publication.study_id
    teams = Participation.objects.filter(study=study_id).order_by("pk").values_list(*OF_TEAMS)
    return [
        publication.pk,
        *Study.objects.filter(pk=study_id).values_list("k", "title", "starts_on", "ends_on").get(),
        sorted(
            ([group.key, astuple(group)] for group in counted_groups(publication.run)), key=lambda pair: str(pair[0])
        ),
        list(teams),
    ]
