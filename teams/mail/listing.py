"""What became of the mails of a study: to whom, when, whether it came back, and sending again what did not arrive.

The outbox knows no addresses: the apps tell who the reader of a kind is (``name_readers``), for a whole page at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams import history
from teams.mail import outbox, pace
from teams.mail.bounces import STATUS
from teams.mail.kinds import ABOUT_INVITATIONS, KINDS, MailKind
from teams.models import Invitation, OutboxMessage, Study, User

PER_PAGE = 50
State = OutboxMessage.State
LOST = (State.FAILED, State.BOUNCED)

# What a server's status says (RFC 3463), by its beginning: the longest one that fits counts
STATUSES: "dict[str, str | Promise]" = {
    "5.1.1": gettext_lazy("this address does not exist"),
    "5.1.2": gettext_lazy("the part after the @ does not exist"),
    "5.1": gettext_lazy("the address is not right"),
    "5.2.2": gettext_lazy("the mailbox is full"),
    "5.2": gettext_lazy("the mailbox takes no email"),
    "5.4": gettext_lazy("the other mail server cannot be reached"),
    "5.7": gettext_lazy("the other mail server refuses email from here"),
    "5": gettext_lazy("refused by the other mail server"),
    "4": gettext_lazy("the other mail server asks to try later"),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a mail, and what it is about."""

    name: str
    address: str
    about: str


@dataclass(frozen=True, slots=True)
class MailRow:
    message: OutboxMessage
    title: "str | Promise"
    reader: Reader | None
    state: str
    note: str
    undelivered: bool


ReadersOf = Callable[[Sequence[OutboxMessage]], dict[int, Reader]]
_readers: dict[str, ReadersOf] = {}
_same_reader: list[tuple[str, ...]] = []


def name_readers(*kinds: MailKind) -> Callable[[ReadersOf], ReadersOf]:
    """Decorator: the function that tells, for mails of these kinds, who reads them, by the number of the mail.

    The kinds of one call share their objects: the last mail about an object tells whether its reader can be reached.
    """

    def remember(readers_of: ReadersOf) -> ReadersOf:
        _readers.update(dict.fromkeys(kinds, readers_of))
        _same_reader.append(kinds)
        return readers_of

    return remember


# ------------------------------------------------------------------------------------------------ lists and counts
def undelivered(study: Study) -> QuerySet[OutboxMessage]:
    """Mails that were given up or came back, and after which no other went to the same reader."""
    lost = OutboxMessage.objects.filter(study=study, state__in=LOST)
    later = OutboxMessage.objects.filter(study=study, object_id=OuterRef("object_id"), pk__gt=OuterRef("pk"))
    settled = Q(pk__in=[])
    for kinds in _same_reader:
        settled |= Q(kind__in=kinds) & Q(Exists(later.filter(kind__in=kinds).exclude(state=State.DROPPED)))
    return lost.exclude(settled)


def deferred(study: Study) -> QuerySet[OutboxMessage]:
    """Mails that did not go at the first attempt and are tried again."""
    return OutboxMessage.objects.filter(study=study, state=State.QUEUED, attempts__gt=0).exclude(error="")


def counts_of(study: Study) -> dict[str, int]:
    """How many mails of a study are in which state. Mails that leave no trace are not among them."""
    counts = dict.fromkeys(State.values, 0)
    return counts | dict(
        OutboxMessage.objects.filter(study=study).order_by().values_list("state").annotate(n=Count("pk"))
    )


def list_mails(study: Study, state: str, page: str | int | None) -> tuple[list[MailRow], Page[OutboxMessage]]:
    """A page of the mails of a study, the newest first; of one state, or all that did not arrive ("undelivered")."""
    mails = OutboxMessage.objects.filter(study=study)
    if state == "undelivered":
        mails = undelivered(study)
    elif state == "deferred":
        mails = deferred(study)
    elif state:
        mails = mails.filter(state=state)
    page_of_mails = Paginator(mails.order_by("-pk"), PER_PAGE).get_page(page)
    return rows_of(study, list(page_of_mails)), page_of_mails


def rows_of(study: Study, messages: Sequence[OutboxMessage]) -> list[MailRow]:
    """Mails in words, in as many queries for fifty as for one of each kind."""
    readers: dict[int, Reader] = {}
    for readers_of in {_readers[message.kind]: None for message in messages if message.kind in _readers}:
        readers |= readers_of([message for message in messages if _readers.get(message.kind) is readers_of])
    waits = not pace.may_go(study, timezone.now())
    lost = set(undelivered(study).filter(pk__in=[message.pk for message in messages]).values_list("pk", flat=True))
    return [
        MailRow(
            message=message,
            title=KINDS[message.kind].words if message.kind in KINDS else _("Email"),
            reader=readers.get(message.pk),
            state=state_in_words(message),
            note=note_on(message, waits),
            undelivered=message.pk in lost,
        )
        for message in messages
    ]


def last_mail_about(invitation: Invitation) -> MailRow | None:
    """The last mail to the person of an invitation, for that person's page."""
    last = OutboxMessage.objects.filter(kind__in=ABOUT_INVITATIONS, object_id=invitation.pk).order_by("-pk").first()
    return rows_of(invitation.study, [last])[0] if last else None


# ------------------------------------------------------------------------------------------------ in words
def state_in_words(message: OutboxMessage) -> str:
    """Where a mail is, in a word or two."""
    if message.state == State.QUEUED and message.error:
        return _("tried again later")
    return str(State(message.state).label)


def note_on(message: OutboxMessage, waits_for_hours: bool = False) -> str:
    """Why, and when it goes on."""
    if message.state == State.SENT:
        return ""
    reason = reason_in_words(message.error)
    if message.state != State.QUEUED:
        return reason
    if message.due_at > timezone.now():
        when = _moment(message.due_at)
        return (
            _("%(reason)s; next attempt %(when)s") % {"reason": reason, "when": when}
            if reason
            else _("will be sent on %(when)s") % {"when": when}
        )
    return _("waiting for the sending hours") if waits_for_hours else reason


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "j F, H:i")


def reason_in_words(error: str) -> str:
    """What a server's answer means, and the answer itself."""
    if not error:
        return ""
    if error.startswith(outbox.MAY_HAVE_GONE):
        return _("the connection broke twice while it was handed over: it may have arrived")
    status = _status_in(error)
    for length in (3, 2, 1):
        words = STATUSES.get(".".join(status.split(".")[:length])) if status else None
        if words:
            return f"{words} ({error.removeprefix('came back: ')})"
    return error


def _status_in(error: str) -> str:
    """The status by RFC 3463 in an answer, or its first digit where the answer is only a code."""
    status = STATUS.search(error)
    if status:
        return status[1]
    return error[0] if error[:3].isdigit() and error[0] in "45" else ""


# ------------------------------------------------------------------------------------------------ once more
AFRESH: dict[str, object] = {
    "state": State.QUEUED,
    "attempts": 0,
    "handed_over": 0,
    "message_id": "",
    "provider_id": "",
    "error": "",
    "sent_on": None,
    "lease_until": None,
}


@transaction.atomic
def resend(message: OutboxMessage, by: User) -> bool:
    """Send a mail again that was given up or came back, as it reads now. Returns False if it is not lost (any more)."""
    lost = OutboxMessage.objects.filter(pk=message.pk, state__in=LOST)
    if not lost.update(**AFRESH, due_at=timezone.now()):
        return False
    if message.study is not None:
        history.record(
            message.study, history.Happened.MAIL_RESENT, by=by, detail=str(rows_of(message.study, [message])[0].title)
        )
    outbox.wake_after_commit()
    return True


def given_up(study: Study) -> QuerySet[OutboxMessage]:
    """What did not arrive because it was given up; not what came back, which would come back again."""
    return undelivered(study).filter(state=State.FAILED)


@transaction.atomic
def resend_all(study: Study, by: User) -> int:
    """Send everything again that was given up. Returns how many; a second time at once finds none."""
    given_up_pks = list(given_up(study).values_list("pk", flat=True))
    n_again = OutboxMessage.objects.filter(pk__in=given_up_pks, state=State.FAILED).update(
        **AFRESH, due_at=timezone.now()
    )
    if n_again:
        history.record(study, history.Happened.MAILS_RESENT, by=by, detail=str(n_again))
        outbox.wake_after_commit()
    return n_again
