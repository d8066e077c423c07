import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from analysis.data.accounting import Dispositions, account, accounts, tally
from analysis.models import ScreeningDecision
from surveys.models import Collection
from teams.models import Invitation, Participation
from tests.analysis import builders

counts = st.integers(0, 60)


@given(counts, counts, counts, counts, counts)
def test_everybody_is_in_one_place(approached, analysed, not_eligible, screened_out, refused):
    people = Dispositions.of_team(
        approached, analysed=analysed, not_eligible=not_eligible, screened_out=screened_out, refused=refused
    )
    assert people.reconciles
    assert people.not_returned == 0 or people.not_accounted_for == 0
    assert (people.not_accounted_for > 0) == (analysed + not_eligible + screened_out + refused > approached)


@given(st.lists(st.tuples(counts, counts, counts, counts), max_size=8))
def test_groups_reconcile_too(teams):
    people = [Dispositions.of_team(a, analysed=b, not_eligible=c, screened_out=d) for a, b, c, d in teams]
    assert sum(people, Dispositions()).reconciles


def test_the_rates_of_the_article():
    people = Dispositions.of_team(748, analysed=476, not_eligible=14, screened_out=5)
    assert (people.returned, people.set_aside, people.not_returned) == (495, 19, 253)
    assert people.return_rate == pytest.approx(495 / 748)
    assert people.usable_rate == pytest.approx(476 / 748)
    assert people.rr1 == pytest.approx(476 / 734)


def test_no_rate_without_anybody_approached():
    people = Dispositions()
    assert (people.return_rate, people.usable_rate, people.rr1) == (None, None, None)


def test_tally_keeps_a_sealed_team_without_answers():
    rule = ScreeningDecision.Rule
    people = tally({1: 5, 2: 4}, [(1, ""), (1, rule.NOT_ELIGIBLE), (1, rule.UNANSWERED)])
    assert people[1] == Dispositions(5, 1, 1, 1, 0, 2, 0, 0)
    assert people[2] == Dispositions(4, not_returned=4)


@pytest.mark.django_db
def test_study_counts_who_was_invited_and_who_takes_part():
    study = builders.make_study()
    teams = [builders.make_team(study, f"T{n}", approached=10, academy=f"A{n}", mode="contact") for n in range(4)]
    Participation.objects.filter(pk=teams[2].pk).update(state=Participation.State.DECLINED)
    Invitation.objects.create(study=study, participation=teams[2], state="declined", reason="workload")
    Participation.objects.filter(pk=teams[3].pk).update(state=Participation.State.LISTED)
    builders.seal(teams[0], [builders.answers(1)] * 3)
    accounted = account(study, {teams[0].pk: Dispositions.of_team(10, analysed=3)})
    assert (accounted.academies_invited, accounted.academies_participating) == (3, 2)
    assert (accounted.teams_invited, accounted.teams_participating, accounted.teams_declined) == (3, 2, 1)
    assert accounted.declined_reasons == {"workload": 1}
    assert accounted.team_participation == pytest.approx(2 / 3)
    assert accounted.total == Dispositions(20, 3, not_returned=7, pending=10)
    for groups in (accounted.by_academy(), accounted.by_institution(), accounted.by_sector(), accounted.by_mode()):
        assert sum(groups.values(), Dispositions()) == accounted.total
        assert all(people.reconciles for people in groups.values())


@pytest.mark.django_db
def test_more_answers_than_teachers_is_not_accounted_for_until_corrected():
    study = builders.make_study()
    team = builders.make_team(study, "Team", approached=2)
    collection = builders.seal(team, [builders.answers(1)] * 3)
    known = {team.pk: Dispositions.of_team(2, analysed=3)}
    accounted = account(study, known)
    assert not accounted.teams[0].accounted_for
    assert accounted.total.not_accounted_for == 1
    assert accounted.total.reconciles
    Collection.objects.filter(pk=collection.pk).update(approached=4)
    corrected = account(study, known)
    assert corrected.teams[0].accounted_for
    assert corrected.total == Dispositions(4, 3, not_returned=1)


@pytest.mark.django_db
def test_who_refused_is_counted_apart_from_who_did_not_return():
    study = builders.make_study()
    team = builders.make_team(study, "Team", approached=10)
    collection = builders.seal(team, [builders.answers(1)] * 3)
    Collection.objects.filter(pk=collection.pk).update(refused=2)
    accounted = account(study, {team.pk: Dispositions.of_team(10, analysed=3)})
    assert accounted.total == Dispositions(10, 3, refused=2, not_returned=5)
    assert accounted.total.reconciles


@pytest.mark.django_db
def test_academies_that_were_asked_count_without_their_teams_taking_part():
    study = builders.make_study()
    team = builders.make_team(study, "Team")
    Participation.objects.filter(pk=team.pk).update(state=Participation.State.DECLINED)
    Invitation.objects.create(
        study=study, academy=team.team.academy, state="declined", reason="reorganisation", undertaking=False
    )
    accounted = accounts(study)
    assert (accounted.academies_invited, accounted.academies_declined, accounted.teams_declined) == (1, 1, 1)
    assert accounted.total == Dispositions()


@pytest.mark.django_db
@pytest.mark.parametrize("n_teams", [2, 20])
def test_queries_do_not_grow_with_the_teams(n_teams):
    study = builders.make_study()
    for number in range(n_teams):
        builders.seal(builders.make_team(study, f"T{number}"), [builders.answers(1)])
    with CaptureQueriesContext(connection) as queries:
        accounts(study)
    assert len(queries) == 3
