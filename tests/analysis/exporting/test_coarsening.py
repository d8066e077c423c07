"""Background answers taken together until k people share every cell; the union of all releases decides."""

import pandas as pd
import pyreadstat
import pytest
from django.test import Client
from django.urls import reverse

from analysis.exporting import coarsening, csv_file, releases, rows, spss
from analysis.release_models import RowRelease
from surveys.models import QuestionnaireVersion, Survey
from surveys.questionnaires import definition_of
from teams.models import Role, User
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
    found = rows.rows_of(made, survey, None)
    assert sorted(set(found.frame["years"])) == ["a", "b+c", "d"]
    lines = list(csv_file.csv_rows(found))
    assert sum("b+c" in line for line in lines) == 5
    path = tmp_path / "out.sav"
    path.write_bytes(spss.sav_bytes(found, "en", "Small"))
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
    Role.objects.create(user=user, kind=Role.Kind.RESEARCHER, study=survey.study)
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
