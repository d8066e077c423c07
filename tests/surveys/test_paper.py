"""Paper forms: printed, typed twice, compared, added to the answers, taken back, and gone at sealing."""

import json
import re
from io import BytesIO

import pikepdf
import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from surveys import collections, links, paper, paper_fields, sealing, submission
from surveys.models import Collection, DayCount, PaperForm, Response
from surveys.paper_counts import paper_counts, paper_counts_of, with_paper_left
from surveys.paper_form import _content, paper_form_pdf
from surveys.questionnaires import definition_of
from teams.models import Event
from tests.surveys.conftest import in_threads

State = PaperForm.State
pytestmark = pytest.mark.django_db


def content(value=3, **other) -> dict:
    return {"answers": {"GV1": value, "GV2": "x", **other}, "eligibility": "yes"}


def typed(collection, first, second=None, then=None) -> PaperForm:
    """A form typed once, twice, and settled where that is asked for."""
    form = paper.new_form(collection)
    assert paper.finish(form, paper.checked(collection, **first))
    if second is not None:
        form = paper.next_to_type_again(collection)
        assert paper.finish(form, paper.checked(collection, **second))
    form.refresh_from_db()
    if then is not None:
        assert paper.settle(form, paper.checked(collection, **then))
        form.refresh_from_db()
    return form


def closed(collection) -> Collection:
    collections.close_collection(collection)
    return Collection.objects.get(pk=collection.pk)


# ------------------------------------------------------------------------------------------------ typing
def test_the_same_twice_is_ready_and_becomes_a_response(collection):
    form = typed(collection, content(), content())
    assert (form.state, paper.differences(form)) == (State.READY, [])
    assert Response.objects.count() == 0, "nothing is written before"
    assert paper.write(collection) == 1
    response = Response.objects.get()
    form.refresh_from_db()
    assert (form.state, form.response_key) == (State.WRITTEN, response.key)
    assert (response.answers, response.eligibility) == ({"GV1": 3, "GV2": "x"}, "yes")
    assert (response.state, response.by_link, response.sequence, response.language) == ("submitted", False, 0, "")
    assert paper.write(collection) == 0
    assert DayCount.objects.get().n == 1


def test_a_difference_waits_for_who_says_what_is_right(collection):
    form = typed(collection, content(3, GV3=1), {"answers": {"GV1": 4, "GV2": "x"}, "eligibility": "no_too_short"})
    assert form.state == State.DIFFERENT
    assert paper.differences(form) == ["eligibility", "GV1", "GV3"]
    assert paper.write(collection) == 0
    assert paper.settle(form, paper.checked(collection, **content(4)))
    assert paper.write(collection) == 1
    assert Response.objects.get().answers["GV1"] == 4


def test_taken_back_corrected_and_added_again(collection):
    form = typed(collection, content(), content())
    paper.write(collection)
    form.refresh_from_db()
    assert not paper.settle(form, content(1))
    assert not paper.throw_away(form)
    assert paper.take_back(collection) == 1
    assert Response.objects.count() == 0
    assert DayCount.objects.get().n == 0
    form.refresh_from_db()
    assert paper.settle(form, content(1))
    paper.write(collection)
    assert Response.objects.get().answers["GV1"] == 1


def test_each_step_is_taken_once(collection):
    form = paper.new_form(collection)
    stale = PaperForm.objects.get(pk=form.pk)
    assert paper.keep(form, content(1))
    assert paper.finish(form, content(2))
    assert not paper.finish(stale, content(3)), "another window finished it"
    assert not paper.keep(stale, content(3))
    assert PaperForm.objects.get().first["answers"]["GV1"] == 2
    assert paper.next_to_type_again(collection) == form
    assert paper.next_to_type_again(collection) is None
    assert paper.throw_away(form)
    assert not paper.throw_away(form)


def test_a_written_form_has_a_response(collection):
    form = paper.new_form(collection)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaperForm.objects.filter(pk=form.pk).update(state=State.WRITTEN)


@pytest.mark.django_db(transaction=True)
def test_two_who_type_at_once_get_a_form_each_and_two_who_add_add_once(collection):
    made = in_threads(*[lambda: paper.new_form(collection)] * 4)
    assert sorted(form.number for form in made) == [1, 2, 3, 4]
    for form in made:
        paper.finish(form, content())
    again = in_threads(*[lambda: paper.next_to_type_again(collection)] * 4)
    assert sorted(form.number for form in again) == [1, 2, 3, 4]
    for form in PaperForm.objects.all():
        paper.finish(form, content())
    assert sorted(in_threads(*[lambda: paper.write(collection)] * 2)) == [0, 4]
    assert Response.objects.count() == 4


# ------------------------------------------------------------------------------------------------ sealing
def test_sealing_waits_for_forms_in_a_clear_sentence(collection):
    form = typed(collection, content())
    collection = closed(collection)
    Collection.objects.update(closes_for_good_at="2020-01-01T00:00Z")
    with pytest.raises(collections.NotReady, match="1 paper form is not typed twice yet"):
        collections.seal_now(collection)
    with pytest.raises(sealing.PaperLeft):
        sealing.seal(collection)
    assert sealing.seal_due() == 0
    assert not collections.is_being_sealed(Collection.objects.get(pk=collection.pk))
    paper.finish(paper.next_to_type_again(collection), content(1))
    with pytest.raises(collections.NotReady, match="typed in two ways"):
        collections.seal_now(collection)
    form.refresh_from_db()
    paper.settle(form, content(1))
    with pytest.raises(collections.NotReady, match="not added to the answers yet"):
        collections.seal_now(collection)
    paper.write(collection)
    assert collections.is_being_sealed(Collection.objects.get(pk=collection.pk))
    assert sealing.seal_due() == 1


def test_sealing_waits_for_as_many_forms_as_were_handed_in(collection, meeting):
    collections.set_present(meeting, 9, 2)
    typed(collection, content(), content())
    paper.write(collection)
    assert with_paper_left(collection.survey.study).count() == 1
    collection = closed(collection)
    with pytest.raises(collections.NotReady, match="2 paper forms were handed in and 1 are entered"):
        collections.seal_now(collection)
    assert paper.correct_handed_in(collection, 1)
    assert with_paper_left(collection.survey.study).count() == 0
    assert collections.seal_now(collection)


@pytest.mark.django_db(transaction=True)
def test_after_sealing_nothing_says_which_answers_came_from_paper(collection):
    submission.submit_many(collection, [{"answers": {"GV1": 1}}] * 3)
    for value in (2, 3):
        typed(collection, content(value), content(value))
    paper.write(collection)
    old = set(PaperForm.objects.values_list("response_key", flat=True))
    sealing.seal(closed(collection))
    assert PaperForm.objects.count() == 0
    sealed = Collection.objects.get(pk=collection.pk)
    assert (sealed.n_paper, sealed.n_submitted) == (2, 5)
    rows = Response.objects.values_list("sequence", "language", "by_link", "state").distinct()
    assert list(rows) == [(0, "", False, "submitted")]
    assert not old & set(Response.objects.values_list("key", flat=True))
    for step in (paper.new_form, paper.write, paper.take_back):
        with pytest.raises(submission.Closed):
            step(sealed)
    assert not paper.correct_handed_in(sealed, 3)
    assert paper_counts([sealed]) == {}


def test_counts_of_many_take_two_queries(collection, online, django_assert_num_queries):
    typed(collection, content())
    assert list(with_paper_left(collection.survey.study)) == [collection]
    with django_assert_num_queries(2):
        counted = paper_counts([collection, online])
    assert (counted[collection.pk].once, counted[online.pk].typed) == (1, 0)


# ------------------------------------------------------------------------------------------------ fields and the form
def test_what_is_typed_is_read_and_shown_back(survey):
    parts = paper_fields.parts_of(definition_of(survey.version), survey.background, "en")
    by_name = {each.name: each for part in parts for each in part.fields}
    read = paper_fields.read(parts, {"eligibility": "2", "GV1": "4", "GV2": "X", "GV3": "5", "years_in_team": "1"})
    assert read.eligibility == "no_too_short"
    assert read.answers == {"GV1": 4, "GV2": "x", "years_in_team": "under_1"}
    assert read.problems == {"GV3": "Type one of: 1, 2, 3, 4, x. Or nothing."}
    for name, value in (("eligibility", "no_too_short"), ("GV1", 4), ("GV2", "x"), ("years_in_team", "under_1")):
        typed_again = by_name[name].shown(value)
        assert paper_fields.read(parts, {name: typed_again}).problems == {}
        assert by_name[name].words(value).startswith(f"{typed_again} · ")
    assert by_name["GV1"].words(None) == "no answer"


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_printed_form_is_tagged_and_asks_everything(collection, language):
    with pikepdf.open(BytesIO(paper_form_pdf(collection, language))) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang).lower().startswith(language)
        assert len(pdf.pages) <= 4
    text = json.dumps(_content(collection, language), ensure_ascii=False)
    definition = definition_of(collection.survey.version)
    for words in (*(item.text for item in definition.items), definition.consent, definition.eligibility.text):
        assert words[language] in text
    assert "Verpleegkunde" in text


# ------------------------------------------------------------------------------------------------ pages
@pytest.fixture
def desk(roos, collection):
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(roos)
    return client, [collection.survey.study.slug, collection.participation_id], "collecting"


@pytest.fixture
def meeting_desk(meeting):
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.get("/f/" + links.facilitator_url(meeting).partition("/f/")[2])
    return client, [meeting.pk], "facilitator"


def address(desk, page="", *more):
    return reverse(f"{desk[2]}_paper{page}", args=[*desk[1], *more])


@pytest.mark.parametrize("who", ["desk", "meeting_desk"])
def test_a_pile_of_forms_from_the_first_key_to_the_answers(who, request, collection):
    desk = request.getfixturevalue(who)
    client = desk[0]
    assert "Nothing is typed yet" in client.get(address(desk)).content.decode()
    assert client.post(address(desk, "_new"))["Location"] == address(desk, "_form", 1)
    page = client.get(address(desk, "_form", 1)).content.decode()
    assert "Write number 1 on the form." in page
    assert client.post(address(desk, "_keep", 1), {"GV1": "2", "GV2": "7"}).status_code == 204
    page = client.get(address(desk, "_form", 1)).content.decode()
    assert re.search(r'name="GV1" value="2"', page), "kept over a reload"
    wrong = client.post(address(desk, "_form", 1), {"GV1": "9", "go": "next"})
    assert (wrong.status_code, PaperForm.objects.get().state) == (200, State.FIRST)
    assert "Type one of" in wrong.content.decode()
    after = client.post(address(desk, "_form", 1), {"eligibility": "1", "GV1": "2", "go": "next"})
    assert after["Location"] == address(desk, "_form", 2)
    client.post(address(desk, "_form", 2), {"GV1": "4", "go": "stop"})
    assert client.post(address(desk, "_again"))["Location"] == address(desk, "_form", 1)
    after = client.post(address(desk, "_form", 1), {"eligibility": "1", "GV1": "2", "go": "next"})
    assert after["Location"] == address(desk, "_form", 2)
    client.post(address(desk, "_form", 2), {"GV1": "3", "GV2": "x", "go": "next"})
    page = client.get(address(desk, "_form", 2)).content.decode()
    assert "two times compared" in page
    assert "no answer" in page
    assert client.post(address(desk, "_form", 2), {"GV1": "first"}).status_code == 200, "every question must be settled"
    client.post(address(desk, "_form", 2), {"GV1": "first", "GV2": "second"})
    client.post(address(desk, "_form", 2), {"GV1": "4", "GV2": "x", "GV3": "1"})
    assert client.post(address(desk, "_add")).status_code == 302
    answers = sorted((r.answers for r in Response.objects.all()), key=len)
    assert answers == [{"GV1": 2}, {"GV1": 4, "GV2": "x", "GV3": 1}]
    event = Event.objects.get(kind="paper_added")
    assert (event.detail, event.by_link) == ("2", who == "meeting_desk")
    assert "Among the answers" in client.get(address(desk)).content.decode()
    client.post(address(desk, "_back"))
    assert Response.objects.count() == 0
    gone = client.post(address(desk, "_throw", 1))
    assert str(list(get_messages(gone.wsgi_request))[-1]) == "What was typed from form 1 is gone."
    assert list(PaperForm.objects.values_list("number", flat=True)) == [2]


def test_the_number_handed_in_is_compared_and_corrected(desk, collection, meeting):
    collections.set_present(meeting, 9, 3)
    client = desk[0]
    assert "3 paper forms were handed in and 0 are entered" in client.get(address(desk)).content.decode()
    assert client.post(address(desk, "_handed_in"), {"handed_in": "-1"}).status_code == 200
    assert client.post(address(desk, "_handed_in"), {"handed_in": ""}).status_code == 302
    assert paper_counts_of(collection).missing == 0


def test_after_sealing_the_page_says_what_is_erased(desk, collection):
    typed(collection, content(), content())
    paper.write(collection)
    Collection.objects.filter(pk=collection.pk).update(state="closed", closes_for_good_at="2020-01-01T00:00Z")
    sealing.seal_due()
    assert "1 of them came from paper" in desk[0].get(address(desk)).content.decode()
    refused = desk[0].post(address(desk, "_new"))
    assert (refused.status_code, PaperForm.objects.count()) == (302, 0)


@pytest.mark.postgres_only
def test_the_database_keeps_no_samples_of_what_is_typed(db):
    """PostgreSQL would keep them beyond the sealing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attstattarget = 0 AND attrelid = 'surveys_paperform'::regclass"
        )
        kept_out = {name for (name,) in cursor.fetchall()}
    assert {"first", "second", "agreed", "response_key"} <= kept_out
