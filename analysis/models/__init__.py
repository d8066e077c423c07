"""All tables of this app: from answers to results."""

from analysis.models.cases import CaseNote, Criterion, CriterionValue
from analysis.models.choices import AccountingDecision, Decision, OwnModel
from analysis.models.comparisons import KnownComposition, WaveDifference
from analysis.models.look_backs import LookBack, LookBackReader, LookBackStep
from analysis.models.open_texts import TextReview
from analysis.models.pictures import EarlyPicture
from analysis.models.plans import AnalysisPlan
from analysis.models.publications import Publication, PublishedGroup, PublishingJob, ReportObject, Unit
from analysis.models.readers import ReportFile, ReportLink, TeamGoal
from analysis.models.releases import PreparedFile, PreparedPart, ResultRelease, RowRelease
from analysis.models.results import (
    AgreementResult,
    FactorModelResult,
    ItemResult,
    ReliabilityResult,
    ResultTable,
    ScaleResult,
    ScaleSet,
    TeamCount,
    TeamEstimate,
)
from analysis.models.runs import AnalysisRun, RunStep, ScreeningDecision

__all__ = [
    "AccountingDecision",
    "AgreementResult",
    "AnalysisPlan",
    "AnalysisRun",
    "CaseNote",
    "Criterion",
    "CriterionValue",
    "Decision",
    "EarlyPicture",
    "FactorModelResult",
    "ItemResult",
    "KnownComposition",
    "LookBack",
    "LookBackReader",
    "LookBackStep",
    "OwnModel",
    "PreparedFile",
    "PreparedPart",
    "Publication",
    "PublishedGroup",
    "PublishingJob",
    "ReliabilityResult",
    "ReportFile",
    "ReportLink",
    "ReportObject",
    "ResultRelease",
    "ResultTable",
    "RowRelease",
    "RunStep",
    "ScaleResult",
    "ScaleSet",
    "ScreeningDecision",
    "TeamCount",
    "TeamEstimate",
    "TeamGoal",
    "TextReview",
    "Unit",
    "WaveDifference",
]
