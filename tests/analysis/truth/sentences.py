"""Every sentence that a report can say, each with its predicate.

A sentence that stands in no table here fails the test, as does a sentence of the table that the catalogue does not have: a new text
needs its predicate first.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext, ngettext, override

from analysis.disclosure import Agreement, Reached, Verdict
from analysis.reports.objects import Benchmark
from tests.analysis.truth.predicates import (
    Predicate,
    _listed,
    _verdicts,
    absent,
    agreement,
    beside,
    by_how_much,
    everybody,
    figure,
    fine,
    interval,
    middle,
    no_change,
    no_extreme,
    nobody,
    not_everybody,
    of_each,
    of_scale,
    own_score,
    per_scale,
    reached,
    since,
    target_in_list,
    target_of,
    total,
    with_all,
    with_sector,
)
from tests.analysis.truth.studies import scales_of

PREVIOUS = {
    Verdict.HIGHER: "The score is clearly higher than in the previous measurement (%(then)s).",
    Verdict.LOWER: "The score is clearly lower than in the previous measurement (%(then)s).",
    Verdict.SLIGHTLY_HIGHER: "The score is a little higher than in the previous measurement (%(then)s).",
    Verdict.SLIGHTLY_LOWER: "The score is a little lower than in the previous measurement (%(then)s).",
    Verdict.CHANCE: "In the previous measurement it was %(then)s. The difference may be chance.",
    Verdict.EQUAL: "In the previous measurement it was %(then)s: about the same.",
}
ALL_TEAMS = {
    Verdict.HIGHER: "The score is clearly higher than the mean of all teams (%(mean)s).",
    Verdict.LOWER: "The score is clearly lower than the mean of all teams (%(mean)s).",
    Verdict.SLIGHTLY_HIGHER: "The score is a little higher than the mean of all teams (%(mean)s).",
    Verdict.SLIGHTLY_LOWER: "The score is a little lower than the mean of all teams (%(mean)s).",
    Verdict.CHANCE: "The mean of all teams is %(mean)s. The difference may be chance.",
    Verdict.EQUAL: "The mean of all teams is %(mean)s: about the same.",
}
SECTOR = {
    Verdict.HIGHER: "The score is clearly higher than that of teams in the same sector (%(mean)s).",
    Verdict.LOWER: "The score is clearly lower than that of teams in the same sector (%(mean)s).",
    Verdict.SLIGHTLY_HIGHER: "The score is a little higher than that of teams in the same sector (%(mean)s).",
    Verdict.SLIGHTLY_LOWER: "The score is a little lower than that of teams in the same sector (%(mean)s).",
    Verdict.CHANCE: "Teams in the same sector score %(mean)s. The difference may be chance.",
    Verdict.EQUAL: "Teams in the same sector score %(mean)s: about the same.",
}
MIDDLE = {
    Verdict.HIGHER: "You score %(score)s on a scale from 1 to %(points)s: clearly above the middle.",
    Verdict.LOWER: "You score %(score)s on a scale from 1 to %(points)s: clearly below the middle.",
    Verdict.SLIGHTLY_HIGHER: "You score %(score)s on a scale from 1 to %(points)s: a little above the middle.",
    Verdict.SLIGHTLY_LOWER: "You score %(score)s on a scale from 1 to %(points)s: a little below the middle.",
    Verdict.CHANCE: "You score %(score)s on a scale from 1 to %(points)s.",
    Verdict.EQUAL: "You score %(score)s on a scale from 1 to %(points)s: around the middle.",
}
SENTENCES: dict[str, Predicate] = {
    **_verdicts(PREVIOUS, since),
    **_verdicts(ALL_TEAMS, with_all),
    **_verdicts(SECTOR, with_sector),
    **{
        text: per_scale(lambda r, s, w, v=verdict: middle(r, s, v) or own_score(r, s, w))  # type: ignore[misc]
        for verdict, text in MIDDLE.items()
    },
    "You score %(score)s or higher on a scale from 1 to %(points)s.": per_scale(
        lambda r, s, w: None if r.score(s) >= figure(w["score"]) - 1e-9 else f"{w}: {r.score(s):.3f}"
    ),
    "You score %(score)s or lower on a scale from 1 to %(points)s.": per_scale(
        lambda r, s, w: None if r.score(s) <= figure(w["score"]) + 1e-9 else f"{w}: {r.score(s):.3f}"
    ),
    "The mean is %(score)s.": per_scale(own_score),
    "By chance it could also have been between %(low)s and %(high)s.": interval,
    "It could also be between %(low)s and %(high)s: of some questions we show no mean.": interval,
    "The difference is %(by)s, probably %(low)s to %(high)s.": by_how_much,
    "The difference is %(by)s, probably not more than %(high)s.": by_how_much,
    "There are too few answers about this subject to show them.": per_scale(nobody),
    "You wanted to reach %(target)s: you did.": target_of(Reached.YES),
    "You wanted to reach %(target)s: you are not there yet.": target_of(Reached.NO),
    "You wanted to reach %(target)s: you are about there.": target_of(Reached.ABOUT),
    "The answers lie close together: you largely agree.": fine,
    "The answers lie somewhat apart: your views differ somewhat.": fine,
    "The answers lie far apart: your views differ widely.": fine,
}
FINDINGS: dict[str, Predicate] = {
    **_listed(
        {
            Verdict.HIGHER: "The score is clearly higher on %(scales)s.",
            Verdict.LOWER: "The score is clearly lower on %(scales)s.",
            Verdict.SLIGHTLY_HIGHER: "The score is a little higher on %(scales)s.",
            Verdict.SLIGHTLY_LOWER: "The score is a little lower on %(scales)s.",
            Verdict.EQUAL: "The score is about the same on %(scales)s.",
            Verdict.CHANCE: "The difference may be chance on %(scales)s.",
        },
        since,
    ),
    **_listed(
        {
            Verdict.HIGHER: "The score is clearly higher than the mean of all teams on %(scales)s.",
            Verdict.LOWER: "The score is clearly lower than the mean of all teams on %(scales)s.",
            Verdict.SLIGHTLY_HIGHER: "The score is a little higher than the mean of all teams on %(scales)s.",
            Verdict.SLIGHTLY_LOWER: "The score is a little lower than the mean of all teams on %(scales)s.",
            Verdict.EQUAL: "The score is about the same as the mean of all teams on %(scales)s.",
            Verdict.CHANCE: "The difference with the mean of all teams may be chance on %(scales)s.",
        },
        with_all,
    ),
    **_listed(
        {
            Verdict.HIGHER: "The score is clearly higher than that of teams in the same sector on %(scales)s.",
            Verdict.LOWER: "The score is clearly lower than that of teams in the same sector on %(scales)s.",
            Verdict.SLIGHTLY_HIGHER: "The score is a little higher than that of teams in the same sector on %(scales)s.",
            Verdict.SLIGHTLY_LOWER: "The score is a little lower than that of teams in the same sector on %(scales)s.",
            Verdict.EQUAL: "Teams in the same sector score about the same on %(scales)s.",
            Verdict.CHANCE: "The difference with teams in the same sector may be chance on %(scales)s.",
        },
        with_sector,
    ),
    "Clearly above the middle of the scale (%(middle)s): %(scales)s.": of_each(
        lambda r, s: middle(r, s, Verdict.HIGHER)
    ),
    "Clearly below the middle of the scale (%(middle)s): %(scales)s.": of_each(
        lambda r, s: middle(r, s, Verdict.LOWER)
    ),
    "There is no clear difference on any subject: each difference may be chance.": no_change,
    "We reckon as if other colleagues answered then and now, so a difference is not called clear too soon.": fine,
    "You score highest on “%(scale)s”: %(score)s on a scale from 1 to %(points)s.": of_scale(1),
    "You score lowest on “%(scale)s”: %(score)s on a scale from 1 to %(points)s.": of_scale(-1),
    "The mean is highest on “%(scale)s”: %(score)s.": of_scale(1),
    "The mean is lowest on “%(scale)s”: %(score)s.": of_scale(-1),
    "No subject is clearly higher or lower than all others.": no_extreme,
    "You score %(score)s on “%(scale)s”, on a scale from 1 to %(points)s.": lambda r, _s, w: own_score(
        r, w["scale"], w
    ),
    "The mean on “%(scale)s” is %(score)s.": lambda r, _s, w: own_score(r, w["scale"], w),
    "There are too few answers about each subject to show them.": fine,
    "These are the answers of several teams together. Between the teams there may be differences.": lambda r, _s, _w: (
        None if len(next(iter(r.own))) > 1 else "it is one team"
    ),
    "With so few people, chance plays a part. The bar shows how much the score could have been different by chance.": fine,
    "Everybody answered.": everybody,
    "%(n)s colleague did not answer, and may think otherwise.": not_everybody,
    "%(n)s colleagues did not answer, and may think otherwise.": not_everybody,
    "With the lowest possible score of those who did not answer, yours on “%(scale)s” would be %(lowest)s; with the highest possible, %(highest)s.": absent,
    "With a score of theirs that is %(lower)s lower than yours, it would be %(then)s.": absent,
    "You largely agree on %(scales)s.": agreement(Agreement.LARGELY_AGREE),
    "Your views differ somewhat on %(scales)s.": agreement(Agreement.SOMEWHAT_DIFFERENT),
    "Your views differ widely on %(scales)s.": agreement(Agreement.WIDELY_DIFFERENT),
    "How far your views lie apart is shown from %(n)s answers on, so that nobody can be recognised.": fine,
    "You reached your own target on %(scales)s.": target_in_list(Reached.YES),
    "You are about there on %(scales)s.": target_in_list(Reached.ABOUT),
    "You are not there yet on %(scales)s.": target_in_list(Reached.NO),
    "There is no comparison with other teams.": lambda r, _s, _w: (
        None if not isinstance(getattr(r.report, "benchmark", None), Benchmark) else "there is one"
    ),
    "These are means of %(units)s teams, with %(n)s teachers.": total,
    "These are means of %(units)s of the %(teams)s teams, with %(n)s teachers.": total,
    "On %(scales)s fewer teams have a score.": of_each(
        lambda r, s: None if len(r.showing(s, r.own)) < len(r.own) else "each team has one"
    ),
    "With so few people we cannot say how sure these means are.": fine,
    "The bar shows where the mean would probably be if other teams like these had taken part.": lambda r, _s, _w: (
        None if len(r.own) >= 10 else "too few teams"
    ),
    "The bar shows how much chance there is in the mean of these teams. It says nothing of other teams.": fine,
}
#: Questions that claim something about the figures.
QUESTIONS: dict[str, Predicate] = {
    "Other teams score higher on this subject. What would you like to ask them?": per_scale(
        lambda r, s, _w: beside(r, s, Verdict.LOWER, r.units)
    ),
    "You score higher than other teams. What would you tell them about how you work?": per_scale(
        lambda r, s, _w: beside(r, s, Verdict.HIGHER, r.units)
    ),
    "You reached your own target. What helped, and how do you hold on to it?": per_scale(
        lambda r, s, _w: reached(r, s, Reached.YES, next(x.target or 0.0 for x in scales_of(r.report) if x.code == s))
    ),
    "The score is higher than in the previous measurement. What do you do differently now?": per_scale(
        lambda r, s, _w: since(r, s, Verdict.HIGHER)
    ),
    "The score is lower than in the previous measurement. What has changed in your work?": per_scale(
        lambda r, s, _w: since(r, s, Verdict.LOWER)
    ),
    "You wanted to reach %(target)s and score %(score)s. What helped, and what did not?": fine,
    "You think differently about “%(item)s”. What do some of you see that others do not?": fine,
    "“%(item)s” has the lowest figure (%(score)s). What do you notice about that?": fine,
    "“%(item)s” has the highest figure (%(score)s). What do you notice about that?": fine,
    "Nearly everybody says “%(option)s” about “%(item)s”. Do you recognise that?": fine,
    "Too few of you could answer “%(item)s”. Is it clear to everybody how this goes in your team?": fine,
    "The mean is lowest on “%(scale)s”. What do your teams need from you for it?": of_scale(-1),
    "The mean is lowest on “%(scale)s”. What can teams do for each other there?": of_scale(-1),
    "The mean is highest on “%(scale)s”. What makes that possible?": of_scale(1),
    "The mean is higher than in the previous measurement on %(scales)s. What helped?": of_each(
        lambda r, s: since(r, s, Verdict.HIGHER)
    ),
    "The mean is lower than in the previous measurement on %(scales)s. What has changed for the teams?": of_each(
        lambda r, s: since(r, s, Verdict.LOWER)
    ),
    "What do you recognise in these figures, and what surprises you?": fine,
    "What do you want to hear from the teams before you decide anything?": fine,
    "What would you like to ask other teams?": fine,
    "Who has an example of when it went well, and of when it did not?": fine,
}


def patterns(table: dict[str, Predicate], language: str) -> list[tuple[re.Pattern[str], Predicate]]:
    """The sentences of a table in a language, as what they look like with figures in them; longest first."""
    made = []
    with override(language):
        for text, predicate in table.items():
            many = text.replace("colleague did", "colleagues did")
            said = (
                gettext(text)
                if text != "%(n)s colleague did not answer, and may think otherwise."
                else ngettext(text, many, 1)
            )
            if text.startswith("%(n)s colleagues did"):
                said = ngettext(text.replace("colleagues did", "colleague did"), text, 2)
            regex = re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+?)", re.escape(said))
            made.append((re.compile(regex + r"\Z"), predicate))
    return sorted(made, key=lambda pair: -len(pair[0].pattern))
