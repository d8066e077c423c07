"""Background answers taken together until k people share every cell; the union of all releases decides."""

from collections import Counter

import pandas as pd
import pyreadstat
import pytest
from django.test import Client
from django.urls import reverse

from analysis.data import coarsening
from analysis.exports import csv_file, releases, rows, spss
from analysis.models.releases import RowRelease
from surveys.models import QuestionnaireVersion, SealedResponse, Survey
from surveys.questionnaires.definition import content_hash
from surveys.questionnaires.publishing import definition_of
from teams.models import User
from teams.people import employment
from teams.studies.setting_up import let_work
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db

BANDS = ("a", "b", "c", "d")


@pytest.fixture
def survey() -> Survey:
    """One team of 20: 8, 2, 3 and 7 in four bands."""
    study = builders.make_study()
    survey = Survey.objects.get(study=study)
    content = survey.version.content
    bands = [{"code": code, "text": {"en": f"band {code}", "nl": f"band {code}"}} for code in BANDS]
    background = [
        {**question, "choices": bands} if question["code"] == "years" else question
        for question in content["background"]
    ]
    version = QuestionnaireVersion.objects.create(
        questionnaire=survey.version.questionnaire,
        number=99,
        content={**content, "background": background},
        content_hash="9" * 64,
    )
    Survey.objects.filter(pk=survey.pk).update(version=version, background=["years", "part"])
    team = builders.make_team(study, "T", approached=40)
    given = [band for band, n in zip(BANDS, (8, 2, 3, 7), strict=True) for _ in range(n)]
    builders.seal(team, [answers(1, 2, 3) | {"years": band, "part": "part"} for band in given])
    return Survey.objects.select_related("version", "study").get(pk=survey.pk)


def release(survey, *background, with_team=False):
    return releases.register(survey, with_team=with_team, background=background, purpose="A check", user=None)


def test_names_of_columns_there_and_back():
    groups = (("a", "b"), ("c",))
    column = coarsening.column_of("years", groups)
    assert column == "years=a+b,c"
    assert (coarsening.code_of(column), coarsening.groups_of(column)) == ("years", groups)
    assert coarsening.column_of("years", (("a",), ("b",))) == "years"
    values = coarsening.values_of(pd.DataFrame({"years": ["a", "c", ""]}), column)
    assert list(values) == ["a+b", "c", ""]


def test_a_refusal_offers_neighbours_taken_together_first(survey):
    with pytest.raises(releases.ReleaseRefused) as refused:
        release(survey, "years")
    assert refused.value.smallest_cell == 2
    first = refused.value.offers[0]
    assert (first.background, first.smallest_cell) == (("years=a,b+c,d",), 5)
    made = release(survey, *first.background)
    assert (made.smallest_cell, made.union) == (5, ["years=a,b+c,d"])


def test_the_files_hold_the_groups_with_their_words(survey, tmp_path):
    made = release(survey, "years=a,b+c,d")
    shown = rows.rows_of(made, survey, None)
    lines = list(csv_file.csv_rows(shown))
    place = list(lines[0]).index("years")
    assert Counter(line[place] for line in lines[1:]) == {"a": 8, "b+c": 5, "d": 7}
    path = tmp_path / "out.sav"
    with path.open("wb") as file:
        spss.write_sav(shown, "en", "Small", file)
    frame, meta = pyreadstat.read_sav(str(path))
    assert meta.variable_value_labels["years"][2.0] == "band b / band c"
    assert (frame["years"] == 2).sum() == 5


def test_another_grouping_is_judged_with_the_first_one(survey):
    """a, b+c, d and a+b, c+d each pass with 5 or more; together they show b (2) and c (3)."""
    release(survey, "years=a,b+c,d")
    with pytest.raises(releases.ReleaseRefused) as refused:
        release(survey, "years=a+b,c+d")
    assert refused.value.smallest_cell == 2
    assert release(survey, "years=a+b+c,d").smallest_cell == 5, "coarser than the first one tells nothing new"


def test_what_cannot_be_coarsened_enough_is_not_offered(survey):
    definition = definition_of(survey.version)
    assert coarsening.coarsened(definition, ["years"], lambda columns: False, lambda columns: 1) is None


def test_an_offer_is_taken_on_the_page(survey):
    user = User.objects.create_user("roos@noord.example", "correct horse battery", name="Roos")
    let_work(survey.study, user)
    employment.declare(user, survey.study, [])
    client = Client()
    client.force_login(user)
    page = reverse("exports", args=[survey.study.slug])
    asked = {"purpose": "A thesis", "background": ["years"]}
    refused = client.post(page, asked).content.decode()
    assert "band a · band b / band c · band d" in refused
    assert RowRelease.objects.count() == 0
    assert client.post(page, {**asked, "offer": "77"}).status_code == 200
    taken = client.post(page, {**asked, "offer": "0"})
    assert taken.status_code == 302
    assert RowRelease.objects.get().background == ["years=a,b+c,d"]
    assert "band b / band c" in client.get(page).content.decode()


# ------------------------------------------------------------------------------------------------ numbers in bands
#: One team of 40: ages round 28, 35, 41, 48, 55 and two over 60.
AGES = [27, 28, 28, 29, 29, 29] + [33, 34, 35, 35, 36, 37, 38, 39] * 2 + [41, 42, 45, 47, 48] * 2 + [52, 55, 56, 57, 58]
AGES += [61, 64, ""]


@pytest.fixture
def ages(survey) -> Survey:
    content = survey.version.content
    texts = {"en": "How old are you?", "nl": "Hoe oud ben je?"}
    age = {"code": "age", "type": "number", "text": texts, "minimum": 16, "maximum": 75, "decimals": False}
    wider = {**content, "background": [*content["background"], age]}
    version = QuestionnaireVersion.objects.create(
        questionnaire=survey.version.questionnaire,
        number=100,
        content=wider,
        content_hash=content_hash(wider),
    )
    SealedResponse.objects.all().delete()
    Survey.objects.filter(pk=survey.pk).update(version=version, background=["years", "part", "age"])
    given = [answers(1, 2, 3) | {"years": "a"} | ({"age": age} if age else {}) for age in AGES if age != ""]
    builders.seal(builders.make_team(survey.study, "Ages", approached=60), given)
    return Survey.objects.select_related("version", "study").get(pk=survey.pk)


def test_names_of_bands_there_and_back():
    column = coarsening.band_column_of("age", (30.0, 0.5))
    assert column == "age<30<0.5"
    assert (coarsening.code_of(column), coarsening.limits_of(column)) == ("age", (30.0, 0.5))
    assert coarsening.groups_of(column) == ()
    assert coarsening.limits_of("years=a+b,c") == ()
    rows = pd.DataFrame({"age": [29, 30, ""]}, dtype=object)
    assert list(coarsening.values_of(rows, "age<30")) == ["under_30", "from_30", ""]


def test_a_number_by_itself_is_refused_and_bands_are_offered(ages):
    with pytest.raises(releases.ReleaseRefused) as refused:
        release(ages, "age")
    assert refused.value.smallest_cell == 1
    first = refused.value.offers[0]
    # under 30: 6, 30-39: 16, 40-49: 10, 50 and over: 5 + 2; the bands over 60 hold too few
    assert first.background[0].startswith("age<")
    assert first.smallest_cell >= 5
    made = release(ages, "age<30<40<50")
    assert (made.smallest_cell, made.background) == (6, ["age<30<40<50"])


def test_bands_are_judged_with_the_bands_before(ages):
    release(ages, "age<30<40<50")
    with pytest.raises(releases.ReleaseRefused) as refused:
        release(ages, "age<28")  # between 28 and 30: 5; under 28: 1
    assert refused.value.smallest_cell == 1
    assert release(ages, "age<40").smallest_cell == 6


def test_files_hold_the_bands_with_their_words(ages, tmp_path):
    shown = rows.rows_of(release(ages, "age<30<40<50"), ages, None)
    lines = list(csv_file.csv_rows(shown))
    place = list(lines[0]).index("age")
    assert Counter(line[place] for line in lines[1:]) == {
        "under_30": 6,
        "from_30_under_40": 16,
        "from_40_under_50": 10,
        "from_50": 7,
    }
    path = tmp_path / "out.sav"
    with path.open("wb") as file:
        spss.write_sav(shown, "nl", "Small", file)
    frame, meta = pyreadstat.read_sav(str(path))
    assert meta.variable_value_labels["age"][2.0] == "30–39"
    assert meta.variable_value_labels["age"][4.0] == "50 of meer"
    assert (frame["age"] == 1).sum() == 6


def test_bands_are_chosen_checked_and_released_on_the_page(ages):
    user = User.objects.create_user("roos@noord.example", "correct horse battery", name="Roos")
    let_work(ages.study, user)
    employment.declare(user, ages.study, [])
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = "en"
    page = reverse("exports", args=[ages.study.slug])
    assert 'value="20, 30, 40, 50, 60, 70"' in client.get(page).content.decode()
    asked = {"purpose": "A thesis", "background": ["age"], "limits_age": "50, 30"}
    assert "The numbers must increase" in client.post(page, asked).content.decode()
    checked = client.post(page, asked | {"limits_age": "30, 40, 50", "check": "1"}).content.decode()
    assert "smallest cell has at least 5 responses" in checked, "the size of two bands would tell on the years between"
    assert "How old are you? (under 30 · 30–39 · 40–49 · 50 or more)" in checked
    assert RowRelease.objects.count() == 0, "looking is no release"
    refused = client.post(page, asked | {"limits_age": "30, 60", "check": "1"}).content.decode()
    assert "smallest cell has fewer than 5 responses" in refused
    assert "smallest cell: at least 5" in refused
    assert 'name="limits_age" value="30, 60"' in refused
    assert client.post(page, asked | {"limits_age": "30, 60", "offer": "0"}).status_code == 302
    assert RowRelease.objects.get().background[0].startswith("age<")
    assert "How old are you? (under 30" in client.get(page).content.decode()
