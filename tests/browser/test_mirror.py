"""The mirror in the meeting: closed in a browser, sealed and computed by the worker, shown as a talk on that screen."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from scripts.setup import ROOT
from tests.browser.conftest import Stack
from tests.browser.people import Axe, Person

N_TEACHERS = 40
SECONDS = 60  # after closing, on SQLite: what the page promises
SEED = f"""
import datetime, json, secrets
from analysis.plan.plans import lock_plan
from surveys.collecting import collections
from surveys.linking import personal_links as links
from surveys.models import Response, Survey
from surveys.questionnaires import publishing as questionnaires
from teams.models import Academy, Institution, Participation, ResearchGroup, Study, Team, User
group, _new = ResearchGroup.objects.get_or_create(name="Spiegel")
version = questionnaires.install_shipped(group)[0]
definition = questionnaires.definition_of(version)
items = [item.code for scale in definition.scales for item in scale.items]
day = datetime.date(2026, 9, 1)
institution, _new = Institution.objects.get_or_create(group=group, name="Hogeschool Zuid")
academy, _new = Academy.objects.get_or_create(institution=institution, name="Zorg", defaults=dict(
    sector="health", director_name="Dirk Jansen", director_email="dirk@zuid.example"))
n = Study.objects.count()
study = Study.objects.create(group=group, slug=f"mirror-{{n}}", title="Samen leren in teams", starts_on=day,
    ends_on=datetime.date(2027, 6, 30), controller="Hogeschool Zuid", privacy_contact="privacy@zuid.example",
    contact_name="Roos de Wit", contact_email="roos@zuid.example")
survey = Survey.objects.create(study=study, version=version)
collections.begin(survey, lock_plan(study, None).content_hash, mirror=True)
researcher = User.objects.create_user(f"roos{{n}}@zuid.example", None, name="Roos de Wit")
made = []
for name, size in (("Verpleegkunde", {N_TEACHERS}), ("Mondzorg", 4)):
    team = Team.objects.create(academy=academy, name=f"{{name}} {{n}}", leader_name="Lena Bos", leader_email="lena@zuid.example")
    participation = Participation.objects.create(study=study, team=team, state="accepted", mode="researcher",
        approached=size + 2, leader_name="Lena Bos", leader_email=f"lena{{n}}-{{size}}@zuid.example")
    collection = collections.open_collection(participation)
    for person in range(size):
        answers = {{item: (person * (place % 5 + 2) + place) % 4 + 1 for place, item in enumerate(items)}}
        Response.objects.create(key=secrets.token_urlsafe(32), collection=collection, state="submitted",
            eligibility=sorted(definition.eligible_codes)[0], answers=answers)
    collections.set_present(collection.meeting, size, by=researcher)
    made.append("/" + links.facilitator_url(collection.meeting).split("/", 3)[3])
print("seeded:", json.dumps(made))
"""


@pytest.fixture(scope="module")
def teams(stack: Stack) -> list[str]:
    """Facilitators' paths of a team that is large enough, and of one that is not."""
    env = {**os.environ, "TEAMSPIEGEL_VAR": str(stack.var), "BASE_URL": stack.url, "DEMO_REAL_STUDIES": "1"}
    env["DJANGO_SETTINGS_MODULE"] = "config.settings"
    env.pop("DATABASE_URL", None)
    command = [sys.executable, "manage.py", "shell", "-c", SEED]
    out = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert "seeded:" in out.stdout, out.stderr
    return list(json.loads(out.stdout.split("seeded:")[1]))


@pytest.fixture
def faults() -> Iterator[list[str]]:
    found: list[str] = []
    yield found
    assert not found, "\n\n".join(found)


def closed(person: Person, path: str) -> str:
    """Open the page of a meeting and close it for the team's figures. The address of these."""
    person.page.goto(path)
    person.look()
    person.press("form[action$=show]")
    return person.page.url


def test_a_team_sees_itself_within_a_minute_and_in_that_browser_alone(
    browser: Browser, stack: Stack, axe: Axe, faults: list[str], teams: list[str]
) -> None:
    leading, other = (Person(browser, stack, axe, faults) for _screen in range(2))
    other.page.goto(teams[0])
    began = time.monotonic()
    address = closed(leading, teams[0])
    assert "screen=" not in address, "the ticket has left the address"
    leading.look()
    expect(leading.page.locator("[data-talk]")).to_be_visible(timeout=SECONDS * 1000)
    seconds = time.monotonic() - began
    print(f"{N_TEACHERS} teachers: figures on the screen {seconds:.1f} s after closing")
    assert seconds < SECONDS
    for _screen in range(3):
        leading.look()
        leading.page.keyboard.press("ArrowRight")
    other.look(address)
    expect(other.page.locator("[data-talk]")).to_have_count(0)
    leading.look(teams[0])
    leading.follow("main a[href$=picture]")
    expect(leading.page.locator("[data-talk]")).to_be_visible()
    for person in (leading, other):
        person.leave()


def test_a_team_that_is_too_small_reads_the_subjects(
    browser: Browser, stack: Stack, axe: Axe, faults: list[str], teams: list[str]
) -> None:
    leading = Person(browser, stack, axe, faults)
    closed(leading, teams[1])
    expect(leading.page.locator("main li strong").first).to_be_visible(timeout=SECONDS * 1000)
    expect(leading.page.locator("[data-talk]")).to_have_count(0)
    leading.look()
    leading.leave()
