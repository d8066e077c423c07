"""The attack of whoever holds a meeting's link: read on the pages of typing what a colleague answered on paper."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from surveys.linking import personal_links
from surveys.models import PaperForm, Response
from surveys.paper import entry
from surveys.questionnaires.publishing import definition_of

State = PaperForm.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def holder(meeting):
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.get("/f/" + personal_links.facilitator_url(meeting).partition("/f/")[2])
    return client


def colleague(collection) -> dict:
    """36 answers, none of which stands beside a question in any other way."""
    codes = [item.code for item in definition_of(collection.survey.version).items]
    return {"answers": {code: (2, 4)[n % 2] for n, code in enumerate(codes)}, "eligibility": "yes"}


def read(page: str) -> set[tuple[str, str]]:
    """Every answer that a page tells: in a field, chosen beforehand, or in words beside a question."""
    fields = re.findall(r'name="(\w+)" value="([^"]+)"', page)
    texts = re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>([^<]+)<', page)
    words = re.findall(r'for="(\w+)-(?:first|second)">.*?</span>([^<]+)<', page)
    unasked = {"csrfmiddlewaretoken", "once", "go", "next", "language"}
    return {(name, value) for name, value in [*fields, *texts, *words] if name not in unasked}


def attack(client, meeting) -> set[tuple[str, str]]:
    """Looks at every page of typing, types every form a second time with nothing and with a guess, and looks again."""
    read_by_link = set()

    def address(page="", *given):
        return reverse(f"facilitator_paper{page}", args=[meeting.pk, *given])

    def look():
        for each in [address(), *(address("_form", number) for number in range(1, 5))]:
            answer = client.get(each, follow=True)
            assert answer.status_code == 404 or "no-store" in answer["Cache-Control"]
            read_by_link.update(read(answer.content.decode()))
            read_by_link.update(read(client.head(each, follow=True).content.decode()))

    look()
    for guess in ({}, dict.fromkeys(("GV1", "GV2"), "3")):
        for _n in range(4):
            started = client.post(address("_again"), follow=True)
            read_by_link.update(read(started.content.decode()))
            for number in range(1, 5):
                after = client.post(address("_form", number), {**guess, "go": "stop"}, follow=True)
                read_by_link.update(read(after.content.decode()))
        look()
    for page in ("paper/back", "paper/1/keep", "paper/1/correct"):
        gone = reverse("facilitator", args=[meeting.pk]) + page
        for answer in (client.get(gone), client.post(gone, {"GV1": "1"})):
            assert answer.status_code == 404
            read_by_link.update(read(answer.content.decode()))
    return read_by_link


@pytest.mark.parametrize("state", [State.FIRST, State.ONCE, State.SECOND, State.DIFFERENT, State.READY, State.WRITTEN])
def test_nobody_reads_a_colleague_by_the_link(collection, meeting, holder, state):
    typed = colleague(collection)
    form = entry.new_form(collection)
    if state == State.FIRST:  # half typed when pages still kept that here
        PaperForm.objects.update(first=typed)
    else:
        entry.finish(form, typed)
    if state in (State.SECOND, State.DIFFERENT, State.READY, State.WRITTEN):
        form = entry.next_to_type_again(collection)
    if state == State.DIFFERENT:
        entry.finish(form, {**typed, "answers": {**typed["answers"], "GV1": 1}})
    if state in (State.READY, State.WRITTEN):
        entry.finish(form, typed)
    if state == State.WRITTEN:
        entry.write(collection)
    form.refresh_from_db()
    assert form.state == state
    assert attack(holder, meeting) == set()


def test_what_is_finished_is_changed_by_researchers_only(collection, meeting, holder):
    typed = colleague(collection)
    entry.finish(entry.new_form(collection), typed)
    entry.finish(entry.next_to_type_again(collection), typed)
    thrown = holder.post(reverse("facilitator_paper_throw", args=[meeting.pk, 1]), follow=True)
    assert "Form 1 is finished: a researcher can still correct it." in thrown.content.decode()
    assert PaperForm.objects.get().agreed == typed
    entry.write(collection)
    attack(holder, meeting)
    assert Response.objects.get().answers == typed["answers"]
