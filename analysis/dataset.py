"""The data set: sealed answers as tables, in a fixed order, with a fingerprint. The ONLY reader of answers.

No transaction is held around the reading: each table is read by one query, and sealed answers no longer change.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.plan import canonical
from surveys.models import Collection, Response, Survey
from surveys.questionnaires import Definition, definition_of
from teams.models import Participation

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Variable:
    """One column of the data set, as the codebook describes it; texts are {language: text}."""

    code: str
    scale: str
    text: dict[str, str]
    categories: tuple[tuple[int, dict[str, str]], ...]
    reverse_keyed: bool


@dataclass(frozen=True)
class Dataset:
    """All sealed responses of a survey, ordered by key.

    ``answers`` (responses × items) holds 1…m as they were given (not reverse-keyed), NaN where there is no answer or
    "cannot judge"; ``cannot_judge`` says which of those gaps are "cannot judge". ``respondents`` has the key as index and
    the columns ``participation`` (id), ``eligibility`` ("" where not answered) and ``submitted``.
    """

    respondents: pd.DataFrame
    items: tuple[str, ...]
    answers: FloatArray
    cannot_judge: BoolArray
    codebook: tuple[Variable, ...]
    participations: tuple[int, ...]  # of the sealed collections, answers or not
    n_points: int
    eligible_codes: frozenset[str]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.respondents)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The answers with a column per item and the key as index."""
        return pd.DataFrame(self.answers, columns=list(self.items), index=self.respondents.index)

    @cached_property
    def not_eligible(self) -> BoolArray:
        """Who gave an answer to the first question that means: may not answer about this team."""
        eligibility = self.respondents["eligibility"].to_numpy(dtype=object)
        return np.array([bool(code) and code not in self.eligible_codes for code in eligibility], dtype=bool)

    @cached_property
    def returned(self) -> BoolArray:
        """Which rows count as returned: submitted, said not to be eligible, or at least one scale item answered."""
        submitted = self.respondents["submitted"].to_numpy(dtype=bool)
        return np.asarray(submitted | self.not_eligible | (~np.isnan(self.answers)).any(axis=1))


def codebook_of(definition: Definition) -> tuple[Variable, ...]:
    """The variables of a questionnaire's scales, in the order in which they are asked."""
    categories = tuple((value, dict(text)) for value, text in definition.options)
    return tuple(
        Variable(item.code, scale.code, dict(item.text), categories, item.reverse_keyed)
        for scale in definition.scales
        for item in scale.items
    )


def load(survey: Survey) -> Dataset:
    """Read the sealed collections of a survey: three queries, whatever the number of teams.

    A team that withdrew is left out. The fingerprint is the SHA-256 over the questionnaire's hash, the sealed teams and
    every row in the order of the keys, so it depends neither on the database nor on the order of its rows.
    """
    version = Survey.objects.select_related("version").get(pk=survey.pk).version
    definition = definition_of(version)
    codebook = codebook_of(definition)
    items = tuple(variable.code for variable in codebook)
    participation_of = dict(
        Collection.objects.filter(survey=survey, state=Collection.State.SEALED)
        .exclude(participation__state=Participation.State.WITHDRAWN)
        .order_by("pk")
        .values_list("pk", "participation_id")
    )
    rows = list(
        Response.objects.filter(collection__survey=survey, collection__state=Collection.State.SEALED)
        .order_by("key")
        .values_list("key", "collection_id", "eligibility", "state", "answers")
    )
    # A collection that was sealed between the two queries waits for the next run, which its sealing made due.
    rows = sorted((row for row in rows if row[1] in participation_of), key=lambda row: row[0])
    answers = np.full((len(rows), len(items)), np.nan)
    cannot_judge = np.zeros((len(rows), len(items)), dtype=bool)
    digest = hashlib.sha256(canonical([version.content_hash, items, sorted(participation_of.values())]))
    for number, (key, collection, eligibility, state, given) in enumerate(rows):
        known = [given.get(item) for item in items]
        for column, answer in enumerate(known):
            if answer == Response.CANNOT_JUDGE:
                cannot_judge[number, column] = True
            elif answer is not None:
                answers[number, column] = answer
        digest.update(b"\n" + canonical([key, participation_of[collection], eligibility, state, known]))
    respondents = pd.DataFrame(
        {
            "participation": [participation_of[row[1]] for row in rows],
            "eligibility": [row[2] for row in rows],
            "submitted": [row[3] == Response.State.SUBMITTED for row in rows],
        },
        index=pd.Index([row[0] for row in rows], name="key", dtype=object),
    ).astype({"participation": "int64", "eligibility": object, "submitted": bool})
    return Dataset(
        respondents=respondents,
        items=items,
        answers=answers,
        cannot_judge=cannot_judge,
        codebook=codebook,
        participations=tuple(sorted(participation_of.values())),
        n_points=definition.n_points,
        eligible_codes=definition.eligible_codes,
        fingerprint=digest.hexdigest(),
    )


def background_of(survey: Survey, data: Dataset) -> pd.DataFrame:
    """The background answers of the rows of ``data``, a column per question that the survey asks, "" where not answered.

    Kept out of :class:`Dataset`: no analysis needs them, and what is not read is not shown by mistake.
    """
    given = dict(
        Response.objects.filter(
            collection__survey=survey,
            collection__state=Collection.State.SEALED,
            collection__participation__in=data.participations,
        ).values_list("key", "answers")
    )
    return pd.DataFrame(
        {code: [str(given[key].get(code, "")) for key in data.respondents.index] for code in survey.background},
        index=data.respondents.index,
        dtype=object,
    )
