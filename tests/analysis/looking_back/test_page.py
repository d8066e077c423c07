"""The page: who reads it and who writes on it, alone and at the same moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from analysis.looking_back import dates, steps
from analysis.looking_back.steps import steps_of
from analysis.models import LookBack, LookBackReader, LookBackStep
from analysis.publication.publishing import publish
from analysis.publication.talks import write_goal
from teams.models import Study, User
from tests.access.opened import fields_of as fields_of_text
from tests.analysis.builders import make_researcher
from tests.analysis.looking_back.team import ASKED, day_of, page_of, picked, reader_client, said
from tests.analysis.test_reader_pages import analysed_study, leader_of

pytestmark = pytest.mark.django_db
AUTOSAVE = {"X-Autosave": "yes"}


def fields_of(answer: HttpResponse) -> dict[str, Any]:
    """What the form of the steps holds, with its key; not the forms below it."""
    return fields_of_text(answer.content.decode().split("data-autosave>")[1].split("</form>")[0])


def test_the_leader_and_who_asked_write_and_each_sees_the_other(team):
    leader = leader_of(team)
    picked(team, ASKED)
    reader = LookBackReader.objects.get()
    client, shared = reader_client(reader), reverse("look_back", args=[reader.pk])
    key = steps_of(team)[0].key
    assert leader.post(page_of(team), {f"status_{key}": "under_way"}).status_code == 302
    assert client.post(shared, {f"status_{key}": "under_way", f"line_{key}": "Every month."}).status_code == 302
    assert said(team) == ("under_way", "Every month.")
    assert "Every month." in leader.get(page_of(team)).content.decode()
    page = client.get(shared).content.decode()
    for secret in (reader.nonce, ASKED, team.leader_email, "3,2", 'name="on"'):
        assert secret not in page


def test_nobody_else_reads_or_writes_it(published, team):
    study, teams, _run = published
    key = steps_of(team)[0].key
    steps.write(team, {steps_of(team)[0]: {"status": "done", "line": "Only ours."}})
    picked(team, ASKED)
    own, other = LookBackReader.objects.get(), picked(teams[1], "b@school.example").readers.get()
    researcher, admin = Client(), Client()
    researcher.force_login(make_researcher(study))
    admin.force_login(User.objects.create_superuser("beheer@school.example"))
    for client in (Client(), researcher, admin, leader_of(teams[1]), reader_client(other)):
        for address in (page_of(team), reverse("look_back", args=[own.pk])):
            for answer in (client.get(address), client.post(address, {f"line_{key}": "Theirs."})):
                assert answer.status_code in (302, 404)
                assert "Only ours." not in answer.content.decode()
        client.post(day_of(team), {"none": "1"})
        client.post(reverse("look_back_leave", args=[own.pk]))
    assert said(team) == ("done", "Only ours.")
    assert LookBack.objects.get(participation=team).on
    for address in (reverse("board", args=[study.slug]), reverse("report_preview", args=[study.slug, team.pk])):
        assert "Only ours." not in researcher.get(address).content.decode()


def test_who_asked_deletes_their_own_address(team):
    picked(team, ASKED, "b@school.example")
    reader = LookBackReader.objects.get(email=ASKED)
    client = reader_client(reader)
    assert client.post(reverse("look_back_leave", args=[reader.pk])).status_code == 200
    assert [reader.email for reader in LookBackReader.objects.all()] == ["b@school.example"]
    assert client.get(reverse("look_back", args=[reader.pk])).status_code == 404


def test_two_who_write_at_once_keep_both_and_choose_where_they_wrote_the_same(team):
    leader = leader_of(team)
    picked(team, ASKED)
    reader = LookBackReader.objects.get()
    other, shared = reader_client(reader), reverse("look_back", args=[reader.pk])
    first, second = (step.key for step in steps_of(team))
    mine, theirs = fields_of(leader.get(page_of(team))), fields_of(other.get(shared))
    leader.post(page_of(team), mine | {f"line_{first}": "Mine."}, headers=AUTOSAVE)
    answer = other.post(shared, theirs | {f"status_{second}": "done"}, headers=AUTOSAVE)
    assert answer.json()["autosave"] == "saved"
    assert (said(team, 0), said(team, 1)) == (("", "Mine."), ("done", ""))
    refused = other.post(shared, theirs | {f"line_{first}": "Theirs."}, headers=AUTOSAVE)
    assert refused.json()["autosave"] == "conflict"
    page = other.post(shared, theirs | {f"line_{first}": "Theirs."})
    assert page.status_code == 200
    assert "Mine." in page.content.decode()
    assert "Theirs." in page.content.decode()
    assert said(team) == ("", "Mine.")
    again = fields_of(page)
    other.post(shared, again | {f"line_{first}": "Theirs."})
    assert said(team) == ("", "Theirs.")


def test_a_page_that_saves_itself_never_conflicts_with_itself(team):
    leader = leader_of(team)
    picked(team, ASKED)
    reader = LookBackReader.objects.get()
    other, shared = reader_client(reader), reverse("look_back", args=[reader.pk])
    first = steps_of(team)[0].key
    mine, theirs = fields_of(leader.get(page_of(team))), fields_of(other.get(shared))
    for status in ("done", "dropped"):
        data = mine | {f"status_{first}": status}
        assert leader.post(page_of(team), data, headers=AUTOSAVE).json()["autosave"] == "saved"
        data = theirs | {f"line_{first}": f"After {status}."}
        assert other.post(shared, data, headers=AUTOSAVE).json()["autosave"] == "saved"
    assert said(team) == ("dropped", "After dropped.")


def test_words_about_a_step_that_is_gone_are_said_back(team):
    leader = leader_of(team)
    fields = fields_of(leader.get(page_of(team)))
    key = steps_of(team)[0].key
    write_goal(team, "AA", None, "Something else")
    answer = leader.post(page_of(team), fields | {f"line_{key}": "Not lost."}, headers=AUTOSAVE)
    assert answer.status_code == 422
    assert "Not lost." in " ".join(answer.json()["reasons"])
    assert "Not lost." in leader.post(page_of(team), fields | {f"line_{key}": "Not lost."}).content.decode()


def test_the_state_is_true_when_the_link_has_ended(team):
    picked(team, ASKED)
    reader = LookBackReader.objects.get()
    client = reader_client(reader)
    dates.leave(reader)
    key = steps_of(team)[0].key
    answer = client.post(reverse("look_back", args=[reader.pk]), {f"line_{key}": "Late."}, headers=AUTOSAVE)
    assert answer.status_code == 410
    assert answer.json()["autosave"] == "refused"
    assert said(team) == ("", "")


def test_it_stands_when_the_next_wave_is_published(published, team):
    leader = leader_of(team)
    steps.write(team, {steps_of(team)[0]: {"status": "done", "line": "Twice."}})
    later, _teams, run = analysed_study("later", 5, size=10)
    Study.objects.filter(pk=later.pk).update(previous=published[0], wave=2)
    publish(run, None)
    page = leader.get(page_of(team)).content.decode()
    assert "Twice." in page
    assert "data-autosave" not in page
    key = steps_of(team)[0].key
    leader.post(page_of(team), {f"line_{key}": "Too late."})
    refused = leader.post(page_of(team), {f"line_{key}": "Too late."}, headers=AUTOSAVE)
    assert refused.status_code == 409
    leader.post(day_of(team), {"on": (timezone.localdate() + timedelta(days=9)).isoformat()})
    assert said(team) == ("done", "Twice.")
    assert not LookBack.objects.filter(on__isnull=False).exists()


def test_links_that_are_wrong_ended_or_of_another_browser_look_alike(team):
    picked(team, ASKED)
    reader = LookBackReader.objects.get()
    client = reader_client(reader)
    dates.leave(reader)
    answers = [
        client.get(reverse("look_back", args=[reader.pk])),
        Client().get(reverse("look_back_link", args=["forged"])),
        Client().get(reverse("look_back", args=[99_999])),
        Client().post(reverse("look_back_leave", args=[reader.pk])),
    ]
    assert {(answer.status_code, answer.templates[0].name) for answer in answers} == {
        (404, "analysis/look_back_ended.html")
    }


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_page_in_both_languages(team, language):
    leader = leader_of(team)
    leader.cookies["django_language"] = language
    page = leader.get(page_of(team)).content.decode()
    words = {"nl": ("klaar", "mee bezig", "gestopt"), "en": ("done", "under way", "dropped")}[language]
    for word in (*words, "Ask for an example"):
        assert word in page
    with override(language):
        assert str(LookBackStep.Status.UNDER_WAY.label) == words[1]
