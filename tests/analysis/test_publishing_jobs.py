"""Publishing by a worker: begun by a address, shown while it lasts, never half, never twice, and only what was confirmed."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis.erasure import studies
from analysis.mail_kinds import ReportMail
from analysis.models import AccountingDecision, AnalysisRun, Publication, PublishingJob, ReportObject
from analysis.publication import jobs, objects, publishing
from analysis.publication.publishing import Step
from analysis.publication.refusals import SENTENCES, PublishingRefused, Why, unpacked
from surveys.models import Collection
from teams.base.leases import ClaimLost
from teams.models import OutboxMessage, Study, User
from tests.analysis.builders import make_researcher, make_study, make_team, publish_what_is_asked, seal
from tests.analysis.test_reports import analyse, varied
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db
State = PublishingJob.State


@pytest.fixture
def study() -> Study:
    study = make_study()
    for n in range(4):
        seal(make_team(study, f"Team {n}", approached=15), varied(6 + n, n))
    return study


@pytest.fixture
def address(study: Study, client: Client) -> str:
    client.force_login(make_researcher(study))
    client.cookies["django_language"] = "en"
    return reverse("publish", args=[study.slug])


def press(client: Client, address: str) -> str:
    """Publish by the button, as the page has it; what the page says then."""
    seen = client.get(address).context["seen"]
    return client.post(address, {"seen": seen}, follow=True).content.decode()


def test_the_page_shows_how_far_it_is_and_has_it_when_it_is_done(study, client, address, monkeypatch):
    analyse(study)
    shown = press(client, address)
    assert "Publishing is waiting for its turn" in shown
    assert "Publish these reports?" not in shown, "no button while it is being published"
    assert not Publication.objects.exists()
    told, pages = [], []

    def and_look(claim, **fields):
        told.append((fields.get("step"), fields.get("n_made"), fields.get("n_reports")))
        real(claim, **fields)
        if not connection.in_atomic_block or len(connection.savepoint_ids) < 2:
            pages.append(client.get(address, headers={"HX-Request": "true"}).content.decode())

    real = jobs.Claim.renew
    monkeypatch.setattr(jobs.Claim, "renew", and_look)
    monkeypatch.setattr(publishing, "TELL_EVERY", 2)
    publish_what_is_asked()
    assert [step for step, _made, _of in told] == [
        Step.READING,
        Step.COMPARING,
        Step.MAKING,
        Step.MAKING,
        Step.MAKING,
        Step.STORING,
        Step.STORING,
    ]
    assert [(made, of) for step, made, of in told if step == Step.MAKING] == [(0, 6), (2, 6), (4, 6)]
    assert ReportObject.objects.count() == 6
    assert "reading the answers" in pages[0]
    assert "comparing with what was shown before" in pages[1]
    assert "2 of 6 reports are ready" in pages[3]
    assert 'hx-trigger="every 1s"' in pages[3]
    answer = client.get(address, headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    assert "This analysis is published." in client.get(address).content.decode()
    assert PublishingJob.objects.get().state == State.DONE


def test_a_worker_that_is_killed_half_way_leaves_nothing_and_is_followed_by_another(
    study, client, address, monkeypatch
):
    analyse(study)
    press(client, address)
    job = PublishingJob.objects.get()

    class Killed(BaseException):
        pass

    def and_die(*_arguments):
        real(*_arguments)
        raise Killed

    real = publishing.keep_objects
    monkeypatch.setattr(publishing, "keep_objects", and_die)
    with pytest.raises(Killed):
        jobs.carry_out(job.pk)
    assert not Publication.objects.exists()
    assert not ReportObject.objects.exists()
    assert not OutboxMessage.objects.filter(kind=ReportMail.REPORT_READY).exists()
    monkeypatch.undo()
    assert jobs.carry_out(job.pk) is False, "its lease stands"
    PublishingJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert jobs.wake_for_due() == [job.pk]
    assert jobs.carry_out(job.pk)
    assert jobs.carry_out(job.pk) is False
    assert Publication.objects.count() == 1
    assert OutboxMessage.objects.filter(kind=ReportMail.REPORT_READY).count() == 4


@pytest.mark.parametrize("n_attempts", [1, 3], ids=["once", "the last time"])
def test_killed_between_publishing_and_saying_so(study, client, address, monkeypatch, n_attempts):
    analyse(study)
    press(client, address)
    job = PublishingJob.objects.get()
    monkeypatch.setattr(jobs, "_end", lambda *_arguments, **_fields: False)
    jobs.carry_out(job.pk)
    monkeypatch.undo()
    PublishingJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1), attempts=n_attempts)
    if n_attempts < jobs.JOBS.most:
        assert jobs.carry_out(job.pk)
    jobs.wake_for_due()
    assert "This analysis is published." in client.get(address).content.decode()
    assert PublishingJob.objects.get().state == State.DONE
    assert Publication.objects.count() == 1
    assert OutboxMessage.objects.filter(kind=ReportMail.REPORT_READY).count() == 4


def test_a_worker_that_dies_each_time_is_given_up_and_the_page_says_so(study, client, address):
    analyse(study)
    press(client, address)
    PublishingJob.objects.update(state=State.WORKING, attempts=3, lease_until=timezone.now() - timedelta(seconds=1))
    assert jobs.wake_for_due() == []
    shown = client.get(address).content.decode()
    assert "nothing was published" in shown
    assert "Something went wrong in the program. Try again" in shown
    assert "Publish these reports?" in shown
    press(client, address)
    publish_what_is_asked()
    assert Publication.objects.count() == 1


def test_an_error_is_said_in_a_sentence_and_leaves_nothing(study, client, address, monkeypatch):
    analyse(study)
    press(client, address)
    monkeypatch.setattr(publishing, "queue_files", lambda _publication: 1 / 0)
    publish_what_is_asked()
    assert not Publication.objects.exists()
    job = PublishingJob.objects.get()
    assert (job.state, job.error) == (State.FAILED, "ZeroDivisionError")
    assert "Something went wrong in the program" in client.get(address).content.decode()


def counts_change(study: Study) -> None:
    Collection.objects.filter(participation__study=study, participation__team__name="Team 1").update(n_links=1)


def k_is_raised(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(k=6)


@pytest.mark.parametrize("change", [counts_change, k_is_raised])
@pytest.mark.parametrize("before_the_press", [True, False])
def test_only_what_was_confirmed_is_published(study, client, address, change, before_the_press):
    analyse(study)
    seen = client.get(address).context["seen"]
    if before_the_press:
        change(study)
    client.post(address, {"seen": seen})
    if not before_the_press:
        change(study)
    publish_what_is_asked()
    assert not Publication.objects.exists()
    shown = client.get(address).content.decode()
    assert "Something has changed in the meantime" in shown
    press(client, address)
    publish_what_is_asked()
    assert Publication.objects.count() == 1


def test_an_analysis_that_goes_while_it_waits_is_not_published(study, client, address):
    run = analyse(study)
    press(client, address)
    AnalysisRun.objects.filter(pk=run.pk).delete()
    publish_what_is_asked()
    assert PublishingJob.objects.get().refusal["why"] == Why.REMOVED
    assert not Publication.objects.exists()


def test_a_second_press_and_a_second_researcher_get_a_calm_answer(study, client, address):
    analyse(study)
    press(client, address)
    other = Client()
    colleague = User.objects.create_user("colleague@university.example")
    colleague.roles.create(kind="researcher", study=study)
    other.force_login(colleague)
    other.cookies["django_language"] = "en"
    assert "already being published" in press(other, address)
    assert PublishingJob.objects.count() == 1
    publish_what_is_asked()
    assert Publication.objects.count() == 1


def test_what_can_be_said_at_once_is_said_at_once(study, client, address):
    run = analyse(study)
    analyse(study)
    with pytest.raises(PublishingRefused, match="newer"):
        jobs.ask(run, None, ())
    assert not PublishingJob.objects.exists()


def test_a_study_that_is_deleted_meanwhile_publishes_nothing(study, client, address):
    analyse(study)
    press(client, address)
    claim = jobs.JOBS.claim(PublishingJob.objects.get().pk)
    studies.begin(study)
    with pytest.raises(ClaimLost):
        jobs._publish(claim)
    assert not Publication.objects.exists()


def test_every_refusal_is_kept_without_a_name_and_said_with_it():
    for why in Why:
        refusal = PublishingRefused(why, n_figures=7, about=["team:1"], units=["team:1"], names={"team:1": "Alfa"})
        assert "Alfa" not in str(refusal.packed())
        again = unpacked(refusal.packed(), {"team:1": "Alfa"})
        assert (str(again), again.units) == (str(refusal), refusal.units)
        assert why in SENTENCES
    assert "Alfa" in str(PublishingRefused(Why.TELLS, about=["team:1"], names={"team:1": "Alfa"}))


# ------------------------------------------------------------------------------------------------ at once
@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_once_one_is_told_that_it_is_being_done(study):
    run = analyse(study)
    asked = in_threads(*[lambda: jobs.ask(run, None, ())] * 4)
    assert sum(isinstance(answer, PublishingJob) for answer in asked) == 1, asked
    assert sum(answer is None for answer in asked) == 3
    job = PublishingJob.objects.get()
    done = in_threads(*[lambda: jobs.carry_out(job.pk)] * 3)
    assert done.count(True) == 1, done
    assert Publication.objects.count() == 1
    assert OutboxMessage.objects.filter(kind=ReportMail.REPORT_READY).count() == 4


@pytest.mark.django_db(transaction=True)
def test_whoever_lost_the_claim_writes_nothing(study, monkeypatch):
    """The first worker stands still while it makes the reports; its lease runs out, and another publishes."""
    job = jobs.ask(analyse(study), None, ())
    assert job is not None
    stands, goes_on = threading.Event(), threading.Event()

    def and_wait(material):
        if threading.current_thread().name == "slow":
            stands.set()
            assert goes_on.wait(60)
        return real(material)

    real = publishing.objects_of
    monkeypatch.setattr(publishing, "objects_of", and_wait)
    came: list[bool] = []

    def slow() -> None:
        try:
            came.append(jobs.carry_out(job.pk))
        finally:
            connection.close()

    thread = threading.Thread(target=slow, name="slow")
    thread.start()
    assert stands.wait(60)
    PublishingJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert jobs.carry_out(job.pk)
    goes_on.set()
    thread.join(60)
    assert came == [False]
    assert Publication.objects.count() == 1
    assert ReportObject.objects.filter(reader=objects.STUDY).count() == 1
    assert not AccountingDecision.objects.exists()


def test_another_analysis_with_the_same_counts_is_not_published_by_a_press_on_the_page_before(study, client, address):
    analyse(study)
    seen = client.get(address).context["seen"]
    other = analyse(study)
    client.post(address, {"seen": seen})
    publish_what_is_asked()
    assert not Publication.objects.exists()
    assert PublishingJob.objects.get().refusal["why"] == Why.CHANGED
    press(client, address)
    publish_what_is_asked()
    assert Publication.objects.get().run_id == other.pk


def test_a_refusal_of_an_analysis_that_is_gone_is_not_said_of_the_next(study, client, address):
    run = analyse(study)
    press(client, address)
    AnalysisRun.objects.filter(pk=run.pk).delete()
    publish_what_is_asked()
    assert client.get(address).context["refusal"] is not None
    analyse(study)
    assert client.get(address).context["refusal"] is None
