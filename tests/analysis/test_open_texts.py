"""Questions of no scale in the data: numbers in the files, open texts only by themselves and after a review."""

import csv
import io
import tempfile

import pyreadstat
import pytest
from django.test import Client
from django.urls import reverse

from analysis.data import dataset, open_texts
from analysis.data.import_file import read_answers
from analysis.exports import csv_file, ddi, releases, rows, spss
from analysis.exports.result_tables import codebook_rows, csv_lines
from analysis.models.open_texts import TextReview
from surveys.collecting.deleting import delete_collection
from surveys.models import Collection, Response, SealedResponse, Survey
from surveys.questionnaires.publishing import definition_of
from teams.files.tables import Table
from teams.models import Event, Participation
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db

EXTRA = """
  - {code: age, type: number, minimum: -1, maximum: 99, text: Number}
  - {code: hours, type: number, minimum: 0, maximum: 40, decimals: true, text: Hours}
  - {code: more, type: text, text: Anything else}
  - {code: idea, type: text, text: An idea}
"""
ASKED = ["years", "age", "hours", "more", "idea"]


@pytest.fixture
def survey(monkeypatch) -> Survey:
    """Two teams: six who wrote two texts each, seven who wrote nothing."""
    monkeypatch.setattr(builders, "QUESTIONNAIRE", builders.QUESTIONNAIRE.rstrip() + EXTRA)
    study = builders.make_study()
    Survey.objects.filter(study=study).update(background=ASKED)
    background = {"years": "long", "age": -1, "hours": 8}
    wrote = [{**answers(3), **background, "more": f"text {n}", "idea": f"=idea {n}"} for n in range(6)]
    builders.seal(builders.make_team(study, "One"), wrote)
    builders.seal(builders.make_team(study, "Two"), [{**answers(2), "years": "long"}] * 7)
    return Survey.objects.select_related("version", "study").get(study=study)


@pytest.fixture
def user(survey):
    return builders.make_researcher(survey.study)


@pytest.fixture
def researcher(user) -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


def test_numbers_are_numbers_and_texts_are_not_there(survey):
    background = dataset.background_of(survey, dataset.load(survey))
    assert list(background.columns) == ["years", "age", "hours"]
    assert {(row.age, row.hours) for row in background.itertuples()} == {(-1, 8), ("", "")}


def test_texts_leave_in_no_file_of_responses(survey, user):
    asked = {"with_team": False, "background": ASKED, "purpose": "a check", "user": user}
    release = releases.register(survey, **asked)
    assert (release.background, release.smallest_cell) == (["years", "age", "hours"], 6)
    lines = rows.rows_of(release, survey, None)
    text = "".join(csv_lines(csv_file.csv_rows(lines)))
    assert "text 1" not in text
    assert "idea" not in text
    columns = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert {(row["age"], row["hours"]) for row in columns} == {("-1", "8"), ("", "")}
    with tempfile.NamedTemporaryFile(suffix=".sav") as file:
        spss.write_sav(lines, "en", "Title", file)
        file.flush()
        frame, meta = pyreadstat.read_sav(file.name)
    assert "more" not in frame.columns
    assert set(frame["age"].dropna()) == {-1.0}
    assert frame["age"].isna().sum() == 7
    assert (meta.variable_measure["age"], meta.column_names_to_labels["hours"]) == ("scale", "Hours")


def test_the_codebooks_know_numbers_and_leave_texts_out(survey):
    xml = ddi.ddi_bytes(survey).decode()
    assert '<range UNITS="INT" min="-1" max="99" />' in xml
    assert '<range UNITS="REAL" min="0" max="40" />' in xml
    assert 'name="more"' not in xml
    lines = {row[0]: row for row in codebook_rows(survey)}
    assert lines["age"][-1] == "-1 … 99"
    assert lines["years"][-1] == "short = Short; long = Long"
    assert "more" not in lines


def test_the_order_of_texts_tells_nothing_about_whose_they_are(survey):
    found = dataset.open_texts_of(survey)
    assert len(found) == 12
    keys = {code: [text.key for text in found if text.question == code] for code in ("more", "idea")}
    assert sorted(keys["more"]) == sorted(keys["idea"])
    # the order is that of the handles, which say nothing of the rows and are others for each question; two orders of six texts are
    # the same by chance once in 720 times
    handles = {code: {text.key: text.handle for text in found if text.question == code} for code in keys}
    assert all(of_keys == sorted(of_keys, key=handles[code].__getitem__) for code, of_keys in keys.items())
    assert not set(handles["more"].values()) & set(handles["idea"].values())
    assert not {text.handle for text in found} & {text.key for text in found}
    assert [text.handle for text in found] == [text.handle for text in dataset.open_texts_of(survey)]


def test_only_what_was_cleared_is_shown(survey, user):
    texts = [text for text in dataset.open_texts_of(survey) if text.question == "idea"]
    whole, cut, hidden = texts[:3]
    assert open_texts.review(survey, whole.handle, whole.text, user).verdict == "cleared"
    assert open_texts.review(survey, cut.handle, "something [name]", user).verdict == "redacted"
    withheld = open_texts.review(survey, hidden.handle, " ", user)
    assert (withheld.verdict, withheld.text) == ("withheld", "")
    part = open_texts.texts_of(survey)[1]
    assert {text for _handle, text in part.shown} == {whole.text, "something [name]"}
    assert (len(part.waiting), part.n_withheld) == (3, 1)
    exported = list(open_texts.rows(survey))
    assert exported[0] == ("question", "text")
    assert set(exported[1:]) == {("idea", whole.text), ("idea", "something [name]")}
    assert f"'{whole.text}" in "".join(csv_lines(exported)), "a text that begins like a formula is no formula"
    assert not [e for e in Event.objects.filter(kind="text_reviewed") if whole.key in e.detail]
    with pytest.raises(open_texts.NotThere):
        open_texts.review(survey, whole.handle, "another", user)
    with pytest.raises(open_texts.NotThere):
        open_texts.review(survey, "0" * 32, "x", user)
    open_texts.review_again(survey, whole.handle, user)
    assert len(open_texts.texts_of(survey)[1].waiting) == 4


def test_before_sealing_there_is_nothing_to_see(survey):
    theirs = SealedResponse.objects.filter(collection__n_started=6)
    Response.objects.bulk_create(
        Response(key=response.key, collection=response.collection, answers=response.answers) for response in theirs
    )
    theirs.delete()
    Collection.objects.filter(n_started=6).update(state="open")
    assert Response.objects.exists()
    assert open_texts.texts_of(survey) == []


def test_a_team_that_withdraws_takes_its_texts_along(survey, user):
    open_texts.review(survey, dataset.open_texts_of(survey)[0].handle, "kept", user)
    collection = Collection.objects.get(n_started=6)
    Participation.objects.filter(pk=collection.participation_id).update(state=Participation.State.WITHDRAWN)
    assert open_texts.texts_of(survey) == []
    assert delete_collection(collection)
    assert not TextReview.objects.exists()


def test_the_page_shows_texts_without_anything_else(survey, researcher, django_assert_max_num_queries):
    address = reverse("open_texts", args=[survey.study.slug])
    with django_assert_max_num_queries(12):
        page = researcher.get(address).content.decode()
    found = dataset.open_texts_of(survey)
    assert "text 1</textarea>" in page
    assert "6 wait for a review" in page
    assert not [text for text in found if text.key in page]
    assert "Team" not in page.split("<main")[1].split("</main")[0].replace("team", "")
    review = reverse("open_text_review", args=[survey.study.slug])
    form = {"handle": found[0].handle, "text": "shown words", "action": "show"}
    page = researcher.post(review, form, follow=True).content.decode()
    assert "This text may be shown with parts taken out." in page
    assert "shown words" in page
    again = researcher.post(review, form, follow=True).content.decode()
    assert "Somebody else has reviewed this text in the meantime." in again
    file = b"".join(researcher.get(reverse("open_texts_file", args=[survey.study.slug])).streaming_content)
    assert file.decode("utf-8-sig").splitlines() == ["question,text", "more,shown words"]
    hidden = {"handle": found[1].handle, "text": "not this", "action": "withhold"}
    assert "is not shown" in researcher.post(review, hidden, follow=True).content.decode()
    taken_back = {"handle": found[0].handle, "action": "again"}
    assert "is waiting to be reviewed again" in researcher.post(review, taken_back, follow=True).content.decode()
    assert not TextReview.objects.filter(verdict="redacted").exists()


def test_numbers_and_texts_can_be_imported(survey):
    header = ["team", "AA1", "AA2", "AA3", "BB1", "BB2", "BB3", "CC1", "CC2", "CC3", "age", "hours", "more"]
    items = ["T", *"12341234x"]
    table = Table(header, [[*items, "41", "7,5", "Meer tijd"], [*items, "NA", "", ""], [*items, "200", "", ""]])
    imported = read_answers(table, definition_of(survey.version), survey.background, "team")
    assert [(bad.row, bad.column) for bad in imported.bad_cells] == [(4, "age")]
    assert "whole number from -1 to 99" in imported.bad_cells[0].reason
    first = imported.teams["T"][0]["answers"]
    assert (first["age"], first["hours"], first["more"]) == (41, 7.5, "Meer tijd")
