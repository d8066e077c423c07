"""The demo study through the whole of it: the figures of the article, what readers see of it, and its pages."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse

from analysis.data.accounting import accounts
from analysis.demo import load
from analysis.disclosure import Reason, Withheld, judge_academy, units
from analysis.models import AnalysisRun, Decision, Publication
from analysis.models.results import FactorModelResult, ScaleResult
from analysis.publication.standing import published_run
from analysis.reports.groups import group_of, load_groups
from analysis.reports.team import team_reports
from surveys.models import Collection, SealedResponse, Survey
from teams.models import Event, Invitation, OutboxMessage, Participation, Study, User

ARTICLE = {"GV": (2.58, 0.61), "OD": (2.71, 0.60), "CH": (2.89, 0.55), "ER": (2.29, 0.59)}


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """The demo, loaded once for this module in a transaction that is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        assert load.load()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def study(loaded, db):
    return Study.objects.get(slug="demo")


@pytest.fixture
def run(study):
    run = published_run(study.pk)
    assert run is not None
    return run


@pytest.fixture
def contract(study, capsys):
    call_command("results", "demo", "--json")
    return json.loads(capsys.readouterr().out)


# ------------------------------------------------------------------------------------------------ the figures
def test_accounts_are_those_of_the_article(study):
    accounted = accounts(study)
    total = accounted.total
    assert (accounted.teams_invited, accounted.teams_participating, accounted.teams_declined) == (
        42,
        36,
        6,
    )
    assert (accounted.academies_declined, len({team.institution for team in accounted.teams})) == (1, 8)
    assert (total.approached, total.returned, total.analysed) == (748, 495, 476)
    assert (total.not_eligible, total.screened_out, total.not_returned, total.pending) == (14, 5, 253, 0)
    assert round(100 * total.return_rate, 1) == 66.2
    assert round(100 * total.usable_rate, 1) == 63.6
    assert round(100 * total.rr1, 1) == 64.9
    assert round(100 * accounted.team_participation, 1) == 85.7
    for groups in (
        accounted.by_academy(),
        accounted.by_institution(),
        accounted.by_sector(),
        accounted.by_mode(),
    ):
        assert sum(people.approached for people in groups.values()) == 748
        assert all(people.reconciles for people in groups.values())


def test_final_scales_have_the_means_of_the_article(run):
    rows = ScaleResult.objects.filter(run=run, scale_set="final", participation=None)
    assert {row.scale for row in rows} == set(ARTICLE)
    for row in rows:
        mean, sd = ARTICLE[row.scale]
        assert abs(row.mean - mean) <= 0.02
        assert abs(row.sd - sd) <= 0.02
        assert (row.minimum, row.maximum, row.n) == (1.0, 4.0, 476)


def test_decisions_were_taken_after_the_first_factor_models(study):
    first, second = AnalysisRun.objects.filter(survey__study=study).order_by("pk")
    assert list(FactorModelResult.objects.filter(run=first).values_list("name", flat=True).distinct()) == [
        "theoretical"
    ]
    rows = Decision.objects.filter(study=study)
    assert [(row.kind, row.subject, row.target) for row in rows] == [("set_aside", "IV", ""), ("merge", "IS", "ER")]
    assert all(row.reason and row.decided_at > first.finished_at for row in rows)
    assert all(row.decided_at < second.started_at for row in rows)
    assert [scale["code"] for scale in first.plan.content["scales"]] == ["GV", "IV", "IS", "OD", "CH", "ER"]
    assert second.fingerprint == first.fingerprint


def test_the_path_of_the_factor_models(run):
    models = FactorModelResult.objects.filter(run=run)
    assert models.count() == 9
    assert all(model.converged for model in models)
    five = models.get(name="after_1", estimator="MLR").content["distinguish"]["pairs"]
    apart = {(pair["first"], pair["second"]): pair for pair in five}
    assert len(apart) == 10
    for names, pair in apart.items():
        assert (pair["ci.upper"] >= 1) == (names == ("IS", "ER"))
    assert apart["IS", "ER"]["verdict"] == "cannot be told apart"
    assert apart["IS", "ER"]["merged"]["Pr(>Chisq)"] > 0.05
    four = models.get(name="final", estimator="MLR")
    assert four.content["scales"] == ["GV", "OD", "CH", "ER"]
    assert four.fit["cfi.robust"] > 0.95
    assert all(pair["ci.upper"] < 0.90 for pair in four.content["distinguish"]["pairs"])


# ------------------------------------------------------------------------------------------------ what readers see
def test_35_reports_and_a_benchmark_over_472_are_shown_and_the_team_of_4_withheld(study, run):
    participations = list(Participation.objects.filter(study=study, state="accepted").select_related("team__academy"))
    reports = dict(zip([p.pk for p in participations], team_reports(run, participations), strict=True))
    shown = [report for report in reports.values() if not isinstance(report.scales, Withheld)]
    assert (len(reports), len(shown)) == (36, 35)
    for report in shown:
        assert (report.benchmark.n_units, report.benchmark.n_teams, report.benchmark.n_respondents) == (35, 36, 472)
        assert all(not isinstance(scale.shown, Withheld) for scale in report.scales)
        assert all(not isinstance(scale.benchmark, Withheld) for scale in report.scales)
    groups = load_groups(run)
    small = next(p for p in participations if group_of(groups, p).group.analysed == 4)
    assert reports[small.pk].scales == Withheld(Reason.TOO_FEW)
    of_academy = [group for group in groups if group.academy_id == small.team.academy_id]
    assert sorted(group.group.analysed for group in of_academy) == [4, 14]
    assert judge_academy(units([group.group for group in of_academy], study.k)) == Withheld(Reason.FEW_TEAMS)


def test_the_year_before_a_team_of_four_has_one_report_with_a_sibling_team(study):
    before = published_run(study.previous_id)
    small, large = Participation.objects.filter(
        study=study.previous, team__name__in=["Maritiem Officier", "Civiele Techniek"]
    ).order_by("-team__name")
    counts = {team.participation.pk: team.counts.analysed for g in load_groups(before) for team in g.teams}
    assert (counts[small.pk], counts[large.pk]) == (4, 11)
    one, other = team_reports(before, [small, large])
    assert (one.combined_with, other.combined_with) == (("Civiele Techniek",), ("Maritiem Officier",))
    assert not isinstance(one.scales, Withheld)
    assert [scale.shown for scale in one.scales] == [scale.shown for scale in other.scales]


def test_the_directors_of_five_and_of_two_teams_have_links(study, client):
    (five, path_of_five), (two, path_of_two) = load.directors_links()
    assert ("(5 teams)" in five, "(2 teams)" in two) == (True, True)
    pages = [client.get(path, follow=True).content.decode() for path in (path_of_five, path_of_two)]
    assert "data:image/svg" in pages[0]
    assert "data:image/svg" not in pages[1], "one of the two is too small: the academy has no mean"


def test_the_contract_for_scripts(contract, study, run):
    assert set(contract) == {"study", "accounts", "scales", "overall", "theoretical", "marks", "teams", "run"}
    assert contract["study"] == "demo"
    assert contract["accounts"] == {
        "academies_invited": 12,
        "teams_invited": 42,
        "teams_participating": 36,
        "approached": 748,
        "returned": 495,
        "set_aside": 19,
        "analysed": 476,
    }
    assert list(contract["scales"]) == ["GV", "OD", "CH", "ER"]
    assert set(contract["scales"]["ER"]["items"]) == {f"{scale}{n}" for scale in ("IS", "ER") for n in range(1, 7)}
    assert list(contract["theoretical"]) == ["GV", "IV", "IS", "OD", "CH", "ER"]
    for scales in (contract["overall"], contract["theoretical"]):
        for figures in scales.values():
            assert set(figures) == {"n", "mean", "sd", "min", "max", "alpha", "icc1"}
            assert 0.75 <= figures["alpha"] <= 0.90 or figures is scales.get("IV") or figures is scales.get("IS")
    for code in contract["overall"]:
        assert 0.08 <= contract["overall"][code]["icc1"] <= 0.14
    assert contract["run"]["fingerprint"] == run.fingerprint
    assert contract["run"]["plan"] == Survey.objects.get(study=study).plan_hash
    assert contract["run"]["finished"]


def test_teams_of_the_contract_are_what_their_leaders_may_see(contract):
    assert len(contract["teams"]) == 36
    withheld = {name for name, scales in contract["teams"].items() if all("withheld" in s for s in scales.values())}
    assert len(withheld) == 1
    assert all(s == {"withheld": "too_few"} for s in contract["teams"][withheld.pop()].values())
    shown = [scales for scales in contract["teams"].values() if "withheld" not in scales["GV"]]
    assert sum(scales["GV"]["n"] for scales in shown) == 472
    for scales in shown:
        assert list(scales) == ["GV", "OD", "CH", "ER"]
        for figures in scales.values():
            assert set(figures) in ({"n", "mean", "ci"}, {"n", "mean", "ci", "capped"})
            assert figures["mean"] == round(figures["mean"], 1)


def test_a_researcher_gets_all_teams_unrounded(study, capsys):
    call_command("results", "demo", "--json", "--as", "researcher")
    teams = json.loads(capsys.readouterr().out)["teams"]
    assert len(teams) == 36
    assert sum(scales["GV"]["n"] for scales in teams.values()) == 476
    for scales in teams.values():
        for figures in scales.values():
            assert set(figures) == {"n", "mean", "ci", "sd", "min", "max", "rwg"}
    assert any(figures["mean"] != round(figures["mean"], 1) for s in teams.values() for figures in s.values())


def test_results_says_what_is_missing(loaded, db):
    with pytest.raises(CommandError, match="no study"):
        call_command("results", "unknown")
    with pytest.raises(CommandError, match="no finished analysis"):
        call_command("results", "proef")


# ------------------------------------------------------------------------------------------------ how it is loaded
def test_it_went_through_the_steps_of_a_real_study(study):
    collections = Collection.objects.filter(survey__study=study)
    assert set(collections.values_list("state", flat=True)) == {"sealed"}
    assert SealedResponse.objects.filter(collection__in=collections, state="submitted").count() == 495
    assert study.previous.slug == "demo-vorig-jaar"
    assert set(Publication.objects.values_list("study__slug", flat=True)) == {"demo", "demo-vorig-jaar"}
    assert Invitation.objects.filter(study=study, academy__isnull=False, state="declined").count() == 1
    kinds = set(Event.objects.filter(study=study).values_list("kind", flat=True))
    assert {"director_accepted", "director_declined", "leader_accepted", "plan_locked", "published"} <= kinds
    assert Study.objects.filter(simulated=False).count() == 0


def test_nobody_is_mailed(study):
    assert OutboxMessage.objects.exists()
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"sent"}


def test_a_second_load_changes_nothing(study):
    before = (SealedResponse.objects.count(), AnalysisRun.objects.count(), Event.objects.count())
    assert not load.load()
    assert (SealedResponse.objects.count(), AnalysisRun.objects.count(), Event.objects.count()) == before


def test_anybody_can_take_part_at_once(study):
    meeting = load.try_meeting()
    assert meeting.collection.state == "open"
    assert len(meeting.code) == 6


def test_sign_ins_are_of_people_who_can_sign_in(study):
    for sign_in in load.sign_ins():
        user = User.objects.get(email=sign_in.email)
        assert user.has_usable_password() == bool(sign_in.password)
        assert not sign_in.password or user.check_password(sign_in.password)


def test_passwords_are_of_this_installation_and_are_the_ones_printed(study):
    printed = {
        load.RESEARCHER: load.password_of(load.RESEARCHER),
        load.ADMINISTRATOR: load.password_of(load.ADMINISTRATOR),
    }
    assert len(set(printed.values())) == 2
    assert all(len(password) == 16 for password in printed.values())
    for email in printed:
        user = User.objects.get(email=email)
        user.set_password("teamspiegel-demo")  # as an earlier version had it, the same everywhere
        user.save()
    load.give_passwords()
    assert all(User.objects.get(email=email).check_password(password) for email, password in printed.items())


@pytest.mark.django_db
def test_production_refuses(settings):
    settings.PRODUCTION = True
    before = Study.objects.count()
    with pytest.raises(CommandError, match="production"):
        call_command("demo")
    assert Study.objects.count() == before


# ------------------------------------------------------------------------------------------------ pages
@pytest.fixture
def researcher(client, study):
    client.force_login(
        User.objects.get(email=load.RESEARCHER), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


@pytest.mark.parametrize("name", ["plan", "runs", "results", "decisions", "responses_import"])
def test_pages_open(researcher, name):
    assert researcher.get(reverse(name, args=["demo"])).status_code == 200
    assert researcher.get(reverse(name, args=["proef"])).status_code == 200


def test_result_page_shows_rounded_figures(researcher):
    researcher.cookies["django_language"] = "en"
    page = researcher.get(reverse("results", args=["demo"])).content.decode()
    for mean, sd in ARTICLE.values():
        assert f">{mean:.2f}<" in page
        assert f">{sd:.2f}<" in page
    theoretical = researcher.get(reverse("results", args=["demo"]), {"scales": "theoretical"}).content.decode()
    assert "IV · 6" in theoretical
    assert "IV · 6" not in page


def test_run_and_model_pages(researcher, run):
    assert researcher.get(reverse("run", args=["demo", run.pk])).status_code == 200
    for model in FactorModelResult.objects.filter(run=run):
        page = researcher.get(reverse("factor_model", args=["demo", model.pk]))
        assert page.status_code == 200
    assert researcher.get(reverse("factor_model", args=["proef", model.pk])).status_code == 404


@pytest.mark.parametrize("name", ["export_results", "export_codebook"])
def test_downloads(researcher, name):
    answer = researcher.get(reverse(name, args=["demo"]))
    assert answer.streaming
    text = answer.getvalue().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows}) == 1


def test_strangers_get_404(client, study):
    leader = User.objects.filter(roles__kind="leader").first()
    client.force_login(leader, backend="allauth.account.auth_backends.AuthenticationBackend")
    for name in ("plan", "runs", "results", "decisions", "responses_import", "export_results", "exports"):
        assert client.get(reverse(name, args=["demo"])).status_code == 404
    for name in ("survey_open", "run_new"):
        assert client.post(reverse(name, args=["demo"])).status_code == 404
