"""The data set: sealed answers as tables, in a fixed order, with a fingerprint. The ONLY reader of answers.

No transaction is held around the reading: each table is read by one query, and sealed answers no longer change.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils.crypto import salted_hmac

from analysis.data.given import JUDGED_NOT, NO_ANSWER, answers_as_text, codes_of
from analysis.plan.plans import canonical
from surveys.models import Collection, Response, SealedResponse, Survey
from surveys.questionnaires.definition import NUMBER, TEXT
from surveys.questionnaires.publishing import Definition, definition_of
from teams.models import Participation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    FloatArray = npt.NDArray[np.float64]
    BoolArray = npt.NDArray[np.bool_]


#: Rows read at once; a million responses must not stand in memory as objects.
ROWS_AT_ONCE = 5_000


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

    ``codes`` (responses × items) holds 1…m as they were given (not reverse-keyed), NO_ANSWER or JUDGED_NOT. ``respondents``
    has the key as index and the columns ``participation`` (id), ``eligibility`` ("" where not answered) and ``submitted``.
    """

    respondents: pd.DataFrame
    items: tuple[str, ...]
    codes: npt.NDArray[np.int8]
    codebook: tuple[Variable, ...]
    participations: tuple[int, ...]  # of the sealed collections, answers or not
    n_points: int
    eligible_codes: frozenset[str]
    fingerprint: str

    @property
    def answers(self) -> FloatArray:
        """The answers as numbers, NaN where there is none or "cannot judge". Made anew each time: it is large."""
        return as_answers(self.codes)

    @property
    def cannot_judge(self) -> BoolArray:
        """Which gaps are "cannot judge"."""
        judged_not: BoolArray = self.codes == JUDGED_NOT
        return judged_not

    def __len__(self) -> int:
        return len(self.respondents)

    @cached_property
    def not_eligible(self) -> BoolArray:
        """Who gave an answer to the first question that means: may not answer about this team."""
        import numpy as np

        eligibility = self.respondents["eligibility"].to_numpy(dtype=object)
        return np.array([bool(code) and code not in self.eligible_codes for code in eligibility], dtype=bool)

    @cached_property
    def returned(self) -> BoolArray:
        """Which rows count as returned: submitted, said not to be eligible, or at least one scale item answered."""
        import numpy as np

        submitted = self.respondents["submitted"].to_numpy(dtype=bool)
        return np.asarray(submitted | self.not_eligible | (self.codes > NO_ANSWER).any(axis=1))


def codebook_of(definition: Definition) -> tuple[Variable, ...]:
    """The variables of a questionnaire's scales, in the order in which they are asked."""
    categories = tuple((value, dict(text)) for value, text in definition.options)
    return tuple(
        Variable(item.code, scale.code, dict(item.text), categories, item.reverse_keyed)
        for scale in definition.scales
        for item in scale.items
    )


def as_answers(codes: npt.NDArray[np.int8]) -> FloatArray:
    """Codes as numbers to compute with, NaN for every gap."""
    import numpy as np

    answers = codes.astype(np.float64)
    answers[codes <= NO_ANSWER] = np.nan
    return answers


def as_table(codes: npt.NDArray[np.int8], items: Sequence[str]) -> pd.DataFrame:
    """Codes as a table of a column per item, NaN for every gap.

    The small numbers hold every answer as it is, in half the memory; the engine takes them up as large ones where it works on
    them, some rows at a time. Column after column, since most work is on the few items of a scale.
    """
    import numpy as np
    import pandas as pd

    answers = np.empty(codes.shape, dtype=np.float32, order="F")
    for start in range(0, len(codes), ROWS_AT_ONCE):
        some = codes[start : start + ROWS_AT_ONCE]
        answers[start : start + ROWS_AT_ONCE] = np.where(some > NO_ANSWER, some, np.float32(np.nan))
    return pd.DataFrame(answers, columns=list(items), copy=False)


def sealed_collections(survey: Survey, *, withdrawn: bool = False, only: Iterable[int] | None = None) -> dict[int, int]:
    """Collection → participation of the teams in the data set: sealed, and not withdrawn (or only those who did).

    Sealed answers do not change: as long as these are the same, so is the data set. ``only``: of these participations.
    """
    sealed = Collection.objects.filter(survey=survey, state=Collection.State.SEALED)
    if only is not None:
        sealed = sealed.filter(participation__in=list(only))
    state = Participation.State.WITHDRAWN
    sealed = sealed.filter(participation__state=state) if withdrawn else sealed.exclude(participation__state=state)
    return dict(sealed.order_by("pk").values_list("pk", "participation_id"))


def load(survey: Survey, *, withdrawn: bool = False, only: Iterable[int] | None = None) -> Dataset:
    """Read the sealed collections of a survey: three queries, whatever the number of teams.

    The answers come through a cursor on the server (PostgreSQL) in blocks, and become numbers block by block. A team that
    withdrew is left out. ``withdrawn``: only the answers of teams that withdrew after a publication, for the judge of a new
    version, who must know how much alike those people answered; no analysis and no export reads these. ``only``: the answers of
    some teams, by their participations, and of nobody else. The fingerprint is the SHA-256 over the questionnaire's hash, the sealed teams and every row in the
    order of the keys, so it depends neither on the database nor on the order of its rows.
    """
    import numpy as np
    import pandas as pd

    version = Survey.objects.select_related("version").get(pk=survey.pk).version
    definition = definition_of(version)
    codebook = codebook_of(definition)
    items = tuple(variable.code for variable in codebook)
    participation_of = sealed_collections(survey, withdrawn=withdrawn, only=only)
    keys: list[str] = []
    participations: list[int] = []
    eligibility: list[str] = []
    submitted: list[bool] = []
    blocks: list[npt.NDArray[np.int8]] = []
    of_withdrawn = Q(collection__participation__state=Participation.State.WITHDRAWN)
    wanted = of_withdrawn if withdrawn else ~of_withdrawn
    if only is not None:
        wanted &= Q(collection__in=list(participation_of))
    rows = (
        SealedResponse.objects.filter(wanted, collection__survey=survey)
        .order_by()
        .values_list("key", "collection_id", "eligibility", "state", answers_as_text(items))
        .iterator(chunk_size=ROWS_AT_ONCE)
    )
    while block := list(islice(rows, ROWS_AT_ONCE)):
        # A collection that was sealed between the two queries waits for the next run, which its sealing made due.
        known = [row for row in block if row[1] in participation_of]
        keys += [row[0] for row in known]
        participations += [participation_of[row[1]] for row in known]
        eligibility += [sys.intern(row[2]) for row in known]
        submitted += [row[3] == Response.State.SUBMITTED for row in known]
        blocks.append(codes_of([row[4] for row in known], items, definition.n_points))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    codes = np.concatenate(blocks)[order] if blocks else np.zeros((0, len(items)), dtype=np.int8)
    respondents = pd.DataFrame(
        {
            "participation": np.array(participations, dtype=np.int64)[order],
            "eligibility": np.array(eligibility, dtype=object)[order],
            "submitted": np.array(submitted, dtype=bool)[order],
        },
        index=pd.Index(np.array(keys, dtype=object)[order], name="key", dtype=object),
    )
    return Dataset(
        respondents=respondents,
        items=items,
        codes=codes,
        codebook=codebook,
        participations=tuple(sorted(participation_of.values())),
        n_points=definition.n_points,
        eligible_codes=definition.eligible_codes,
        fingerprint=_fingerprint([version.content_hash, items, sorted(participation_of.values())], respondents, codes),
    )


def _fingerprint(head: list[object], respondents: pd.DataFrame, codes: npt.NDArray[np.int8]) -> str:
    import numpy as np

    digest = hashlib.sha256(canonical(head))
    for column in (respondents.index, respondents["eligibility"]):
        digest.update(b"\n" + "\n".join(column).encode())
    digest.update(respondents["participation"].to_numpy(dtype="<i8").tobytes())
    digest.update(respondents["submitted"].to_numpy(dtype=np.bool_).tobytes())
    for start in range(0, len(codes), ROWS_AT_ONCE):  # as numbers of two bytes, which fingerprints were always made of
        digest.update(codes[start : start + ROWS_AT_ONCE].astype("<i2").tobytes())
    return digest.hexdigest()


def n_sealed(survey: Survey) -> int:
    """How many responses a data set of the survey would hold at most: tells what is quickly done, without reading them."""
    return SealedResponse.objects.filter(collection__survey=survey).count()


def background_of(survey: Survey, data: Dataset) -> pd.DataFrame:
    """The background answers of the rows of ``data``, a column per question that the survey asks, "" where not answered.

    Numbers are numbers. Open texts are not here: they leave only by :func:`open_texts_of` and a review, never beside other
    answers. Kept out of :class:`Dataset`: no analysis needs these, and what is not read is not shown by mistake. The database
    takes the answers to these questions out of the row, and they come in blocks: no other answer is read a second time.
    """
    import numpy as np
    import pandas as pd

    version = Survey.objects.select_related("version").get(pk=survey.pk).version
    questions = [q for q in definition_of(version).asked_background(survey.background) if q.type != TEXT]
    columns_by_code = {question.code: np.full(len(data), "", dtype=object) for question in questions}
    # a choice is text in either database; a number must come as one
    answers = [(KeyTransform if q.type == NUMBER else KeyTextTransform)(q.code, "answers") for q in questions]
    rows = (
        SealedResponse.objects.filter(collection__survey=survey)
        .order_by()
        .values_list("key", *answers)
        .iterator(chunk_size=ROWS_AT_ONCE)
    )
    in_order = _Keys(data.respondents.index) if questions and len(data) else None
    while in_order and (block := list(islice(rows, ROWS_AT_ONCE))):
        keys, *columns = zip(*block, strict=True)
        places = in_order.places(keys)
        known = places >= 0  # not of a team that withdrew, or was sealed since
        for question, column in zip(questions, columns, strict=True):
            given = np.empty(len(column), dtype=object)
            given[:] = ["" if value is None else sys.intern(value) if type(value) is str else value for value in column]
            columns_by_code[question.code][places[known]] = given[known]
    return pd.DataFrame(columns_by_code, index=data.respondents.index, dtype=object)


class _Keys:
    """Keys in their order, to be searched some at a time.

    One after the other in memory, and asked for in their order: neither a dictionary nor pandas' own search is as quick once a
    million keys no longer fit the processor's caches.
    """

    def __init__(self, keys: pd.Index[str]) -> None:
        import numpy as np

        # one sign more than the longest: what is longer than that is none of these
        self._keys = np.asarray(keys.to_numpy(), dtype=f"S{max(map(len, keys)) + 1}")

    def places(self, keys: Sequence[str]) -> npt.NDArray[np.intp]:
        """Where each of ``keys`` stands, -1 where it does not."""
        import numpy as np

        wanted = np.array(keys, dtype=self._keys.dtype)
        order = np.argsort(wanted)
        places = np.empty(len(wanted), dtype=np.intp)
        places[order] = np.minimum(np.searchsorted(self._keys, wanted[order]), len(self._keys) - 1)
        return np.where(self._keys[places] == wanted, places, -1)


@dataclass(frozen=True, slots=True)
class OpenText:
    """One open answer. ``handle`` names it on a page; nobody can tell from it which response it is of."""

    handle: str
    key: str
    question: str
    text: str


def open_texts_of(survey: Survey) -> list[OpenText]:
    """The open answers of the sealed teams, in an order that says nothing: another for every question, by a keyed hash."""
    definition = definition_of(Survey.objects.select_related("version").get(pk=survey.pk).version)
    asked = [question.code for question in definition.asked_background(survey.background)]
    questions = [code for code in asked if code in definition.open_text_codes]
    if not questions:
        return []
    rows = (
        SealedResponse.objects.filter(collection__survey=survey)
        .exclude(collection__participation__state=Participation.State.WITHDRAWN)
        .values_list("key", "answers")
    )
    texts = [
        OpenText(_handle(survey, key, code), key, code, answers[code])
        for key, answers in rows
        for code in questions
        if answers.get(code)
    ]
    return sorted(texts, key=lambda text: (questions.index(text.question), text.handle))


def _handle(survey: Survey, key: str, question: str) -> str:
    value = f"{survey.pk}:{question}:{key}"
    return salted_hmac("analysis.dataset.open_text", value, algorithm="sha256").hexdigest()[:32]
