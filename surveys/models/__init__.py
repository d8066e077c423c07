"""All tables of this app."""

from surveys.models.checks import AddressCheck
from surveys.models.collection import (
    Collection,
    DayCount,
    Invitee,
    LinkSecret,
    Meeting,
    PresentBy,
    ReminderRound,
    Survey,
)
from surveys.models.paper import PaperForm
from surveys.models.questionnaire import Questionnaire, QuestionnaireVersion
from surveys.models.response import Response, SealedResponse
from surveys.models.slips import Slip

__all__ = [
    "AddressCheck",
    "Collection",
    "DayCount",
    "Invitee",
    "LinkSecret",
    "Meeting",
    "PaperForm",
    "PresentBy",
    "Questionnaire",
    "QuestionnaireVersion",
    "ReminderRound",
    "Response",
    "SealedResponse",
    "Slip",
    "Survey",
]
