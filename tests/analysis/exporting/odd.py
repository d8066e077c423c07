"""A release with all that files for other programs stumble over."""

from analysis.data import dataset
from analysis.exports.rows import ReleasedRows, rows_of
from analysis.models.releases import RowRelease
from surveys.models import Survey
from surveys.questionnaires.publishing import import_questionnaire
from tests.analysis import builders
from tests.groups import a_group

LANGUAGES = """
code: two-languages
languages: [nl, en]
title: {nl: Twee, en: Two}
options:
  - {value: 1, text: {nl: nooit, en: never}}
  - {value: 2, text: {nl: soms, en: sometimes}}
  - {value: 3, text: {nl: altijd, en: always}}
cannot_judge: {nl: weet ik niet, en: cannot judge}
scales:
  - code: AA
    name: {nl: Eerste, en: First}
    items:
      - {code: by, text: {nl: "=Eén", en: "=One"}}
      - {code: AA2, text: {nl: LONG, en: LONG}, reverse_keyed: true}
background:
  - {code: hours, type: number, minimum: 0, maximum: 40, decimals: true, text: {nl: Uren, en: Hours}}
  - {code: people, type: number, minimum: -1, maximum: 1000000, text: {nl: Mensen, en: People}}
  - {code: with, text: {nl: Waarmee, en: With what}, choices: [CHOICES]}
""".replace("LONG", "é" * 250)


def odd_rows() -> ReleasedRows:
    """One response to a questionnaire with words of SPSS's language, long labels, and a question with 120 choices."""
    choices = ", ".join(f"{{code: c{n}, text: {{nl: keus {n}, en: choice {n}}}}}" for n in range(120))
    study = builders.make_study()
    version = import_questionnaire(LANGUAGES.replace("CHOICES", choices), a_group())[1]
    Survey.objects.filter(study=study).update(version=version, background=["hours", "people", "with"])
    given = {"by": 3, "AA2": "x", "hours": 7.5, "people": 1_000_000, "with": "c98"}
    builders.seal(builders.make_team(study, "T"), [given])
    odd = Survey.objects.select_related("version", "study").get(study=study)
    data = dataset.load(odd)  # recorded by hand: one response never passes with background answers
    made = RowRelease.objects.create(
        study=study,
        purpose="A check",
        background=["hours", "people", "with"],
        participations=list(data.participations),
        fingerprint=data.fingerprint,
        n_rows=1,
        smallest_cell=1,
    )
    return rows_of(made, odd, None)
