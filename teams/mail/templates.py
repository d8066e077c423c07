"""What a study says in its mails: the shipped text of each kind, the study's own words, checks, and a preview.

A letter is a subject and a plain text with named fields, such as {name} and {link}. Fields are replaced one by one, once,
by plain text: there is no template language that a user's text could reach. Under every letter stands a closing that nobody
can edit: where the address comes from, whom to ask, how to object, how to end reminders (docs/data-protection.md).

The apps ``offer`` their letters, so that those of the apps above stand on the same page without this app knowing them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams import history
from teams.mail.composing import Attachment, Mail, absolute, from_text
from teams.mail.kinds import MailKind
from teams.mail.outbox import ENDS_REMINDERS
from teams.models import MailText, Study, User
from teams.text.directions import isolated

if TYPE_CHECKING:
    Text = str | Promise
    from django.utils.functional import _StrPromise

FIELD = re.compile(r"\{([a-z_]+)\}")
LINK = "link"
ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058: what a mailbox posts when its user presses "unsubscribe"

# Every field: what it stands for, and an example for a study that has nobody on its list yet. The apps above add theirs.
FIELDS: "dict[str, tuple[Text, Text]]" = {
    "study": (gettext_lazy("title of the study"), ""),
    "controller": (gettext_lazy("responsible institution"), ""),
    "contact": (gettext_lazy("contact person of the study"), ""),
    "contact_email": (gettext_lazy("email address of the contact person of the study"), ""),
    "privacy_officer": (gettext_lazy("privacy officer"), ""),
    "name": (gettext_lazy("name of the recipient"), "Sanne de Boer"),
    "email": (gettext_lazy("email address of the recipient"), "sanne.deboer@school.example"),
    "team": (gettext_lazy("name of the team"), gettext_lazy("Nursing")),
    "teams": (gettext_lazy("the teams of the academy, each with its leader, one per line"), "- …"),
    "academy": (gettext_lazy("name of the academy"), gettext_lazy("Academy of Health")),
    "institution": (gettext_lazy("name of the institution"), gettext_lazy("Northern University")),
    "director": (gettext_lazy("name of the director"), "Joris Smit"),
    "days": (gettext_lazy("days between the leader's report and the teachers'"), "14"),
    "k": (gettext_lazy("smallest group of which results are shown"), "5"),
    "way": (gettext_lazy("way of collecting that the leader chose"), gettext_lazy("online, each by a personal link")),
    "number": (gettext_lazy("number of teachers in the team"), "12"),
    "when": (gettext_lazy("date of the team meeting, if there is one"), "…"),
    "dates": (gettext_lazy("proposed dates, one per line"), "– …"),
    "meeting": (gettext_lazy("the meeting: day, time, room and who leads it, one per line"), "…"),
    LINK: (gettext_lazy("the link; each reader has their own"), ""),
}
COMMON = ("study", "controller", "contact", "contact_email", "privacy_officer")


@dataclass(frozen=True, slots=True)
class Letter:
    """A kind of mail that a study may put in its own words."""

    kind: MailKind
    template: str  # of the shipped text, with fields and without variables
    subject: "_StrPromise"
    fields: tuple[str, ...]  # beside those of every letter
    example: Callable[[Study], dict[str, str]]  # fields of somebody real in the study; empty: there is nobody yet
    required: tuple[str, ...] = (LINK,)
    origin: "Text" = ""  # where the reader's address comes from: stands in the closing of the first mail
    reminder: bool = False  # its closing and its headers say how to end reminders

    @property
    def title(self) -> str:
        return str(self.kind.words)

    @property
    def known(self) -> tuple[str, ...]:
        return (*self.fields, *COMMON)


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a letter in one language, before the fields are filled in."""

    subject: str
    body: str
    own: bool  # the study's own, not the shipped ones


LETTERS: dict[str, Letter] = {}  # by the kind's word


def offer(letter: Letter) -> None:
    """Let studies edit the mails of this kind. Raises ValueError for a second letter of one kind."""
    if LETTERS.setdefault(letter.kind, letter) is not letter:
        raise ValueError(f"Mails of kind '{letter.kind}' have a letter already.")


# ------------------------------------------------------------------------------------------------ the words
def shipped(kind: str, language: str) -> Wording:
    """The words that come with the program."""
    letter = LETTERS[kind]
    with translation.override(language):
        body = render_to_string(letter.template).strip()
        return Wording(str(letter.subject), body, own=False)


def wording(study: Study, kind: str, language: str) -> Wording:
    """The study's own words, or the shipped ones: also where a new version of the program knows a field no longer."""
    own = MailText.objects.filter(study=study, kind=kind, language=language).first()
    if own is None or problems(kind, own.subject, own.body):
        return shipped(kind, language)
    return Wording(own.subject, own.body, own=True)


def problems(kind: str, subject: str, body: str) -> list[tuple[str, str]]:
    """What is wrong with a text: pairs of the place, "subject" or "body", and a sentence."""
    letter = LETTERS[kind]
    problems_found = []
    if not subject.strip():
        problems_found.append(("subject", _("An email needs a subject.")))
    if any(ord(character) < 32 or ord(character) == 127 for character in subject):
        problems_found.append(("subject", _("Write the subject on one line.")))
    if LINK in FIELD.findall(subject):
        problems_found.append(("subject", _("The link does not belong in the subject.")))
    if not body.strip():
        problems_found.append(("body", _("The text is empty.")))
    for place, text in (("subject", subject), ("body", body)):
        for unknown in dict.fromkeys(FIELD.findall(text)):
            if unknown not in letter.known:
                problems_found.append((place, _("This email has no field {%(name)s}.") % {"name": unknown}))
        if re.search(r"[{}]", FIELD.sub("", text)):
            problems_found.append((place, _("There is a brace that belongs to no field. Write fields like {name}.")))
    if body.strip():
        for required in letter.required:
            if required not in FIELD.findall(body):
                problems_found.append(("body", _("The field {%(name)s} is missing.") % {"name": required}))
    return problems_found


def fill(text: str, values: dict[str, str]) -> str:
    """The text with its fields filled in, in one pass, each isolated where it runs from right to left.

    A paragraph of which nothing but empty fields is left goes out.
    """
    kept = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        names = FIELD.findall(block)
        if names and not any(values[name] for name in names) and not FIELD.sub("", block).strip():
            continue
        kept.append(FIELD.sub(lambda match: isolated(values[match[1]]), block))
    return "\n\n".join(kept)


def common(study: Study) -> dict[str, str]:
    """The fields of every letter of a study."""
    return {
        "study": study.title,
        "controller": study.controller,
        "contact": study.contact_name,
        "contact_email": study.contact_email,
        "privacy_officer": study.privacy_contact,
    }


# ------------------------------------------------------------------------------------------------ a mail
def write(
    kind: str,
    study: Study,
    language: str,
    to: str,
    values: dict[str, str],
    *,
    stop: str = "",
    origin: str = "",
    attachments: tuple[Attachment, ...] = (),
    words: Wording | None = None,
) -> Mail:
    """The mail of this kind to one person, in the words of the study.

    Args:
        values: every field of the letter but the common ones.
        stop: the address on which the reader of a reminder ends reminders (RFC 8058).
        origin: where this reader's address comes from, where the letter does not say it for all its readers.
        words: other words than the stored ones, for a preview.
    """
    letter = LETTERS[kind]
    words = words or wording(study, kind, language)
    values = {**values, **common(study)}
    with translation.override(language):
        origin = origin or fill(str(letter.origin), values)
        closing = render_to_string(
            "emails/closing.txt",
            {
                "study": study,
                "origin": origin,
                "stop": stop,
                "stop_words": _("Would you rather get no more reminders? Say so here:"),
            },
        )
        headers = {"Reply-To": study.contact_email}
        if stop:
            headers |= {ENDS_REMINDERS: f"<{stop}>", "List-Unsubscribe-Post": ONE_CLICK}
        return from_text(
            to, fill(words.subject, values), f"{fill(words.body, values)}\n\n{closing}", headers, attachments
        )


def preview(kind: str, study: Study, language: str, to: str, words: Wording) -> Mail:
    """What somebody of the study would get, addressed to ``to``. Its links lead nowhere: whoever holds one may answer."""
    letter = LETTERS[kind]
    with translation.override(language):
        values = {name: str(FIELDS[name][1]) for name in letter.fields} | letter.example(study)
    if LINK in letter.fields:
        values[LINK] = absolute("/example")
    return write(kind, study, language, to, values, stop=absolute("/example") if letter.reminder else "", words=words)


# ------------------------------------------------------------------------------------------------ changing the words
@transaction.atomic
def put_in_own_words(study: Study, kind: str, language: str, subject: str, body: str, by: User) -> bool:
    """Store the study's words; the shipped ones are not stored. Returns whether anything changed.

    Raises:
        ValueError: for a text with problems, or in a language that mails are not written in.
    """
    body = body.replace("\r\n", "\n").strip()
    if language not in dict(settings.LANGUAGES) or problems(kind, subject, body):
        raise ValueError("This text cannot be sent.")
    old = shipped(kind, language)
    if (subject, body) == (old.subject, old.body.replace("\r\n", "\n")):
        return back_to_shipped(study, kind, language, by)
    before = MailText.objects.filter(study=study, kind=kind, language=language).first()
    if before is not None and (before.subject, before.body) == (subject, body):
        return False
    MailText.objects.update_or_create(
        study=study, kind=kind, language=language, defaults={"subject": subject, "body": body}
    )
    history.record(study, history.Happened.MAIL_TEXT_CHANGED, by=by, detail=f"{kind} ({language})")
    return True


@history.tells(history.Happened.MAIL_TEXT_CHANGED, history.Happened.MAIL_TEXT_SHIPPED_AGAIN)
def _which_text(detail: str) -> str:
    kind, _separator, language = detail.removesuffix(")").partition(" (")
    if kind not in LETTERS:
        return detail
    return f"{LETTERS[kind].title} ({dict(settings.LANGUAGES).get(language, language)})"


@transaction.atomic
def back_to_shipped(study: Study, kind: str, language: str, by: User) -> bool:
    """Forget the study's own words. Returns whether there were any."""
    deleted, _rows = MailText.objects.filter(study=study, kind=kind, language=language).delete()
    if deleted:
        history.record(study, history.Happened.MAIL_TEXT_SHIPPED_AGAIN, by=by, detail=f"{kind} ({language})")
    return bool(deleted)
