from surveys.models.collection import Collection, DayCount, Invitee, Meeting, ReminderRound, Survey
from surveys.models.paper import PaperForm
from surveys.models.questionnaire import Questionnaire, QuestionnaireVersion
from surveys.models.response import Response

__all__ = [
    "Collection",
    "DayCount",
    "Invitee",
    "Meeting",
    "PaperForm",
    "Questionnaire",
    "QuestionnaireVersion",
    "ReminderRound",
    "Response",
    "Survey",
]
