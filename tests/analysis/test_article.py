"""The study of the article, played from the file of contacts to the board: every count is the article's.

42 teams of 8 institutions are invited. The director of one academy declines for its five teams because of a
reorganisation, one other team's leader declines; 36 teams take part, two of them part-time. Directors, leaders and the
researcher do on their pages what they would do; the answers are of a short questionnaire, since only their number counts.
"""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis.data.accounting import accounts
from analysis.demo import counts as fieldwork
from analysis.demo.people import INSTITUTIONS
from analysis.plan.plans import lock_plan
from analysis.results.response_tables import GROUPS, rows
from analysis.runs.execution import execute, request_run
from surveys.answering.submission import submit_many
from surveys.collecting.collections import close_collection, open_survey
from surveys.collecting.sealing import seal_many
from surveys.models import Collection, Survey
from surveys.questionnaires.publishing import import_questionnaire
from teams.contacts.cells import EXAMPLE
from teams.inviting.invitations import link_path
from teams.models import Institution, Invitation, OutboxMessage, Participation, Study, Team
from tests.analysis import builders
from tests.groups import a_group

pytestmark = pytest.mark.django_db

WAVE = fieldwork.MAIN_WAVE
ACADEMIES = [(institution, academy) for institution in INSTITUTIONS for academy in institution.academies]
CODES = {
    (institution.name, academy.name, team.programme, team.form.value): team.code
    for institution, academy in ACADEMIES
    for team in academy.teams
}


@pytest.fixture
def study() -> Study:
    today = timezone.localdate()
    return Study.objects.create(
        group=a_group(),
        slug="article",
        title="Collective learning",
        starts_on=today,
        ends_on=today + timedelta(days=60),
        grace_hours=0,
        controller="University",
        privacy_contact="privacy@university.example",
        contact_name="Researcher",
        contact_email="researcher@university.example",
    )


@pytest.fixture
def researcher(client: Client, study: Study) -> Client:
    client.force_login(builders.make_researcher(study))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def contacts_file() -> str:
    lines = [EXAMPLE[0]]
    for institution, academy in ACADEMIES:
        lines += [
            [
                *(institution.name, academy.name, academy.sector.value, academy.director.name, academy.director.email),
                *(team.programme, team.form.value, team.leader.name, team.leader.email),
            ]
            for team in academy.teams
        ]
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()


def by_link(invitation: Invitation) -> Client:
    client = Client()
    assert client.get(link_path(invitation)).status_code == 302
    return client


def code_of(team: Team) -> str:
    return CODES[team.academy.institution.name, team.academy.name, team.name, team.form]


def mailed(kind: str) -> int:
    return OutboxMessage.objects.filter(kind=kind).count()


def directors_answer(study: Study) -> None:
    no = {code for code, _team in WAVE.declined_academies.items()}
    codes = {(institution.name, academy.name): academy.code for institution, academy in ACADEMIES}
    for invitation in Invitation.objects.filter(study=study, academy__isnull=False).select_related(
        "academy__institution"
    ):
        page = reverse("invitation", args=[invitation.pk])
        if (code := codes[invitation.academy.institution.name, invitation.academy.name]) in no:
            refusal = WAVE.declined_academies[code]
            data = {"decline": "1", "decline-reason": refusal.reason.value, "decline-text": refusal.explanation}
        else:
            data = {"undertaking": "on"}
            for participation in Participation.objects.filter(
                study=study, team__academy=invitation.academy
            ).select_related("team"):
                data |= {f"ask_{participation.pk}": "on", f"name_{participation.pk}": participation.team.leader_name}
                data[f"email_{participation.pk}"] = participation.team.leader_email
        assert by_link(invitation).post(page, data).status_code == 302


def leaders_answer(study: Study) -> None:
    waiting = Invitation.objects.filter(study=study, participation__isnull=False, state="sent")
    for invitation in waiting.select_related("participation__team__academy__institution"):
        code = code_of(invitation.participation.team)
        if code in WAVE.declined_teams:
            refusal = WAVE.declined_teams[code]
            data = {"decline": "1", "decline-reason": refusal.reason.value, "decline-text": refusal.explanation}
        else:
            count = WAVE.counts[code]
            data = {"mode": count.mode.value, "approached": str(count.approached), "undertaking": "on"}
            if count.mode == fieldwork.Mode.CONTACT:
                data |= {"contact_name": "Cor", "contact_email": f"cor@{code.lower()}.example"}
        page = reverse("invitation", args=[invitation.pk])
        assert by_link(invitation).post(page, data).status_code == 302


def teachers_answer(collection: Collection, count: fieldwork.TeamCount) -> None:
    def given(number: int, unanswered: int = 0) -> dict[str, int]:
        values = [1 + (number + item) % 4 for item in range(len(builders.ITEMS))]
        return dict(list(zip(builders.ITEMS, values, strict=True))[unanswered:])

    answers = [{"answers": given(n), "eligibility": "yes"} for n in range(count.analysed)]
    answers += [{"answers": given(n), "eligibility": "no_other"} for n in range(count.not_eligible)]
    answers += [{"answers": given(n, 4), "eligibility": "yes"} for n in range(count.screened_out)]
    assert submit_many(collection, answers) == count.returned


def test_every_count_is_the_articles(researcher: Client, study: Study) -> None:
    # ---- the file of contacts: looked at, applied, and applied again to no effect
    page = reverse("contacts_import", args=[study.slug])
    content = contacts_file()
    looked_at = researcher.post(page, {"content": content}).context["preview"]
    assert (looked_at.counts["new"], looked_at.problems, Team.objects.count()) == (42, (), 0)
    assert researcher.post(page, {"content": content, "apply": "1"}).status_code == 302
    assert (Institution.objects.count(), Team.objects.count()) == (8, 42)
    again = researcher.post(page, {"content": content, "apply": "1"})
    assert again.context["preview"].counts == {"new": 0, "changed": 0, "unchanged": 42, "asks": 0, "wrong": 0}
    assert Team.objects.count() == 42

    # ---- the tiers
    assert researcher.post(reverse("invite_directors", args=[study.slug])).status_code == 302
    assert mailed("teams.director_invitation") == len(ACADEMIES)
    assert mailed("teams.leader_invitation") == 0
    directors_answer(study)
    assert mailed("teams.leader_invitation") == 37
    leaders_answer(study)
    assert mailed("surveys.personal_link") == 0

    # ---- collecting, and the analysis
    survey = Survey.objects.create(study=study, version=import_questionnaire(builders.QUESTIONNAIRE, a_group())[1])
    assert open_survey(survey, lock_plan(study, None).content_hash) == 36
    collections = list(
        Collection.objects.filter(survey=survey).select_related(
            "survey__study", "survey__version", "participation__team__academy__institution"
        )
    )
    for collection in collections:
        teachers_answer(collection, WAVE.counts[code_of(collection.participation.team)])
        assert close_collection(collection)
    assert seal_many(collections) == 36
    assert execute(request_run(Survey.objects.get(pk=survey.pk)).pk)

    # ---- the accounts
    accounted = accounts(study)
    total = accounted.total
    assert (
        accounted.teams_invited,
        accounted.teams_participating,
        accounted.teams_declined,
        accounted.teams_waiting,
    ) == (42, 36, 6, 0)
    assert (accounted.academies_declined, accounted.declined_reasons) == (
        1,
        {"reorganisation": 5, "workload": 1},
    )
    assert (total.approached, total.returned, total.set_aside, total.analysed) == (748, 495, 19, 476)
    assert (round(accounted.team_participation * 100, 1), round(total.return_rate * 100, 1)) == (85.7, 66.2)
    assert round(total.usable_rate * 100, 1) == 63.6
    assert total.reconciles
    part_time = Participation.objects.filter(study=study, state="accepted", team__form="part_time")
    assert part_time.count() == 2
    modes = {row.name: row.teams for row in rows(accounted, "mode", study)}
    assert sorted(modes.values()) == sorted(
        sum(count.mode == mode for count in WAVE.counts.values()) for mode in fieldwork.Mode
    )
    for level in GROUPS:
        groups = [row.people for row in rows(accounted, level, study)]
        assert all(people.reconciles for people in groups)
        assert (sum(p.approached for p in groups), sum(p.analysed for p in groups)) == (748, 476)

    # ---- the board, and what leaves it
    figures = on_the_board(researcher.get(reverse("board", args=[study.slug])).content.decode())
    assert figures["Academies that declined"] == ["1"]
    assert figures["Teams invited"] == ["42"]
    assert figures["Teams taking part"] == ["36", "85.7 %"]
    assert figures["Teachers approached"] == ["748"]
    assert figures["Questionnaires returned"] == ["495", "66.2 %"]
    assert figures["Set aside"] == ["19"]
    assert figures["Analysed"] == ["476", "63.6 %"]
    flow = re.sub(r"<[^>]+>|\s+", " ", researcher.get(reverse("accounts_flow", args=[study.slug])).content.decode())
    for words in ("n = 748", "n = 495; 66.2", "n = 476; 63.6", "n = 36; 85.7", "n = 19"):
        assert words.replace(" ", "") in flow.replace("\N{NO-BREAK SPACE}", "").replace(" ", ""), words
    lines = list(
        csv.DictReader(
            io.StringIO(researcher.get(reverse("accounts_csv", args=[study.slug])).content.decode("utf-8-sig"))
        )
    )
    assert [(line["approached"], line["returned"], line["analysed"]) for line in lines if line["level"] == "study"] == [
        ("748", "495", "476")
    ]


def on_the_board(html: str) -> dict[str, list[str]]:
    """The rows of the funnel: heading → number and share."""
    body = html[html.index('class="table funnel"') :]
    body = body[: body.index("</table>")]
    figures = {}
    for row in re.findall(r"<tr.*?</tr>", body, re.S):
        heading = re.search(r'<th scope="row">(.*?)</th>', row, re.S)
        if heading:
            cells = re.findall(r'<td class="text-end[^"]*">(.*?)</td>', row, re.S)
            figures[heading[1].strip()] = [" ".join(cell.replace("\N{NO-BREAK SPACE}", " ").split()) for cell in cells]
    return figures
