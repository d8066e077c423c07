"""Importing answers that were collected elsewhere: all of a file or nothing, through the same code as answers typed here."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from analysis.data import import_teams
from analysis.data.import_file import Answers
from analysis.data.import_teams import ImportRefused
from analysis.history import Happened
from analysis.plan.plans import Content, import_plan, lock_plan, locked_plan
from surveys.answering.submission import submit_many
from surveys.collecting import collections, sealing
from surveys.models import Collection, Meeting, PresentBy, Survey
from surveys.questionnaires.publishing import definition_of
from teams import history
from teams.models import Participation, Study, User
from teams.studies import setting_up
from teams.text.directions import isolated


def import_answers(
    survey: Survey,
    answers: Answers,
    user: User | None,
    *,
    plan: Content | None = None,
    same_teams: bool = True,
) -> list[Collection]:
    """Write a file's answers to collections of their own, one per team, and close them so that their sealing is due.

    Teams that the study does not know are made. A survey that is not open yet is opened first, under ``plan`` or else the
    import plan (nobody screened out, one answered item gives a score). One transaction: all of it or nothing. Sealing is
    left to the caller or the worker: :func:`seal`.

    With ``same_teams`` a team that has the name of one in the wave before or after is that team.

    Raises:
        ImportRefused: if the file is not good, or a team has answers already.
    """
    if not answers.good or not answers.teams:
        raise ImportRefused(_("The file contains mistakes: nothing was imported. Correct it and choose it again."))
    study = survey.study
    with transaction.atomic():
        setting_up.hold(study.group_id)  # as where contacts are listed: academies of the group are made here too
        if locked_plan(study) is None:
            content = plan or import_plan(definition_of(survey.version), study.k)
            lock_plan(study, user, content, answers_elsewhere=True)
        locked = locked_plan(study)
        assert locked is not None
        participations = _participations(study, answers, user, same_teams)
        collections.open_survey(survey, survey.plan_hash or locked.content_hash, by=user)
        made = []
        for team, rows in sorted(answers.teams.items()):
            # locked: nobody begins between the look whether somebody answered and the rows of the file
            locked_rows = Collection.objects.select_for_update(of=("self",), no_key=True)
            collection = locked_rows.select_related("survey__study", "survey__version").get(
                participation=participations[team]
            )
            _fill(collection, team, rows)
            collections.close_collection(collection, by=user)
            collections.seal_now(collection, by=user)
            made.append(collection)
        history.record(study, Happened.ANSWERS_IMPORTED, by=user, detail=f"{answers.n_rows} / {len(made)}")
    return made


def seal(made: list[Collection]) -> int:
    """Seal imported collections now, outside any transaction, instead of waiting for the worker."""
    return sealing.seal_many(made)


def _fill(collection: Collection, team: str, rows: list[dict[str, Any]]) -> None:
    if collection.state != Collection.State.OPEN or collection.responses.exists():
        raise ImportRefused(
            _("Team '%s' already has answers in this study: import these into a separate study.") % isolated(team)
        )
    meeting = Meeting.objects.filter(collection=collection)
    if not meeting.exists():
        raise ImportRefused(
            _("Team '%s' answers by personal links here: first change its way of collecting to a team meeting.")
            % isolated(team)
        )
    submit_many(collection, rows)
    # Whoever stands in the file was there: the counts that decide about publication compare with this.
    meeting.update(present=len(rows), present_by=PresentBy.IMPORT)


def _participations(study: Study, answers: Answers, user: User | None, same_teams: bool) -> dict[str, Participation]:
    """The participation of every team in the file, by name; made where the study has none."""
    known = import_teams.in_study(study)
    waves = import_teams.of_neighbouring_waves(study, user) if same_teams else {}
    participations: dict[str, Participation] = {}
    for name, rows in answers.teams.items():
        folded = import_teams.folded(name)
        same_name = known.get(folded, [])
        if len(same_name) > 1:
            raise ImportRefused(_("The study has more than one team '%s': rename one first.") % isolated(name))
        if same_name:
            if same_name[0].state != Participation.State.ACCEPTED:
                raise ImportRefused(_("Team '%s' does not take part in this study.") % isolated(name))
            participations[name] = same_name[0]
            continue
        before = waves.get(folded, [])
        if len(before) > 1:
            raise ImportRefused(
                _("In the waves before and after there is more than one team '%s': rename one first.") % isolated(name)
            )
        place = answers.places.get(name, import_teams.Place())
        participations[name] = import_teams.make(study, name, place, len(rows), before[0] if before else None, user)
    return participations
