"""What people type goes through every writer of a study: paper and reports (PDF), slips, pages, files, figures, mail."""

import csv
import io
from copy import deepcopy
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from django.urls import reverse

from analysis.exports.ddi import ddi_bytes
from analysis.exports.result_tables import csv_lines
from analysis.models import AnalysisRun
from analysis.reports.pdf import academy_pdf, study_pdf, team_pdf
from analysis.reports.team import team_reports
from analysis.reports.wide import academy_report, study_report
from analysis.results.figures import Dot, dot_plot, heat_map, path_diagram
from analysis.runs import execution
from surveys.models import Collection, Meeting, Survey
from surveys.models.questionnaire import Questionnaire
from surveys.paper import slips
from surveys.paper.form import paper_form_pdf
from teams.contacts import cells
from teams.files.tables import write_csv
from teams.models import Academy, Participation, Study, Team
from tests.access.opened import fields_of
from tests.analysis import builders
from tests.nasty import NASTY, NUL

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return builders.make_study()


def worded(report, words):
    """A report in which people's own words are these: scales, their meaning and statements."""
    scales = tuple(
        replace(
            scale,
            name=words,
            meaning=words,
            items=tuple(replace(item, text=words, reverse_keyed=True) for item in scale.items),
        )
        for scale in report.scales
    )
    return replace(report, scales=scales)


def test_paper_slips_and_all_three_reports_can_be_printed_whatever_people_wrote(study):
    teams = builders.three_teams(study)
    made = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(made.pk)
    Meeting.objects.create(
        collection=Collection.objects.get(participation=teams[0]), code="ABCDEF", facilitator_nonce="n"
    )
    for what, words in NASTY.items():
        Team.objects.filter(pk=teams[0].team_id).update(name=words[:160])
        Academy.objects.update(name=words[:160])
        Study.objects.update(title=words[:120], contact_name=words[:120], controller=words[:120])
        run = AnalysisRun.objects.select_related("survey__version", "survey__study", "plan").get(pk=made.pk)
        participation = run.survey.study.participations.select_related("team__academy__institution").get(pk=teams[0].pk)
        collection = Collection.objects.select_related("survey__study", "participation__team", "meeting").get(
            participation=participation
        )
        (of_team,) = team_reports(run, [participation])
        of_academy = academy_report(run, participation.team.academy_id)
        of_study = study_report(run)
        printed = [
            paper_form_pdf(collection, "en"),
            slips.pdf(collection, ["ABCD-EFGH"], "nl"),
            team_pdf(worded(of_team, words)),
            academy_pdf(worded(of_academy, words) if isinstance(of_academy.scales, tuple) else of_academy),
            study_pdf(worded(of_study, words) if isinstance(of_study.scales, tuple) else of_study),
        ]
        assert all(pdf.startswith(b"%PDF") for pdf in printed), what


def test_who_saves_a_team_is_told_which_signs_are_replaced_on_paper(client, study):
    participation = builders.make_team(study, "Team")
    client.force_login(builders.make_researcher(study), backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    address = reverse("team_edit", args=["small", participation.pk])
    data = {"name": "Zorg 漢", "form": "full_time", "leader_name": "L", "leader_email": "new@university.example"}
    answer = client.post(address, data, follow=True)
    assert "these characters are replaced by a box, because no font there has them: 漢" in answer.content.decode()
    plain = client.post(address, data | {"name": "Zoë"}, follow=True)
    assert "replaced by a box" not in plain.content.decode()
    assert Team.objects.get(pk=participation.team_id).name == "Zoë"


def test_who_saves_a_study_or_reads_in_teams_is_told_which_signs_are_replaced_on_paper(client, study):
    client.force_login(builders.make_researcher(study), backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    named = "these characters are replaced by a box, because no font there has them: 漢"
    settings = reverse("study_settings", args=["small"])
    fields = fields_of(client.get(settings).content.decode())
    assert named in client.post(settings, fields | {"title": "Study 漢"}, follow=True).content.decode()
    assert Study.objects.get(pk=study.pk).title == "Study 漢"
    row = ["Noord", "Zorg", "health", "D", "d@noord.example", "Team 漢", "", "L", "l@noord.example"]
    content = write_csv([cells.EXAMPLE[0], row])
    answer = client.post(reverse("contacts_import", args=["small"]), {"content": content, "apply": "1"}, follow=True)
    assert Team.objects.filter(name="Team 漢").exists()
    assert named in answer.content.decode()


def test_who_freezes_a_questionnaire_is_told_which_signs_are_replaced_on_paper(client, study):
    researcher = builders.make_researcher(study)
    client.force_login(researcher, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    questionnaire = Questionnaire.objects.get()
    questionnaire.group.memberships.create(user=researcher)
    content = deepcopy(questionnaire.draft)
    content["scales"][0]["items"][0]["text"]["en"] = "字 One"
    Questionnaire.objects.filter(pk=questionnaire.pk).update(draft=content, edit=2)
    answer = client.post(
        reverse("questionnaire_versions", args=[questionnaire.pk]), {"edit": 2, "note": "new"}, follow=True
    )
    assert "because no font there has them: 字" in answer.content.decode()


def test_pictures_and_the_codebook_are_documents_whatever_people_wrote(study):
    survey = Survey.objects.select_related("version", "study").get(study=study)
    for words in [*NASTY.values(), NUL]:
        survey.study.title = survey.study.controller = words
        for document in (
            path_diagram({words: [(words, 0.5)]}, {}, [words]),
            dot_plot([Dot(words, 2.5, 2.0, 3.0)], 4, words, 2.5),
            heat_map([words, "AA1"], [[1.0, 0.5], [0.5, 1.0]]),
            ddi_bytes(survey),
        ):
            assert ElementTree.fromstring(document) is not None, words


@pytest.mark.parametrize("words", [*NASTY.values(), NUL], ids=[*NASTY, "NUL"])
def test_a_line_of_csv_reads_back_and_no_spreadsheet_runs_it(words):
    (row,) = csv.reader(io.StringIO("".join(csv_lines([[words, "after"]])).removeprefix("\ufeff"), newline=""))
    assert row[0].removeprefix("'") == words.removeprefix("'")
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert row[1] == "after"


def test_names_that_run_right_to_left_stay_apart_in_the_head_of_a_report(study, monkeypatch):
    teams = builders.three_teams(study)
    made = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(made.pk)
    names = {"team": "فريق", "academy": "أكاديمية", "institution": "جامعة", "study": "دراسة"}
    (report,) = team_reports(AnalysisRun.objects.get(pk=made.pk), [Participation.objects.get(pk=teams[0].pk)])
    seen = {}
    monkeypatch.setattr("analysis.reports.pdf.typeset", lambda template, name, data: seen.update(data) or b"")
    team_pdf(replace(report, **names))
    for name in ("academy", "institution", "study"):
        assert f"\u2068{names[name]}\u2069" in seen["study"]
    assert seen["title"] == names["team"], "it stands by itself"
    assert f"\u2068{names['team']}\u2069" in seen["footer"]
