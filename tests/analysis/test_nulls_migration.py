"""Results of before under the names of the nulls that they had, through the migrations."""

from datetime import date

import pytest

from tests.migrating import rows_in, tables, tables_of

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = [("analysis", "0027_plan_known")]
AFTER = [("analysis", "0029_rwg_columns_away")]


@pytest.fixture(scope="module")
def as_they_were(django_db_setup, django_db_blocker):
    with tables_of(BEFORE, django_db_blocker):
        yield


@pytest.fixture
def before(as_they_were, transactional_db):
    """The tables as they were."""
    with rows_in(BEFORE) as apps:
        yield apps


def test_the_second_null_gets_the_name_of_what_it_was(before):
    def create(model, app="analysis", /, **fields):
        return before.get_model(app, model).objects.create(**fields)

    group = create("ResearchGroup", "teams", name="Group")
    study = create(
        "Study", "teams", group=group, slug="s", title="S", starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31)
    )
    questionnaire = create("Questionnaire", "surveys", group=group, code="q", title={"en": "Q"})
    version = create(
        "QuestionnaireVersion", "surveys", questionnaire=questionnaire, number=1, content={}, content_hash="0" * 64
    )
    survey = create("Survey", "surveys", study=study, version=version)
    institution = create("Institution", "teams", group=group, name="School")
    academy = create("Academy", "teams", institution=institution, name="A", sector="health")
    team = create("Team", "teams", academy=academy, name="T", leader_name="L", leader_email="l@x.example")
    wave = create("Participation", "teams", study=study, team=team, state="accepted", mode="online", approached=50)
    shares = {1: [0.1, 0.2, 0.4, 0.3], 2: [0.2] * 5}
    for number, second in shares.items():
        plan = create(
            "AnalysisPlan",
            study=study,
            number=number,
            content={"agreement": {"skewed_null": second}},
            content_hash=str(number),
            amendment_reason="another" if number > 1 else "",
        )
        run = create("AnalysisRun", survey=survey, plan=plan, state="done", n_seals=1, fingerprint="f")
        of_scale = {"run": run, "scale_set": "final", "scale": "AA"}
        create("AgreementResult", **of_scale, participation=None, icc1=0.2)
        create("AgreementResult", **of_scale, participation=wave, rwg_uniform=0.9, rwg_skewed=0.75, ad=0.4)
        create("AgreementResult", **{**of_scale, "scale": "BB"}, participation=wave)  # too few people for any

    results = tables(AFTER).get_model("analysis", "AgreementResult").objects
    rwg = {
        (number, scale): value
        for number, scale, value in results.exclude(participation=None).values_list("run__plan__number", "scale", "rwg")
    }
    assert rwg == {
        (1, "AA"): {"uniform": 0.9, "own": 0.75},
        (1, "BB"): {"uniform": None, "own": None},
        (2, "AA"): {"uniform": 0.9},
        (2, "BB"): {"uniform": None},
    }
    assert set(results.filter(participation=None).values_list("icc1", flat=True)) == {0.2}
    assert [row.rwg for row in results.filter(participation=None)] == [{}, {}]
