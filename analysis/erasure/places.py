"""Where people stand in the database: beside an address, or named in somebody's free text.

Every column for an address is found in the models; which free texts may name somebody is written down below, and a test
fails for a column of text that is in none of these lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.db.models import EmailField, Model, Q, QuerySet, UniqueConstraint

from analysis.erasure.tables_of_study import tables
from analysis.models import LookBackReader
from surveys.models import Invitee
from teams.models import Academy, Study, Team

# Texts that people of a study write, by table: an address or a name in them is replaced
FREE_TEXTS: dict[str, tuple[str, ...]] = {
    "teams.Study": ("title", "controller", "processor", "ethics_number", "dpia", "works_council"),
    "teams.Participation": ("approached_note",),
    "teams.Event": ("detail", "of_team"),
    "teams.FormerContact": ("of_team",),
    "teams.Invitation": ("reason_text",),
    "teams.OutboxMessage": ("error",),
    "teams.MailText": ("subject", "body"),
    "teams.PlannedMeeting": ("room",),
    "surveys.Survey": ("meeting_texts",),
    "analysis.AnalysisPlan": ("amendment_reason",),
    "analysis.AnalysisRun": ("error",),
    "analysis.Decision": ("reason",),
    "analysis.OwnModel": ("reason",),
    "analysis.Criterion": ("name", "source"),
    "analysis.CaseNote": ("text",),
    "analysis.Unit": ("name",),
    "analysis.AccountingDecision": ("reason",),
    "analysis.KnownComposition": ("source",),
    "analysis.ResultRelease": ("purpose",),
    "analysis.RowRelease": ("purpose",),
    "analysis.TeamGoal": ("next_steps",),
    "analysis.LookBackStep": ("step", "line"),
    "analysis.TextReview": ("text",),
}
# Texts that stay as they are, and why: what was frozen or computed is held to its hash; answers are nobody's to edit
FROZEN: dict[str, str] = {
    "surveys.Questionnaire": "questions, asked of everybody",
    "surveys.QuestionnaireVersion": "frozen questions, held to their hash",
    "surveys.Response": "answers",
    "surveys.SealedResponse": "answers",
    "surveys.Survey": "codes of questions",
    "surveys.PaperForm": "answers while they are typed; gone at sealing",
    "analysis.AnalysisPlan": "the locked plan, held to its hash",
    "analysis.RunStep": "figures",
    "analysis.AnalysisRun": "figures and versions of libraries",
    "analysis.ScreeningDecision": "figures",
    "analysis.OwnModel": "names and formulas of models",
    "analysis.FactorModelResult": "figures",
    "analysis.ResultTable": "figures",
    "analysis.ItemResult": "figures",
    "analysis.AgreementResult": "figures",
    "analysis.ReliabilityResult": "figures",
    "analysis.KnownComposition": "figures",
    "analysis.Publication": "figures",
    "analysis.PublishedGroup": "keys of responses",
    "analysis.EarlyPicture": "figures and keys, without a name",
    "analysis.PublishingJob": "keys, a fingerprint, and kinds of errors",
    "analysis.ReportObject": "figures and keys, without a name",
    "analysis.ReportFile": "published reports, which name no person",
    "analysis.PreparedPart": "files with answers; gone within a day",
    "analysis.RowRelease": "columns, keys and a fingerprint",
    "teams.StudyDeletion": "numbers",
    "teams.Job": "numbers, hashes, and kinds of errors",
    "teams.Leftover": "names of tables",
    "teams.DoneOnce": "hashes, and outcomes sealed under the server's key; gone within a day",
    "teams.SignInMail": "sealed under the server's key; gone within a day",
    "teams.MailDomain": "the mail domain of an institution",
    "teams.Refusal": "keyed hashes of addresses: a wish that outlives its study and its person",
    "teams.ResearchGroup": "the name of a group",
    "teams.Institution": "the name of an organisation",
    "teams.Academy": "the name of an academy",
    "teams.Team": "the name of a team",
    "teams.Study": "the short name in addresses",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A column with somebody's address and the one with the name beside it, if there is one."""

    model: type[Model]
    email: str
    name: str
    lookups: tuple[str, ...]  # that lead to the study; empty: see ``shared``
    unique: bool  # an empty address may stand there only once

    def of(self, address: str) -> QuerySet[Model]:
        return self.model._base_manager.filter(**{f"{self.email}__iexact": address})

    def to_study(self) -> tuple[str, ...]:
        """Lookups that lead from a row to its studies."""
        return ("pk",) if self.model is Study else SHARED.get(self.model, self.lookups)

    def within(self, studies: QuerySet[Study] | None) -> Q:
        """Rows of these studies, all rows for None; of a row that several studies share, where all are among these."""
        if studies is None:
            return Q()
        inside, foreign = Q(pk__in=[]), Q(pk__in=[])
        others = Study.objects.exclude(pk__in=studies.values("pk"))
        for lookup in self.to_study():
            inside |= Q(**{f"{lookup}__in": studies.values("pk")})
            foreign |= Q(**{f"{lookup}__in": others.values("pk")})
        rows = self.model._base_manager.filter(inside)
        if self.model in SHARED:
            rows = rows.exclude(pk__in=self.model._base_manager.filter(foreign).values("pk"))
        return Q(pk__in=rows.values("pk"))


# rows that more than one study may use
SHARED: dict[type[Model], tuple[str, ...]] = {
    Academy: ("invitations__study", "teams__participations__study"),
    Team: ("participations__study",),
}
# addresses that are no person's of a study: the account itself goes with its rows
ACCOUNTS = ("account.EmailAddress", "teams.User")


@cache
def places() -> tuple[Place, ...]:
    """Every column with an address of somebody, but for accounts."""
    of_studies = {table.model: table.lookups for table in tables()}
    with_address = []
    for model in apps.get_models():
        if model._meta.label in ACCOUNTS:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, EmailField):
                names = {column.name for column in model._meta.concrete_fields}
                beside = "name" if field.name == "email" else field.name.replace("_email", "_name")
                with_address.append(
                    Place(
                        model,
                        field.name,
                        beside if beside in names else "",
                        of_studies.get(model, ()),
                        _is_unique(model, field.name),
                    )
                )
    return tuple(with_address)


def _is_unique(model: type[Model], column: str) -> bool:
    if model._meta.get_field(column).unique:  # type: ignore[union-attr]
        return True
    return any(
        isinstance(constraint, UniqueConstraint) and column in constraint.fields
        for constraint in model._meta.constraints
    )


def free_texts() -> Iterator[tuple[type[Model], str, tuple[str, ...]]]:
    """Every column of free text, with the lookups that lead to the study."""
    of_studies = {table.model: table.lookups for table in tables()} | {Study: ("pk",)}
    for label, columns in FREE_TEXTS.items():
        model = apps.get_model(label)
        for column in columns:
            yield model, column, of_studies[model]


def is_hidden(model: type[Model]) -> bool:
    """Whether researchers must not learn who stands there: teachers who got a personal link, or a mail to look back."""
    return model in (Invitee, LookBackReader)
