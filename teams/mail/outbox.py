"""The only sender of mail: an outbox of kind and object id, rendered at sending and never stored.

``queue`` is called inside the transaction that causes the mail, so that a mail exists exactly when its cause does. The
row is the queue and the broker only a wake-up (base/leases.py). One worker sends at a time, over a connection that is open before
the first mail is made (server.py): a server that is away costs no mail and no attempt.

Between handing a mail to the server and writing that down a worker may die, or the line may break: then nobody knows
whether the mail went. The row says so (``handed_over``), and it is handed over once more, with the Message-ID that was made
before the first attempt, by which most mailboxes drop the copy. If that too ends in doubt the mail is given up and a person
decides: nobody gets more than two copies, and those are one message to their mailbox.
"""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone, translation

from teams.base.leases import DATABASE_AWAY, Chore, Claim, ClaimLost, Queue, free, kept, pause, wake
from teams.mail import pace, refusals, server
from teams.mail.composing import Mail, NobodyToMail
from teams.mail.errors import UnsendableMail, in_words, is_final, is_the_servers, may_have_gone
from teams.mail.kinds import Goes, MailKind
from teams.mail.server import Sender
from teams.models import OutboxMessage, Study, User

logger = logging.getLogger(__name__)

TASK = "teams.send_due_mail"
# Waiting time after the first, second, … failed attempt; after the last the mail is given up
BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
)
BACKOFF_QUIET = BACKOFF[:3]  # of a kind that leaves no trace: its row must not stay for long
ANOTHER_FIRST = timedelta(minutes=1)  # when the server failed at a mail, others go before it
ENDS_REMINDERS = "List-Unsubscribe"  # the header of every reminder (RFC 8058), and of nothing else
IN_DOUBT = timedelta(minutes=30)  # a mail that may have gone is not hurried
# seconds for which, and after which, a database that is away is told that a mail went
NOTED_WITHIN, NOTED_AGAIN = 600.0, 0.5
MAY_HAVE_GONE = "may have gone"  # how the reason of a mail begins that was given up in doubt


Renderer = Callable[[int, str], Mail | None]
_renderers: dict[str, Renderer] = {}
_traceless: set[str] = set()
_any_hour: set[str] = set()
_at_once: set[str] = set()

OUTBOX = Queue(
    OutboxMessage,
    waits=Q(state=OutboxMessage.State.QUEUED),
    held=Q(state=OutboxMessage.State.QUEUED),
    pauses=BACKOFF,
)
LOST = Chore("teams.reminders_lost")  # reminders that leave no trace and did not go: counted, never named


def register(kind: MailKind) -> Callable[[Renderer], Renderer]:
    """Decorator: the function that renders mails of this kind from an object id and a language.

    It returns None where the mail is no longer wanted. It is called outside any transaction. How the mail goes says its kind
    (kinds.py): of one that goes without a trace whatever becomes of it no line and no row tells.
    """

    def remember(renderer: Renderer) -> Renderer:
        if _renderers.setdefault(kind, renderer) is not renderer:
            raise ValueError(f"Mails of kind '{kind}' have a renderer already.")
        if Goes.WITHOUT_TRACE in kind.goes:
            _traceless.add(kind)
        if kind.goes & (Goes.ANY_HOUR | Goes.AT_ONCE):
            _any_hour.add(kind)
        if Goes.AT_ONCE in kind.goes:
            _at_once.add(kind)
        return renderer

    return remember


def queue(
    kind: MailKind, object_id: int, language: str = "", due_at: datetime | None = None, *, study: Study | None = None
) -> None:
    """Put a mail in the outbox, inside the transaction that causes it. Raises KeyError for an unknown kind.

    ``language``: only where something else than the reader decides it, as the page on which a code was asked for.
    """
    queue_many(kind, [object_id], language, due_at, study=study)


def queue_many(
    kind: MailKind,
    object_ids: Iterable[int],
    language: str = "",
    due_at: datetime | None = None,
    *,
    study: Study | None = None,
) -> None:
    """Put a mail in the outbox for each object, with one wake-up. A mail of a study keeps to its sending hours."""
    if kind not in _renderers:
        raise KeyError(f"No renderer is registered for mails of kind '{kind}'.")
    due_at = due_at or timezone.now()
    OutboxMessage.objects.bulk_create(
        OutboxMessage(study=study, kind=kind, object_id=object_id, language=language, due_at=due_at)
        for object_id in object_ids
    )
    wake_after_commit()


def drop(kind: MailKind, object_id: int) -> int:
    """Take a waiting mail back: what it would have said holds no longer. One under way is not held back."""
    return drop_many(kind, [object_id])


def drop_many(kind: MailKind, object_ids: Iterable[int]) -> int:
    """As `drop`, of each of these objects."""
    waiting = OutboxMessage.objects.filter(OUTBOX.waits & free(), kind=kind, object_id__in=list(object_ids))
    return waiting.update(state=OutboxMessage.State.DROPPED)


def wake_after_commit() -> None:
    """Tell a worker that mail is due. A broker that is away costs seconds, never the mail: beat wakes too."""
    transaction.on_commit(lambda: wake(TASK), robust=True)


def send_due(limit: int = 500) -> int:
    """Send what is due, each mail claimed before it is made. Returns how many were handed to the mail server."""
    if _next(timezone.now()) is None:
        return 0
    n_sent = 0
    with server.reached() as sender:
        if sender is None:
            return 0
        with kept(sender.claim.renew), suppress(ClaimLost):
            for _n in range(limit):
                message = _next(timezone.now())
                if message is None or not (pace.take_turn(timezone.now()) or message[1] in _at_once):
                    break  # the next wake-up goes on
                claim = _claim(message[0])
                if claim is not None:
                    with kept(claim.renew):
                        n_sent += _send(claim, sender)
                if sender.trouble is not None:
                    break
                sender.claim.renew()
    return n_sent


def _next(now: datetime) -> tuple[int, str] | None:
    """The mail that goes next, and its kind: those that somebody waits for at their screen come first."""
    due = OutboxMessage.objects.filter(OUTBOX.due(now)).filter(pace.going(now, _any_hour))
    in_order = due.order_by("due_at", "pk").values_list("pk", "kind")
    urgent = in_order.filter(kind__in=_at_once).first() if _at_once else None
    return urgent if urgent is not None else in_order.first()


def _claim(pk: int) -> Claim[OutboxMessage] | None:
    claim = OUTBOX.claim(pk)
    if claim is None:
        return None
    if claim.row.handed_over > 1:  # two workers ended while they handed it over
        _give_up(claim, MAY_HAVE_GONE)
        return None
    if not claim.row.message_id:
        claim.row.message_id = server.new_message_id()
        claim.renew(message_id=claim.row.message_id)
    return claim


def _begin_handing_over(claim: Claim[OutboxMessage]) -> None:
    """From here on the mail may have gone. A mail that leaves no trace is lost rather than sent twice.

    Raises :class:`ClaimLost` where another worker has the mail, so that there is no second copy.
    """
    if claim.row.kind not in _traceless:
        claim.renew(handed_over=claim.row.handed_over + 1)
    elif not claim.remove():
        raise ClaimLost


def _send(claim: Claim[OutboxMessage], sender: Sender) -> bool:
    message, mail, handed_over = claim.row, None, False
    try:
        with suppress(NobodyToMail):
            mail = _made(message)
        if mail is None or (ENDS_REMINDERS in mail.headers and refusals.wants_none(mail.to)):
            _done(claim, state=OutboxMessage.State.DROPPED)
            return False
        email = server.email_of(mail, message.message_id, sender.connection)
        _begin_handing_over(claim)
        handed_over = True
        email.send()
    except ClaimLost:
        return False
    except Exception as error:  # whatever went wrong with one mail, the others must still go
        if is_the_servers(error) and handed_over:
            sender.trouble = error
        _fail(claim, error, mail, handed_over)
        return False
    status = getattr(email, "anymail_status", None)  # a provider's own number for the mail: its reports name it by that
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    _went(
        claim,
        state=OutboxMessage.State.SENT,
        sent_on=today.date(),
        due_at=today,  # nothing that is kept of a mail that went is finer than the day
        provider_id=server.of_provider(str(getattr(status, "message_id", "") or "")),
        handed_over=0,
    )
    return True


def _made(message: OutboxMessage) -> Mail | None:
    """The mail in its reader's language. It is made to learn its address, and made again where that reads another language."""
    of_study = message.study.language if message.study is not None else settings.LANGUAGE_CODE
    mail = _in_language(message, message.language or of_study)
    if mail is None or message.language:
        return mail
    language = language_of_reader(mail.to, of_study)
    return mail if language == of_study else _in_language(message, language)


def language_of_reader(address: str, of_study: str) -> str:
    """The language of whoever reads this address: that of their account, or else the study's."""
    theirs = User.objects.filter(email__iexact=address).values_list("language", flat=True).first()
    return theirs if theirs in dict(settings.LANGUAGES) else of_study


def _in_language(message: OutboxMessage, language: str) -> Mail | None:
    with translation.override(language):
        return _renderers[message.kind](message.object_id, language)


def _done(claim: Claim[OutboxMessage], **fields: object) -> None:
    if claim.row.kind in _traceless:
        claim.remove()
    else:
        claim.finish(error="", **fields)


def _went(claim: Claim[OutboxMessage], **fields: object) -> None:
    """Note that a mail went, also where the database is away just now: unnoted it would go once more."""
    until = time.monotonic() + NOTED_WITHIN
    while True:
        try:
            return _done(claim, **fields)
        except DATABASE_AWAY:
            if connection.in_atomic_block or time.monotonic() > until:
                raise
            connection.close_if_unusable_or_obsolete()
            time.sleep(NOTED_AGAIN)


def _fail(claim: Claim[OutboxMessage], error: Exception, mail: Mail | None, handed_over: bool) -> None:
    message = claim.row
    in_doubt = handed_over and may_have_gone(error)
    if message.kind in _traceless:
        _fail_quietly(claim, error, handed_over, in_doubt)
        return
    text = type(error).__name__
    if mail is not None:  # of an error in rendering we keep no words: they may hold what the mail would have said
        text = in_words(error).replace(mail.to, "…")
    elif isinstance(error, UnsendableMail):
        text = f"{text}: {error}"
    logger.warning(
        "Sending mail %s (%s) failed, attempt %s: %s", message.pk, message.kind, message.attempts, type(error).__name__
    )
    if in_doubt and message.handed_over:
        _give_up(claim, f"{MAY_HAVE_GONE}: {text}")
    elif in_doubt:
        claim.finish(due_at=timezone.now() + IN_DOUBT, error=text[:300])
    elif handed_over and is_the_servers(
        error
    ):  # it says nothing about this mail: others go first, and no attempt counts
        claim.release(due_at=timezone.now() + ANOTHER_FIRST, handed_over=message.handed_over, error=text[:300])
    elif is_final(error) or message.attempts > len(BACKOFF):
        _give_up(claim, text)
    else:
        claim.put_off(handed_over=message.handed_over, error=text[:300])


def _fail_quietly(claim: Claim[OutboxMessage], error: Exception, handed_over: bool, in_doubt: bool) -> None:
    """Of a kind that leaves no trace. No line for the log: lines come in the order of their readers.

    Its row went when it was handed over; where the server said that it did not take the mail, it comes back as a new one, a
    few times. What is lost is counted, per study and without a name.
    """
    message = claim.row
    counts = not (handed_over and is_the_servers(error))
    again = not in_doubt and not isinstance(error, UnsendableMail) and message.attempts <= len(BACKOFF_QUIET)
    if not handed_over and again:
        claim.put_off(error=type(error).__name__)
        return
    claim.remove()
    if again:
        due_at = timezone.now() + (pause(BACKOFF_QUIET, message.attempts) if counts else ANOTHER_FIRST)
        attempts = message.attempts if counts else message.attempts - 1
        message_id = message.message_id
        OutboxMessage.objects.create(
            study=message.study,
            kind=message.kind,
            object_id=message.object_id,
            language=message.language,
            message_id=message_id,
            attempts=attempts,
            due_at=due_at,
        )
    else:
        LOST.count(str(message.study_id or ""), message.study_id, error)


def _give_up(claim: Claim[OutboxMessage], reason: str) -> None:
    claim.finish(state=OutboxMessage.State.FAILED, handed_over=0, error=reason[:300])
