"""Talks, links, PDFs made by a worker, reports over several teams: who sees what, when it ends, what is frozen."""

import io
import re
from datetime import timedelta
from decimal import Decimal

import pikepdf
import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from analysis.disclosure import Reason, Withheld
from analysis.models import AnalysisRun, Publication, Unit
from analysis.models.readers import ReportFile, ReportLink, TeamGoal
from analysis.publication import files, links, objects, served
from analysis.publication.publishing import publish
from analysis.publication.standing import published
from analysis.publication.talks import goals_beside, goals_of, wave_before, write_goal
from analysis.reports.sentences import scale_value
from analysis.reports.team import Goal, team_report
from analysis.reports.wide import academy_report, study_report
from analysis.reports.wording import change
from teams.models import Academy, Invitation, OutboxMessage, Participation, Study, Team
from tests.analysis.builders import make_researcher, make_study, make_team, publish_what_is_asked, seal
from tests.analysis.test_reader_pages import analysed_study, leader_of
from tests.analysis.test_reports import analyse, varied

pytestmark = pytest.mark.django_db


@pytest.fixture
def published_study() -> tuple[Study, list[Participation], AnalysisRun]:
    study, teams, run = analysed_study("small", 5, size=10)
    publish(run, None)
    return study, teams, run


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def open_link(link: ReportLink) -> Client:
    client = Client()
    assert client.get(links.path_of(link)).status_code == 302
    return client


# ------------------------------------------------------------------------------------------------ links
def test_a_link_opens_report_talk_and_pdf_of_one_team_and_writes_nothing(published_study):
    _study, teams, _run = published_study
    leader = leader_of(teams[0])
    leader.post(reverse("team_share", args=[teams[0].pk]), {"days": 14})
    link = ReportLink.objects.get(participation=teams[0])
    assert link.expires_on == timezone.localdate() + timedelta(days=14)
    files.make_files(Publication.objects.get().pk)
    reader = Client()
    with CaptureQueriesContext(connection) as queries:
        assert reader.get(links.path_of(link)).status_code == 302
        for name in ("shared_report", "shared_talk", "shared_report_pdf"):
            assert reader.get(reverse(name, args=[link.pk])).status_code == 200
    assert not [q["sql"] for q in queries if not q["sql"].lstrip("( ").upper().startswith(("SELECT", "PRAGMA"))]
    assert link.nonce not in text_of(reader, reverse("shared_report", args=[link.pk]))
    other = links.share_with_team(teams[1], 14, None)
    assert reader.get(reverse("shared_report", args=[other.pk])).status_code == 404
    assert Client().get(reverse("shared_report", args=[link.pk])).status_code == 404


def test_a_link_ends_when_revoked_on_its_last_day_and_with_the_team(published_study):
    _study, teams, _run = published_study
    link = links.share_with_team(teams[0], 14, None)
    reader, address = open_link(link), reverse("shared_report", args=[link.pk])
    ReportLink.objects.filter(pk=link.pk).update(expires_on=timezone.localdate())
    assert reader.get(address).status_code == 200
    ReportLink.objects.filter(pk=link.pk).update(expires_on=timezone.localdate() - timedelta(days=1))
    assert reader.get(address).status_code == 404
    ReportLink.objects.filter(pk=link.pk).update(expires_on=timezone.localdate() + timedelta(days=1))
    leader = leader_of(teams[0])
    leader.post(reverse("team_share_revoke", args=[teams[0].pk, link.pk]))
    assert reader.get(address).status_code == 404
    again = links.share_with_team(teams[0], 14, None)
    reader = open_link(again)
    Participation.objects.filter(pk=teams[0].pk).update(state=Participation.State.WITHDRAWN)
    assert reader.get(reverse("shared_report", args=[again.pk])).status_code == 404


def test_a_researcher_ends_the_link_to_the_report_on_the_whole_study(published_study):
    study, teams, _run = published_study
    roos = make_researcher(study)
    client, link = Client(), links.share_study(study, 14, roos)
    client.force_login(roos)
    reader, address = open_link(link), reverse("shared_report", args=[link.pk])
    assert reader.get(address).status_code == 200
    of_team = links.share_with_team(teams[0], 14, None)
    assert client.post(reverse("report_link_revoke", args=[study.slug, of_team.pk])).status_code == 404, "its leader's"
    client.post(reverse("report_link_revoke", args=[study.slug, link.pk]))
    assert reader.get(address).status_code == 404


def test_a_wrong_an_ended_and_a_missing_link_look_alike_and_say_what_to_do(published_study):
    _study, teams, _run = published_study
    link = links.share_with_team(teams[0], 14, None)
    reader, address = open_link(link), reverse("shared_report", args=[link.pk])
    assert links.revoke(link)
    answers_ = [
        reader.get(address),
        reader.get(reverse("shared_talk", args=[link.pk])),
        Client().get(links.path_of(link) + "x"),
        Client().get(address),
        Client().get(reverse("shared_report", args=[99_999])),
    ]
    assert [answer.status_code for answer in answers_] == [404] * 5
    assert {answer.templates[0].name for answer in answers_} == {"analysis/link_ended.html"}
    page = answers_[0].content.decode()
    assert "Vraag een nieuwe" in page
    assert teams[0].team.name not in page


def test_directors_get_their_link_at_the_first_publication_only():
    study, teams, run = analysed_study("small", 4)
    academy = teams[0].team.academy
    Invitation.objects.create(study=study, academy=academy, state="accepted", undertaking=True)
    publish(run, None)
    publish(analyse(study), None)
    link = ReportLink.objects.get(academy=academy)
    assert OutboxMessage.objects.filter(kind="academy_report_ready").count() == 1
    page = text_of(open_link(link), reverse("shared_report", args=[link.pk]))
    assert academy.name in page
    renewed = make_researcher(study)
    client = Client()
    client.force_login(renewed)
    old = open_link(link)
    client.post(reverse("report_link_renew", args=[study.slug, link.pk]))
    assert old.get(reverse("shared_report", args=[link.pk])).status_code == 404
    assert OutboxMessage.objects.filter(kind="academy_report_ready").count() == 2


# ------------------------------------------------------------------------------------------------ the talk
def test_the_leader_writes_the_team_reads_researchers_do_not(published_study, client: Client):
    study, teams, _run = published_study
    leader, address = leader_of(teams[0]), reverse("team_talk", args=[teams[0].pk])
    leader.post(f"{address}?n=1", {"target": "3.2", "next_steps": "We visit each other's lessons."})
    assert goals_of(teams[0])["AA"] == Goal(3.2, "We visit each other's lessons.")
    wrong = leader.post(f"{address}?n=1", {"target": "4.5", "next_steps": ""})
    assert wrong.status_code == 200
    assert goals_of(teams[0])["AA"].target == 3.2
    reader = open_link(link := links.share_with_team(teams[0], 14, None))
    shared = reverse("shared_talk", args=[link.pk])
    assert "lessons" in text_of(reader, f"{shared}?n=1")
    assert reader.post(f"{shared}?n=1", {"target": "1"}).status_code == 405
    client.force_login(make_researcher(study))
    for page in (reverse("report_preview", args=[study.slug, teams[0].pk]), reverse("publish", args=[study.slug])):
        assert "lessons" not in text_of(client, page)
    assert leader.get(f"{address}?n=9").status_code == 404


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_talk_shows_no_number_that_the_report_does_not(published_study, language: str):
    _study, teams, _run = published_study
    leader = leader_of(teams[0])
    leader.cookies["django_language"] = language

    def numbers(page: str) -> set[str]:
        body = re.sub(r"<(script|style|nav|head)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
        return set(re.findall(r"\d+(?:[.,]\d+)?", body))

    report = numbers(text_of(leader, reverse("team_report", args=[teams[0].pk])))
    talk = reverse("team_talk", args=[teams[0].pk])
    for n in range(5):
        # what is typed, and the days and addresses of looking back, are no figures
        typed = r"<section class=\"goal\".*?</section>|<details id=\"look-back\".*?</details>"
        page = re.sub(typed, "", text_of(leader, f"{talk}?n={n}"), flags=re.DOTALL)
        assert numbers(page) <= report


def test_targets_come_back_in_the_next_waves_report_and_are_then_frozen():
    first = make_study("first")
    for number in range(5):
        seal(make_team(first, f"Team{number}", approached=15), varied(12, number))
    publish(analyse(first), None)
    before = Participation.objects.get(study=first, team__name="Team0")
    assert write_goal(before, "AA", Decimal("3.5"), "Ask twice.")
    second = make_study("second")
    Study.objects.filter(pk=second.pk).update(previous=first, wave=2)
    second.refresh_from_db()
    for number in range(5):
        seal(make_team(second, f"Team{number}", approached=15), varied(12, number + 1))
    now = Participation.objects.select_related("study", "team__academy__institution").get(
        study=second, team__name="Team0"
    )
    run = analyse(second)
    report = team_report(run, now, "en", goals_beside(now, wave_before(now))[1])
    scale = report.scales[0]
    assert (scale.target, scale.agreed) == (3.5, "Ask twice.")
    assert "Your own target" in [finding.title for finding in report.findings]
    assert scale.previous is not None
    assert team_report(run, now, "en").scales[0].target is None, "no one else's report holds it"
    publish(run, None)
    assert not write_goal(before, "AA", Decimal("1.0"), "")
    assert TeamGoal.objects.get().target == Decimal("3.5")
    page = text_of(leader_of(now), reverse("team_report", args=[now.pk]))
    assert "Ask twice." in page
    with override("en"):
        then, current = (scale_value(shown, 1) for shown in (scale.previous, scale.shown))
        assert change(scale) == f"Then: {then}. Target: 3.5. Now: {current}.".replace(",", ".")
    assert "Doel: 3,5." in page, "beside the change since"


# ------------------------------------------------------------------------------------------------ PDFs
def structure(pdf: pikepdf.Pdf) -> list[tuple[str, str]]:
    """The tags of a PDF in reading order, each with its alternative text."""
    found, roles = [], {str(k): str(v) for k, v in (pdf.Root.StructTreeRoot.get("/RoleMap") or {}).items()}

    def walk(node: pikepdf.Object) -> None:
        if isinstance(node, pikepdf.Array):
            for child in node:
                walk(child)
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                tag = str(node.S)
                found.append((roles.get(tag, tag), str(node.get("/Alt", ""))))
            if "/K" in node:
                walk(node.K)

    walk(pdf.Root.StructTreeRoot.K)
    return found


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_pdf_is_tagged_with_headings_figures_and_table_heads(published_study, language: str):
    _study, teams, _run = published_study
    publication = Publication.objects.get()
    assert files.make_files(publication.pk) == 2 * (5 + 1 + 1)
    for reader in (objects.team_key(teams[0].pk), objects.academy_key(teams[0].team.academy_id), "study"):
        now = served.of_reader(publication, reader)
        assert now is not None
        file = files.ready(now, language)
        assert file is not None
        with pikepdf.open(io.BytesIO(bytes(file.content))) as pdf:
            assert bool(pdf.Root.MarkInfo.Marked)
            assert str(pdf.Root.Lang).startswith(language)
            assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
            with pdf.open_metadata() as metadata:
                assert metadata["pdfuaid:part"] == "1"
                assert metadata["dc:title"]
            tags = structure(pdf)
        names = [tag for tag, _alt in tags]
        assert names.count("/H1") == 1
        assert names.index("/H1") < names.index("/H2") < names.index("/H3")
        assert names.count("/Table") >= 2
        assert names.count("/TH") >= 4
        figures = [alt for tag, alt in tags if tag == "/Figure"]
        assert figures
        assert all(figures), "a figure without words for it"


def test_files_are_claimed_once_tried_again_and_given_up(published_study, monkeypatch):
    publication = Publication.objects.get()
    ReportFile.objects.exclude(reader="study").delete()
    claims = files._claimed(publication.pk)
    first, second = next(claims), next(claims)
    assert {first.row.language, second.row.language} == {"nl", "en"}
    assert next(claims, None) is None, "both are being made"
    assert files.make_files(publication.pk) == 0
    past = timezone.now() - timedelta(seconds=1)
    for _attempt in range(2):
        ReportFile.objects.update(lease_until=past, due_at=None)
        monkeypatch.setattr(files, "study_pdf", lambda report: 1 / 0)
        assert files.make_files(publication.pk) == 0
    ReportFile.objects.update(due_at=None)
    files.wake_for_due()
    assert set(ReportFile.objects.values_list("state", flat=True)) == {"failed"}


def test_a_publication_from_before_the_files_gets_them(published_study):
    ReportFile.objects.all().delete()
    assert files.wake_for_due() == [Publication.objects.get().pk]
    assert ReportFile.objects.count() == 14


# ------------------------------------------------------------------------------------------------ several teams
def test_a_director_sees_a_combination_only_with_the_word_of_each_leader():
    study = make_study()
    teams = [make_team(study, f"Team{n}", approached=15) for n in range(5)]
    for n, team in enumerate(teams):
        seal(team, varied((6, 4, 7, 8, 9)[n], n))
    unit = Unit.objects.create(study=study, academy=teams[0].team.academy, name="both")
    unit.participations.set(teams[:2])
    Participation.objects.filter(pk=teams[0].pk).update(director_sees_team=True)
    run = analyse(study)
    shown = dict(academy_report(run, teams[0].team.academy_id, "en").teams)
    assert shown["Team0 + Team1"] == Withheld(Reason.NOT_AGREED)
    Participation.objects.filter(pk=teams[1].pk).update(director_sees_team=True)
    shown = dict(academy_report(run, teams[0].team.academy_id, "en").teams)
    assert not isinstance(shown["Team0 + Team1"], Withheld)


def test_teams_of_one_name_are_told_apart_and_those_with_one_reason_stand_together():
    study = make_study()
    teams = [make_team(study, f"Team{n}", approached=15) for n in range(3)]
    for n, team in enumerate(teams):
        seal(team, varied(8, n))
    Team.objects.filter(pk=teams[1].team_id).update(name="Team0", form=Team.Form.PART_TIME)
    Team.objects.filter(pk=teams[0].team_id).update(form=Team.Form.FULL_TIME)
    report = academy_report(analyse(study), teams[0].team.academy_id, "en")
    assert [name for name, _team in report.teams] == ["Team0 (full-time)", "Team0 (part-time)", "Team2"]


def test_what_is_left_of_an_academy_is_no_single_team():
    """Four units, three shown apart: the academy's mean would tell the fourth, whose leader did not agree."""
    study = make_study()
    teams = [make_team(study, f"Team{n}", approached=15) for n in range(4)]
    for n, team in enumerate(teams):
        seal(team, varied(8, n))
    run = analyse(study)
    academy = teams[0].team.academy_id
    assert not isinstance(academy_report(run, academy, "en").scales, Withheld)
    Participation.objects.filter(pk__in=[t.pk for t in teams[:3]]).update(director_sees_team=True)
    assert academy_report(run, academy, "en").scales == Withheld(Reason.FEW_TEAMS)
    Participation.objects.filter(study=study).update(director_sees_team=True)
    assert not isinstance(academy_report(run, academy, "en").scales, Withheld)


def test_sectors_stand_where_neither_they_nor_the_rest_tell_on_a_team():
    study = make_study()
    for n in range(9):
        seal(make_team(study, f"Team{n}", approached=15, academy=f"Academy {n // 5}"), varied(8, n))
    Academy.objects.filter(name="Academy 1").update(sector="economics")
    run = analyse(study)
    report = study_report(run, "en")
    assert len(report.sectors) == 2  # five and four teams
    assert all(len(scale.parts) == 2 for scale in report.scales)
    last = Participation.objects.get(team__name="Team8")
    Participation.objects.filter(pk=last.pk).update(state=Participation.State.WITHDRAWN)
    report = study_report(run, "en")
    assert report.sectors == (), "the rest would be three teams: each of them would read of two others"


def test_a_team_that_withdraws_later_stays_in_what_was_published(published_study):
    _study, teams, run = published_study
    before = team_report(run, teams[0], "en")
    Participation.objects.filter(pk=teams[1].pk).update(state=Participation.State.WITHDRAWN)
    assert team_report(run, teams[0], "en") == before


def test_combining_and_taking_apart_on_the_page(client: Client):
    study, _teams, _run = analysed_study("small", 3)
    small = [make_team(study, name, academy="small academy 0") for name in ("Tiny", "Little")]
    for team in small:
        seal(team, varied(3))
    run = analyse(study)
    client.force_login(make_researcher(study))
    page = reverse("publish", args=[study.slug])
    assert "Teams samenvoegen" in text_of(client, page)
    client.post(reverse("units_combine", args=[study.slug]), {"team": [team.pk for team in small]})
    unit = Unit.objects.get()
    assert set(unit.participations.all()) == set(small)
    client.post(reverse("unit_separate", args=[study.slug, unit.pk]))
    assert not Unit.objects.exists()
    client.post(reverse("units_combine", args=[study.slug]), {"team": [team.pk for team in small]})
    client.post(page)
    publish_what_is_asked()
    assert published(study.pk) is not None
    report = team_report(run, small[0], "nl")
    assert report.combined_with == ("Little",)
    assert not isinstance(report.scales, Withheld)
    client.post(reverse("unit_separate", args=[study.slug, Unit.objects.get().pk]))
    assert Unit.objects.exists(), "after publication it stands"
    assert "Versie 1" in text_of(client, page)


def test_pages_over_several_teams_cost_the_same_for_four_and_for_twelve_teams(client: Client):
    counts = []
    for slug, n_teams in (("warm", 4), ("four", 4), ("twelve", 12)):
        _study, _teams, run = analysed_study(slug, n_teams)
        with transaction.atomic():
            publish(run, None)
        link = ReportLink.objects.create(
            study=run.survey.study, nonce="a" * 32, expires_on=timezone.localdate() + timedelta(days=1)
        )
        reader = open_link(link)
        with CaptureQueriesContext(connection) as queries:
            text_of(reader, reverse("shared_report", args=[link.pk]))
        counts.append(len(queries))
    assert counts[1] == counts[2]
