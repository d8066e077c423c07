"""Importing answers that were collected elsewhere: all of a file or nothing, through the same code as answers typed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from analysis.import_file import Answers
from analysis.plan import Content, import_plan, lock_plan, locked_plan
from surveys import collections, sealing
from surveys.models import Collection, Meeting, Survey
from surveys.questionnaires import definition_of
from surveys.submission import submit_many
from teams import history
from teams.models import Academy, Institution, Participation, Sector, Study, Team, User

ACADEMY = "Imported"


class ImportRefused(Exception):
    """Why a good file cannot be imported into this study, in a sentence."""


def import_answers(
    survey: Survey, answers: Answers, user: User | None, *, plan: Content | None = None
) -> list[Collection]:
    """Write a file's answers to collections of their own, one per team, and close them so that their sealing is due.

    Teams that the study does not know are made. A survey that is not open yet is opened first, under ``plan`` or else the
    import plan (nobody screened out, one answered item gives a score). One transaction: all of it or nothing. Sealing is
    left to the caller or the worker: :func:`seal`.

    Raises:
        ImportRefused: if the file is not good, or a team has answers already.
    """
    if not answers.good or not answers.teams:
        raise ImportRefused(_("The file has mistakes: nothing was imported."))
    study = survey.study
    with transaction.atomic():
        if locked_plan(study) is None:
            lock_plan(study, user, plan or import_plan(definition_of(survey.version), study.k))
        locked = locked_plan(study)
        assert locked is not None
        participations = _participations(study, answers.teams)
        collections.open_survey(survey, survey.plan_hash or locked.content_hash, by=user)
        made = []
        for team, rows in sorted(answers.teams.items()):
            collection = Collection.objects.select_related("survey__study", "survey__version").get(
                participation=participations[team]
            )
            _fill(collection, team, rows)
            collections.close_collection(collection, by=user)
            collections.seal_now(collection, by=user)
            made.append(collection)
        history.record(study, "answers_imported", by=user, detail=f"{answers.n_rows} / {len(made)}")
    return made


def seal(made: list[Collection]) -> int:
    """Seal imported collections now, outside any transaction, instead of waiting for the worker."""
    return sealing.seal_many(made)


def _fill(collection: Collection, team: str, rows: list[dict[str, Any]]) -> None:
    if collection.state != Collection.State.OPEN or collection.responses.exists():
        raise ImportRefused(_("Team '%s' has answers in this study already: import into a study of its own.") % team)
    meeting = Meeting.objects.filter(collection=collection)
    if not meeting.exists():
        raise ImportRefused(
            _("Team '%s' answers by personal links here: give it a team meeting to import into.") % team
        )
    submit_many(collection, rows)
    # Whoever stands in the file was there: the counts that decide about publication compare with this.
    meeting.update(present=len(rows))


def _participations(study: Study, teams: Mapping[str, list[dict[str, Any]]]) -> dict[str, Participation]:
    """The participation of every team in the file, by name; made where the study has none."""
    known: dict[str, list[Participation]] = {}
    for participation in Participation.objects.filter(study=study).select_related("team"):
        known.setdefault(participation.team.name.lower(), []).append(participation)
    found: dict[str, Participation] = {}
    for name, rows in teams.items():
        same_name = known.get(name.lower(), [])
        if len(same_name) > 1:
            raise ImportRefused(_("The study has more than one team '%s': rename one first.") % name)
        if same_name:
            if same_name[0].state != Participation.State.ACCEPTED:
                raise ImportRefused(_("Team '%s' does not take part in this study.") % name)
            found[name] = same_name[0]
        else:
            found[name] = _make_team(study, name, len(rows))
    return found


def _make_team(study: Study, name: str, n_rows: int) -> Participation:
    """A team of the academy for imports. Who leads it a file does not say: the study's contact person stands in."""
    institution, _made = Institution.objects.get_or_create(name=study.controller[:160])
    academy, _made = Academy.objects.get_or_create(
        institution=institution,
        name=f"{ACADEMY}: {study.slug}"[:160],
        defaults={
            "sector": Sector.EDUCATION,
            "director_name": study.contact_name,
            "director_email": study.contact_email,
        },
    )
    team, _made = Team.objects.get_or_create(
        academy=academy,
        name=name[:160],
        defaults={"leader_name": study.contact_name, "leader_email": study.contact_email},
    )
    return Participation.objects.create(
        study=study,
        team=team,
        state=Participation.State.ACCEPTED,
        mode=Participation.Mode.CONTACT,
        approached=n_rows,
        approached_note=_("as many as there are rows in the imported file"),
    )
