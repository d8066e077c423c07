"""The simulated demo study: a seeded generator of institutions, teams and raw answers of two waves.

It reproduces the figures of the Dutch article on collective learning in hbo (counts exactly, means and standard
deviations nearly) and the course of its analysis: gathering information belongs to the organisation rather than to the
team, and disseminating information cannot be told apart from evaluation and reflection. Nobody in it exists.

Who takes part is written in people.py, who was asked and answered in counts.py, and the model
of the answers is in answers.py. What these leave to chance, mainly the factor models, is up to SEED.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.demo.answers import (
    CANNOT_JUDGE,
    FINAL_SCALES,
    ITEMS,
    ITEMS_PER_SCALE,
    PASSED_OVER,
    SCALES,
    Floats,
    Marks,
    analysed_rows,
    calibrate,
    cut_answers,
    draw_institution_effects,
    draw_latent_answers,
    draw_open_items,
    draw_team_effects,
    item_codes,
)
from analysis.demo.counts import EARLIER_WAVE, MAIN_WAVE, Fieldwork, Mode, Reason, Refusal
from analysis.demo.people import INSTITUTIONS, Academy, Contact, Form, Institution, Sector, Team

__all__ = [
    "FINAL_SCALES",
    "ITEMS",
    "SCALES",
    "SEED",
    "Academy",
    "Contact",
    "Form",
    "Institution",
    "Mode",
    "Participation",
    "Reason",
    "Refusal",
    "Response",
    "Sector",
    "SimulatedStudy",
    "SimulatedWave",
    "Team",
    "item_codes",
    "response_frame",
    "simulate",
]

Answer = int | Literal["x"] | None

# The first seed, counting from 1, with which every assertion of tests/analysis/test_simulation.py holds. Should a new
# numpy change the streams of its Generator, count again.
SEED = 120

# The year before: factor means lower by so many standard deviations, team effects correlated with those of now.
EARLIER_FACTOR_MEANS: Mapping[str, float] = {
    "GV": -0.16,
    "IV": -0.05,
    "IS": -0.18,
    "OD": -0.14,
    "CH": -0.12,
    "ER": -0.18,
}
EARLIER_TEAM_CORRELATION = 0.7

# Of those who say no to the first question, the share who are too new to the team.
TOO_SHORT_SHARE = 0.75
TENURES = {"under_1": 0.09, "1_to_3": 0.27, "4_to_10": 0.37, "over_10": 0.27}
APPOINTMENTS = {"under_0.5": 0.17, "0.5_to_0.8": 0.44, "over_0.8": 0.39}
COUNSELLOR = {"yes": 0.46, "no": 0.54}
BACKGROUND_SKIPPED = 0.03


@dataclass(frozen=True)
class Response:
    """One returned questionnaire.

    `answers` holds every item: 1–4, "x" for "cannot judge", None for no answer. Background answers are None where
    skipped or not reached, as for who is not eligible, whose questionnaire ends with the first question.
    """

    eligibility: Literal["yes", "no_too_short", "no_other"]
    answers: Mapping[str, Answer]
    tenure: str | None
    appointment: str | None
    counsellor: str | None


@dataclass(frozen=True)
class Participation:
    """An invited team in a wave. One that declined has a refusal, by its director or leader, and no counts.

    `present` counts teachers in the room of the meeting, whether or not they answered; online it is 0.
    """

    team_code: str
    state: Literal["participating", "declined"]
    declined_by: Literal["director", "leader"] | None = None
    refusal: Refusal | None = None
    mode: Mode | None = None
    approached: int = 0
    present: int = 0
    responses: tuple[Response, ...] = ()

    @property
    def returned(self) -> int:
        return len(self.responses)


@dataclass(frozen=True)
class SimulatedWave:
    """One wave; the refusals of directors by the code of their academy, and all teams that were invited."""

    key: Literal["main", "earlier"]
    declined_academies: Mapping[str, Refusal]
    participations: tuple[Participation, ...]


@dataclass(frozen=True)
class SimulatedStudy:
    institutions: tuple[Institution, ...]
    main: SimulatedWave
    earlier: SimulatedWave


def simulate(seed: int = SEED) -> SimulatedStudy:
    """Simulate both waves; the same seed gives the same study."""
    team_rng, main_rng, earlier_rng = np.random.Generator(np.random.PCG64(seed)).spawn(3)
    codes = [team.code for team in _teams()]
    institution_effects = draw_institution_effects(team_rng)
    effects = draw_team_effects(team_rng, len(codes))
    earlier_effects = EARLIER_TEAM_CORRELATION * effects + np.sqrt(1 - EARLIER_TEAM_CORRELATION**2) * draw_team_effects(
        team_rng, len(codes)
    )
    earlier_means = np.array([EARLIER_FACTOR_MEANS[scale] for scale in SCALES])

    analysed = analysed_rows(MAIN_WAVE)
    marks = draw_open_items(main_rng, analysed)
    latent = draw_latent_answers(main_rng, institution_effects + effects, _team_of(MAIN_WAVE, codes))
    scalings = calibrate(latent, marks, analysed)
    # The earlier wave is cut at the same places: measurement is invariant over waves, only the factor means differ.
    earlier_marks = draw_open_items(earlier_rng, analysed_rows(EARLIER_WAVE))
    earlier_latent = draw_latent_answers(
        earlier_rng, institution_effects + earlier_effects + earlier_means, _team_of(EARLIER_WAVE, codes)
    )
    return SimulatedStudy(
        INSTITUTIONS,
        main=_wave(main_rng, "main", MAIN_WAVE, cut_answers(latent, scalings), marks),
        earlier=_wave(earlier_rng, "earlier", EARLIER_WAVE, cut_answers(earlier_latent, scalings), earlier_marks),
    )


def response_frame(wave: SimulatedWave) -> pd.DataFrame:
    """One row per returned questionnaire: team, academy, institution, sector, eligibility and the 36 items.

    An item is 1.0–4.0, or NaN both for no answer and for "cannot judge".
    """
    places = {
        team.code: {"academy": academy.code, "institution": institution.code, "sector": str(academy.sector)}
        for institution in INSTITUTIONS
        for academy in institution.academies
        for team in academy.teams
    }
    rows = [
        {"team": participation.team_code, **places[participation.team_code], "eligibility": response.eligibility}
        | {item: answer if isinstance(answer, int) else np.nan for item, answer in response.answers.items()}
        for participation in wave.participations
        for response in participation.responses
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys(ITEMS, np.float64))


def _teams() -> list[Team]:
    return [team for institution in INSTITUTIONS for academy in institution.academies for team in academy.teams]


def _team_of(fieldwork: Fieldwork, codes: list[str]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The position in `codes` of the team of every eligible respondent."""
    return np.repeat(
        np.array([codes.index(code) for code in fieldwork.counts], dtype=np.intp),
        [count.analysed + count.screened_out for count in fieldwork.counts.values()],
    )


def _choice(rng: np.random.Generator, shares: Mapping[str, float]) -> str | None:
    if rng.random() < BACKGROUND_SKIPPED:
        return None
    return str(rng.choice(list(shares), p=list(shares.values())))


def _eligible_response(rng: np.random.Generator, options: Floats, marks: Marks) -> Response:
    answers: dict[str, Answer] = {}
    for item, option, mark in zip(ITEMS, options.tolist(), marks.tolist(), strict=True):
        answers[item] = {PASSED_OVER: None, CANNOT_JUDGE: "x"}.get(mark, int(option))
    # The background questions come last: who stopped before the last scale never saw them.
    if (marks[-ITEMS_PER_SCALE:] == PASSED_OVER).all():
        return Response("yes", answers, None, None, None)
    return Response("yes", answers, _choice(rng, TENURES), _choice(rng, APPOINTMENTS), _choice(rng, COUNSELLOR))


def _not_eligible_response(rng: np.random.Generator) -> Response:
    reason: Literal["no_too_short", "no_other"] = "no_too_short" if rng.random() < TOO_SHORT_SHARE else "no_other"
    return Response(reason, dict.fromkeys(ITEMS), None, None, None)


def _wave(
    rng: np.random.Generator, key: Literal["main", "earlier"], fieldwork: Fieldwork, options: Floats, marks: Marks
) -> SimulatedWave:
    """Hand out the rows of both arrays, which follow the order of the counts, to their teams; shuffle in each team."""
    responses_of: dict[str, list[Response]] = {}
    row = 0
    for code, count in fieldwork.counts.items():
        end = row + count.analysed + count.screened_out
        responses_of[code] = [_eligible_response(rng, options[i], marks[i]) for i in range(row, end)]
        responses_of[code] += [_not_eligible_response(rng) for _ in range(count.not_eligible)]
        row = end

    participations = []
    for academy in (academy for institution in INSTITUTIONS for academy in institution.academies):
        for code in (team.code for team in academy.teams):
            if code in fieldwork.counts:
                count, responses = fieldwork.counts[code], responses_of[code]
                participations.append(
                    Participation(
                        code,
                        "participating",
                        mode=count.mode,
                        approached=count.approached,
                        present=count.present,
                        responses=tuple(responses[position] for position in rng.permutation(len(responses))),
                    )
                )
            elif academy.code in fieldwork.declined_academies:
                refusal = fieldwork.declined_academies[academy.code]
                participations.append(Participation(code, "declined", "director", refusal))
            elif code in fieldwork.declined_teams:
                participations.append(Participation(code, "declined", "leader", fieldwork.declined_teams[code]))
    return SimulatedWave(key, fieldwork.declined_academies, tuple(participations))
