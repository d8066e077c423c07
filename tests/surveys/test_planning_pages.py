"""The pages on which a team meeting is agreed on, and the lists that stay fast."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core import mail as outbox
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from surveys.collecting import agenda
from surveys.collecting.collections import open_collection
from surveys.collecting.listing import list_collecting
from surveys.models import Collection, Meeting, Response
from teams.mail import outbox as mail
from teams.mail.kinds import TeamMail
from teams.meetings import planning
from teams.models import OutboxMessage, Participation, PlannedMeeting
from tests.analysis import builders

pytestmark = pytest.mark.django_db
DAY = (timezone.localtime() + timedelta(days=10)).date()
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MOMENT = datetime.combine(DAY, datetime.min.time(), AMSTERDAM).replace(hour=14)


@pytest.fixture
def study():
    return builders.make_study()


@pytest.fixture
def team(study) -> Participation:
    return builders.make_team(study, "Nursing", mode="contact")


@pytest.fixture
def researcher(client, study):
    user = builders.make_researcher(study)
    client.force_login(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return user


def leader(client, team: Participation):
    from teams.inviting.corrections import open_to_leader

    client.force_login(open_to_leader(team, "en"))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def dates(*moments: str) -> dict[str, str]:
    named = {f"dates-date_{number}": moment for number, moment in enumerate(moments, start=1)}
    return {"propose": "1", "dates-minutes": "45", "dates-room": "B1", **named}


def test_a_leader_proposes_and_a_researcher_fixes(client, study, team):
    page = reverse("team_meeting", args=[team.pk])
    assert leader(client, team).post(page, dates(f"{DAY}T14:00")).status_code == 302
    assert "chooses one" in client.get(page).content.decode()
    client.logout()
    roos = builders.make_researcher(study)
    client.force_login(roos)
    assert list(agenda.proposed_by_leaders(study)) == [team]
    page = reverse("meeting", args=[study.slug, team.pk])
    form = client.get(page).context["fix_form"]
    ((pk, _words), _other) = form.fields["date"].choices
    answer = client.post(page, {"fix": "1", "fix-date": pk, "fix-researcher": "", "fix-room": "B2"})
    assert answer.status_code == 302
    planned = PlannedMeeting.objects.get(participation=team)
    assert (planned.starts_at, planned.room, planned.researcher) == (MOMENT, "B2", None)


@pytest.mark.parametrize(
    ("moment", "word"),
    [("2020-01-01T10:00", "This time has passed"), ("2099-01-01T10:00", "a year and a half"), ("soon", "valid")],
)
def test_a_date_that_cannot_be_is_said(client, team, moment, word):
    html = leader(client, team).post(reverse("team_meeting", args=[team.pk]), dates(moment)).content.decode()
    assert word in html
    assert not PlannedMeeting.objects.exists()


def test_an_hour_that_the_clock_skips_is_no_date(client, team):
    year = next(y for y in (DAY.year, DAY.year + 1) if datetime(y, 3, 31).date() > DAY)
    sunday = datetime(year, 3, 31) - timedelta(days=(datetime(year, 3, 31).weekday() + 1) % 7)
    page = reverse("team_meeting", args=[team.pk])
    assert leader(client, team).post(page, dates(f"{sunday:%Y-%m-%d}T02:30")).status_code == 200


def test_a_researcher_must_be_named_where_one_comes(client, study, researcher):
    team = builders.make_team(study, "Physio", mode="researcher")
    page = reverse("meeting", args=[study.slug, team.pk])
    data = {"fix": "1", "fix-date": "other", "fix-other": f"{DAY}T14:00", "fix-researcher": ""}
    assert "Choose who comes" in client.post(page, data).content.decode()
    assert client.post(page, {**data, "fix-researcher": researcher.pk}).status_code == 302


def test_a_clash_is_said_in_a_sentence(client, study, team, researcher):
    other = builders.make_team(study, "Physio", mode="researcher")
    planning.fix(planning.begin(other), MOMENT, researcher=researcher)
    planning.propose(team, [MOMENT + timedelta(minutes=30)], by_leader=True)
    page = reverse("meeting", args=[study.slug, team.pk])
    assert "is with Physio on" in client.get(page).content.decode()
    data = {"fix": "1", "fix-date": "other", "fix-other": f"{DAY}T14:15", "fix-researcher": researcher.pk}
    said = [str(message) for message in client.post(page, data, follow=True).context["messages"]]
    assert any("is with Physio on" in sentence for sentence in said)


def test_another_way_changes_the_collection_until_somebody_has_begun(client, study, team, researcher):
    collection = open_collection(team)
    page = reverse("meeting", args=[study.slug, team.pk])
    old = Meeting.objects.get(collection=collection).facilitator_nonce
    way = {"way": "1", "way-mode": "contact", "way-contact_name": "Cor", "way-contact_email": "cor@x.example"}
    client.post(page, way)
    assert client.post(page, {**way, "way-contact_email": "mia@x.example"}).status_code == 302
    assert Meeting.objects.get(collection=collection).facilitator_nonce != old  # the old contact's link is ended
    client.post(page, {"way": "1", "way-mode": "online"})
    collection.refresh_from_db()
    assert collection.mode == "online"
    Response.objects.create(key="a" * 43, collection=collection)
    client.post(page, {**way, "way-mode": "researcher"})
    collection.refresh_from_db()
    team.refresh_from_db()
    assert (collection.mode, team.mode) == ("online", "online")


def change(client, team, mode: str) -> list[str]:
    way = {"way": "1", "way-mode": mode, "way-contact_name": "Cor", "way-contact_email": "cor@x.example"}
    said = client.post(reverse("team_meeting", args=[team.pk]), way, follow=True).context["messages"]
    return [str(message) for message in said]


SAVED = ["The change is saved."]
STAYS = [
    "Teachers can already answer, so the way of collecting cannot be changed here. Ask the researchers if it "
    "has to change."
]


@pytest.mark.parametrize("later", [True, False], ids=["before the day", "on the day"])
def test_a_leader_does_not_learn_by_the_way_of_collecting_whether_somebody_began(client, study, later):
    team = builders.make_team(study, "Physio", mode="researcher")
    planning.fix(planning.begin(team), MOMENT, researcher=None)
    if not later:
        PlannedMeeting.objects.update(starts_at=timezone.now())
    collection = open_collection(team)
    leader(client, team)
    seen = []
    for _round in ("nobody began", "somebody did", "and deleted"):
        seen.append(change(client, team, "contact"))
        collection.refresh_from_db()
        assert collection.mode == ("contact" if later else "researcher")
        change(client, team, "researcher")
        if not collection.responses.exists():
            Response.objects.create(key="a" * 43, collection=collection)
        else:
            collection.responses.all().delete()
    assert seen == [SAVED if later else STAYS] * 3


def test_a_leader_changes_the_way_until_teachers_can_answer(client, study):
    team = builders.make_team(study, "Physio", mode="researcher")
    assert change(leader(client, team), team, "online") == SAVED, "collecting is not open"
    collection = open_collection(team)
    assert change(client, team, "researcher") == SAVED, "no link went out"
    assert change(client, team, "online") == STAYS, "the code of the room works, and no day is fixed"
    planning.fix(planning.begin(team), MOMENT, researcher=None)
    assert change(client, team, "online") == SAVED
    collection.refresh_from_db()
    assert collection.mode == "online"
    collection.invitees.create(email="a@x.example")
    assert change(client, team, "researcher") == STAYS
    team.refresh_from_db()
    collection.refresh_from_db()
    assert (collection.mode, team.mode) == ("online", "online")


def test_a_leader_changes_no_way_once_a_meeting_has_its_leader(client, study):
    team = builders.make_team(study, "Physio", mode="researcher")
    planning.fix(planning.begin(team), MOMENT, researcher=None)
    collection = open_collection(team)
    leader(client, team)
    for fields in ({"sent_to_contact": True}, {"sent_to_contact": False, "present": 9}):
        Meeting.objects.filter(collection=collection).update(**fields)
        assert change(client, team, "online") == STAYS


def test_the_briefing_has_the_link_and_waits_for_the_collection(study, team):
    Participation.objects.filter(pk=team.pk).update(contact_name="Cor", contact_email="cor@x.example")
    team.refresh_from_db()
    planning.fix(planning.begin(team), timezone.now() + timedelta(hours=30), researcher=None)
    mail.send_due()
    assert not [message for message in outbox.outbox if "/f/" in message.body]  # there is no meeting to lead yet
    open_collection(team)
    mail.send_due()
    (briefing,) = [message for message in outbox.outbox if "/f/" in message.body]
    assert briefing.to == ["cor@x.example"]
    assert OutboxMessage.objects.filter(kind=TeamMail.MEETING_BRIEFING, state="sent").count() == 1


def test_lists_ask_as_much_of_twenty_teams_as_of_two(client, study, researcher):
    def queries() -> list[int]:
        counts = []
        for path in ("?show=todo", "?show=coming"):
            with CaptureQueriesContext(connection) as queries:
                client.get(reverse("meetings", args=[study.slug]) + path)
            counts.append(len(queries))
        for name in ("collecting", "board", "accounts", "duplicates"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(reverse(name, args=[study.slug])).status_code == 200
            counts.append(len(queries))
        return counts

    def more(first: int, last: int) -> None:
        for number in range(first, last):
            team = builders.make_team(study, f"T{number:02} {'abcdefghijklmnopqrstuvwxyz'[number]}", mode="contact")
            open_collection(team)
            if number % 2:
                planning.fix(planning.begin(team), MOMENT + timedelta(hours=number), researcher=researcher)
            else:
                planning.propose(team, [MOMENT], by_leader=True)

    more(0, 2)
    few = queries()
    more(2, 22)
    assert queries() == few


def test_collecting_is_narrowed_by_state_way_and_name(study):
    for name, mode, n in (("Alpha", "online", 6), ("Beta", "contact", 2)):
        collection = open_collection(builders.make_team(study, name, mode=mode))
        Response.objects.bulk_create(
            Response(key=f"{name}{number}", collection=collection, state="submitted") for number in range(n)
        )
    builders.make_team(study, "Gamma")

    def names(**wanted: str) -> list[str]:
        return [row.participation.team.name for row in list_collecting(study, **wanted).rows]

    assert names() == ["Alpha", "Beta", "Gamma"]
    assert names(state="small") == ["Beta"]
    assert names(state="not_open") == ["Gamma"]
    assert names(mode="online") == ["Alpha", "Gamma"]
    assert names(search="bet") == ["Beta"]
    totals = list_collecting(study).totals
    assert (totals["approached"], totals["started"], totals["submitted"], totals["open"]) == (20, 8, 8, 2)
    assert Collection.objects.count() == 2
