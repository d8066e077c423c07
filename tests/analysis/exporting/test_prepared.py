"""Large studies: a worker counts and writes, the page shows how far it is, and what was prepared does not stay."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from analysis import withdrawals
from analysis.exports import files, prepared, releases
from analysis.models import AnalysisRun
from analysis.models.releases import PreparedFile, PreparedPart, RowRelease
from analysis.runs import execution
from surveys.models import Survey
from teams.models import Event, Participation
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db
WAITING, READY, FAILED = PreparedFile.State.WAITING, PreparedFile.State.READY, PreparedFile.State.FAILED


@pytest.fixture
def survey(monkeypatch):
    """A study that is large: above two responses."""
    monkeypatch.setattr(prepared, "AT_ONCE", 2)
    monkeypatch.setattr(prepared, "PIECE", 100)
    study = builders.make_study()
    Survey.objects.filter(study=study).update(background=["years", "part"])
    for name in ("Noord", "Zuid", "West"):
        given = [
            answers(1 + n % 4, "x", 3) | {"years": ("long", "short")[n % 2], "part": "part" if n else "full"}
            for n in range(10)
        ]
        builders.seal(builders.make_team(study, name, approached=12), given)
    return Survey.objects.select_related("version", "study").get(study=study)


@pytest.fixture
def researcher(client, survey):
    user = builders.make_researcher(survey.study)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    return client


def url(name, *args):
    return reverse(name, args=["small", *args])


def release(survey, *background, with_team=True):
    return releases.register(survey, with_team=with_team, background=background, purpose="A check", user=None)


def counted(survey):
    with pytest.raises(prepared.NotCounted):
        prepared.counts_of(survey)
    assert prepared.prepare(PreparedFile.objects.get(release=None).pk)
    return survey


def made(release, survey, run=None, form="csv", language="en"):
    prepared.ask(release, survey, run, form, language)
    assert prepared.prepare(PreparedFile.objects.get(release=release, form=form, state=WAITING).pk)
    return prepared.ready(release, run, form, language)


def test_counts_judge_as_the_rows_do(survey, monkeypatch):
    with pytest.raises(prepared.NotCounted):
        release(survey, "years")
    assert not RowRelease.objects.exists()
    counted_by_worker = prepared.counts_of(counted(survey))
    large = release(survey, "years")
    with pytest.raises(releases.ReleaseRefused) as refused:
        release(survey, "years", "part")
    monkeypatch.setattr(prepared, "AT_ONCE", 100)
    small = prepared.counts_of(survey)
    assert small.rows.astype(object).equals(counted_by_worker.rows.astype(object))
    assert (small.fingerprint, small.participations, small.n_rows) == (
        large.fingerprint,
        tuple(large.participations),
        30,
    )
    again = release(survey, "years")
    assert (again.smallest_cell, again.n_rows, again.union) == (large.smallest_cell, large.n_rows, large.union)
    assert (large.smallest_cell, refused.value.union) == (5, ("team", "part", "years"))


def test_counts_of_other_teams_are_made_anew(survey):
    counted(survey)
    builders.seal(builders.make_team(survey.study, "Oost"), [answers(1)] * 5)
    counted(survey)
    assert prepared.counts_of(survey).n_rows == 35


def test_the_page_counts_then_releases_then_makes_the_files(researcher, survey, monkeypatch):
    asked = {"with_team": "on", "purpose": "For the thesis of Ine"}
    page = researcher.post(url("exports"), asked).content.decode()
    assert "are counted first" in page
    assert 'hx-trigger="every 3s"' in page
    assert "For the thesis of Ine" in page, "what was filled in stays"
    prepared.prepare(PreparedFile.objects.get().pk)
    assert "every 3s" not in researcher.get(url("exports")).content.decode()
    assert researcher.post(url("exports"), asked).status_code == 302
    pk = RowRelease.objects.get().pk
    assert execution.execute(execution.request_run(survey).pk)
    run = AnalysisRun.objects.select_related("survey__version", "survey__study", "plan").get()
    for form in files.CONTENT_TYPES:
        address = url("release_file", pk, form) + "?language=en"
        assert "has to be made first" in researcher.get(address, follow=True).content.decode()
        researcher.post(url("release_prepare", pk, form), {"language": "en"})
        assert "waiting for its turn" in researcher.get(url("exports")).content.decode()
        researcher.post(url("release_prepare", pk, form), {"language": "en"})  # twice pressed
        assert prepared.prepare(PreparedFile.objects.get(form=form).pk)
        large = researcher.get(address)
        assert large.status_code == 200
        assert large["Cache-Control"] == "no-store"
        content = large.getvalue()
        assert len(content) == int(large["Content-Length"]) > prepared.PIECE
        with monkeypatch.context() as patch:
            patch.setattr(prepared, "AT_ONCE", 100)
            small = researcher.get(address).getvalue()
        if form == "sav":  # its head says when it was made
            content, small = content[200:], small[200:]
        assert content == small
    assert PreparedFile.objects.filter(run=run).count() == len(files.CONTENT_TYPES)
    assert Event.objects.filter(kind="responses_downloaded").count() == 2 * len(files.CONTENT_TYPES)
    page = researcher.get(url("exports")).content.decode()
    assert len(re.findall(r"until \d", page)) == len(files.CONTENT_TYPES)


def test_a_file_of_another_analysis_is_made_anew(researcher, survey):
    registered = release(counted(survey))
    assert made(registered, survey)
    assert execution.execute(execution.request_run(survey).pk)
    run = AnalysisRun.objects.get()
    assert prepared.ready(registered, run, "csv", "en") is None
    assert "Make CSV" in researcher.get(url("exports")).content.decode()
    assert made(registered, survey, run)
    assert PreparedFile.objects.filter(form="csv").count() == 1


def test_a_day_later_it_is_gone(survey):
    registered = release(counted(survey))
    file = made(registered, survey)
    prepared.wake_for_due()
    assert PreparedPart.objects.filter(file=file).exists()
    PreparedFile.objects.update(ready_at=timezone.now() - prepared.LASTS - timedelta(minutes=1))
    assert prepared.ready(registered, None, "csv", "en") is None, "also before it was removed"
    prepared.wake_for_due()
    assert not PreparedFile.objects.exists()
    assert not PreparedPart.objects.exists()


def test_a_team_that_withdraws_takes_what_was_prepared_with_it(researcher, survey):
    registered = release(counted(survey))
    made(registered, survey)
    Participation.objects.filter(team__name="Zuid").update(state=Participation.State.WITHDRAWN)
    answer = researcher.get(url("release_file", registered.pk, "csv"), follow=True)
    assert "make a new one" in answer.content.decode(), "at once, whenever the withdrawal is carried out"
    withdrawals.carry_out()
    assert not PreparedPart.objects.exists()


def test_answers_that_changed_while_it_waited_are_not_given(researcher, survey):
    registered = release(counted(survey))
    prepared.ask(registered, survey, None, "csv", "en")
    builders.seal(builders.make_team(survey.study, "Oost"), [answers(1)])
    file = PreparedFile.objects.get(release=registered)
    assert not prepared.prepare(file.pk)
    file.refresh_from_db()
    assert (file.state, file.problem) == (FAILED, "changed")
    assert "make a new one" in researcher.get(url("exports")).content.decode()


def test_a_worker_that_died_is_followed_by_another_and_the_third_is_the_last(researcher, survey, monkeypatch):
    registered = release(counted(survey))
    prepared.ask(registered, survey, None, "csv", "en")
    file = PreparedFile.objects.get(release=registered)

    def died(*_args):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(prepared, "write_file", died)
        for _attempt in range(prepared.MAX_ATTEMPTS):
            assert not prepared.prepare(file.pk)
            assert not prepared.prepare(file.pk), "its pause is not over"
            PreparedFile.objects.update(due_at=None)
    assert prepared.wake_for_due() == []
    file.refresh_from_db()
    assert (file.state, file.problem) == (FAILED, "stopped")
    assert "The file could not be made" in researcher.get(url("exports")).content.decode()
    researcher.post(url("release_prepare", registered.pk, "csv"))
    assert prepared.prepare(PreparedFile.objects.get(release=registered).pk)


def test_a_slow_worker_finds_that_another_took_over(survey, monkeypatch):
    registered = release(counted(survey))
    prepared.ask(registered, survey, None, "csv", "en")
    file = PreparedFile.objects.get(release=registered)
    write = prepared.write_file

    def slow(*args):
        monkeypatch.setattr(prepared, "write_file", write)
        PreparedFile.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert prepared.prepare(file.pk)  # the other one, meanwhile
        write(*args)

    monkeypatch.setattr(prepared, "write_file", slow)
    assert not prepared.prepare(file.pk)
    file.refresh_from_db()
    assert (file.state, file.attempts) == (READY, 2)
    assert sum(map(len, prepared.pieces(file))) == file.size


@pytest.mark.parametrize("moment", ["killed", "withdrawn"])
def test_a_worker_that_ends_while_it_stores(survey, monkeypatch, moment):
    registered = release(counted(survey))
    prepared.ask(registered, survey, None, "csv", "en")
    file = PreparedFile.objects.get(release=registered)
    create = PreparedPart.objects.create

    def third(**fields):
        if fields["number"] == 2 and moment == "killed":
            raise RuntimeError
        made = create(**fields)
        if fields["number"] == 2:
            prepared.drop_of(survey.study)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(PreparedPart.objects, "create", third)
        assert not prepared.prepare(file.pk)
    if moment == "withdrawn":
        assert not PreparedPart.objects.filter(file=file.pk).exists()
        assert not PreparedFile.objects.filter(release=registered).exists()
        return
    assert PreparedPart.objects.filter(file=file).count() == 2
    assert prepared.ready(registered, None, "csv", "en") is None
    PreparedFile.objects.update(due_at=None)
    assert prepared.wake_for_due() == [file.pk]
    assert prepared.prepare(file.pk)
    file.refresh_from_db()
    content = b"".join(prepared.pieces(file))
    assert len(content) == file.size
    assert content.count(b"\r\n") == 31


def test_of_two_who_ask_at_the_same_moment_one_row_stands(survey):
    registered = release(counted(survey))
    for _person in range(2):  # both saw that there is none
        prepared._ask(survey=survey, release=registered, form="csv", language="")
        prepared._ask(survey=survey, release=None, form=prepared.COUNTS)
    assert PreparedFile.objects.filter(release=registered).count() == 1
    assert PreparedFile.objects.filter(release=None).count() == 1


def test_queries_of_the_page_do_not_grow_with_files(researcher, survey):
    counted(survey)
    measured = []
    for n in (1, 4):
        for _ in range(n):
            made(release(survey), survey)
        with CaptureQueriesContext(connection) as queries:
            researcher.get(url("exports"))
        measured.append(len(queries))
    assert measured[0] == measured[1]
