"""Languages stand in the settings, and a third one is asked, answered, mailed and reported on; what lacks a translation is English."""

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import yaml
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.conf import settings as of_site
from django.core import mail as sent_mail
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from analysis.models import AnalysisRun
from analysis.reports.pdf import team_pdf
from analysis.reports.team import team_report
from analysis.runs.execution import execute, request_run
from scripts import messages
from scripts.setup import ROOT
from surveys.answering import limits
from surveys.collecting import collections
from surveys.models import Questionnaire, Response, Survey
from surveys.questionnaires.publishing import import_questionnaire, shipped
from teams.inviting import invitations
from teams.mail import outbox
from teams.models import Participation, User
from teams.studies.setting_up import let_work
from tests.analysis import builders
from tests.groups import a_group
from tests.surveys.conftest import make_participation, make_study
from tests.surveys.teacher import all_answers, begin, page_of, post

CODES = tuple(code for code, _name in of_site.LANGUAGES)
#: Modules that may name a language, and why.
MAY_NAME = {
    "config/settings.py": "here they are named",
    "scripts/messages.py": "how people are not spoken to is a rule of Dutch",
    "scripts/pictures.py": "the browser that takes the pictures is a Dutch one",
    "teams/contacts/duplicates.py": "small words of Dutch names, such as “en”",
}
IN_TEMPLATES = re.compile(rf"""["'](?:{"|".join(CODES)})["']|language=(?:{"|".join(CODES)})\b""")


NAMES = re.compile(rf"(?:{'|'.join(CODES)})(?:[-_][A-Z]{{2}})?|\w+_(?:{'|'.join(CODES)})")  # nl, nl-NL, title_nl


def named_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        said = node.value if isinstance(node, ast.Constant) else node.attr if isinstance(node, ast.Attribute) else ""
        said = node.id if isinstance(node, ast.Name) else said
        if isinstance(said, str) and NAMES.fullmatch(said):
            yield said


def test_only_the_settings_name_languages() -> None:
    modules = [
        path for app in ("config", "teams", "surveys", "analysis", "scripts") for path in (ROOT / app).rglob("*.py")
    ]
    naming = {
        str(path.relative_to(ROOT)): said
        for path in modules
        if "migrations" not in path.parts and (said := sorted(set(named_in(path))))
    }
    assert naming.keys() - MAY_NAME.keys() == set(), f"ask teams/models/languages.py instead of naming them: {naming}"
    assert MAY_NAME.keys() - naming.keys() == set(), "these name none any more: take them off the list"
    pages = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static" / "js").rglob("*.js")]
    assert [str(path) for path in pages if IN_TEMPLATES.search(path.read_text())] == []


# ------------------------------------------------------------------------------------------------ a third one
TRANSLATED = {
    "Hand in": "Ynleverje",
    "Invitation: {study}": "Utnoeging: {study}",
    "What stands out": "Wat opfalt",
}


pytestmark = pytest.mark.django_db


@pytest.fixture
def frisian(settings: Any, tmp_path: Path) -> str:
    """Frisian, with a handful of translations and gaps for all the rest, in the settings and nowhere else."""
    catalog = Catalog(locale="fy", domain="django", fuzzy=False)
    for message in messages.collect():
        if message.id:
            text = message.id if isinstance(message.id, str) else message.id[0]
            catalog.add(message.id, TRANSLATED.get(text), context=message.context)
    folder = tmp_path / "fy" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, messages.in_full(catalog))
    settings.LOCALE_PATHS = [str(tmp_path), *settings.LOCALE_PATHS]
    settings.LANGUAGES = [*settings.LANGUAGES, ("fy", "Frisian")]
    return "fy"


def also_in_frisian(part: Any) -> Any:
    """A questionnaire with a Frisian text beside every English one."""
    if isinstance(part, dict) and "en" in part and isinstance(part["en"], str):
        return part | {"fy": f"Frysk: {part['en']}"}
    if isinstance(part, dict):
        return {name: [*value, "fy"] if name == "languages" else also_in_frisian(value) for name, value in part.items()}
    return [also_in_frisian(one) for one in part] if isinstance(part, list) else part


def test_it_is_asked_and_answered(frisian: str) -> None:
    study = make_study(language=frisian)
    content = also_in_frisian(yaml.safe_load(shipped("collective-learning")))
    _questionnaire, version = import_questionnaire(yaml.safe_dump(content, allow_unicode=True), a_group())
    survey = Survey.objects.create(study=study, version=version)
    make_participation(study, "Verpleegkunde", Participation.Mode.RESEARCHER)
    collections.open_survey(survey, "f" * 64)
    meeting = survey.collections.get().meeting
    limits.forget()
    teacher = Client(enforce_csrf_checks=True)
    welcome = teacher.get(reverse("meeting_welcome", args=[meeting.code])).content.decode()
    assert '<a href="?language=fy" lang="fy" hreflang="fy">Frysk</a>' in welcome
    teacher.cookies[of_site.LANGUAGE_COOKIE_NAME] = frisian
    key = begin(teacher, meeting)
    page = teacher.get(page_of(teacher)).content.decode()
    assert '<html lang="fy">' in page
    assert "Frysk: We agree on what matters most" in page
    assert "Ynleverje" in page, "translated"
    assert "Delete my answers" in page, "what has no translation is English, not the first language of the site"
    assert (
        post(teacher, "answer_submit", key=key, sequence=1, answers=all_answers(survey), eligibility="yes").status_code
        == 200
    )
    assert Response.objects.get().language == frisian


def test_a_new_questionnaire_has_a_place_for_it(frisian: str) -> None:
    study = make_study()
    roos = User.objects.create_user("roos@noord.example", name="Roos de Wit")
    let_work(study, roos)
    researcher = Client()
    researcher.force_login(roos)
    assert researcher.post(reverse("questionnaire_new"), {"code": "nij", "title_fy": "Nij"}).status_code == 302
    draft = Questionnaire.objects.get(code="nij").draft
    assert draft["languages"] == [*CODES, frisian]
    assert draft["options"][0]["text"] == {
        "nl": "helemaal mee oneens",
        "en": "strongly disagree",
        "fy": "strongly disagree",
    }
    page = researcher.get(reverse("study_settings", args=[study.slug])).content.decode()
    assert '<option value="fy">Frysk</option>' in page


def test_its_readers_are_mailed_in_it(frisian: str) -> None:
    study = make_study(language=frisian)
    team = make_participation(study, "Verpleegkunde", Participation.Mode.RESEARCHER).team
    wave = make_study("later", language=frisian)
    invitations.list_team(wave, team)
    invitations.invite_directors(wave)
    assert outbox.send_due() == 1
    (sent,) = sent_mail.outbox
    assert sent.subject == "Utnoeging: Learning in teams"
    assert "Dear Dirk Jansen" in sent.body


def test_it_is_reported_in(frisian: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builders, "QUESTIONNAIRE", builders.QUESTIONNAIRE.replace("languages: [en]", "languages: [fy]"))
    study = builders.make_study()
    teams = builders.three_teams(study)
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    with override(frisian):
        printed = team_pdf(team_report(AnalysisRun.objects.get(pk=run.pk), teams[0], frisian))
    with pikepdf.open(io.BytesIO(printed)) as pdf:
        assert str(pdf.Root.Lang) == frisian
