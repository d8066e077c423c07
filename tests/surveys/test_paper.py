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

from surveys.answering import submission
from surveys.collecting import collections, sealing
from surveys.collecting.paper_counts import paper_counts, paper_counts_of, with_paper_left
from surveys.linking import personal_links
from surveys.models import Collection, DayCount, PaperForm, Response, SealedResponse
from surveys.paper import entry, fields
from surveys.paper.form import _content, paper_form_pdf
from surveys.questionnaires.publishing import definition_of
from teams.models import Event
from tests.surveys.conftest import in_threads

State = PaperForm.State
pytestmark = pytest.mark.django_db


def content(value=3, **other) -> dict:
    return {"answers": {"GV1": value, "GV2": "x", **other}, "eligibility": "yes"}


def typed(collection, first, second=None, then=None) -> PaperForm:
    """A form typed once, twice, and settled where that is asked for."""
    form = entry.new_form(collection)
    assert entry.finish(form, entry.checked(collection, **first))
    if second is not None:
        form = entry.next_to_type_again(collection)
        assert entry.finish(form, entry.checked(collection, **second))
    form.refresh_from_db()
    if then is not None:
        assert entry.settle(form, entry.checked(collection, **then))
        form.refresh_from_db()
    return form


def closed(collection) -> Collection:
    collections.close_collection(collection)
    return Collection.objects.get(pk=collection.pk)


# ------------------------------------------------------------------------------------------------ typing
def test_the_same_twice_is_ready_and_becomes_a_response(collection):
    form = typed(collection, content(), content())
    assert (form.state, entry.differences(form)) == (State.READY, [])
    assert Response.objects.count() == 0, "nothing is written before"
    assert entry.write(collection) == 1
    response = Response.objects.get()
    form.refresh_from_db()
    assert (form.state, form.response_key) == (State.WRITTEN, response.key)
    assert (response.answers, response.eligibility) == ({"GV1": 3, "GV2": "x"}, "yes")
    assert (response.state, response.sequence, response.language) == ("submitted", 0, "")
    assert entry.write(collection) == 0
    assert DayCount.objects.get().n == 1


def test_a_difference_waits_for_a_third_typing_of_those_fields_alone(collection):
    form = typed(collection, content(3, GV3=1), {"answers": {"GV1": 4, "GV2": "x"}, "eligibility": "no_too_short"})
    assert form.state == State.DIFFERENT
    assert entry.differences(form) == ["eligibility", "GV1", "GV3"]
    assert entry.write(collection) == 0
    assert entry.settle(form, entry.checked(collection, {"GV1": 4, "GV2": 1}, ""))
    assert not entry.settle(form, content(2)), "settled by now"
    assert entry.write(collection) == 1
    response = Response.objects.get()
    assert (response.answers, response.eligibility) == ({"GV1": 4, "GV2": "x"}, "")


def test_two_very_different_times_keep_nothing(collection):
    """Who guesses the second time would else be told which of the guesses are right."""
    codes = [item.code for item in definition_of(collection.survey.version).items]
    first = {"answers": dict.fromkeys(codes, 3), "eligibility": "yes"}
    form = typed(collection, first, {"answers": dict.fromkeys(codes[6:], 3), "eligibility": "yes"})
    assert (form.state, form.first, form.second) == (State.FIRST, {}, {})
    few = typed(collection, first, {"answers": dict.fromkeys(codes[5:], 3), "eligibility": "yes"})
    assert (few.state, entry.differences(few)) == (State.DIFFERENT, codes[:5])


def test_taken_back_corrected_and_added_again(collection):
    form = typed(collection, content(), content())
    entry.write(collection)
    form.refresh_from_db()
    assert not entry.correct(form, content(1), ["GV1"])
    assert not entry.throw_away(form)
    assert entry.take_back(collection) == 1
    assert Response.objects.count() == 0
    assert not DayCount.objects.exists()
    form.refresh_from_db()
    assert entry.correct(form, {"answers": {"GV1": 1}}, ["GV1", "GV2"])
    assert not entry.throw_away(form, also_ready=False)
    entry.write(collection)
    assert Response.objects.get().answers == {"GV1": 1}


def test_each_step_is_taken_once(collection):
    form = entry.new_form(collection)
    stale = PaperForm.objects.get(pk=form.pk)
    assert entry.finish(form, content(2)) == State.ONCE
    assert entry.finish(stale, content(3)) is None, "another window finished it"
    assert PaperForm.objects.get().first["answers"]["GV1"] == 2
    assert entry.next_to_type_again(collection) == form
    assert entry.next_to_type_again(collection) is None
    assert entry.throw_away(form)
    assert not entry.throw_away(form)


def test_a_written_form_has_a_response(collection):
    form = entry.new_form(collection)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaperForm.objects.filter(pk=form.pk).update(state=State.WRITTEN)


@pytest.mark.django_db(transaction=True)
def test_two_who_type_at_once_get_a_form_each_and_two_who_add_add_once(collection):
    made = in_threads(*[lambda: entry.new_form(collection)] * 4)
    assert sorted(form.number for form in made) == [1, 2, 3, 4]
    for form in made:
        entry.finish(form, content())
    again = in_threads(*[lambda: entry.next_to_type_again(collection)] * 4)
    assert sorted(form.number for form in again) == [1, 2, 3, 4]
    for form in PaperForm.objects.all():
        entry.finish(form, content())
    assert sorted(in_threads(*[lambda: entry.write(collection)] * 2)) == [0, 4]
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
    entry.finish(entry.next_to_type_again(collection), content(1))
    with pytest.raises(collections.NotReady, match="typed in two ways. Type what differs"):
        collections.seal_now(collection)
    form.refresh_from_db()
    entry.settle(form, content(1))
    with pytest.raises(collections.NotReady, match="not added to the answers yet"):
        collections.seal_now(collection)
    entry.write(collection)
    assert collections.is_being_sealed(Collection.objects.get(pk=collection.pk))
    assert sealing.seal_due() == 1


def test_sealing_waits_for_as_many_forms_as_were_handed_in(collection, meeting):
    collections.set_present(meeting, 9, 2)
    typed(collection, content(), content())
    entry.write(collection)
    assert with_paper_left(collection.survey.study).count() == 1
    collection = closed(collection)
    with pytest.raises(collections.NotReady, match="2 paper forms were handed in and 1 are entered"):
        collections.seal_now(collection)
    assert entry.correct_handed_in(collection, 1)
    assert with_paper_left(collection.survey.study).count() == 0
    assert collections.seal_now(collection)


@pytest.mark.django_db(transaction=True)
def test_after_sealing_nothing_says_which_answers_came_from_paper(collection):
    submission.submit_many(collection, [{"answers": {"GV1": 1}}] * 3)
    for value in (2, 3):
        typed(collection, content(value), content(value))
    entry.write(collection)
    old = set(PaperForm.objects.values_list("response_key", flat=True))
    sealing.seal(closed(collection))
    assert PaperForm.objects.count() == 0
    sealed = Collection.objects.get(pk=collection.pk)
    assert (sealed.n_paper, sealed.n_submitted) == (2, 5)
    assert not Response.objects.exists()
    assert set(SealedResponse.objects.values_list("state", flat=True)) == {"submitted"}
    assert not old & set(SealedResponse.objects.values_list("key", flat=True))
    for step in (entry.new_form, entry.write, entry.take_back):
        with pytest.raises(submission.Closed):
            step(sealed)
    assert not entry.correct_handed_in(sealed, 3)
    assert paper_counts([sealed]) == {}


def test_counts_of_many_take_two_queries(collection, online, django_assert_num_queries):
    typed(collection, content())
    assert list(with_paper_left(collection.survey.study)) == [collection]
    with django_assert_num_queries(2):
        counted = paper_counts([collection, online])
    assert (counted[collection.pk].once, counted[online.pk].typed) == (1, 0)


# ------------------------------------------------------------------------------------------------ fields and the form
def test_what_is_typed_is_read(survey):
    parts = fields.parts_of(definition_of(survey.version), survey.background, "en")
    read = fields.read(parts, {"eligibility": "2", "GV1": "4", "GV2": "X", "GV3": "5", "years_in_team": "1"})
    assert read.eligibility == "no_too_short"
    assert read.answers == {"GV1": 4, "GV2": "x", "years_in_team": "under_1"}
    assert read.problems == {"GV3": "Type one of: 1, 2, 3, 4, x. Or leave it empty."}
    corrected = fields.read(parts, {"GV1": "-", "GV2": ""}, correcting=True)
    assert (corrected.answers, corrected.cleared, corrected.problems) == ({}, ["GV1"], {})
    assert fields.read(parts, {"GV1": "-"}).problems
    few = fields.only(parts, ["GV2", "eligibility"])
    assert [each.name for part in few for each in part.fields] == ["eligibility", "GV2"]


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


def test_a_printed_form_is_like_every_other_and_leaves_no_row(collection):
    def pages() -> list[bytes]:
        with pikepdf.open(BytesIO(paper_form_pdf(collection, "nl"))) as pdf:
            return [page.Contents.read_bytes() for page in pdf.pages]

    assert pages() == pages()
    assert not PaperForm.objects.exists()


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
    client.get("/f/" + personal_links.facilitator_url(meeting).partition("/f/")[2])
    return client, [meeting.pk], "facilitator"


def address(desk, page="", *more):
    return reverse(f"{desk[2]}_paper{page}", args=[*desk[1], *more])


def words_of(answer) -> str:
    return str(list(get_messages(answer.wsgi_request))[-1])


@pytest.mark.parametrize("who", ["desk", "meeting_desk"])
def test_a_pile_of_forms_from_the_first_key_to_the_answers(who, request, collection):
    desk = request.getfixturevalue(who)
    client = desk[0]
    assert "Nothing is typed yet" in client.get(address(desk)).content.decode()
    assert client.post(address(desk, "_new"))["Location"] == address(desk, "_form", 1)
    assert "Write number 1 on the form." in client.get(address(desk, "_form", 1)).content.decode()
    wrong = client.post(address(desk, "_form", 1), {"GV1": "9", "GV2": "2", "go": "next"})
    assert (wrong.status_code, PaperForm.objects.get().state) == (200, State.FIRST)
    assert "Type one of" in wrong.content.decode()
    assert re.search(r'name="GV2" value="2"', wrong.content.decode()), "nothing is lost"
    after = client.post(address(desk, "_form", 1), {"eligibility": "1", "GV1": "2", "go": "next"})
    assert after["Location"] == address(desk, "_form", 2)
    client.post(address(desk, "_form", 2), {"GV1": "4", "go": "stop"})
    assert client.post(address(desk, "_again"))["Location"] == address(desk, "_form", 1)
    after = client.post(address(desk, "_form", 1), {"eligibility": "1", "GV1": "2", "go": "next"})
    assert after["Location"] == address(desk, "_form", 2)
    after = client.post(address(desk, "_form", 2), {"GV1": "3", "GV2": "x", "go": "next"})
    assert after["Location"] == address(desk, "_form", 2), "the form is still in hand"
    page = client.get(address(desk, "_form", 2)).content.decode()
    assert "In these questions, the two times differ" in page
    assert re.findall(r'<input class="form-control" id="f-(\w+)"', page) == ["GV1", "GV2"]
    client.post(address(desk, "_form", 2), {"GV1": "4", "GV2": "x", "go": "stop"})
    assert client.post(address(desk, "_add")).status_code == 302
    answers = sorted((r.answers for r in Response.objects.all()), key=len)
    assert answers == [{"GV1": 2}, {"GV1": 4, "GV2": "x"}]
    event = Event.objects.get(kind="paper_added")
    assert (event.detail, event.by_link) == ("2", who == "meeting_desk")
    assert "Among the answers" in client.get(address(desk)).content.decode()


def test_a_researcher_takes_back_corrects_and_throws_away(desk, collection):
    client = desk[0]
    typed(collection, content(), content())
    typed(collection, content(), content())
    entry.write(collection)
    client.post(address(desk, "_back"))
    assert Response.objects.count() == 0
    page = client.get(address(desk, "_correct", 1)).content.decode()
    assert "What you leave empty stays as it is" in page
    assert not re.search(r'value="[1-4x]"', page), "correcting shows nothing"
    nothing = client.post(address(desk, "_correct", 1), {})
    assert words_of(nothing) == "Nothing was typed, so form 1 stays as it is."
    client.post(address(desk, "_correct", 1), {"GV1": "4", "GV2": "-", "eligibility": "2"})
    assert PaperForm.objects.get(number=1).agreed == {"answers": {"GV1": 4}, "eligibility": "no_too_short"}
    assert Event.objects.get(kind="paper_corrected").detail == "1"
    assert words_of(client.post(address(desk, "_throw", 2))) == "What was typed from form 2 has been thrown away."
    assert list(PaperForm.objects.values_list("number", flat=True)) == [1]


def test_two_very_different_times_say_that_the_form_starts_again(meeting_desk, collection):
    codes = [item.code for item in definition_of(collection.survey.version).items]
    typed(collection, {"answers": dict.fromkeys(codes, 3), "eligibility": "yes"})
    client = meeting_desk[0]
    client.post(address(meeting_desk, "_again"))
    answer = client.post(address(meeting_desk, "_form", 1), {"go": "next"})
    assert answer["Location"] == address(meeting_desk)
    assert "Nothing of it has been kept" in words_of(answer)


def test_the_number_handed_in_is_compared_and_corrected(desk, collection, meeting):
    collections.set_present(meeting, 9, 3)
    client = desk[0]
    assert "3 paper forms were handed in and 0 are entered" in client.get(address(desk)).content.decode()
    assert client.post(address(desk, "_handed_in"), {"handed_in": "-1"}).status_code == 200
    assert client.post(address(desk, "_handed_in"), {"handed_in": ""}).status_code == 302
    assert paper_counts_of(collection).missing == 0


def test_after_sealing_the_page_says_what_is_erased(desk, collection):
    typed(collection, content(), content())
    entry.write(collection)
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
