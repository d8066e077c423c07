"""Studies that are not the demo: every page that can be reached from the board opens, and says nothing that looks broken.

A person follows the links of each page; so does this test, in each odd study, as its researcher and as a leader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from importlib import import_module
from urllib.parse import urljoin, urlsplit

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis.data.import_file import read_answers
from analysis.data.imports import import_answers, seal
from analysis.models import AnalysisRun
from analysis.publication.publishing import publish
from analysis.runs.execution import execute, request_run
from surveys.models import Survey
from surveys.questionnaires.publishing import definition_of
from teams.files.tables import read_table
from teams.models import Participation, Study, User
from tests.access.test_words_apart import renamed, turned
from tests.analysis import builders

pytestmark = pytest.mark.django_db

#: pages that lead out of a study, or end something
LEFT_OUT = re.compile(
    r"^/(accounts|language|static|dev|admin|$)|\.(csv|xlsx|json|xml|pdf|zip|ics|svg|png)$|/export/.*/(csv|sav|r|mplus)"
)
#: what nobody should read: numbers below nothing, counts in the wrong number, values of the program
BROKEN = re.compile(
    r"[-−]0[.,]0+(?!\d)|\b1 (teams|answers|people|teachers|academies|rows|studies|days|links|mails|forms|respondents|responses|questions|reports)\b|\b1 (antwoorden|mensen|docenten|academies|rijen|onderzoeken|dagen|formulieren|respondenten|vragen|rapporten)\b|\b(nan|None|inf)\b|%\(|\{\{|\}\}"
)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        of = dict(attributes)
        if tag == "a" and (href := of.get("href")):
            self.links.append(href)
        self._silent += tag in ("script", "style", "svg", "textarea")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "svg", "textarea")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def listed(study: Study) -> None:
    """Invitations for teams that the builders wrote straight into the tables, as the migration made them."""
    import_module("teams.migrations.0031_invitations_of_imported_teams").list_them(apps, None)
    assert not study.participations.filter(invitation=None).exists()


def crawl(client: Client, *starts: str) -> dict[str, str]:
    """Every page that can be reached by links from these, with what it says. Fails at the first that does not open."""
    waiting, seen = list(starts), dict[str, str]()
    while waiting:
        address = waiting.pop(0)
        path = urlsplit(address).path
        if path in seen or LEFT_OUT.search(path):
            continue
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, f"{address}: {answer.status_code}"
        if "html" not in answer.headers["Content-Type"]:
            seen[path] = ""
            continue
        page = _Page()
        page.feed(answer.content.decode())
        assert turned(answer.content.decode()) == [], address
        seen[path] = " ".join(" ".join(page.words).split())
        waiting += [
            urljoin(path, href) for href in page.links if not urlsplit(href).netloc and not href.startswith("mailto:")
        ]
    return seen


# ------------------------------------------------------------------------------------------------ the odd studies
def new(slug: str) -> Study:
    """Made a moment ago; its only researcher is who made it."""
    study = builders.make_study(slug)
    study.plans.all().delete()
    Survey.objects.filter(study=study).delete()
    return study


def without_teams(slug: str) -> Study:
    return builders.make_study(slug)


def analysed(study: Study, *, shown: bool = True) -> AnalysisRun:
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    run.refresh_from_db()
    if shown:
        publish(run, None)
    return run


def one_team(slug: str) -> Study:
    study = builders.make_study(slug)
    builders.seal(builders.make_team(study, "Only"), [builders.answers(1 + n % 4, 1 + n % 3, 2) for n in range(7)])
    analysed(study)
    return study


def one_respondent(slug: str) -> Study:
    study = builders.make_study(slug)
    builders.seal(builders.make_team(study, "Alone", approached=1), [builders.answers(1, 2, 3, 4)])
    analysed(study, shown=False)
    return study


def all_withheld(slug: str) -> Study:
    study = builders.make_study(slug)
    for name in ("Few", "Fewer"):
        builders.seal(builders.make_team(study, name), [builders.answers(1 + n, 2, 3) for n in range(3)])
    analysed(study)
    return study


def without_figures(slug: str) -> Study:
    """A team of which nothing came in beside two that did; and everybody gave the same answer."""
    study = builders.make_study(slug)
    builders.seal(builders.make_team(study, "Silent"), [])
    builders.seal(builders.make_team(study, "Alike"), [builders.answers(2)] * 6)
    builders.seal(builders.make_team(study, "Alike too"), [builders.answers(2)] * 6)
    analysed(study)
    return study


def cancelled(slug: str) -> Study:
    study = builders.make_study(slug)
    builders.three_teams(study)
    run = request_run(Survey.objects.get(study=study))
    AnalysisRun.objects.filter(pk=run.pk).update(state=AnalysisRun.State.CANCELLED)
    return study


def withdrawn(slug: str) -> Study:
    study = builders.make_study(slug)
    teams = builders.three_teams(study)
    analysed(study)
    Participation.objects.filter(pk=teams[0].pk).update(state=Participation.State.WITHDRAWN)
    return study


def long_over(slug: str) -> Study:
    study = builders.make_study(slug)
    builders.three_teams(study)
    analysed(study)
    ended = timezone.localdate() - timedelta(days=4000)
    Study.objects.filter(pk=study.pk).update(starts_on=ended - timedelta(days=90), ends_on=ended)
    return study


def imported(slug: str, before: Study | None = None) -> Study:
    """Answers from a file: teams that nobody invited, led by nobody who has an account."""
    study = builders.make_study(slug)
    study.plans.all().delete()
    Survey.objects.filter(study=study).update(plan_hash="", opened_at=None)
    if before is not None:
        Study.objects.filter(pk=study.pk).update(previous=before, wave=2)
    survey = Survey.objects.select_related("study", "version").get(study=study)
    header = ["team", *builders.ITEMS]
    rows = [
        [team, *(1 + (n * (item + 2) + number) % 4 for item in range(9))]
        for number, team in enumerate(("North", "South", "West", "East"))
        for n in range(8)
    ]
    text = "\n".join(",".join(map(str, row)) for row in [header, *rows])
    imported = read_answers(read_table(text.encode(), "answers.csv"), definition_of(survey.version), [], "team")
    seal(import_answers(survey, imported, None))
    analysed(study)
    return study


def two_imported_waves(slug: str) -> Study:
    return imported(f"{slug}-2", imported(slug))


def written_otherwise(slug: str) -> Study:
    """Everything that has a name has one that is written from right to left, some with signs that steer."""
    study = builders.make_study(slug)
    builders.three_teams(study)
    analysed(study)
    renamed()
    return Study.objects.get(pk=study.pk)


ODD = (
    written_otherwise,
    new,
    without_teams,
    one_team,
    one_respondent,
    all_withheld,
    without_figures,
    cancelled,
    withdrawn,
    long_over,
    imported,
    two_imported_waves,
)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
def test_every_page_of_an_odd_study_opens(odd: Callable[[str], Study]):
    study = odd("odd")
    listed(study)
    client = Client()
    client.force_login(builders.make_researcher(study))
    pages = crawl(client, reverse("board", args=[study.slug]))
    assert len(pages) > 15
    broken = {
        path: found for path, words in pages.items() if (found := BROKEN.findall(words) and BROKEN.search(words)[0])
    }
    assert not broken


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd not in (new, without_teams)], ids=lambda odd: odd.__name__)
def test_every_page_of_its_leader_opens(odd: Callable[[str], Study]):
    study = odd("odd")
    listed(study)
    participation = study.participations.exclude(state=Participation.State.WITHDRAWN).order_by("pk").first()
    assert participation is not None
    leader = User.objects.create_user("leader@university.example", name="Leader")
    leader.roles.create(kind="leader", participation=participation)
    client = Client()
    client.force_login(leader)
    pages = crawl(client, reverse("team", args=[participation.pk]))
    assert pages
    broken = {path: BROKEN.search(words)[0] for path, words in pages.items() if BROKEN.search(words)}
    assert not broken


@pytest.mark.data_layer
def test_the_migration_lists_teams_that_nobody_invited() -> None:
    study = builders.make_study("before")
    team = builders.make_team(study, "Nobody's")
    listed(study)
    listed(study)
    assert {
        (invitation.participation_id, invitation.academy_id, invitation.state) for invitation in study.invitations.all()
    } == {
        (team.pk, None, "listed"),
        (None, team.team.academy_id, "listed"),
    }
