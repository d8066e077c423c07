"""What a deletion means, in words, before it is done: what goes, and what stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Model
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from analysis.erasure.studies import aftermath, n_rows
from analysis.models import AnalysisRun, EarlyPicture, LookBackStep, Publication
from analysis.models.readers import ReportFile, ReportLink, TeamGoal
from analysis.models.releases import PreparedFile, RowRelease
from surveys.models import Invitee, Response, SealedResponse
from teams.models import Event, Invitation, OutboxMessage, Participation, PlannedMeeting, Role, Study, Team
from teams.studies.retention import is_over, promised_until
from teams.text.directions import isolated

OF_TABLES: dict[type[Model], Any] = {
    Response: ngettext_lazy("the answers of %(n)s teacher", "the answers of %(n)s teachers", "n"),
    Participation: ngettext_lazy(
        "the invitation and the counts of %(n)s team", "the invitations and the counts of %(n)s teams", "n"
    ),
    Invitee: ngettext_lazy(
        "%(n)s email address that got a personal link", "%(n)s email addresses that got a personal link", "n"
    ),
    AnalysisRun: ngettext_lazy("%(n)s analysis with its results", "%(n)s analyses with their results", "n"),
    Publication: ngettext_lazy("%(n)s publication", "%(n)s publications", "n"),
    ReportFile: ngettext_lazy("%(n)s report as a PDF", "%(n)s reports as PDFs", "n"),
    ReportLink: ngettext_lazy(
        "%(n)s link to a report: it will no longer work", "%(n)s links to reports: they will no longer work", "n"
    ),
    TeamGoal: ngettext_lazy("%(n)s target that a team wrote down", "%(n)s targets that teams wrote down", "n"),
    LookBackStep: ngettext_lazy(
        "%(n)s agreed step of a team that looked back", "%(n)s agreed steps of teams that looked back", "n"
    ),
    RowRelease: ngettext_lazy("%(n)s line in the register of exports", "%(n)s lines in the register of exports", "n"),
    PreparedFile: ngettext_lazy("%(n)s prepared file", "%(n)s prepared files", "n"),
    OutboxMessage: ngettext_lazy("%(n)s line in the list of emails", "%(n)s lines in the list of emails", "n"),
    PlannedMeeting: ngettext_lazy("%(n)s planned meeting", "%(n)s planned meetings", "n"),
    Event: ngettext_lazy("%(n)s line of the history", "%(n)s lines of the history", "n"),
}
OF_AFTERMATH = {
    "academies": ngettext_lazy(
        "%(n)s academy with its director's name and address, which no other study uses",
        "%(n)s academies with their directors' names and addresses, which no other study uses",
        "n",
    ),
    "teams": ngettext_lazy(
        "%(n)s team with its leader's name and address, which no other study uses",
        "%(n)s teams with their leaders' names and addresses, which no other study uses",
        "n",
    ),
    "users": ngettext_lazy(
        "%(n)s account of a leader who leads no team in another study",
        "%(n)s accounts of leaders who lead no team in another study",
        "n",
    ),
}


def goes(study: Study) -> list[str]:
    """What is deleted with a study, counted."""
    return list(_goes(study))


def _goes(study: Study) -> Iterator[str]:
    rows, after = n_rows(study), aftermath(study)
    rows[Response] += rows[SealedResponse]
    for model, words in OF_TABLES.items():
        if n := rows[model]:
            yield words % {"n": n}
    for name, words in OF_AFTERMATH.items():
        if n := len(after[name]):
            yield words % {"n": n}
    yield _("its settings, plan, decisions, notes, and its own texts for emails and meetings")


def stays(study: Study) -> list[str]:
    """What is kept although a study is deleted, and where."""
    return list(_stays(study))


def _stays(study: Study) -> Iterator[str]:
    after = aftermath(study)
    teams = Team.objects.filter(participations__study=study).exclude(pk__in=after["teams"]).distinct().count()
    if teams:
        yield ngettext(
            "%(n)s team with its academy and its leader's name and address, since another study uses it",
            "%(n)s teams with their academies and their leaders' names and addresses, since other studies use them",
            teams,
        ) % {"n": teams}
    researchers = Role.objects.filter(study=study, kind=Role.Kind.RESEARCHER).count()
    if researchers:
        yield ngettext("the account of %(n)s researcher", "the accounts of %(n)s researchers", researchers) % {
            "n": researchers
        }
    yield _("the questionnaire and its versions, which do not belong to a study")
    later = Study.objects.filter(previous=study).first()
    if later is not None:
        yield _("the study “%(title)s”, the wave after this one: it can no longer be compared with this wave") % {
            "title": isolated(later.title)
        }
    yield _(
        "one line in the register of deleted studies, without a name: a number, days, and how many teams and answers there were"
    )
    yield _("what people downloaded, printed or received by email: ask those who have it to delete it")
    yield _(
        "backups of the server, for at most 30 days: a list kept beside the database deletes the study again if one "
        "is restored"
    )


def warnings(study: Study) -> list[str]:
    """What speaks against deleting this study now, if anything."""
    return list(_warnings(study, promised_until(study)))


def _warnings(study: Study, until: date) -> Iterator[str]:
    if not is_over(study):
        yield _("The answers may be kept until %(date)s: the promised time is not over yet.") % {
            "date": date_format(until)
        }
    if Publication.objects.filter(study=study).exists():
        yield _("Reports are published. Leaders, teams and directors can no longer open them.")
    if EarlyPicture.objects.filter(study=study, state=EarlyPicture.State.SHOWN).exists():
        yield _("Teams saw their own figures in their meeting. They and their leaders can no longer open them.")
    unfinished = (AnalysisRun.State.QUEUED, AnalysisRun.State.RUNNING)
    if AnalysisRun.objects.filter(survey__study=study, state__in=unfinished).exists():
        yield _("An analysis is running. It will be cancelled.")
    n_queued = OutboxMessage.objects.filter(study=study, state=OutboxMessage.State.QUEUED).count()
    if n_queued:
        yield ngettext(
            "%(n)s email is waiting to be sent. It will not be sent.",
            "%(n)s emails are waiting to be sent. They will not be sent.",
            n_queued,
        ) % {"n": n_queued}
    n_open = Invitation.objects.filter(study=study, state=Invitation.State.SENT).count()
    if n_open:
        yield ngettext(
            "%(n)s invitation has not been answered yet. Its link will no longer work.",
            "%(n)s invitations have not been answered yet. Their links will no longer work.",
            n_open,
        ) % {"n": n_open}
