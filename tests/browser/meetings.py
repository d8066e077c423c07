"""Meetings to answer in, each of a study of its own, and what a teacher does on the questionnaire."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from scripts.setup import ROOT

N_STUDIES = 48
SEED = f"""
import datetime, json
from surveys.collecting import collections
from surveys.linking import personal_links as links
from surveys.questionnaires import publishing as questionnaires
from surveys.models import Survey
from teams.models import Academy, Institution, Participation, ResearchGroup, Study, Team
start = Study.objects.count()
group, _new = ResearchGroup.objects.get_or_create(name="Zuid")
version = questionnaires.install_shipped(group)[0]
day = datetime.date(2026, 9, 1)
institution, _new = Institution.objects.get_or_create(group=group, name="Hogeschool Zuid")
academy, _new = Academy.objects.get_or_create(institution=institution, name="Zorg", defaults=dict(
    sector="health", director_name="Dirk Jansen", director_email="dirk@zuid.example"))
found = []
for n in range({N_STUDIES}):
    study = Study.objects.create(group=group, slug=f"answering-{{start + n}}", title="Learning in teams", starts_on=day, ends_on=day,
        controller="Hogeschool Zuid", privacy_contact="privacy@zuid.example", contact_name="Roos de Wit",
        contact_email="roos@zuid.example")
    team = Team.objects.create(academy=academy, name=f"Verpleegkunde {{start + n}}", leader_name="Lena Bos",
        leader_email="lena@zuid.example")
    Participation.objects.create(study=study, team=team, state="accepted", mode="researcher", approached=20)
    survey = Survey.objects.create(study=study, version=version,
        background=list(questionnaires.definition_of(version).background_codes))
    collections.open_survey(survey, "0" * 64)
    collection = survey.collections.get()
    links.issue_links(collection, [f"teacher{{n}}@zuid.example"])
    path = lambda url: "/" + url.split("/", 3)[3]
    found.append([collection.meeting.code, path(links.facilitator_url(collection.meeting)),
                  path(links.personal_url(collection.invitees.get()))])
print("seeded:", json.dumps(found))
"""
QUESTIONS = re.compile(r"/a/[\w-]{16}/($|[?#])")
SCALES = range(2, 8)
LAST = 9


def open_meetings(url: str, var: Path) -> list[tuple[str, str, str]]:
    """Open meetings in the running product: code, facilitator's path, path of a personal link."""
    return [tuple(entry) for entry in json.loads(in_product(url, var, SEED).split("seeded:")[1])]


def in_product(url: str, var: Path, code: str) -> str:
    """What some code prints, run with the settings and the database of the running product."""
    env = {**os.environ, "TEAMSPIEGEL_VAR": str(var), "BASE_URL": url}
    env["DEMO_REAL_STUDIES"] = "1"
    env["DJANGO_SETTINGS_MODULE"] = "config.settings"
    env.pop("DATABASE_URL", None)
    out = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", code], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    return out.stdout


def begin(page: Page, code: str) -> str:
    """The address of the questions that were begun."""
    page.goto(f"/a/{code}")
    page.locator("[name=consent]").check()
    page.locator("form.start button").click()
    page.wait_for_url(QUESTIONS)
    return page.url


def onward(page: Page) -> None:
    page.locator(".step.now [value=next]").click()


def choose(page: Page, nth: int = 2) -> None:
    """The nth choice of every question on this step."""
    for question in page.locator(".step.now fieldset").all():
        question.locator("label").nth(nth).click()


def eligible(page: Page) -> None:
    page.locator("label:has([name=eligibility][value=yes])").click()
    onward(page)


def here(page: Page) -> int:
    return int(page.locator(".step.now").get_attribute("id")[1:])


def checked(page: Page, n: int | None = None) -> dict[str, str]:
    """The chosen answers; with ``n`` once there are so many: a page that was just loaded asks the device for its draft."""
    if n is not None:
        expect(page.locator("fieldset :checked")).to_have_count(n)
    script = "Object.fromEntries([...document.querySelectorAll('fieldset :checked')].map((i) => [i.name, i.value]))"
    return page.evaluate(script)


def saves_of(page: Page) -> list[str]:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    return asked
