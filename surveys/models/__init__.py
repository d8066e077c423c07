from surveys.models.collection import Collection, DayCount, Invitee, Meeting, ReminderRound, Survey
from surveys.models.questionnaire import Item, Questionnaire, QuestionnaireVersion, Scale
from surveys.models.response import Response

__all__ = [
    "Collection",
    "DayCount",
    "Invitee",
    "Item",
    "Meeting",
    "Questionnaire",
    "QuestionnaireVersion",
    "ReminderRound",
    "Response",
    "Scale",
    "Survey",
]
