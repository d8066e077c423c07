"""The page of the files: a purpose is asked, a refusal says what would pass, files come by the register only."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analysis.models.releases import RowRelease
from analysis.runs import execution
from surveys.models import Survey
from teams.models import Event
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    study = builders.make_study()
    Survey.objects.filter(study=study).update(background=["years", "part"])
    return study


@pytest.fixture
def researcher(client, study):
    client.force_login(builders.make_researcher(study), backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    return client


def url(name, *args):
    return reverse(name, args=["small", *args])


def seal(study, name="T"):
    builders.seal(builders.make_team(study, name), [answers(1, 2, 3) | {"years": "long"}] * 4)


def test_a_release_needs_its_purpose(researcher, study):
    seal(study)
    page = researcher.post(url("exports"), {"with_team": "on"})
    assert "invalid-feedback" in page.content.decode()
    assert not RowRelease.objects.exists()


def test_a_release_gives_files_and_every_download_is_on_record(researcher, study):
    builders.three_teams(study)
    assert execution.execute(execution.request_run(Survey.objects.get(study=study)).pk)
    researcher.post(url("exports"), {"with_team": "on", "purpose": "For the thesis of Ine"})
    release = RowRelease.objects.get()
    page = researcher.get(url("exports")).content.decode()
    assert "For the thesis of Ine" in page
    for form in ("csv", "sav", "r", "mplus"):
        answer = researcher.get(url("release_file", release.pk, form))
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        assert "attachment" in answer["Content-Disposition"]
    assert researcher.get(url("release_file", release.pk, "xlsx")).status_code == 404
    details = set(Event.objects.filter(kind="responses_downloaded").values_list("detail", flat=True))
    assert details == {f"{form}: For the thesis of Ine" for form in ("csv", "sav", "r", "mplus")}


def test_a_refusal_says_what_would_pass(researcher, study):
    seal(study)
    page = researcher.post(url("exports"), {"with_team": "on", "purpose": "Why not", "background": ["years"]})
    text = page.content.decode()
    assert "Not released" in text
    assert "These are allowed" in text
    assert not RowRelease.objects.exists()


def test_a_file_of_data_that_changed_is_not_given(researcher, study):
    seal(study)
    researcher.post(url("exports"), {"with_team": "on", "purpose": "Early"})
    seal(study, "Late")
    answer = researcher.get(url("release_file", RowRelease.objects.get().pk, "csv"), follow=True)
    assert "make a new one" in answer.content.decode()


def test_scripts_are_not_given_with_numbers_of_other_answers(researcher, study):
    seal(study)
    assert execution.execute(execution.request_run(Survey.objects.get(study=study)).pk)
    seal(study, "Late")
    researcher.post(url("exports"), {"with_team": "on", "purpose": "Soon"})
    for form, status in (("r", 302), ("mplus", 302), ("csv", 200)):
        assert researcher.get(url("release_file", RowRelease.objects.get().pk, form)).status_code == status


def test_pages_without_answers_and_codebook(researcher, study):
    assert "Nothing was released yet" in researcher.get(url("exports")).content.decode()
    answer = researcher.post(url("exports"), {"purpose": "Too early"}, follow=True)
    assert "no sealed answers" in answer.content.decode()
    text = researcher.get(url("codebook")).content.decode()
    assert "98" in text
    assert "How long?" in text
    assert researcher.get(url("export_ddi")).content.startswith(b"<?xml")


def test_queries_do_not_grow_with_releases_or_teams(researcher, study):
    counts = []
    for n in (2, 18):
        for number in range(n):
            seal(study, f"T{n}-{number}")
        for _ in range(n):
            researcher.post(url("exports"), {"with_team": "on", "purpose": "Again"})
        measured = []
        for address in (url("exports"), url("release_file", RowRelease.objects.first().pk, "csv")):
            with CaptureQueriesContext(connection) as queries:
                answer = researcher.get(address)
                _ = answer.getvalue() if answer.streaming else answer.content
            measured.append(len(queries))
        counts.append(measured)
    assert counts[0] == counts[1]
