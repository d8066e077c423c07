"""What of a publication stands now: one judgement for every way out, pages, talks, files and links (mails hold no figure).

Counts may be corrected after publication, and the judge then closes a team's report (material.Material.judge). A page asks it each
time. What was made before, a PDF, is given out only as long as everything that the judge looks at is what it was.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple

from analysis import disclosure
from analysis.models import AnalysisRun, Publication, Unit
from analysis.reports.groups import counted_groups
from teams.models import Participation, Study


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


def has_results(publication: Publication, participation: Participation) -> bool:
    """Whether a team's report shows figures now, by itself or together with others."""
    units = Unit.objects.filter(study_id=participation.study_id, participations=participation)
    keys = {f"team:{participation.pk}", *(f"unit:{pk}" for pk in units.values_list("pk", flat=True))}
    released = set(publication.groups.values_list("group", flat=True))
    k = publication.run.survey.study.k
    return any(
        group.key in keys and disclosure.judge_published(group, k, released) is None
        for group in counted_groups(publication.run)
    )


def basis_of(publication: Publication) -> str:
    """A fingerprint of what the reports of a publication follow from beside sealed answers.

    That is what the judge looks at: counts, decisions on them and combinations, k, and which leaders let the director see their
    team; the same of the previous wave, whose means stand beside.
    """
    study = publication.run.survey.study
    found = [_judged(publication)]
    if study.previous_id is not None and (before := published(study.previous_id)) is not None:
        found.append(_judged(before))
    return hashlib.sha256(json.dumps(found, default=str).encode()).hexdigest()


def _judged(publication: Publication) -> list[object]:
    study_id = publication.study_id
    agreed = Participation.objects.filter(study=study_id, director_sees_team=True)
    return [
        publication.pk,
        Study.objects.values_list("k", flat=True).get(pk=study_id),
        sorted(publication.groups.values_list("group", flat=True)),
        sorted(([group.key, astuple(group)] for group in counted_groups(publication.run)), key=lambda one: str(one[0])),
        sorted(agreed.values_list("pk", flat=True)),
    ]
