"""What workers could not do: each chore that fails (teams/base/leases.py), in words for the researchers' board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext_lazy

from teams.base import leases
from teams.models import Job, Study, Team

#: For each chore a sentence with %(since)s, and %(n)s or %(names)s where it has many things.
WORDS: dict[str, str | Promise] = {
    "teams.mail_server": gettext_lazy(
        "The mail server has not answered since %(since)s: emails wait, and go out when it does. If it goes on, tell "
        "whoever looks after this site"
    ),
    "teams.reminders_lost": ngettext_lazy(
        "%(n)s reminder to the holder of a personal link has not arrived since %(since)s. It is not recorded whose "
        "it was",
        "%(n)s reminders to holders of personal links have not arrived since %(since)s. It is not recorded whose "
        "they were",
        "n",
    ),
    "teams.mailbox": gettext_lazy(
        "The mailbox for returned emails has been unreadable since %(since)s. Tell whoever looks after this site"
    ),
    "teams.read_bounce": ngettext_lazy(
        "%(n)s returned email has been unreadable since %(since)s: it stays unread in the mailbox, so look there",
        "%(n)s returned emails have been unreadable since %(since)s: they stay unread in the mailbox, so look there",
        "n",
    ),
    "surveys.seal": gettext_lazy(
        "The answers of %(names)s have not been sealed since %(since)s (%(error)s). It is retried automatically; if "
        "it goes on, tell whoever looks after this site"
    ),
    "surveys.open": gettext_lazy(
        "The questionnaire has not opened for %(names)s since %(since)s (%(error)s). It is retried automatically, or "
        "you can open it now under “Collecting”; if it goes on, tell whoever looks after this site"
    ),
    "surveys.look_at_key": gettext_lazy(
        "The key of %(names)s has been lost, or replaced by another, since %(since)s: no personal link and no slip "
        "works. Make a new key on the team's page under “Collecting”; it says what that means"
    ),
    "analysis.withdraw": gettext_lazy(
        "The answers of %(names)s, which withdrew, have not been deleted since %(since)s (%(error)s). It is retried "
        "automatically; if it goes on, tell whoever looks after this site"
    ),
}
#: Chores of which one sentence is enough: what cannot be done.
WHAT: dict[str, str | Promise] = {
    "surveys.send_round": gettext_lazy("to send a round of reminders"),
    "teams.schedule": gettext_lazy("to check who is due for a reminder"),
    "teams.remind": gettext_lazy("to remind a director or team leader"),
    "teams.tell_retention": gettext_lazy("to email that the answers may no longer be kept"),
    "analysis.look_back": gettext_lazy("to email a team that it is time to look back"),
    "analysis.request_run": gettext_lazy("to begin an analysis"),
    "analysis.outdated_files": gettext_lazy("to check whether the PDFs of the reports are still correct"),
    "analysis.delete_study": gettext_lazy("to delete a study"),
}
CANNOT = gettext_lazy(
    "This has not worked since %(since)s: %(what)s (%(error)s). It is retried automatically; if it goes on, tell "
    "whoever looks after this site"
)
WORDS |= dict.fromkeys(WHAT, CANNOT)
#: Where counts are attempts, each of them one thing that was lost.
COUNTED = ("teams.reminders_lost",)
#: Chores of collections: their teams are named.
OF_TEAMS = ("surveys.seal", "surveys.look_at_key", "analysis.withdraw")
#: Chores of teams that have no collection yet.
OF_PARTICIPATIONS = ("surveys.open",)
SHOWN_AT = {"teams.mail_server": "mail_messages", "analysis.request_run": "runs", "analysis.outdated_files": "publish"}


def troubles(study: Study) -> Iterator[tuple[str, str]]:
    """What does not succeed, of a study and of the site: a sentence, and the page where it shows."""
    of_kinds: dict[str, list[Job]] = defaultdict(list)
    for job in leases.in_trouble(study.pk):
        of_kinds[job.kind].append(job)
    for kind, jobs in of_kinds.items():
        values = {
            "n": sum(job.attempts for job in jobs) if kind in COUNTED else len(jobs),
            "since": date_format(timezone.localtime(min(job.since for job in jobs)), "j F, H:i"),
            "error": jobs[0].error,
            "what": WHAT.get(kind, ""),
            "names": _teams_of(kind, jobs),
        }
        yield WORDS[kind] % values, reverse(SHOWN_AT.get(kind, "collecting"), args=[study.slug])


def _teams_of(kind: str, jobs: list[Job]) -> str:
    if kind not in (*OF_TEAMS, *OF_PARTICIPATIONS):
        return ""
    keys = [int(job.key) for job in jobs]
    teams = Team.objects.order_by("name")
    if kind in OF_TEAMS:
        teams = teams.filter(participations__collection__in=keys)
    else:
        teams = teams.filter(participations__in=keys)
    return ", ".join(teams.values_list("name", flat=True)) or "–"
