"""On the settings of the demo no study with real people opens, unless somebody says so."""

import pytest
from django.urls import reverse

from surveys.collecting import collections
from surveys.models import Survey
from teams.models import Study
from tests.access.cast import make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(settings):
    settings.DEMO_REAL_STUDIES = True
    made = make_cast()
    Survey.objects.update(opened_at=None, plan_hash="")
    settings.DEMO_REAL_STUDIES = False
    return made


def opened(cast) -> bool:
    return Survey.objects.filter(study=cast.study, opened_at__isnull=False).exists()


def test_a_real_study_is_refused_with_a_sentence(cast) -> None:
    response = cast.client("alice").post(reverse("survey_open", args=[cast.study.slug]), follow=True)
    assert "DEMO_REAL_STUDIES=1" in response.content.decode()
    assert not opened(cast)


def test_the_step_refuses_too(cast) -> None:
    with pytest.raises(collections.NotReady, match="DEMO_REAL_STUDIES"):
        collections.open_survey(Survey.objects.get(study=cast.study), "f" * 64)
    assert not opened(cast)


@pytest.mark.parametrize("what", ["simulated", "allowed", "production"])
def test_others_open(cast, settings, what: str) -> None:
    Study.objects.filter(pk=cast.study.pk).update(simulated=what == "simulated")
    settings.DEMO_REAL_STUDIES, settings.PRODUCTION = what == "allowed", what == "production"
    collections.open_survey(Survey.objects.get(study=cast.study), "f" * 64)
    assert opened(cast)
