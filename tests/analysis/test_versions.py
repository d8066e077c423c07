"""Publishing against all that was ever shown: after people left, decisions were undone, and two at once."""

from __future__ import annotations

import importlib
import random
import threading
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from analysis import disclosure, withdrawals
from analysis.choices import decisions
from analysis.mail_kinds import ReportMail
from analysis.models import AnalysisRun, Publication, PublishedGroup
from analysis.publication import publishing, versions
from analysis.publication.publishing import PublishingRefused, publish
from analysis.publication.served import of_team
from analysis.publication.units import combine_teams
from analysis.reports.material import read_material
from analysis.reports.team import render_team, team_report
from analysis.runs.execution import cancel, execute, request_run
from surveys.models import Collection, Response, SealedResponse, Survey
from teams.inviting import withdrawing
from teams.models import Event, Invitation, OutboxMessage, Participation, Study
from tests.analysis.builders import ITEMS, answers, make_researcher, make_study, make_team, publish_what_is_asked, seal
from tests.analysis.test_reports import analyse

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return make_study()


def mixed(size: int, shift: int = 0) -> list[dict[str, object]]:
    """Answers of which no part is alike."""
    drawn = random.Random(shift)
    return [
        answers(*[person % 4 + 1 if drawn.random() < 0.7 else drawn.randint(1, 4) for _ in ITEMS])
        for person in range(size)
    ]


def team_of(study: Study, name: str, size: int, shift: int = 0) -> Participation:
    team = make_team(study, name, approached=15)
    seal(team, mixed(size, shift))
    return team


def withdraw(team: Participation) -> None:
    Participation.objects.filter(pk=team.pk).update(state=Participation.State.WITHDRAWN)
    withdrawals.carry_out()


# ---------------------------------------------------------------------------------------------- people leave
def test_one_of_two_combined_teams_withdraws(study, client: Client):
    """Alfa (6) and Beta (4) were one unit: Alfa alone, taken from both, is what four people answered.

    By the pages: combined, published, withdrawn by the leader, published again.
    """
    alfa, beta = team_of(study, "Alfa", 6, 4), team_of(study, "Beta", 4, 1)
    for team in (alfa, beta):
        Invitation.objects.create(study=study, participation=team, state="accepted", undertaking=True)
    client.force_login(make_researcher(study))
    client.cookies["django_language"] = "en"
    page = reverse("publish", args=[study.slug])
    client.post(reverse("units_combine", args=[study.slug]), {"team": [alfa.pk, beta.pk]})
    analyse(study)
    client.post(page)
    publish_what_is_asked()
    assert Publication.objects.count() == 1
    assert withdrawing.withdraw(beta.invitation, "workload", by_link=True)
    withdrawals.carry_out()
    analyse(study)
    client.post(page)
    publish_what_is_asked()
    answer = client.get(page).content.decode()
    assert "The correction has to wait" in answer
    assert "It is about: Alfa." in answer
    assert Publication.objects.count() == 1


def test_a_team_that_withdrew_is_judged_by_its_answers_as_long_as_they_are_there(study):
    alfa, gamma = team_of(study, "Alfa", 6, 4), team_of(study, "Gamma", 7, 2)
    combine_teams(study, [alfa, gamma], None)
    publish(analyse(study), None)
    withdraw(gamma)
    publish(analyse(study), None)
    assert Publication.objects.count() == 2


def test_those_who_left_answered_alike(study):
    alfa, gamma = team_of(study, "Alfa", 6, 4), make_team(study, "Gamma", approached=15)
    seal(gamma, [answers(4)] * 7)
    combine_teams(study, [alfa, gamma], None)
    publish(analyse(study), None)
    withdraw(gamma)
    with pytest.raises(PublishingRefused, match="wait"):
        publish(analyse(study), None)


def test_where_the_answers_are_gone_nothing_is_cut_out(study):
    alfa, gamma, other = team_of(study, "Alfa", 6, 4), team_of(study, "Gamma", 7, 2), team_of(study, "Other", 8, 3)
    combine_teams(study, [alfa, gamma], None)
    publish(analyse(study), None)
    withdraw(gamma)
    SealedResponse.objects.filter(collection__participation=gamma).delete()
    with pytest.raises(PublishingRefused, match="wait.*Alfa"):
        publish(analyse(study), None)
    # what shares nobody with them may be corrected
    Participation.objects.filter(pk=alfa.pk).update(state=Participation.State.WITHDRAWN)
    publish(analyse(study), None)
    assert [group.group for group in Publication.objects.latest("pk").groups.all()] == [f"team:{other.pk}"]


def test_a_team_withdraws_after_the_run(study):
    teams = [team_of(study, name, 6, n) for n, name in enumerate("abcd")]
    run = analyse(study)
    withdraw(teams[0])
    with pytest.raises(PublishingRefused, match="withdrew after"):
        publish(run, None)


def figures_shown(study: Study, team: Participation) -> object:
    return team_report(Publication.objects.filter(study=study).latest("pk").run, team).scales


def test_a_small_rest_no_longer_holds_up_all_others(study, client: Client):
    """Alfa (6) and Beta (4) were one unit; Beta withdrew. Every later version waited for Alfa, for ever. By the pages."""
    alfa, beta = team_of(study, "Alfa", 6, 4), team_of(study, "Beta", 4, 1)
    others = [team_of(study, name, 7 + n, 5 + n) for n, name in enumerate(("Gamma", "Delta", "Zeta", "Eta"))]
    combine_teams(study, [alfa, beta], None)
    publish(analyse(study), None)
    withdraw(beta)
    late = team_of(study, "Laat", 8, 11)
    client.force_login(make_researcher(study))
    client.cookies["django_language"] = "en"
    page = reverse("publish", args=[study.slug])
    for _n in range(2):  # another analysis changes nothing of it
        analyse(study)
        assert "Publish without some teams" not in client.get(page).content.decode()
        client.post(page)
        publish_what_is_asked()
        shown = client.get(page).content.decode()
    assert "The correction has to wait" in shown
    assert "Waiting does not solve this" in shown
    assert f'name="without" value="team:{alfa.pk}"' in shown
    client.post(page, {"without": f"team:{alfa.pk}"})
    publish_what_is_asked()
    last = Publication.objects.latest("pk")
    assert {group.group for group in last.groups.all()} == {f"team:{team.pk}" for team in (*others, late)}
    assert figures_shown(study, alfa) == disclosure.Withheld(disclosure.Reason.NOT_IN_VERSION)
    assert isinstance(figures_shown(study, late), tuple)
    now = of_team(alfa)
    assert now is not None
    assert not now.has_results
    assert Event.objects.filter(kind="published").latest("pk").detail == f"run {last.run_id} – Alfa"
    # the next version is held against all that was ever shown, Alfa's first report too
    with pytest.raises(PublishingRefused, match="wait.*Alfa") as refusal:
        publish(analyse(study), None)
    assert refusal.value.units == (f"team:{alfa.pk}",)


NAMES = ("Alfa", "Gamma", "Delta", "Zeta", "Eta")


def test_who_is_left_out_is_in_no_mean_over_teams_and_in_no_spread(study):
    """As if the team had never been there."""
    teams = [team_of(study, name, 7 + n, 5 + n) for n, name in enumerate(NAMES)]
    other = make_study("never")
    never = [team_of(other, name, 7 + n, 5 + n) for n, name in enumerate(NAMES)][1:]
    Participation.objects.filter(study=other, team__name="Alfa").update(state=Participation.State.WITHDRAWN)
    withdrawals.carry_out()
    left_out, expected = read_material(analyse(study), {f"team:{teams[0].pk}"}), read_material(analyse(other))
    assert left_out.spreads == expected.spreads
    assert read_material(AnalysisRun.objects.get(survey__study=study)).spreads != expected.spreads
    for team, same in zip(teams[1:], never, strict=True):
        ours, theirs = render_team(left_out, team, "en").scales, render_team(expected, same, "en").scales
        assert [(scale.shown, scale.benchmark) for scale in ours] == [
            (scale.shown, scale.benchmark) for scale in theirs
        ]
    assert render_team(left_out, teams[0], "en").scales == disclosure.Withheld(disclosure.Reason.NOT_IN_VERSION)


def test_leaving_others_out_does_not_let_through_what_tells(study):
    alfa, beta, gamma = team_of(study, "Alfa", 6, 4), team_of(study, "Beta", 4, 1), team_of(study, "Gamma", 7, 2)
    combine_teams(study, [alfa, beta], None)
    publish(analyse(study), None)
    withdraw(beta)
    run = analyse(study)
    for without in ((f"team:{gamma.pk}",), ("team:0", "", "x" * 60), (f"team:{alfa.pk}", f"team:{gamma.pk}")):
        with pytest.raises(PublishingRefused, match="Only teams"):
            publish(run, None, without)
    assert Publication.objects.count() == 1


def test_who_answered_alike_is_not_left_out_since_that_would_tell_it(study):
    alfa, gamma, other = (
        team_of(study, "Alfa", 6, 4),
        make_team(study, "Gamma", approached=15),
        team_of(study, "O", 8, 3),
    )
    seal(gamma, [answers(4)] * 7)
    combine_teams(study, [alfa, gamma], None)
    publish(analyse(study), None)
    withdraw(gamma)
    run = analyse(study)
    with pytest.raises(PublishingRefused, match="wait.*Alfa") as refusal:
        publish(run, None)
    assert refusal.value.units == ()
    for without in (alfa, other):
        with pytest.raises(PublishingRefused, match="Only teams"):
            publish(run, None, {f"team:{without.pk}"})


def test_without_one_answer_there_is_nothing_to_publish(study, client: Client):
    """Every team withdrew: readers would have been mailed that reports are there. By the page, and by the step."""
    teams = [team_of(study, name, 6, n) for n, name in enumerate("ab")]
    for team in teams:
        withdraw(team)
    run = analyse(study)
    client.force_login(make_researcher(study))
    client.cookies["django_language"] = "en"
    page = reverse("publish", args=[study.slug])
    shown = client.get(page).content.decode()
    assert "There is not one answer in this analysis" in shown
    assert "Publish these reports?" not in shown
    assert "There is not one answer in this analysis" in client.post(page, follow=True).content.decode()
    with pytest.raises(PublishingRefused, match="not one answer"):
        publish(run, None)
    assert not Publication.objects.exists()
    assert not OutboxMessage.objects.filter(
        kind__in=[ReportMail.REPORT_READY, ReportMail.ACADEMY_REPORT_READY]
    ).exists()
    study.refresh_from_db()
    assert study.promised_on is None
    assert "not published" not in client.get(study.get_absolute_url()).content.decode()


def test_teams_that_are_all_too_small_can_be_published(study):
    team_of(study, "a", 3)
    assert not publish(analyse(study), None).groups.exists()


def test_answers_that_were_all_screened_out_are_none(study):
    run = analyse(study)
    AnalysisRun.objects.filter(pk=run.pk).update(counts={"teams": {"1": {"screened_out": 6, "analysed": 0}}})
    run.refresh_from_db()
    assert publishing.is_empty(run)


# ---------------------------------------------------------------------------------------------- an analysis that is not the last
def test_while_another_analysis_is_on_its_way_the_old_one_is_not_published(study):
    team_of(study, "a", 6)
    run = analyse(study)
    waiting = request_run(Survey.objects.get(study=study))
    with pytest.raises(PublishingRefused, match="waiting"):
        publish(run, None)
    AnalysisRun.objects.filter(pk=waiting.pk).update(state=AnalysisRun.State.RUNNING)
    with pytest.raises(PublishingRefused, match="being made"):
        publish(run, None)
    cancel(waiting)
    publish(run, None)


def test_a_decision_was_undone_after_the_run(study):
    team_of(study, "a", 6)
    analyse(study)
    decision = decisions.decide(study, "drop", "AA1", "", "Not understood.", None)
    run = analyse(study)
    decisions.undo(decision, None)
    waiting = AnalysisRun.objects.get(state=AnalysisRun.State.QUEUED)
    with pytest.raises(PublishingRefused, match="waiting"):
        publish(run, None)
    cancel(waiting)
    with pytest.raises(PublishingRefused, match="undone"):
        publish(run, None)


# ---------------------------------------------------------------------------------------------- two at once
@pytest.mark.django_db(transaction=True)
def test_two_publications_at_once(monkeypatch):
    """Each judged before the other was there: the first to come wins, the other was judged against nothing."""
    study = make_study()
    alfa = team_of(study, "Alfa", 7)
    first = analyse(study)
    judged, go_on = threading.Event(), threading.Event()
    version_tells = disclosure.version_tells

    def slowly(*given: Any) -> object:
        telling = version_tells(*given)
        if threading.current_thread() is not threading.main_thread():
            judged.set()
            assert go_on.wait(120)
        return telling

    monkeypatch.setattr(disclosure, "version_tells", slowly)
    came: list[object] = []

    def of_the_first_run() -> None:
        try:
            came.append(publish(first, None))
        except PublishingRefused as refusal:
            came.append(refusal)
        finally:
            connection.close()

    thread = threading.Thread(target=of_the_first_run)
    thread.start()
    assert judged.wait(120)
    response = SealedResponse.objects.filter(collection__participation=alfa).first()
    SealedResponse.objects.filter(pk=response.pk).update(eligibility="no_other")
    second = publish(analyse(study), None)
    go_on.set()
    thread.join(120)
    assert isinstance(came[0], PublishingRefused), came
    assert Publication.objects.get() == second


@pytest.mark.django_db(transaction=True)
def test_a_team_withdraws_while_a_run_is_being_published(monkeypatch):
    study = make_study()
    alfa = team_of(study, "Alfa", 7)
    run = analyse(study)
    read_material = publishing.read_material

    def and_withdraw(of: AnalysisRun) -> object:
        withdraw(alfa)
        return read_material(of)

    monkeypatch.setattr(publishing, "read_material", and_withdraw)
    with pytest.raises(PublishingRefused, match="withdrew"):
        publish(run, None)
    assert not Publication.objects.exists()


# ---------------------------------------------------------------------------------------------- what is kept
def test_a_publication_keeps_who_stood_behind_each_figure(study):
    team = make_team(study, "a", approached=15)
    rows = [*mixed(6), answers(2, None, 3), answers(2, 3, 4)]
    seal(team, [*rows[:6], rows[6] | {"BB1": None}, rows[7]])
    publication = publish(analyse(study), None)
    group = publication.groups.get()
    figures = versions.kept(publication)
    assert len(group.members) == 8
    assert len(figures[group.group, "AA1"]) == 8
    assert len(figures[group.group, "AA2"]) == len(figures[group.group, "BB1"]) == 7
    assert set(group.missing) == {f"{s}{n}" for s in ("AA", "BB", "CC") for n in (1, 2, 3)} | {"AA", "BB", "CC"}
    assert sum(len(places) for places in group.missing.values()) == 2
    without = next(response for response in SealedResponse.objects.all() if response.answers.get("BB1") is None)
    assert without.key not in figures[group.group, "BB1"]


def test_publications_of_the_whole_series_are_held_against(study):
    second, third = make_study("second"), make_study("third")
    Study.objects.filter(pk=second.pk).update(previous=study)
    Study.objects.filter(pk=third.pk).update(previous=second)
    assert versions.series_of(second) == [study.pk, second.pk, third.pk]
    team_of(study, "a", 6)
    publication = publish(analyse(study), None)
    assert versions.publications_of(third) == [publication]


def in_one_table(sealed):
    """Sealed answers where they stood when this migration was made."""
    Response.objects.bulk_create(
        Response(key=response.key, collection_id=response.collection_id, state=response.state, answers=response.answers)
        for response in sealed
    )


def test_publications_of_before_get_their_keys_from_what_is_still_there(study):
    migration = importlib.import_module("analysis.migrations.0012_versions_as_they_were_shown")
    team, gone = make_team(study, "a", approached=15), team_of(study, "b", 6)
    seal(team, [*mixed(6), answers(2, None, None, 3)])
    publication = publish(analyse(study), None)
    before = versions.kept(publication)
    withdraw(gone)
    SealedResponse.objects.filter(collection__participation=gone).delete()
    PublishedGroup.objects.update(missing={})
    in_one_table(SealedResponse.objects.all())
    migration.keep(apps, None)
    assert versions.kept(Publication.objects.get()) == before
    group = PublishedGroup.objects.get(group=f"team:{gone.pk}")
    assert all(places == [] for places in group.missing.values()), "what is gone counts as given"
    assert len(before[f"team:{team.pk}", "AA"]) == 6
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    assert Collection.objects.count() == 2


def test_a_run_is_judged_with_the_k_that_holds_when_it_is_published(study):
    """A run that was read before the settings changed still knows the smaller k."""
    team_of(study, "Alfa", 6)
    run = analyse(study)
    assert run.survey.study.k == 5
    Study.objects.update(k=7)
    assert not publish(run, None).groups.exists()


@pytest.mark.django_db(transaction=True)
def test_a_k_that_changes_while_a_run_is_being_judged(study, monkeypatch):
    team_of(study, "Alfa", 6)
    run = analyse(study)
    read_material = publishing.read_material

    def and_raise_k(of: AnalysisRun) -> object:
        material = read_material(of)
        Study.objects.update(k=7)
        return material

    monkeypatch.setattr(publishing, "read_material", and_raise_k)
    with pytest.raises(PublishingRefused, match="the settings"):
        publish(run, None)
    assert not Publication.objects.exists()
