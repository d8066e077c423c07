"""Every door that a team once had, in every state that it can come to: a calm true sentence, and nothing that begins or counts.

A door is what somebody kept: a photo of the code, a mail with a link, an open tab, a bookmark. None of them knows what
researchers, leaders or directors decided since.
"""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from analysis import withdrawals
from surveys.answering import cache, limits, submission
from surveys.collecting import collections, sealing
from surveys.keys.row_keys import row_key
from surveys.linking import personal_links
from surveys.models import Collection, Invitee, Meeting, Response
from surveys.reshaping import ways
from surveys.reshaping.merging import Merger, merge
from teams import links as signed_links
from teams.inviting.withdrawing import withdraw
from teams.models import Invitation, Participation, Role, User
from tests.surveys.conftest import in_threads, make_participation, make_survey
from tests.surveys.teacher import all_answers, at, begin, hidden, post

pytestmark = pytest.mark.django_db
Mode = Participation.Mode


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    limits.forget()
    cache.forget()


@pytest.fixture
def team(collection: Collection) -> Participation:
    """The team that meets, with a leader who signs in, a contact person, and an invitation that was accepted."""
    participation = collection.participation
    leader = User.objects.create_user(participation.leader_email, name=participation.leader_name)
    Role.objects.create(user=leader, kind=Role.Kind.LEADER, participation=participation)
    Invitation.objects.create(
        study=participation.study, participation=participation, state="accepted", undertaking=True, nonce="a" * 32
    )
    return participation


def change(team: Participation, mode: str, by: User) -> None:
    team.refresh_from_db()
    assert ways.change_way(
        team, mode=mode, contact_name=team.contact_name, contact_email=team.contact_email, by=by, by_leader=False
    )


# ------------------------------------------------------------------------------------------------ what the team came to
def goes_online(team: Participation, by: User) -> None:
    change(team, Mode.ONLINE, by)


def stops(team: Participation, by: User) -> None:
    """And nobody has dealt with its answers yet."""
    assert withdraw(Invitation.objects.get(participation=team), "workload", by=by)


def stopped(team: Participation, by: User) -> None:
    stops(team, by)
    withdrawals.carry_out()
    assert not Collection.objects.filter(participation=team).exists()


def closes(team: Participation, by: User) -> None:
    assert collections.close_collection(Collection.objects.get(participation=team), by=by)


def sealed(team: Participation, by: User) -> None:
    closes(team, by)
    collection = Collection.objects.get(participation=team)
    assert collections.seal_now(collection, by=by)
    sealing.seal(collection)


# ------------------------------------------------------------------------------------------------ the doors
Door = Callable[[], HttpResponse]


@pytest.fixture
def doors(team: Participation, meeting: Meeting, roos: User) -> dict[str, Door]:
    """What each door gave before, and gives when it is opened again; all of them opened once while the team met."""
    personal_links.issue_links(meeting.collection, ["ann@noord.example"])
    personal = (
        personal_links.personal_url(Invitee.objects.get(email="ann@noord.example")).partition("//")[2].partition("/")[2]
    )
    facilitator, leader, researcher, invited = Client(), Client(), Client(), Client()
    facilitator.get("/" + personal_links.facilitator_url(meeting).partition("//")[2].partition("/")[2])
    token = signed_links.make_token(signed_links.INVITATION, *_of(team))
    invited.get(reverse("invitation_link", args=[token]))
    leader.force_login(User.objects.get(roles__participation=team))
    researcher.force_login(roos)
    room = Client()
    welcome = room.get(reverse("meeting_welcome", args=[meeting.code]))
    start = {"code": meeting.code, "offered": hidden(welcome, "offered"), "consent": "yes"}
    teacher = Client()
    page = teacher.get("/" + personal, follow=True)
    by_link = {"link": hidden(page, "link")}
    collecting = [team.study.slug, team.pk]
    return {
        "code": lambda: Client().get(reverse("meeting_welcome", args=[meeting.code])),
        "page of the code": lambda: room.post(reverse("answer_start"), start),
        "personal link": lambda: Client().get("/" + personal, follow=True),
        "page of the link": lambda: teacher.post(reverse("answer_start"), by_link),
        "facilitator": lambda: facilitator.get(reverse("facilitator", args=[meeting.pk])),
        "screen": lambda: facilitator.get(reverse("facilitator_projector", args=[meeting.pk])),
        "those present": lambda: facilitator.post(
            reverse("facilitator_present", args=[meeting.pk]), {"present": 12}, follow=True
        ),
        "close": lambda: facilitator.post(
            reverse("facilitator_close", args=[meeting.pk]), {"unknown": "on"}, follow=True
        ),
        "paper by link": lambda: facilitator.get(reverse("facilitator_paper", args=[meeting.pk])),
        "type by link": lambda: facilitator.post(reverse("facilitator_paper_new", args=[meeting.pk]), follow=True),
        "leader": lambda: leader.get(reverse("team", args=[team.pk])),
        "leader's date": lambda: leader.get(reverse("team_meeting", args=[team.pk])),
        "invitation": lambda: invited.get(reverse("invitation", args=[_of(team)[0]])),
        "collecting": lambda: researcher.get(reverse("collecting_team", args=collecting)),
        "paper": lambda: researcher.get(reverse("collecting_paper", args=collecting)),
    }


def _of(team: Participation) -> tuple[int, str]:
    return Invitation.objects.values_list("pk", "nonce").get(participation=team)


def contains(door: Door) -> tuple[int, str]:
    answer = door()
    return answer.status_code, answer.content.decode()


BY_LINK = "Dit team antwoordt met een persoonlijke link"
NOT_OPEN = (404, "Deze vragenlijst is niet open")
WRONG = (404, "gaat nu geen vragenlijst open")
ENDED = (404, "of is het al voorbij waarvoor hij bedoeld was")
NOTHING = (200, "Er is niets gedaan: dit team antwoordt niet meer in een overleg")
STOPPED = (404, "Je team doet niet meer mee aan dit onderzoek")
NO_ANSWERS = (404, "Verpleegkunde doet niet meer mee: antwoorden waarvan nog niets getoond was")
CLOSED = (200, "De afname is gesloten")
SEALED = (200, "De antwoorden zijn verzegeld")

# What each door says; a page that goes on as it was is known by a word of it
ONLINE = {
    "code": (404, BY_LINK),
    "page of the code": (404, BY_LINK),
    "personal link": (200, "Je antwoordt over het team"),
    "page of the link": (303, ""),
    "facilitator": (200, BY_LINK),
    "screen": (200, BY_LINK),
    "those present": NOTHING,
    "close": NOTHING,
    "paper by link": (200, "Papieren formulieren"),
    "type by link": (200, "Formulier 1"),
    "leader": (200, "online, elk met een persoonlijke link"),
    "leader's date": (200, "er is geen overleg nodig"),
    "invitation": (200, "online, elk met een persoonlijke link"),
    "collecting": (200, "Persoonlijke links"),
    "paper": (200, "Papieren formulieren"),
}
GONE = {
    "code": WRONG,
    "page of the code": WRONG,
    "personal link": NOT_OPEN,
    "page of the link": NOT_OPEN,
    **dict.fromkeys(["facilitator", "screen", "those present", "close", "paper by link", "type by link"], ENDED),
    "leader": STOPPED,
    "leader's date": STOPPED,
    "invitation": (200, "Het meedoen is gestopt op"),
    "collecting": NO_ANSWERS,
    "paper": NO_ANSWERS,
}
SHUT = {
    "code": WRONG,
    "page of the code": WRONG,
    "personal link": (200, "De afname is gesloten"),
    "page of the link": NOT_OPEN,
    "facilitator": CLOSED,
    "screen": CLOSED,
    "those present": (200, "het aantal kan niet meer veranderen"),
    "close": CLOSED,
    "paper by link": (200, "Papieren formulieren"),
    "type by link": (200, "Formulier 1"),
    "leader": (200, "De vragenlijst is gesloten"),
    "leader's date": (200, "Hoe antwoorden de docenten?"),
    "invitation": (200, "Je team doet mee"),
    "collecting": (200, "gesloten"),
    "paper": (200, "Papieren formulieren"),
}
OVER = SHUT | {
    "personal link": NOT_OPEN,
    "facilitator": SEALED,
    "close": SEALED,
    "type by link": (200, "er kan niets meer bij"),
    "collecting": (200, "verzegeld"),
}


@pytest.mark.parametrize(
    ("state", "said"), [(goes_online, ONLINE), (stops, GONE), (stopped, GONE), (closes, SHUT), (sealed, OVER)]
)
def test_every_old_door_says_what_is(state, said, doors, team, roos):
    state(team, roos)
    cache.forget()
    for name, door in doors.items():
        status, text = contains(door)
        assert status == said[name][0], name
        assert said[name][1] in text, name
    codes = Meeting.objects.filter(collection__participation=team).exclude(code="").values_list("code", flat=True)
    if codes and state is goes_online:
        assert f"{codes[0][:3]} {codes[0][3:]}" not in contains(doors["facilitator"])[1]
        assert codes[0] not in contains(doors["collecting"])[1]
    assert not Meeting.objects.filter(collection__participation=team, present__isnull=False).exists()
    by_code = Response.objects.exclude(key__in=row_keys_of_links(team))
    assert not by_code.exists()


def row_keys_of_links(team: Participation) -> list[str]:
    collection = Collection.objects.filter(participation=team).first()
    return personal_links.rows_of(collection) if collection and collection.state == "open" else []


# ------------------------------------------------------------------------------------------------ from a meeting to links, and back
def test_who_is_in_the_room_when_the_team_goes_online_goes_on(meeting, team, survey, roos):
    """Only where the leader's change overtook somebody who was told the code too early: nothing of theirs is lost."""
    teacher = Client()
    key = begin(teacher, meeting)
    Collection.objects.filter(pk=meeting.collection_id).update(mode=Mode.ONLINE)
    cache.forget()
    page = teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    assert BY_LINK in page.content.decode()
    assert at("questionnaire", key) in page.content.decode(), "this device finds its answers"
    assert teacher.get(at("questionnaire", key)).status_code == 200
    handed_in = post(teacher, "answer_submit", key=key, sequence=1, answers=all_answers(survey))
    assert handed_in.json()["outcome"] == "submitted"
    assert Response.objects.get(key=row_key(key)).state == "submitted"


def test_an_old_code_is_no_wrong_code(meeting, team, roos):
    change(team, Mode.ONLINE, roos)
    teacher = Client()
    for _n in range(30):
        assert teacher.get(reverse("meeting_welcome", args=[meeting.code])).status_code == 404
    other = collections.open_collection(make_participation(team.study, "Mondzorg", Mode.CONTACT))
    assert teacher.get(reverse("meeting_welcome", args=[other.meeting.code])).status_code == 200


def test_one_statement_says_it(meeting, team, roos, django_assert_num_queries):
    cache.room(meeting.collection.uid)
    change(team, Mode.ONLINE, roos)
    with django_assert_num_queries(1), pytest.raises(submission.ByLinkNow):
        submission.join(meeting.code)
    with pytest.raises(submission.Closed):
        submission.start_in_meeting(meeting)


def test_who_was_counted_in_a_meeting_that_was_none_counts_no_more(meeting, team, roos):
    """People who were there and people with a link are added up (surveys/linking/confirming.py): nobody of these answered where they were counted."""
    assert collections.set_present(meeting, 12)
    change(team, Mode.ONLINE, roos)
    meeting.refresh_from_db()
    assert (meeting.present, meeting.present_by, meeting.counted_by) == (None, "", None)
    assert not collections.set_present(meeting, 12)


def test_back_in_a_meeting_the_code_opens_again_and_old_links_still_do(meeting, team, roos, doors):
    change(team, Mode.ONLINE, roos)
    change(team, Mode.CONTACT, roos)
    cache.forget()
    assert contains(doors["code"])[0] == 200
    assert contains(doors["personal link"])[0] == 200
    assert contains(doors["those present"])[0] == 200
    meeting.refresh_from_db()
    assert meeting.sent_to_contact, "whoever leads it has the link"


@pytest.mark.django_db(transaction=True)
def test_nobody_begins_by_code_in_a_team_that_goes_online_at_that_moment(meeting, team, roos):
    def go() -> bool:
        change(Participation.objects.get(pk=team.pk), Mode.ONLINE, User.objects.get(pk=roos.pk))
        return True

    begun, changed = in_threads(lambda: submission.start_in_meeting(meeting), go)
    collection = Collection.objects.get(pk=meeting.collection_id)
    if isinstance(begun, str):
        assert isinstance(changed, ways.WayStays)
        assert (collection.mode, collection.responses.count()) == (Mode.RESEARCHER, 1)
    else:
        assert isinstance(begun, submission.Closed)
        assert changed is True
        assert (collection.mode, collection.responses.count()) == (Mode.ONLINE, 0)


# ------------------------------------------------------------------------------------------------ a team that became one with another
def test_what_opened_the_team_that_is_no_more(study, roos):
    make_survey(study)
    keep, gone = (make_participation(study, name, Mode.ONLINE) for name in ("Verpleegkunde", "Fysiotherapie"))
    Participation.objects.filter(pk=gone.pk).update(leader_name="Lars", leader_email="lars@noord.example")
    lars = User.objects.create_user("lars@noord.example", name="Lars")
    Role.objects.create(user=lars, kind=Role.Kind.LEADER, participation=gone)
    invitation = Invitation.objects.create(
        study=study, participation=gone, state="accepted", undertaking=True, nonce="a" * 32
    )
    invited, leader, researcher = Client(), Client(), Client()
    invited.get(reverse("invitation_link", args=[signed_links.make_token(signed_links.INVITATION, *_of(gone))]))
    reminder = signed_links.make_token(signed_links.NO_REMINDERS, *_of(gone))
    leader.force_login(lars)
    researcher.force_login(roos)
    merge(keep, gone, Merger("Lena Bos", "lena@noord.example", 12), by=roos)
    for door in (
        lambda: invited.get(reverse("invitation", args=[invitation.pk])),
        lambda: Client().get(reverse("no_reminders", args=[reminder])),
    ):
        status, text = contains(door)
        assert (status, "of is het al voorbij waarvoor hij bedoeld was" in text) == (404, True)
    assert "Deze pagina is niet gevonden" in leader.get(reverse("team", args=[gone.pk])).content.decode()
    start = leader.get(reverse("start"))
    assert start.status_code == 200
    assert "met een ander team is samengevoegd" in start.content.decode()
    for name in ("team_edit", "meeting", "collecting_team", "team_reshape"):
        answer = researcher.get(reverse(name, args=[study.slug, gone.pk]))
        assert answer.status_code == 404
        assert "met een ander team samengevoegd" in answer.content.decode(), name
