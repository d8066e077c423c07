"""What may leave a study as rows: k over the union of the columns of all releases."""

import pytest

from analysis.exports import releases
from analysis.models.releases import RowRelease
from surveys.models import Survey
from teams.models import Event
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db

#: 6 + 6 of years × part: 6 short part, 6 long part, 6 short full, 6 long full; each alone and together ≥ 5.
CROSSED = [(years, part) for years in ("short", "long") for part in ("part", "full") for _ in range(6)]
#: years: 8 and 8, part: 8 and 8, but together 6, 2, 2, 6.
UNEVEN = [("short", "part")] * 6 + [("short", "full")] * 2 + [("long", "part")] * 2 + [("long", "full")] * 6


def make_survey(background, *, n_teams=1):
    study = builders.make_study()
    survey = Survey.objects.get(study=study)
    Survey.objects.filter(pk=survey.pk).update(background=["years", "part"])
    for number in range(n_teams):
        team = builders.make_team(study, f"T{number}", approached=40)
        rows = [answers(1, 2, 3) | {"years": years, "part": part} for years, part in background[number::n_teams]]
        builders.seal(team, rows)
    return Survey.objects.select_related("version", "study").get(pk=survey.pk)


def release(survey, *background, with_team=True):
    return releases.register(survey, with_team=with_team, background=background, purpose="A check", user=None)


def test_team_alone_is_recorded_with_its_smallest_cell_and_not_refused():
    survey = make_survey(CROSSED[:9], n_teams=3)
    made = release(survey)
    assert (made.n_rows, made.smallest_cell, made.union) == (9, 3, ["team"])
    assert Event.objects.get(kind="rows_released").detail == "A check"


def test_background_from_k_rows_per_cell():
    survey = make_survey(CROSSED)
    made = release(survey, "part", "years")
    assert (made.smallest_cell, made.union, made.background) == (6, ["team", "part", "years"], ["years", "part"])


def test_team_and_background_together_are_judged():
    survey = make_survey(CROSSED, n_teams=3)
    with pytest.raises(releases.ReleaseRefused) as refused:
        release(survey, "years", "part")
    assert refused.value.smallest_cell == 2
    offered = [(offer.with_team, offer.background, offer.smallest_cell) for offer in refused.value.offers]
    assert offered == [
        (False, ("years", "part"), 6),
        (False, ("years",), 12),
        (False, ("part",), 12),
        (True, (), 8),
        (False, (), 24),
    ]
    assert not RowRelease.objects.exists()


def test_second_release_with_another_column_is_refused_unless_the_union_passes():
    survey = make_survey(UNEVEN)
    assert release(survey, "years", with_team=False).smallest_cell == 8
    with pytest.raises(releases.ReleaseRefused) as refused:
        release(survey, "part", with_team=False)
    assert (refused.value.smallest_cell, refused.value.union) == (2, ("part", "years"))
    assert release(survey, "years", with_team=False).union == ["years"]


def test_a_second_release_passes_where_the_union_does():
    survey = make_survey(CROSSED)
    release(survey, "years")
    assert release(survey, "part").union == ["team", "part", "years"]


def test_a_team_released_before_counts_although_the_next_file_has_none():
    survey = make_survey(CROSSED, n_teams=3)
    release(survey)
    with pytest.raises(releases.ReleaseRefused) as refused:
        release(survey, "years", "part", with_team=False)
    assert refused.value.union == ("team", "part", "years")


def test_rows_that_came_since_the_last_release_are_cells_of_their_own():
    survey = make_survey(CROSSED)
    release(survey, "years", "part", with_team=False)
    late = builders.make_team(survey.study, "Late")
    builders.seal(late, [answers(1) | {"years": "short", "part": "part"}] * 3)
    with pytest.raises(releases.ReleaseRefused) as refused:
        release(survey, "years", "part", with_team=False)
    assert refused.value.smallest_cell == 3


def test_an_open_background_question_is_a_cell_too():
    survey = make_survey([*CROSSED, ("", "")])
    with pytest.raises(releases.ReleaseRefused) as refused:
        release(survey, "years", with_team=False)
    assert refused.value.smallest_cell == 1


def test_nothing_sealed_is_nothing_to_release():
    study = builders.make_study()
    with pytest.raises(releases.NothingToRelease):
        release(Survey.objects.select_related("version", "study").get(study=study))
