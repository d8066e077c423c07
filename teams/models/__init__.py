"""All tables of this app."""

from teams.models.deletion import StudyDeletion
from teams.models.domains import MailDomain
from teams.models.event import Event
from teams.models.former import FormerContact
from teams.models.invitation import Invitation, LinkCode
from teams.models.leased import Job, Leased
from teams.models.leftover import Leftover
from teams.models.mail import MailHours, MailText, Notice, OutboxMessage, Refusal, ReminderSchedule, SendingMinute
from teams.models.meetings import Attendee, CalendarFeed, OfferedSlot, PlannedMeeting, ProposedDate
from teams.models.once import DoneOnce
from teams.models.participation import Participation, Role, Study
from teams.models.people import (
    Academy,
    Employment,
    Institution,
    Membership,
    ResearcherInvitation,
    ResearchGroup,
    Sector,
    Team,
    User,
    UserManager,
)
from teams.models.sign_in import SignInMail

__all__ = [
    "Academy",
    "Attendee",
    "CalendarFeed",
    "DoneOnce",
    "Employment",
    "Event",
    "FormerContact",
    "Institution",
    "Invitation",
    "Job",
    "Leased",
    "Leftover",
    "LinkCode",
    "MailDomain",
    "MailHours",
    "MailText",
    "Membership",
    "Notice",
    "OfferedSlot",
    "OutboxMessage",
    "Participation",
    "PlannedMeeting",
    "ProposedDate",
    "Refusal",
    "ReminderSchedule",
    "ResearchGroup",
    "ResearcherInvitation",
    "Role",
    "Sector",
    "SendingMinute",
    "SignInMail",
    "Study",
    "StudyDeletion",
    "Team",
    "User",
    "UserManager",
]
