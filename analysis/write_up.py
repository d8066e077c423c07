"""A run as an article reports it: the text of the method section and two tables, filled in from the run's rows.

Texts follow the language that is active; figures follow APA style (Publication Manual, 7th edition): no zero before the
point of what cannot exceed 1. Reads rows, computes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.disclosure import round_half_up
from analysis.exporting.models_of_run import scales_of
from analysis.models import AnalysisRun, Decision, ScreeningDecision
from analysis.plan import PlanRules, ScalePlan, rules
from analysis.reading import ScaleLine, factor_models, scale_lines
from analysis.result_models import ScaleSet
from analysis.run_words import fit_line
from surveys.models.questionnaire import in_language

#: What LaTeX reads as commands.
SPECIAL = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
GREEK = {"α": r"$\alpha$", "ω": r"$\omega$", "χ²": r"$\chi^2$", "–": "--"}


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
    """Text that LaTeX prints as it stands."""
    text = "".join(SPECIAL.get(character, character) for character in text)
    for sign, command in GREEK.items():
        text = text.replace(sign, command)
    return text


def printed(value: float | None, decimals: int = 2, *, bounded: bool = False) -> str:
    """A figure in the language's notation; ``bounded`` ones cannot exceed 1 and lose the zero before the point."""
    if value is None:
        return "–"
    text = str(number_format(round_half_up(float(value), decimals), decimals))
    if bounded:
        for zero in ("0.", "0,"):
            if text.lstrip("-").startswith(zero):
                text = text.replace(zero, zero[1:], 1)
    return text


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
    counts = run.counts
    text = [
        _(
            "Of the %(approached)s teachers who were approached in %(teams)s teams, %(returned)s returned the questionnaire"
            " (%(rate)s %%)."
        )
        % {
            "approached": counts["approached"],
            "teams": counts["teams_participating"],
            "returned": counts["returned"],
            "rate": printed(100 * (counts["return_rate"] or 0), 1),
        }
    ]
    found = Counter(ScreeningDecision.objects.filter(run=run).values_list("rule", flat=True))
    if found[ScreeningDecision.Rule.NOT_ELIGIBLE]:
        n = found[ScreeningDecision.Rule.NOT_ELIGIBLE]
        text.append(
            ngettext(
                "%(n)s respondent was set aside who said that questions about the team could not be answered.",
                "%(n)s respondents were set aside who said that questions about the team could not be answered.",
                n,
            )
            % {"n": n}
        )
    if found[ScreeningDecision.Rule.UNANSWERED] and plan.most_unanswered is not None:
        n = found[ScreeningDecision.Rule.UNANSWERED]
        text.append(
            ngettext(
                "%(n)s respondent was set aside who left more than %(share)s %% of the questions unanswered.",
                "%(n)s respondents were set aside who left more than %(share)s %% of the questions unanswered.",
                n,
            )
            % {"n": n, "share": f"{100 * plan.most_unanswered:g}"}
        )
    text.append(
        _("The analyses rest on %(n)s respondents (%(rate)s %% of those approached).")
        % {"n": counts["analysed"], "rate": printed(100 * (counts["usable_rate"] or 0), 1)}
    )
    if plan.set_aside_not_eligible or plan.most_unanswered is not None:
        when = (
            _("The rules for setting responses aside were fixed in an analysis plan before the first response.")
            if run.plan.number == 1
            else _("The rules for setting responses aside are those of an analysis plan that was changed afterwards.")
        )
        text.append(when)
    return " ".join(text)


def _measures(plan: PlanRules, lines: list[ScaleLine], final: Sequence[ScalePlan]) -> str:
    scales = "; ".join(
        _("%(name)s (%(n)s questions, α = %(alpha)s)")
        % {
            "name": in_language(line.name),
            "n": len(line.items),
            "alpha": printed(line.reliability.alpha, bounded=True),
        }
        for line in lines
    )
    return _(
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


def _analysis(plan: PlanRules) -> str:
    text = [
        _(
            "Cronbach's alpha has Feldt's confidence interval; omega is from the model with one factor. The intervals of means"
            " over respondents take into account that teachers sit in teams. ICC(1) and ICC(2) are from one-way analysis of"
            " variance; agreement within teams is rwg(j) with a uniform and a skewed null, and the average deviation."
        ),
        _(
            "Confirmatory factor models were fitted to respondents who answered all questions of the model, by %(names)s."
        )
        % {"names": ", ".join(plan.estimators)},
    ]
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
    found = [
        f"{sentences[Decision.Kind(row.kind)] % {'subject': row.subject, 'target': row.target}} {reason} {row.reason}"
        for row in rows.order_by("decided_at", "pk")
    ]
    return [" ".join([_("After the first factor models the scales were changed."), *found])] if found else []


def _software(run: AnalysisRun) -> str:
    names = ", ".join(f"{name} {version}" for name, version in run.versions.items() if name != "method")
    return _("All was computed by Teamspiegel (%(versions)s), by plan %(number)s with hash %(hash)s.") % {
        "versions": names,
        "number": run.plan.number,
        "hash": run.plan.content_hash[:12],
    }


def _scales_table(lines: list[ScaleLine]) -> PrintTable:
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
                printed(line.reliability.alpha, bounded=True),
                printed(line.reliability.omega, bounded=True),
                printed(line.nesting.icc1, bounded=True),
                printed(line.nesting.icc2, bounded=True),
            )
            for line in lines
        ),
        note=_("Means over respondents. α and ω rest on respondents who answered all questions of the scale."),
    )


def _models_table(run: AnalysisRun) -> PrintTable:
    fits = [fit_line(row) for row in factor_models(run) if row.converged]
    return PrintTable(
        title=_("Fit of the factor models"),
        header=(_("Model"), _("Estimator"), "χ²", "df", "p", "CFI", "TLI", "RMSEA", _("90 % interval"), "SRMR"),
        rows=tuple(
            (
                str(fit["model"]).capitalize(),
                fit["row"].estimator,
                printed(fit["chisq"], 1),
                printed(fit["df"], 0),
                _p(fit["pvalue"]),
                *(printed(fit[name], 3, bounded=True) for name in ("cfi", "tli", "rmsea")),
                f"{printed(fit['rmsea_ci_lower'], 3, bounded=True)}–{printed(fit['rmsea_ci_upper'], 3, bounded=True)}",
                printed(fit["srmr"], 3, bounded=True),
            )
            for fit in fits
        ),
        note=_("MLM and MLR: scaled test and robust measures. Models that did not converge are left out."),
    )


def _p(value: float | None) -> str:
    small = value is not None and value < 0.0005
    return f"< {printed(0.001, 3, bounded=True)}" if small else printed(value, 3, bounded=True)
