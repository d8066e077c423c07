"""What people type goes through every mail and calendar file, and is read back by programs that are not ours."""

import email
import email.policy
import re
from datetime import timedelta
from html.parser import HTMLParser

import icalendar
import pytest
from django.core.mail import get_connection
from django.utils import timezone

from surveys import mails as _surveys  # noqa: F401 its letters are offered at import
from teams import links
from teams.accounts import sign_in_mails
from teams.inviting import link_codes
from teams.mail import composing, outbox, server, templates
from teams.mail.kinds import TeamMail
from teams.meetings import calendars, planning
from teams.models import (
    Academy,
    Event,
    FormerContact,
    Institution,
    Invitation,
    Membership,
    Notice,
    Participation,
    PlannedMeeting,
    ResearcherInvitation,
    ResearchGroup,
    Role,
    SignInMail,
    Study,
    Team,
    User,
)
from teams.text.directions import END, FIRST_STRONG, STEERING, runs_right_to_left, without_steering
from teams.text.glyphs import without_controls
from tests.nasty import HALF, NASTY, NUL

pytestmark = pytest.mark.django_db

TO = "lena@noord.example"
EVERYTHING = {**NASTY, "NUL": NUL, "half a sign": HALF}
each = pytest.mark.parametrize("words", EVERYTHING.values(), ids=EVERYTHING)
each_stored = pytest.mark.parametrize("words", NASTY.values(), ids=NASTY)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def visible(text: str) -> str:
    """A text as people read it: without breaks and signs that nobody sees."""
    return " ".join(without_steering(without_controls(" ".join(text.split()))).split())


def handed_over(mail_: composing.Mail) -> email.message.EmailMessage:
    """The mail as the server gets it, read by the standard library; its lines are those of RFC 5322."""
    raw = server.email_of(mail_, "<1@noord.example>", get_connection()).message().as_bytes(linesep="\r\n")
    assert b"\0" not in raw
    for line in raw.split(b"\r\n"):
        assert len(line) <= 998
        assert b"\r" not in line
        assert b"\n" not in line
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(read, email.message.EmailMessage)
    assert not read.defects
    assert read["To"] == TO
    known = {
        "Subject",
        "From",
        "To",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Reply-To",
    }
    assert set(read.keys()) <= known | {"List-Unsubscribe", "List-Unsubscribe-Post", "Content-Transfer-Encoding"}
    return read


def shows(read: email.message.EmailMessage, words: str, *, subject: bool = True) -> None:
    """The mail says these words in its subject, its text and its HTML; and nothing in them steers what reads it."""
    said = visible(words)
    if subject:
        assert said in visible(str(read["Subject"]))
        assert not any(ord(sign) < 32 for sign in str(read["Subject"]))
    texts = [read.get_body(("plain",)).get_content(), page := _Words()]
    page.feed(read.get_body(("html",)).get_content())
    texts[1] = " ".join(page.words)
    assert page.tags <= {"html", "head", "meta", "title", "body", "p", "br", "a", "div", "table", "tr", "td", "style"}
    for text in [*texts, str(read["Subject"])]:
        assert not set(text) & (STEERING - {FIRST_STRONG, END})
        isolates_end(text)
    for text in texts:
        assert said.replace(" ", "") in visible(text).replace(" ", "")
        if runs_right_to_left(said):
            assert f"{FIRST_STRONG}{said}" in " ".join(text.split())


def isolates_end(text: str) -> None:
    """Each isolate ends, on its own line, and none lies in another."""
    for line in text.splitlines():
        assert re.fullmatch(
            f"[^{FIRST_STRONG}{END}]*({FIRST_STRONG}[^{FIRST_STRONG}{END}]*{END}[^{FIRST_STRONG}{END}]*)*", line
        )


@each
def test_every_letter_of_a_study_goes_whatever_people_wrote(study: Study, words: str) -> None:
    study.title = study.controller = study.contact_name = study.privacy_contact = words
    for kind, letter in templates.LETTERS.items():
        values = dict.fromkeys(letter.fields, words) | {"link": composing.absolute("/x")}
        stop = composing.absolute("/stop") if letter.reminder else ""
        body = "{study}\n\n" + "\n".join(f"{{{name}}}" for name in letter.known)
        own = templates.Wording("{study}: {contact}", body, own=True)
        for how in (None, own):
            made = templates.write(kind, study, "nl", TO, values, stop=stop, words=how)
            shows(handed_over(made), words, subject=how is own)


@each_stored
def test_mails_of_the_program_go_whatever_people_wrote(
    study: Study, roos: User, nursing: Participation, words: str
) -> None:
    Study.objects.update(title=words[:120])
    ResearchGroup.objects.update(name=words[:160])
    Team.objects.update(name=words[:160])
    User.objects.update(name=words[:120])
    former = FormerContact.objects.create(
        study=study, participation=nursing, part="leader", changer="researcher", name=words[:120], email=TO, by=roos
    )
    Participation.objects.update(state="accepted", mode="contact", approached=8, leader_email=TO)
    User.objects.update(email=TO)
    member = Membership.objects.get(user=roos)
    asked = ResearcherInvitation.objects.create(
        group=study.group, study=study, name=words[:120], email=TO, invited_by=roos, nonce=links.new_nonce()
    )
    new = User.objects.create_user("new@noord.example", name=words[:120])
    event = Event.objects.create(study=study, kind="researcher_added", detail=new.email, by=roos)
    invitation = Invitation.objects.get(participation=nursing)
    assert link_codes.ask(invitation)
    said = {
        "teams.researcher_added": Role.objects.get(study=study).pk,
        "teams.retention_over": Role.objects.get(study=study).pk,
        "teams.former_contact": former.pk,
        "teams.leader_let_in": nursing.pk,
        "teams.wave_handed_over": nursing.pk,
        "teams.member_added": member.pk,
        "teams.researcher_asked": asked.pk,
        "teams.researcher_joined": Notice.objects.create(event=event, user=roos).pk,
        "teams.link_code": invitation.pk,
    }
    kinds = {kind.rpartition(".")[2]: kind for kind in outbox._renderers}
    for name, pk in said.items():
        made = outbox._renderers[kinds[name.rpartition(".")[2]]](pk, "nl")
        assert made is not None, name
        shows(handed_over(made), words[:120])


@each
def test_a_mail_of_sign_in_goes_whatever_the_request_held(words: str) -> None:
    """Only an address of the product and a code of ours stand in it; a session that holds something else changes neither."""
    sign_in_mails.ask(sign_in_mails.CODE, TO, {"code": words.replace(HALF[1], ""), "user": words}, "nl")
    made = outbox._renderers[TeamMail.SIGN_IN](SignInMail.objects.get().pk, "nl")
    assert made is not None
    read = handed_over(made)
    assert str(read["Subject"]) == "Teamspiegel: je inlogcode"
    shows(read, sign_in_mails.code_of(words.replace(HALF[1], "")), subject=False)


# ------------------------------------------------------------------------------------------------ calendars
def lines_of(content: bytes) -> list[tuple[str, str]]:
    """The unfolded lines of a calendar (RFC 5545, 3.1), each as name with parameters and value; strict."""
    assert content.endswith(b"\r\n")
    unfolded: list[bytes] = []
    for line in content.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no sign is cut in two
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line)
        if line.startswith(b" "):
            unfolded[-1] += line[1:]
        else:
            unfolded.append(line)
    parameters_read = []
    for line in unfolded:
        name, parameters, value = _LINE.fullmatch(line.decode()).groups()  # type: ignore[union-attr]
        parameters_read.append((name + parameters, value))
    return parameters_read


_LINE = re.compile(r"""([A-Z-]+)((?:;[A-Z-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)""", re.DOTALL)


def unescaped(value: str) -> str:
    assert not re.search(r"(?<!\\)(?:\\\\)*\\[^\\;,nN]", value)
    assert not re.search(r"(?<!\\)(?:\\\\)*[;]", value), "a bare semicolon"
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


@each_stored
def test_a_calendar_holds_what_people_wrote_and_no_line_of_theirs(
    study: Study, roos: User, nursing: Participation, words: str
) -> None:
    start = timezone.now() + timedelta(days=9)
    Participation.objects.update(state="accepted", mode="contact", approached=8, contact_name=words[:120])
    Participation.objects.update(contact_email=TO, leader_name=words[:120])
    planned = planning.begin(Participation.objects.get(pk=nursing.pk))
    assert planning.fix(planned, start, researcher=roos, by=roos)
    for model, fields in {
        Study: {"title": 120, "contact_name": 120},
        Team: {"name": 160},
        Academy: {"name": 160},
        Institution: {"name": 160},
        User: {"name": 120},
        PlannedMeeting: {"room": 120},
    }.items():
        model.objects.update(**{name: words[:longest] for name, longest in fields.items()})
    planned = PlannedMeeting.objects.select_related(
        "participation__study", "participation__team__academy", "researcher"
    ).get()
    for attendee in planned.attendees.all():
        attendee.name = words[:120]
        attendee.save()
    plain = None
    for content in (
        calendars.invitation_file(planned, planned.attendees.all(), calendars.REQUEST),
        calendars.feed(roos),
    ):
        lines = lines_of(content)
        names = [name.partition(";")[0] for name, _value in lines]
        assert names.count("UID") == names.count("SUMMARY") == names.count("DESCRIPTION") == 1
        assert set(names) <= KNOWN
        (summary,) = [unescaped(value) for name, value in lines if name == "SUMMARY"]
        (place,) = [unescaped(value) for name, value in lines if name == "LOCATION"]
        (about,) = [unescaped(value) for name, value in lines if name == "DESCRIPTION"]
        for text, longest in ((summary, 160), (place, 120), (about, 120)):
            assert visible(words[:longest]) in visible(text)
            assert not set(text) & (STEERING - {FIRST_STRONG, END})
            isolates_end(text)
        assert len(about.splitlines()) == 4
        (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
        assert str(event["summary"]) == summary
        plain = plain or [name for name, _value in lines if name.startswith(("ATTENDEE", "ORGANIZER"))]
    assert plain


KNOWN = {"BEGIN", "END", "VERSION", "PRODID", "CALSCALE", "METHOD", "UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND"} | {
    "STATUS", "SUMMARY", "LOCATION", "DESCRIPTION", "ORGANIZER", "ATTENDEE", "TRANSP", "X-WR-CALNAME", "REFRESH-INTERVAL",
    "TZID", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME", "RRULE", "RDATE", "COMMENT",
}  # fmt: skip
