"""The kinds of mail: what each is called, who gets it, and when it may go.

Every kind is one line of an app's list: its word in the outbox, which stays as it is, what researchers read in the list of mails,
and its recipient. Its renderer is the function under ``outbox.register``; a letter that studies may put in their own words is
offered too (templates.py).
"""

from enum import Enum, Flag, StrEnum, auto
from typing import TYPE_CHECKING, Self

from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class To(Enum):
    """Who gets a mail, in the order of the page of mails. All read it in the language that ``outbox`` finds for their address,
    but for whoever has just chosen one on a page: they asked for the mail, or somebody asked for it on their behalf."""

    DIRECTOR = gettext_lazy("Directors")
    LEADER = gettext_lazy("Team leaders")
    ATTENDEE = gettext_lazy("Everybody who comes to a team meeting for the study")
    CONTACT = gettext_lazy("Contact persons")
    TEACHER = gettext_lazy("Teachers")
    RESEARCHER = gettext_lazy("Researchers")
    INVITED = gettext_lazy("Directors and team leaders")
    FORMER = gettext_lazy("People who had a role before")
    ACCOUNT = gettext_lazy("Anyone with an account")
    OUTSIDE = gettext_lazy("Anyone who gives an address")  # it may be nobody's: the language is that of the page

    @property
    def words(self) -> str:
        return str(self.value)


class Goes(Flag):
    """How a mail goes, beside the usual way."""

    USUALLY = 0
    ANY_HOUR = auto()  # it waits for no sending hours: it answers what its reader just did, or it cannot wait
    AT_ONCE = auto()  # before all others too: its reader sits and waits for it
    WITHOUT_TRACE = (
        auto()
    )  # who got one and who did not would tell too much: its row is deleted before it is handed over
    AS_WORDS = auto()  # never by itself: other words for a kind that has several


KINDS: "dict[str, MailKind]" = {}  # of all apps, by the word in the outbox


class MailKind(StrEnum):
    """A kind of mail; each app lists its own.

    Raises:
        TypeError: for a kind without words or without a recipient.
        ValueError: for a word that another kind has already.
    """

    words: "_StrPromise"
    to: To
    goes: Goes

    def __new__(
        cls, value: str, words: "_StrPromise | None" = None, to: To | None = None, goes: Goes = Goes.USUALLY
    ) -> Self:
        if words is None or to is None:
            missing = 'what it is called, gettext_lazy("…")' if words is None else "who gets it, To.…"
            raise TypeError(f"The kind of mail '{value}' is not complete. Write behind it {missing}.")
        kind = str.__new__(cls, value)
        kind._value_, kind.words, kind.to, kind.goes = value, words, to, goes
        if KINDS.setdefault(value, kind) is not kind:
            raise ValueError(f"There are two kinds of mail '{value}'.")
        return kind


class TeamMail(MailKind):
    """While a study is set up, invites and plans meetings; and the mails of accounts."""

    DIRECTOR_INVITATION = "teams.director_invitation", gettext_lazy("Invitation to a director"), To.DIRECTOR
    DIRECTOR_REMINDER = "teams.director_reminder", gettext_lazy("Reminder to a director"), To.DIRECTOR
    DIRECTOR_CONFIRMATION = (
        "teams.director_confirmation",
        gettext_lazy("Confirmation of a director's permission"),
        To.DIRECTOR,
        Goes.ANY_HOUR,
    )
    LEADER_INVITATION = "teams.leader_invitation", gettext_lazy("Invitation to a team leader"), To.LEADER
    LEADER_REMINDER = "teams.leader_reminder", gettext_lazy("Reminder to a team leader"), To.LEADER
    LEADER_CONFIRMATION = (
        "teams.leader_confirmation",
        gettext_lazy("Confirmation that a team takes part"),
        To.LEADER,
        Goes.ANY_HOUR,
    )
    TEAM_WITHDRAWN = "teams.team_withdrawn", gettext_lazy("Notice that a team no longer takes part"), To.LEADER
    LINK_CODE = "teams.link_code", gettext_lazy("Code to stop taking part"), To.INVITED, Goes.ANY_HOUR
    FORMER_CONTACT = (
        "teams.former_contact",
        gettext_lazy("Notice to the previous holder of a role"),
        To.FORMER,
        Goes.ANY_HOUR,
    )
    LEADER_NAMED = "teams.leader_named", gettext_lazy("Notice to the new leader of a team"), To.LEADER
    LEADER_LET_IN = (
        "teams.leader_let_in",
        gettext_lazy("Notice that a team's pages are open to its leader"),
        To.LEADER,
    )
    WAVE_HANDED_OVER = (
        "teams.wave_handed_over",
        gettext_lazy("Notice that an earlier wave was handed over"),
        To.LEADER,
        Goes.ANY_HOUR,
    )
    # planned meetings
    MEETING_DATES = "teams.meeting_dates", gettext_lazy("Dates to choose from for the team meeting"), To.LEADER
    MEETING_CALENDAR = (
        "teams.meeting_calendar",
        gettext_lazy("Team meeting for the calendar"),
        To.ATTENDEE,
        Goes.ANY_HOUR,
    )
    MEETING_FIXED = (
        "teams.meeting_fixed",
        gettext_lazy("The date of the team meeting"),
        To.ATTENDEE,
        Goes.AS_WORDS,
    )
    MEETING_MOVED = (
        "teams.meeting_moved",
        gettext_lazy("Another date, time or room of the team meeting"),
        To.ATTENDEE,
        Goes.AS_WORDS,
    )
    MEETING_CALLED_OFF = (
        "teams.meeting_called_off",
        gettext_lazy("The team meeting is called off"),
        To.ATTENDEE,
        Goes.AS_WORDS,
    )
    MEETING_REPLACED = (
        "teams.meeting_replaced",
        gettext_lazy("Somebody else comes to the team meeting in your place"),
        To.ATTENDEE,
        Goes.AS_WORDS,
    )
    MEETING_BRIEFING = "teams.meeting_briefing", gettext_lazy("Briefing two days before a team meeting"), To.CONTACT
    # researchers
    RESEARCHER_ASKED = (
        "teams.researcher_asked",
        gettext_lazy("Invitation to a researcher"),
        To.OUTSIDE,
        Goes.ANY_HOUR,
    )
    RESEARCHER_ADDED = (
        "teams.researcher_added",
        gettext_lazy("Notice to a new researcher"),
        To.RESEARCHER,
        Goes.ANY_HOUR,
    )
    RESEARCHER_JOINED = (
        "teams.researcher_joined",
        gettext_lazy("Notice that somebody new works in the study"),
        To.RESEARCHER,
        Goes.ANY_HOUR,
    )
    MEMBER_ADDED = (
        "teams.member_added",
        gettext_lazy("Notice to a new member of a research group"),
        To.RESEARCHER,
        Goes.ANY_HOUR,
    )
    RETENTION_OVER = (
        "teams.retention_over",
        gettext_lazy("Notice that the answers may no longer be kept"),
        To.RESEARCHER,
    )
    # accounts
    SIGN_IN = "teams.sign_in", gettext_lazy("Code or link to sign in"), To.OUTSIDE, Goes.AT_ONCE
    ACCOUNT_PASSWORD = "teams.account_password", gettext_lazy("A new password was chosen"), To.ACCOUNT, Goes.ANY_HOUR
    ACCOUNT_FACTOR = "teams.account_factor", gettext_lazy("A second factor was added"), To.ACCOUNT, Goes.ANY_HOUR
    ACCOUNT_NO_FACTOR = (
        "teams.account_no_factor",
        gettext_lazy("A second factor was removed"),
        To.ACCOUNT,
        Goes.ANY_HOUR,
    )
    ACCOUNT_RECOVERY_CODES = (
        "teams.account_recovery_codes",
        gettext_lazy("New recovery codes were made"),
        To.ACCOUNT,
        Goes.ANY_HOUR,
    )


# Mails about an invitation, to who is asked there: the last one tells whether that person can be reached
ABOUT_INVITATIONS = (
    TeamMail.DIRECTOR_INVITATION,
    TeamMail.DIRECTOR_REMINDER,
    TeamMail.DIRECTOR_CONFIRMATION,
    TeamMail.LEADER_INVITATION,
    TeamMail.LEADER_REMINDER,
    TeamMail.LEADER_CONFIRMATION,
    TeamMail.TEAM_WITHDRAWN,
    TeamMail.LINK_CODE,
)
