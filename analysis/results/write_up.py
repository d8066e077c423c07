"""A run as an article reports it: the text of the method section and two tables, filled in from the run's rows.

Texts follow the language that is active; figures follow APA style (Publication Manual, 7th edition): no zero before the
point of what cannot exceed 1. Reads rows, computes nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis.data.accounting import held_by
from analysis.data.moved_on import moved_on
from analysis.disclosure import round_half_up
from analysis.models import AnalysisPlan, AnalysisRun, Decision, ScreeningDecision
from analysis.models.results import ScaleSet
from analysis.plan.plans import PlanRules, ScalePlan, has_imported, rules
from analysis.reports.quality import Caution, Figure, together
from analysis.results.model_fit import fits_of
from analysis.results.models_of_run import scales_of
from analysis.results.reading import ScaleLine, scale_lines
from surveys.models.questionnaire import in_language
from teams.text.directions import in_one_line, without_steering

#: What LaTeX reads as commands.
SPECIAL = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    '"': r"{\char34}",  # a shorthand of babel in Dutch and German
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "[": "{[}",  # and a star: the end of a row takes them for its argument
    "]": "{]}",
    "*": "{*}",
    "`": "{`}",  # with a second one, ? or ! before it: another sign
}
#: Signs that two of them make another one of.
PAIRS = re.compile("([-',])(?=\\1)")
#: What no font has and pdfLaTeX stops at.
NO_WIDTH = re.compile("[\u200b\u2060]")
GREEK = {"α": r"$\alpha$", "ω": r"$\omega$", "χ²": r"$\chi^2$", "–": "--"} | {
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "§": r"\S{}",
    "¶": r"\P{}",
    "≥": r"$\ge$",
}
#: Signs of the marks of a table, in the order in which its note explains them.
SIGNS = ("†", "‡", "§", "¶", "††", "‡‡", "§§", "¶¶")


RULES_FIXED = {
    AnalysisPlan.Known.NOTHING: gettext_lazy(
        "The rules for setting responses aside were fixed in an analysis plan before the first response."
    ),
    AnalysisPlan.Known.ANSWERS: gettext_lazy(
        "The rules for setting responses aside are those of an analysis plan that was fixed while responses were coming in, "
        "before there was any result."
    ),
    AnalysisPlan.Known.RESULTS: gettext_lazy(
        "The rules for setting responses aside are those of an analysis plan that was changed when there were results already."
    ),
    AnalysisPlan.Known.ELSEWHERE: gettext_lazy(
        "The rules for setting responses aside were written down after the responses had been collected elsewhere."
    ),
}
RULES_BESIDE_IMPORT = gettext_lazy(
    "The rules for setting responses aside were fixed in an analysis plan; responses that were collected elsewhere and "
    "imported may be older than the plan."
)


@dataclass(frozen=True, slots=True)
class PrintTable:
    """A table of an article: the first column holds words, the others figures as printed."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str

    @property
    def latex(self) -> str:
        """The table for LaTeX with the package booktabs."""
        note = _("Note.")  # outside the f-string: texts inside one are not collected
        lines = [
            r"\begin{table}",
            rf"\caption{{{escaped(self.title)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(self.header) - 1)}}}",
            r"\toprule",
            f"{' & '.join(map(escaped, self.header))} \\\\",
            r"\midrule",
            *(f"{' & '.join(map(escaped, row))} \\\\" for row in self.rows),
            r"\bottomrule",
            r"\end{tabular}",
            "",
            rf"\emph{{{escaped(note)}}} {escaped(self.note)}",
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class WriteUp:
    """What is ready to paste."""

    paragraphs: tuple[str, ...]
    tables: tuple[PrintTable, ...]


def escaped(text: str) -> str:
    """Text that LaTeX prints as it stands, on one line. What is not Latin takes a font that has it (XeLaTeX, LuaLaTeX)."""
    text = NO_WIDTH.sub("", without_steering(in_one_line(text)))
    text = PAIRS.sub(r"\1{}", "".join(SPECIAL.get(character, character) for character in text))
    for sign, command in GREEK.items():
        text = text.replace(sign, command)
    return text


def printed(value: float | None, decimals: int = 2, *, bounded: bool = False) -> str:
    """A figure in the language's notation; ``bounded`` ones cannot exceed 1 and lose the zero before the point."""
    if value is None or not math.isfinite(value):
        return "–"
    text = str(number_format(round_half_up(float(value), decimals), decimals))
    if bounded:
        for zero in ("0.", "0,"):
            if text.lstrip("-").startswith(zero):
                text = text.replace(zero, zero[1:], 1)
    return text


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one table's figures: a sign behind each, words and meaning in the table's note."""

    cautions: tuple[Caution, ...]

    def printed(self, figure: Figure, decimals: int = 2, *, bounded: bool = True) -> str:
        """A figure with the signs of its marks."""
        return printed(figure.value, decimals, bounded=bounded) + self.signs(figure)

    def p(self, figure: Figure) -> str:
        """A p-value with the signs of its marks."""
        return _p(figure.value) + self.signs(figure)

    def signs(self, figure: Figure) -> str:
        """The signs behind a figure."""
        return "".join(SIGNS[self.cautions.index(caution)] for caution in figure.cautions)

    def note(self, text: str) -> str:
        """The table's note with what its signs mean."""
        meanings = (
            f"{sign} {caution.word}: {caution.explanation}" for sign, caution in zip(SIGNS, self.cautions, strict=False)
        )
        return " ".join([text, *meanings])


def in_a_line(figure: Figure) -> str:
    """A reliability in running text, its marks behind it."""
    text = printed(figure.value, bounded=True)
    return f"{text}, {figure.words}" if figure.cautions else text


def write_up(run: AnalysisRun) -> WriteUp:
    """The method section and the tables of a finished run, in the active language."""
    plan = rules(run.plan.content)
    lines = scale_lines(run, ScaleSet.FINAL)
    return WriteUp(
        paragraphs=(
            _people(run, plan),
            _measures(plan, lines, scales_of(run)[1].scales),
            _analysis(plan),
            *_decisions(run),
            _software(run),
        ),
        tables=(_scales_table(lines), _models_table(run)),
    )


def _people(run: AnalysisRun, plan: PlanRules) -> str:
    held = held_by(run)
    people = held.people
    text = [
        ngettext(
            "Of the %(approached)s teacher who was approached in %(teams)s, %(returned)s returned the questionnaire"
            " (%(rate)s %%).",
            "Of the %(approached)s teachers who were approached in %(teams)s, %(returned)s returned the questionnaire"
            " (%(rate)s %%).",
            people.approached,
        )
        % {
            "approached": people.approached,
            "teams": ngettext("%(n)s team", "%(n)s teams", held.teams) % {"n": held.teams},
            "returned": people.returned,
            "rate": printed(100 * (people.return_rate or 0), 1),
        },
        *moved_on(held),
    ]
    n_by_rule = Counter(ScreeningDecision.objects.filter(run=run).values_list("rule", flat=True))
    if n_by_rule[ScreeningDecision.Rule.NOT_ELIGIBLE]:
        n = n_by_rule[ScreeningDecision.Rule.NOT_ELIGIBLE]
        text.append(
            ngettext(
                "%(n)s respondent, who said that they could not answer questions about the team, was set aside.",
                "%(n)s respondents, who said that they could not answer questions about the team, were set aside.",
                n,
            )
            % {"n": n}
        )
    if n_by_rule[ScreeningDecision.Rule.UNANSWERED] and plan.most_unanswered is not None:
        n = n_by_rule[ScreeningDecision.Rule.UNANSWERED]
        text.append(
            ngettext(
                "%(n)s respondent, who left more than %(share)s %% of the questions unanswered, was set aside.",
                "%(n)s respondents, who left more than %(share)s %% of the questions unanswered, were set aside.",
                n,
            )
            % {"n": n, "share": f"{100 * plan.most_unanswered:g}"}
        )
    text.append(
        ngettext(
            "The analyses rest on %(n)s respondent (%(rate)s %% of those approached).",
            "The analyses rest on %(n)s respondents (%(rate)s %% of those approached).",
            people.analysed,
        )
        % {"n": people.analysed, "rate": printed(100 * (people.usable_rate or 0), 1)}
    )
    if plan.mirror:
        text.append(_("Teams that met could see their own results in the meeting, once it was closed for good."))
    if plan.set_aside_not_eligible or plan.most_unanswered is not None:
        text.append(str(_rules_fixed(run)))
    return " ".join(text)


def _rules_fixed(run: AnalysisRun) -> Promise:
    """When the rules were fixed, by what was known of the answers then."""
    if run.plan.known == AnalysisPlan.Known.NOTHING and has_imported(run.survey.study):
        return RULES_BESIDE_IMPORT
    return RULES_FIXED[AnalysisPlan.Known(run.plan.known)]


def _measures(plan: PlanRules, lines: list[ScaleLine], final: Sequence[ScalePlan]) -> str:
    scales = "; ".join(
        _("%(name)s (%(n)s questions, α = %(alpha)s)")
        % {
            "name": in_language(line.name),
            "n": len(line.items),
            "alpha": in_a_line(line.reliability.alpha),
        }
        for line in lines
    )
    marks = together(line.reliability.alpha for line in lines)
    text = _(
        "The questions were answered on a scale of %(points)s points. The scales were: %(scales)s. Answers to reverse-keyed"
        " questions were recoded. A scale score is the mean of the answered questions, computed if enough of them were"
        " answered (%(minimums)s)."
    ) % {
        "points": plan.n_points,
        "scales": scales,
        "minimums": "; ".join(
            _("%(minimum)s of %(n)s") % {"minimum": minimum, "n": n}
            for n, minimum in sorted({(len(scale.items), scale.minimum_answered) for scale in final})
        ),
    }
    return " ".join([text, *(caution.explanation for caution in marks)])


def _analysis(plan: PlanRules) -> str:
    text = [
        _(
            "Cronbach's alpha has Feldt's confidence interval; omega is from the model with one factor. The "
            "intervals of means over respondents take into account that teachers are grouped in teams. ICC(1) and "
            "ICC(2) are from one-way analysis of variance; agreement within teams is rwg(j) (null distribution: "
            "%(nulls)s), and the average deviation."
        )
        % {
            "nulls": "; ".join(
                _("%(name)s, variance %(variance)s") % {"name": null.label, "variance": printed(null.variance)}
                for null in plan.nulls
            )
        },
        _(
            "Confirmatory factor models were fitted to respondents who answered all questions of the model, by %(names)s."
        )
        % {"names": ", ".join(plan.estimators)},
    ]
    if names := plan.published_nulls:
        text.insert(1, _("Null distributions from LeBreton and Senter (2008, table 2): %(names)s.") % {"names": names})
    if "MLR" in plan.estimators:
        text.append(_("With MLR, standard errors and test statistics are robust to teachers sharing a team."))
    return " ".join(text)


def _decisions(run: AnalysisRun) -> list[str]:
    """The decisions that stood when the run read the answers."""
    stood = Q(undone_at__isnull=True) | Q(undone_at__gt=run.started_at)
    rows = Decision.objects.filter(stood, study=run.survey.study_id, decided_at__lte=run.started_at)
    reason = _("Reason:")
    sentences = {
        Decision.Kind.SET_ASIDE: _("Scale %(subject)s was set aside."),
        Decision.Kind.MERGE: _("The questions of scale %(subject)s were taken into scale %(target)s."),
        Decision.Kind.DROP: _("Question %(subject)s was left out."),
    }
    decisions = [
        f"{sentences[Decision.Kind(row.kind)] % {'subject': row.subject, 'target': row.target}} {reason} {row.reason}"
        for row in rows.order_by("decided_at", "pk")
    ]
    return [" ".join([_("After the first factor models the scales were changed."), *decisions])] if decisions else []


def _software(run: AnalysisRun) -> str:
    names = ", ".join(f"{name} {version}" for name, version in run.versions.items() if name != "method")
    return _("All was computed by Teamspiegel (%(versions)s), by plan %(number)s with hash %(hash)s.") % {
        "versions": names,
        "number": run.plan.number,
        "hash": run.plan.content_hash[:12],
    }


def _scales_table(lines: list[ScaleLine]) -> PrintTable:
    marks = Marks(
        together(
            figure
            for line in lines
            for figure in (line.reliability.alpha, line.reliability.omega, line.nesting.icc1, line.nesting.icc2)
        )
    )
    return PrintTable(
        title=_("Scales over all respondents"),
        header=(_("Scale"), "n", "M", "SD", _("Range"), "α", "ω", "ICC(1)", "ICC(2)"),
        rows=tuple(
            (
                in_language(line.name),
                str(line.scores.n),
                printed(line.scores.mean),
                printed(line.scores.sd),
                f"{printed(line.scores.minimum)}–{printed(line.scores.maximum)}",
                marks.printed(line.reliability.alpha),
                marks.printed(line.reliability.omega),
                marks.printed(line.nesting.icc1),
                marks.printed(line.nesting.icc2),
            )
            for line in lines
        ),
        note=marks.note(
            _("Means over respondents. α and ω rest on respondents who answered all questions of the scale.")
        ),
    )


def _models_table(run: AnalysisRun) -> PrintTable:
    fits = [fit for fit in fits_of(run) if fit.converged and fit.sound]
    marks = Marks(together(Figure(None, fit.cautions) for fit in fits))
    return PrintTable(
        title=_("Fit of the factor models"),
        header=(_("Model"), _("Estimator"), "χ²", "df", "p", "CFI", "TLI", "RMSEA", _("90 % interval"), "SRMR"),
        rows=tuple(
            (
                fit.model.capitalize(),
                fit.estimator,
                marks.printed(fit.chisq, 1, bounded=False),
                marks.printed(fit.df, 0, bounded=False),
                marks.p(fit.pvalue),
                *(marks.printed(figure, 3) for figure in (fit.cfi, fit.tli, fit.rmsea)),
                f"{printed(fit.rmsea_ci_lower.value, 3, bounded=True)}–{marks.printed(fit.rmsea_ci_upper, 3)}",
                marks.printed(fit.srmr, 3),
            )
            for fit in fits
        ),
        note=marks.note(
            _(
                "MLM and MLR: scaled test and robust measures. Models that did not converge, or whose test rests on too few teams, are left out."
            )
        ),
    )


def _p(value: float | None) -> str:
    small = value is not None and value < 0.0005
    return f"< {printed(0.001, 3, bounded=True)}" if small else printed(value, 3, bounded=True)
