"""Every sentence that a report says is true of the rows behind it: over 200 studies, in both languages.

False is what a statistician with the rows would contradict: the other sign; "clearly" where the exact interval (with the same spread)
holds 0 by more than 0.02; "reached" where the exact score, rounded to one decimal, is below; "about the same" of more than the
plan's small difference; a clear change that is called chance.
"""

from __future__ import annotations

import pytest
from django.utils.translation import override

from analysis.disclosure import Withheld
from analysis.reports.objects import TeamReport
from analysis.reports.sentences import WHY_HELD, WHY_WITHHELD, withheld_text
from scripts.messages import read
from tests.analysis.truth.predicates import Rows
from tests.analysis.truth.sentences import FINDINGS, QUESTIONS, SENTENCES, patterns
from tests.analysis.truth.studies import reports, scales_of

LANGUAGES = ("en", "nl")


def untrue(seed: int, language: str) -> tuple[int, list[str]]:
    """How many sentences a study says, and which of them are not true, each with why."""
    then, now, publication, made = reports(seed, language)
    said, wrong = 0, []
    tables = {name: patterns(table, language) for name, table in (("s", SENTENCES), ("f", FINDINGS), ("q", QUESTIONS))}
    for report in made:
        rows = Rows(report, now, then, publication)
        spoken = [("s", scale, text) for scale in scales_of(report) for text in scale.sentences]
        spoken += [("q", scale, text) for scale in scales_of(report) for text in getattr(scale, "questions", ())]
        spoken += [("q", None, text) for text in getattr(report, "questions", ())]
        spoken += [("f", None, text) for finding in report.findings for text in finding.sentences]
        for table, scale, text in spoken:
            if why_alone(report, text, language):
                continue
            said += 1
            match, predicate = next(((m, p) for regex, p in tables[table] if (m := regex.match(text))), (None, None))
            if match is None or predicate is None:
                wrong.append(f"no predicate for: {text}")
            elif problem := predicate(rows, scale, match.groupdict()):
                wrong.append(
                    f"{type(report).__name__} {getattr(report, 'team', '')} {scale and scale.code}: {text} – {problem}"
                )
    return said, wrong


def why_alone(report: object, text: str, language: str) -> bool:
    """Whether a text is the reason why there is no comparison, which says nothing of figures."""
    benchmark = getattr(report, "benchmark", None)
    with override(language):
        return isinstance(benchmark, Withheld) and text == withheld_text(benchmark.reason, report.k)  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(40))
def test_every_sentence_is_true(seed):
    said, wrong = untrue(seed, LANGUAGES[seed % 2])
    assert wrong == []
    assert said > 50 or not reports(seed, "en")[3]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_two_hundred_studies_is_true(language):
    wrong = {seed: problems for seed in range(200) if (problems := untrue(seed, language)[1])}
    assert wrong == {}


def test_the_shown_score_is_the_rounded_mean_of_the_items_where_nothing_is_capped_or_empty():
    checked = 0
    for seed in range(40):
        _then, now, publication, made = reports(seed, "en")
        if any(None in person.answers for person in now.people):
            continue
        for report in made:
            rows = Rows(report, now, now, publication)
            for scale in scales_of(report) if isinstance(report, TeamReport) else ():
                if rows.capped(scale.code):
                    continue
                exact = rows.score(scale.code)
                assert scale.shown.mean == int(exact * 10 + 0.5 + 1e-9) / 10
                checked += 1
    assert checked > 100


def clear_changes(seeds: range, changes: tuple[float, ...]) -> tuple[int, int]:
    """How many changes of teams are called clear, of how many."""
    said = [
        scale.since.verdict.clear
        for seed in seeds
        for report in reports(seed, "en", changes)[3]
        if isinstance(report, TeamReport)
        for scale in scales_of(report)
        if scale.since is not None
    ]
    return sum(said), len(said)


def test_where_nothing_changed_at_most_one_in_twenty_is_called_clear():
    clear, n = clear_changes(range(100, 140), (0.0,))
    assert n > 400
    assert clear / n <= 0.05, (clear, n)


def test_a_change_of_a_whole_point_is_seen():
    clear, n = clear_changes(range(100, 110), (1.0,))
    assert clear / n > 0.5, (clear, n)  # teams of 5 to 25, on 4 to 7 points, some capped


def test_every_text_of_the_reports_sentences_has_its_predicate():
    """What can be said stands in three modules; the catalogue knows every text of theirs."""
    sources = {f"analysis/reports/{name}.py" for name in ("findings", "questions", "sentences")}
    #: titles and pieces of sentences, which say nothing by themselves
    pieces = {
        *(
            "Where you stand",
            "How far you agree",
            "How sure this is",
            "Your own target",
            "Compared with the previous measurement",
        ),
        *("Compared with other teams", "Compared with all teams", "Where the teams stand", "all subjects"),
        *("%(first)s and %(last)s", "%(value)s or higher", "%(value)s or lower", "about %(value)s"),
    }
    with override(None):  # why something is not shown: nothing of figures
        reasons = {str(text) for text in (*WHY_WITHHELD.values(), *WHY_HELD.values())}
    texts = {
        text
        for message in read("nl")
        if message.id and any(str(file) in sources for file, _line in message.locations)
        for text in ([message.id] if isinstance(message.id, str) else message.id)
    }
    assert texts - pieces - reasons == {*SENTENCES, *FINDINGS, *QUESTIONS}
