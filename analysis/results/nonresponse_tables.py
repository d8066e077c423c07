"""Who did not answer, as tables for the page and for files: rows of a run with names and words. Computes shares only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _

from analysis.data import bands
from analysis.data.accounting import held_by
from analysis.data.moved_on import moved_on
from analysis.data.small_teams import hidden_teams
from analysis.models import AnalysisRun
from analysis.models.results import ResultTable, ScaleResult, ScaleSet, TeamCount
from analysis.results.cases import teams_of
from analysis.results.figures import scatter
from analysis.results.reading import team_labels
from analysis.results.run_words import factor_in_words, group_in_words, test_in_words, withheld_in_words
from analysis.runs.names import CELLS, FACTORS, OF_ALL_TEAMS, QUESTION, SCORE, SIZES
from surveys.models import Collection
from surveys.models.questionnaire import in_language
from surveys.questionnaires.definition import NUMBER, TEXT, Question
from surveys.questionnaires.publishing import definition_of
from teams.files.tables import Cell
from teams.models import Academy, Institution
from teams.text.directions import isolated

GROUPS_PER_PAGE, TEAMS_PER_PAGE = 50, 40


def table(run: AnalysisRun, name: str) -> dict[str, Any] | None:
    """One table of the step; None in an analysis from before there was one."""
    return ResultTable.objects.filter(run=run, kind="nonresponse", name=name).values_list("content", flat=True).first()


# ------------------------------------------------------------------------------------------------ groups of teams
def factors() -> list[tuple[str, str]]:
    """What teams are grouped by, in words."""
    own = {"size": _("Size of the team"), "institution": _("Institution"), "academy": _("Academy")}
    return [(factor, own.get(factor) or factor_in_words(factor)) for factor in FACTORS]


def group_rows(run: AnalysisRun, factor: str) -> list[dict[str, Any]]:
    """The groups of teams of one factor with their names, in a fixed order; two queries at most."""
    stored = table(run, factor)
    groups: list[dict[str, Any]] = stored["groups"] if stored else []
    names = _names(run, factor)
    rows = [
        {
            **group,
            "label": names.get(group["group"]) or group_in_words(factor, group["group"]),
            "difference": None
            if None in (group["share_returned"], group["share_approached"])
            else group["share_returned"] - group["share_approached"],
        }
        for group in groups
    ]
    if factor == "size":
        order = bands.codes(SIZES)
        return sorted(rows, key=lambda row: order.index(row["group"]))
    return sorted(rows, key=lambda row: row["label"])


def group_page(run: AnalysisRun, factor: str, page: str | None) -> Page[dict[str, Any]]:
    """A page of the groups of one factor."""
    return Paginator(group_rows(run, factor), GROUPS_PER_PAGE).get_page(page)


def _names(run: AnalysisRun, factor: str) -> dict[str, str]:
    match factor:
        case "size":
            said = bands.words(SIZES, decimals=False)
            return {code: _("%(n)s teachers") % {"n": n} for code, n in zip(bands.codes(SIZES), said, strict=True)}
        case "institution":
            own = Institution.objects.filter(group__studies=run.survey.study_id)
            return {str(pk): name for pk, name in own.values_list("pk", "name")}
        case "academy":
            within = Academy.objects.filter(institution__group__studies=run.survey.study_id)
            rows = within.values_list("pk", "name", "institution__name")
            return {str(pk): f"{institution}: {name}" for pk, name, institution in rows}
    return {}


# ------------------------------------------------------------------------------------------------ rates and scores
def sentence(relation: Mapping[str, Any], scale: str) -> str:
    """What the rank correlation of return rate and score says, and what it does not."""
    known = relation["spearman"]
    if known["problem"] or known["low"] is None:
        return _("There are too few teams with a return rate and a score, or they do not differ: nothing can be said.")
    if known["low"] > 0:
        return _("Teams of which more teachers answered scored higher on “%(scale)s”.") % {"scale": scale}
    if known["high"] < 0:
        return _("Teams of which more teachers answered scored lower on “%(scale)s”.") % {"scale": scale}
    return _(
        "No clear relation between response and score on “%(scale)s”: the interval contains 0, so the relation can "
        "go either way."
    ) % {"scale": scale}


def plot(run: AnalysisRun, rates: dict[str, Any], name: str) -> str:
    """The scatter plot of one scale."""
    points = definition_of(run.survey.version).n_points
    axes = (_("return rate of the team"), _("mean of the team: %(scale)s") % {"scale": isolated(name)})
    return scatter(rates["points"], rates["cells"], CELLS, points, axes)


@dataclass(frozen=True, slots=True)
class TeamPoint:
    """A team in the plot: who was asked, who answered, and the mean of who is analysed where it is shown."""

    label: str
    approached: int | None
    returned: int
    n: int
    mean: float | None

    @property
    def rate(self) -> float | None:
        return self.returned / self.approached if self.approached else None


def team_points(run: AnalysisRun, scale: str, page: str | None) -> tuple[Page[TeamCount], list[TeamPoint]]:
    """A page of teams with response and score, by institution, academy and name; four queries."""
    page_of_teams = Paginator(teams_of(run), TEAMS_PER_PAGE).get_page(page)
    counts = [count for count in page_of_teams if count.participation is not None]
    shown = [count.participation_id for count in counts]
    scores = ScaleResult.objects.filter(run=run, scale_set=ScaleSet.FINAL, scale=scale, participation__in=shown)
    of_team = {row.participation_id: row for row in scores}
    few = hidden_teams(run, ScaleSet.FINAL, scale)
    asked = Collection.objects.filter(participation__in=shown).values_list("participation_id", "approached")
    approached = dict(asked)
    labels = team_labels(count.participation.team for count in counts if count.participation is not None)
    points = []
    for count in counts:
        assert count.participation is not None
        score = of_team.get(count.participation_id)
        points.append(
            TeamPoint(
                labels[count.participation.team_id],
                approached.get(count.participation.pk),
                count.n_returned,
                score.n if score else 0,
                score.mean if score and count.participation_id not in few else None,
            )
        )
    return page_of_teams, points


# ------------------------------------------------------------------------------------------------ background questions
@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer, or several taken together: respondents, population, and the difference of their shares."""

    label: str
    n: int
    share: float
    known: int | None
    known_share: float | None

    @property
    def difference(self) -> float | None:
        return None if self.known_share is None else self.share - self.known_share


@dataclass(frozen=True, slots=True)
class QuestionTable:
    """A background question; ``withheld`` is why nothing of it is told, in words."""

    code: str
    text: str
    rows: tuple[AnswerRow, ...] = ()
    withheld: str = ""
    test: str = ""
    figures: Mapping[str, Any] | None = None


def question_tables(run: AnalysisRun) -> list[QuestionTable]:
    """Every background question that the survey asks, in its order; one query."""
    survey = run.survey
    tables = dict(
        ResultTable.objects.filter(run=run, kind="nonresponse", name__startswith=QUESTION).values_list(
            "name", "content"
        )
    )
    asked = definition_of(survey.version).asked_background(survey.background)
    return [
        _question(question, tables[QUESTION + question.code])
        for question in asked
        if question.type != TEXT and QUESTION + question.code in tables
    ]


def _question(question: Question, comparison: Mapping[str, Any]) -> QuestionTable:
    text = in_language(dict(question.text))
    if reason := comparison.get("withheld"):
        return QuestionTable(question.code, text, withheld=withheld_in_words(reason))
    labels = _labels(question, comparison)
    n, known = sum(comparison["counts"]), comparison["known"]
    of_all = sum(known)
    rows = tuple(
        AnswerRow(
            label,
            count,
            count / n,
            known[place] if known else None,
            known[place] / of_all if known else None,
        )
        for place, (label, count) in enumerate(zip(labels, comparison["counts"], strict=True))
        if count or (known and known[place])
    )
    return QuestionTable(question.code, text, rows, test=test_in_words(comparison), figures=comparison)


def _labels(question: Question, comparison: Mapping[str, Any]) -> list[str]:
    if question.type == NUMBER:
        return bands.words(comparison["limits"], decimals=question.decimals)
    texts = {choice.code: in_language(dict(choice.text)) for choice in question.choices}
    return [" / ".join(texts.get(code, code) for code in group) for group in comparison["groups"]]


# ------------------------------------------------------------------------------------------------ files
def sheets(run: AnalysisRun, names: Mapping[str, str]) -> Iterator[tuple[str, list[Sequence[Cell]]]]:
    """The tables of a run as sheets: groups of teams, correlations, answers, tests; first what moved on since, if anything did.

    The first two cells name the row.
    """
    if said := moved_on(held_by(run)):
        yield "since", [("about", "number", "words"), *(("analysis", str(run.pk), sentence) for sentence in said)]
    measures = [
        "invited",
        "taking_part",
        "n_teams",
        "approached",
        "returned",
        "rate",
        "low",
        "high",
        "share_approached",
        "share_returned",
        "difference",
    ]
    lines: list[Sequence[Cell]] = [("factor", "group", *measures)]
    for factor, _words in factors():
        for row in group_rows(run, factor):
            known = {name: row[name] for name in measures}
            if factor not in OF_ALL_TEAMS:  # of who said no neither is known
                known["invited"] = None
            lines.append((factor, row["label"], *known.values()))
    yield "teams", lines
    lines = [("scale", "correlation", "n_teams", "r", "low", "high", "p")]
    tables = ResultTable.objects.filter(run=run, kind="nonresponse", name__startswith=SCORE).order_by("name")
    for name, content in tables.values_list("name", "content"):
        scale = name.removeprefix(SCORE)
        for method in ("spearman", "pearson"):
            known = content[method]
            figures = (known[figure] for figure in ("r", "low", "high", "p"))
            lines.append((names.get(scale, scale), method, content["n_teams"], *figures))
    yield "scores", lines
    questions = question_tables(run)
    lines = [("question", "answer", "n", "share", "known", "known_share", "difference")]
    for question in questions:
        lines += [
            (question.text, row.label, row.n, row.share, row.known, row.known_share, row.difference)
            for row in question.rows
        ]
    yield "answers", lines
    lines = [("question", "test", "n", "missing", "n_teams", "chisq", "df", "p", "w", "source")]
    for question in questions:
        if question.figures:
            figures = (
                question.figures.get(name) for name in ("n", "missing", "n_teams", "chisq", "df", "p", "w", "source")
            )
            lines.append((question.text, "chi-square, corrected for teams", *figures))
    yield "tests", lines


def long_rows(sheets: Iterator[tuple[str, list[Sequence[Cell]]]]) -> Iterator[Sequence[Cell]]:
    """The sheets under one another for CSV: a number per line."""
    yield ("table", "name", "row", "statistic", "value")
    for title, (head, *lines) in sheets:
        for line in lines:
            for statistic, value in zip(head[2:], line[2:], strict=True):
                yield (title, line[0], line[1], statistic, value)
