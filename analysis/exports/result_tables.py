"""Downloads for researchers: CSV in UTF-8 with a byte order mark (spreadsheets need it), sent while it is made.

Text that a spreadsheet would take for a formula gets an apostrophe in front. A team is a code that is random per study.
Rows of single responses go out by the register of releases only: analysis/exports/releases.py.
"""

from __future__ import annotations

import csv
from base64 import b32encode
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.db.models import F
from django.utils.crypto import salted_hmac

from analysis.data import dataset
from analysis.data.accounting import held_by
from analysis.data.moved_on import moved_on
from analysis.data.small_teams import hidden_teams
from analysis.exports.columns import SET_ASIDE, TEAM, label_of, set_aside_values
from analysis.models import AnalysisRun
from analysis.models.results import AgreementResult, ReliabilityResult, ScaleResult
from analysis.plan.plans import rules
from analysis.reports.quality import Figure, Reliability, iccs, reliability_figures
from analysis.results.reading import FIGURES
from surveys.models import Response, Survey
from surveys.questionnaires.definition import NUMBER, TEXT
from surveys.questionnaires.publishing import definition_of
from teams.files.tables import Cell, neutralised

#: The columns of results, before and after one column of rwg(j) for each null of the plan, by its name.
BEFORE_RWG = (
    "scale_set",
    "scale",
    "institution",
    "academy",
    "team",
    "n",
    "mean",
    "sd",
    "min",
    "max",
    "ci_low",
    "ci_high",
    "alpha",
    "omega",
    "icc1",
    "icc2",
)
AFTER_RWG = ("ad", "marks")


#: The columns whose figures can have marks, in the order in which ``result_rows`` judges them.
JUDGED = ("alpha", "omega", "icc1", "icc2")
NO_RELIABILITY = Reliability(Figure(None), None, None, Figure(None))


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The lines of a CSV file, the first with the byte order mark."""
    writer = csv.writer(_Echo())
    for number, row in enumerate(rows):
        line: str = writer.writerow([neutralised(cell) for cell in row])
        yield f"\ufeff{line}" if number == 0 else line


def team_code(survey: Survey, participation_id: int) -> str:
    """A team's code in the files of a study: always the same there, and nobody else can work it out."""
    digest = salted_hmac("analysis.exports.team", f"{survey.pk}:{participation_id}", algorithm="sha256").digest()
    return b32encode(digest[:5]).decode()


def result_rows(run: AnalysisRun, *, all_teams: bool = False) -> Iterator[Sequence[Cell]]:
    """Scale results of a run, overall (no team) and per team, for both scale sets; of a team that is hidden
    (data/small_teams.py) only how many people it is, unless ``all_teams`` are asked for.

    Four queries per scale at most, whatever the number of teams; a large study's rows are never all in memory.
    """
    reliability = {
        (row.scale_set, row.scale): reliability_figures(row) for row in ReliabilityResult.objects.filter(run=run)
    }
    nulls = [null.name for null in rules(run.plan.content).nulls]
    no_agreement: list[float | None] = [None] * (len(nulls) + 3)
    not_yet = moved_on(held_by(run))  # goes with the figures over all, as their marks do
    yield (*BEFORE_RWG, *(f"rwg_{name}" for name in nulls), *AFTER_RWG)
    of_run = ScaleResult.objects.filter(run=run).order_by("scale_set", "scale")
    for scale_set, scale in list(of_run.values_list("scale_set", "scale").distinct()):
        of_scale = {"run": run, "scale_set": scale_set, "scale": scale}
        nested = {
            participation: [icc1, icc2, *(rwg.get(name) for name in nulls), ad]
            for participation, icc1, icc2, rwg, ad in AgreementResult.objects.filter(**of_scale).values_list(
                "participation", "icc1", "icc2", "rwg", "ad"
            )
        }
        known = reliability.get((scale_set, scale), NO_RELIABILITY)
        hidden_ones = frozenset() if all_teams else hidden_teams(run, scale_set, scale)
        institution = "participation__team__academy__institution__name"
        rows = (
            ScaleResult.objects.filter(**of_scale)
            .order_by(F(institution).asc(nulls_first=True), "participation_id")
            .values_list("participation", institution, "participation__team__academy__name", "participation__team__name",
                         "n", *FIGURES)
            .iterator(chunk_size=dataset.ROWS_AT_ONCE)
        )  # fmt: skip
        for participation, *cells in rows:
            over_all = participation is None
            few = participation in hidden_ones
            of_teams = nested.get(participation, no_agreement)
            judged = [known.alpha, known.omega, *iccs(*of_teams[:2])] if over_all else [Figure(None)] * 4
            marks = marks_of(dict(zip(JUDGED, judged, strict=True)))
            yield (
                scale_set,
                scale,
                *("" if over_all else name for name in cells[:3]),
                cells[3],
                *([None] * len(FIGURES) if few else cells[4:]),
                known.alpha.value if over_all else None,
                known.omega.value if over_all else None,
                *(no_agreement if few else of_teams),
                "; ".join([marks] * bool(marks) + not_yet * over_all),
            )


def marks_of(figures: Mapping[str, Figure]) -> str:
    """What must be known of the figures of a row, by the names of their columns, in the reader's language."""
    return "; ".join(
        f"{name} {caution.word} ({caution.explanation})"
        for name, figure in figures.items()
        for caution in figure.cautions
    )


def codebook_rows(survey: Survey) -> Iterator[Sequence[Cell]]:
    """What every column of the response file holds, in all languages of the questionnaire."""
    definition = definition_of(survey.version)
    languages = definition.languages
    yield ("variable", "scale", "reverse_keyed", *(f"text_{x}" for x in languages), *(f"values_{x}" for x in languages))
    nothing = [""] * len(languages)
    yield (TEAM, "", "", *(label_of(TEAM, language) for language in languages), *nothing)
    values = [set_aside_values(language).items() for language in languages]
    yield (
        SET_ASIDE,
        "",
        "",
        *(label_of(SET_ASIDE, language) for language in languages),
        *("; ".join(f"{value} = {text}" if value else text for value, text in of_language) for of_language in values),
    )
    for variable in dataset.codebook_of(definition):
        known_values = []
        for language in languages:
            known = [f"{value} = {text.get(language, '')}" for value, text in variable.categories]
            if definition.cannot_judge:
                known.append(f"{Response.CANNOT_JUDGE} = {definition.cannot_judge.get(language, '')}")
            known_values.append("; ".join(known))
        yield (
            variable.code,
            variable.scale,
            int(variable.reverse_keyed),
            *(variable.text.get(language, "") for language in languages),
            *known_values,
        )
    for question in definition.asked_background(survey.background):
        if question.type == TEXT:  # open answers are in no file of responses
            continue
        bounds = f"{question.minimum} … {question.maximum}" if question.type == NUMBER else ""
        listed = ["; ".join(f"{c.code} = {c.text.get(at, '')}" for c in question.choices) or bounds for at in languages]
        yield (question.code, "", "", *(question.text.get(at, "") for at in languages), *listed)
