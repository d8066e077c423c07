"""A team that withdraws: its answers are deleted before publication, and not used any more after it."""

import pytest

from analysis import tasks, withdrawals
from analysis.data import dataset
from analysis.data.accounting import accounts
from analysis.models import AnalysisRun, Publication
from analysis.runs.execution import execute, request_run, surveys_due
from surveys.collecting.collections import open_collection
from surveys.keys import collection_keys
from surveys.models import Collection, Response, SealedResponse, Survey
from teams.inviting.withdrawing import withdraw
from teams.models import Event, Invitation, OutboxMessage, Participation, Study
from tests.analysis import builders
from tests.surveys.attacker import left_on_disk, swept

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    study = builders.make_study()
    for team in builders.three_teams(study):
        Invitation.objects.create(study=study, participation=team, state="accepted", undertaking=True)
        team.team.academy.invitations.get_or_create(study=study, state="accepted", undertaking=True)
    return study


@pytest.fixture
def run(study) -> AnalysisRun:
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    run.refresh_from_db()
    return run


def first(study: Study) -> Participation:
    return study.participations.order_by("pk").first()


def test_before_publication_the_answers_are_deleted_and_a_run_is_due(study, run):
    team = first(study)
    assert surveys_due() == []
    assert withdraw(team.invitation, "workload", by_link=True)
    assert withdrawals.carry_out() == 1
    assert not Collection.objects.filter(participation=team).exists()
    assert SealedResponse.objects.count() == 15
    assert [survey.study for survey in surveys_due()] == [study]
    assert Event.objects.get(kind="answers_deleted").participation == team
    assert withdrawals.carry_out() == 0
    accounted = accounts(study)
    assert (accounted.teams_invited, accounted.teams_participating, accounted.teams_withdrawn) == (
        3,
        2,
        1,
    )
    assert accounted.total.approached == 20
    assert accounted.total.reconciles


def test_an_open_collection_goes_with_its_key(study):
    team = builders.make_team(study, "Late")
    Invitation.objects.create(study=study, participation=team, state="accepted", undertaking=True)
    collection = open_collection(team)
    Response.objects.create(key="a" * 43, collection=collection, answers={"AA1": 1})
    withdraw(team.invitation, "workload", by_link=True)
    assert withdrawals.carry_out() == 1
    with pytest.raises(collection_keys.KeyDestroyed):
        collection_keys.read(collection)
    assert not Response.objects.filter(key="a" * 43).exists()


def test_after_publication_they_stay_and_no_run_reads_them(study, run):
    Publication.objects.create(study=study, run=run)
    team = first(study)
    withdraw(team.invitation, "workload", by_link=True)
    assert withdrawals.carry_out() == 1
    assert SealedResponse.objects.count() == 21
    survey = Survey.objects.get(study=study)
    assert team.pk not in dataset.load(survey).participations
    assert surveys_due() == [survey]
    assert withdrawals.carry_out() == 0  # once


def test_a_team_that_was_not_in_what_was_published_is_deleted(study, run):
    Publication.objects.create(study=study, run=run)
    late = builders.make_team(study, "Late")
    Invitation.objects.create(study=study, participation=late, state="accepted", undertaking=True)
    builders.seal(late, [builders.answers(2)] * 6)
    withdraw(late.invitation, "workload")
    assert withdrawals.carry_out() == 1
    assert not Collection.objects.filter(participation=late).exists()


def test_a_sealing_that_is_at_work_is_waited_for(study, run):
    team = first(study)
    Collection.objects.filter(participation=team).update(sealing=True)
    withdraw(team.invitation, "workload")
    assert withdrawals.carry_out() == 0
    assert Collection.objects.filter(participation=team).exists()


def test_who_takes_part_keeps_everything(study, run):
    assert withdrawals.carry_out() == 0
    assert SealedResponse.objects.count() == 21


def restored(participation: Participation, rows: dict) -> None:
    """What a backup from before the withdrawal brings back: the permission, the collection and its answers."""
    Participation.objects.filter(pk=participation.pk).update(state="accepted")
    Invitation.objects.filter(participation=participation).update(state="accepted")
    for row in rows:
        row.save(force_insert=True)


def test_a_restored_backup_does_not_bring_withdrawn_answers_back(study, run):
    team = first(study)
    backup = [team.collection, *team.collection.sealed_responses.all()]
    n_others = SealedResponse.objects.exclude(collection=team.collection).count()
    assert withdraw(team.invitation, "workload", by_link=True)
    assert withdrawals.carry_out() == 1
    restored(team, backup)
    n_mails = OutboxMessage.objects.count()
    assert SealedResponse.objects.filter(collection__participation=team).exists()
    assert withdrawals.replay() == 1
    team.refresh_from_db()
    assert team.state == "withdrawn"
    assert not Collection.objects.filter(participation=team).exists()
    assert SealedResponse.objects.count() == n_others
    assert OutboxMessage.objects.count() == n_mails  # they were told then
    assert Event.objects.filter(kind="withdrawal_repeated", participation=team).count() == 1
    assert withdrawals.replay() == 0


def test_published_answers_of_a_withdrawn_team_stay_unused_after_a_restore(study, run):
    Publication.objects.create(study=study, run=run)
    team = first(study)
    assert withdraw(team.invitation, "workload")
    assert withdrawals.carry_out() == 1
    Event.objects.filter(participation=team).delete()
    restored(team, [])
    assert withdrawals.replay() == 1
    assert team.pk not in dataset.load(Survey.objects.get(study=study)).participations


def test_what_runs_staged_goes_with_the_answers():
    study = builders.make_study()
    teams = builders.three_teams(study)
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    assert run.steps.filter(staged__isnull=False).exists()
    Publication.objects.create(study=study, run=run)  # so that the run itself stays
    Participation.objects.filter(pk=teams[0].pk).update(state=Participation.State.WITHDRAWN)
    assert withdrawals.carry_out() == 1
    assert run.steps.exists()
    assert not run.steps.filter(staged__isnull=False).exists()


@pytest.mark.django_db(transaction=True)
def test_answers_of_a_team_that_withdrew_leave_the_disk(study):
    """300 were readable in the files of the database, 300 of 300."""
    team = first(study)
    written = [f"In-my-own-words-{n:04}-" + "ij" * 40 for n in range(300)]
    of_the_team = Collection.objects.get(participation=team)
    SealedResponse.objects.bulk_create(
        SealedResponse(key=f"{n:043}", collection=of_the_team, state="submitted", answers={"AA1": 1, "remarks": words})
        for n, words in enumerate(written)
    )
    assert max(left_on_disk(written).values()) == 300
    assert withdraw(team.invitation, "workload", by_link=True)
    tasks.carry_out_withdrawals()
    assert swept()
    assert left_on_disk(written) == {}
    assert left_on_disk(f"{n:043}" for n in range(300)) == {}
