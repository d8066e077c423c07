"""Of two who change the same, neither loses anything in silence: whatever they change, in whatever order they save."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from surveys.forms.collecting import CountsForm
from teams.forms.filled import OPENED, TAKE
from teams.forms.invitations import DirectorForm
from teams.inviting import invitations
from teams.mail import templates
from teams.meetings import planning
from teams.models import Event, Invitation, OutboxMessage, Participation, Study, User
from teams.studies.setting_up import let_work
from tests.access.opened import fields_of
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db
BOTH = "Somebody else changed the same thing while this form was open."


@pytest.fixture
def ida(study: Study) -> User:
    user = User.objects.create_user("ida@noord.example", "correct horse battery", name="Ida Kok", is_superuser=True)
    let_work(study, user)
    return user


@pytest.fixture
def two(roos: User, ida: User) -> tuple[Client, Client]:
    User.objects.update(is_superuser=True)  # one of the forms is an administrator's
    return a_client(roos), a_client(ida)


def a_client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


@dataclass(frozen=True)
class Page:
    """A form that two people open: its page, where it is sent, and two of its fields with what each of them writes there."""

    name: str
    page: Callable[[Participation], str]
    to: Callable[[Participation], str] | None
    first: tuple[str, str, str]
    second: tuple[str, str, str]
    prefix: str = ""
    button: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        return self.name

    def open(self, client: Client, nursing: Participation) -> dict[str, Any]:
        answer = client.get(self.page(nursing))
        assert answer.status_code == 200
        fields = fields_of(answer.content.decode())
        assert self.prefix + OPENED in fields, "the page does not show the hidden field"
        return fields

    def send(self, client: Client, nursing: Participation, fields: dict[str, Any], **changes: Any) -> Any:
        button = dict([self.button]) if self.button[0] else {}
        return client.post((self.to or self.page)(nursing), fields | button | changes)


def of(name: str, *more: Any) -> Callable[[Participation], str]:
    return lambda nursing: reverse(name, args=[nursing.study.slug, *more])


def of_team(name: str) -> Callable[[Participation], str]:
    return lambda nursing: reverse(name, args=[nursing.study.slug, nursing.pk])


def of_group(name: str) -> Callable[[Participation], str]:
    return lambda nursing: reverse(name, args=[nursing.study.group_id])


BODY = "Dear {name},\n\n%s\n\n{teams}\n\n{link}"
PAGES = [
    Page(
        "settings",
        of("study_settings"),
        None,
        ("contact_name", "Ans", "Bep"),
        ("privacy_contact", "a@noord.example", "b@noord.example"),
    ),
    Page(
        "academy",
        lambda nursing: reverse("academy_edit", args=[nursing.study.slug, nursing.team.academy_id]),
        None,
        ("director_name", "Ans", "Bep"),
        ("name", "Health", "Care"),
    ),
    Page(
        "team",
        of_team("team_edit"),
        None,
        ("leader_email", "ans@noord.example", "bep@noord.example"),
        ("name", "Nursing", "Nurses"),
    ),
    Page(
        "mail text",
        of("mail_text", "teams.director_invitation"),
        None,
        ("en-subject", "Ans asks", "Bep asks"),
        ("en-body", BODY % "Ans", BODY % "Bep"),
        "en-",
        ("language", "en"),
    ),
    Page(
        "reminders",
        of("mails"),
        of("mail_reminders", "director"),
        ("director-after_days", "11", "12"),
        ("director-times", "3", "4"),
        "director-",
        ("active", "on"),
    ),
    Page("hours", of("mails"), of("mail_hours"), ("begin", "07:15", "07:30"), ("end", "19:15", "19:30")),
    Page(
        "way",
        of_team("meeting"),
        None,
        ("way-contact_name", "Ans", "Bep"),
        ("way-contact_email", "ans@noord.example", "bep@noord.example"),
        "way-",
        ("way", "1"),
    ),
    Page(
        "room",
        of_team("meeting"),
        None,
        ("room-room", "A1", "B2"),
        ("room-minutes", "50", "55"),
        "room-",
        ("room", "1"),
    ),
    Page("group", of_group("group"), of_group("group_rename"), ("rename-name", "Ans", "Bep"), ("", "", ""), "rename-"),
]


@pytest.fixture
def open_team(study: Study, nursing: Participation, roos: User) -> Participation:
    """A team with all that the forms are about: asked, taking part in a meeting with a date, and hours of its own."""
    from datetime import time, timedelta

    from django.utils import timezone

    from teams.mail import pace

    invitations.invite_directors(study)
    Participation.objects.filter(pk=nursing.pk).update(
        mode=Participation.Mode.CONTACT, contact_name="Cora Vink", contact_email="cora@noord.example"
    )
    nursing.refresh_from_db()
    planned = planning.begin(nursing)
    assert planning.fix(planned, timezone.now() + timedelta(days=9), researcher=roos, by=roos)
    pace.set_hours(study, pace.Hours("12345", time(8), time(18)), roos)
    return nursing


@pytest.mark.parametrize("form", [page for page in PAGES if page.second[0]], ids=str)
@pytest.mark.parametrize("turn", [1, -1])
def test_who_changes_something_else_loses_nothing(form: Page, turn: int, two, open_team):
    """Whoever saves first, what both wrote is there."""
    one, other = two[::turn]
    mine, hers = form.open(one, open_team), form.open(other, open_team)
    (first, wrote, _x), (second, _y, wrote_too) = form.first, form.second
    assert form.send(one, open_team, mine, **{first: wrote}).status_code == 302
    assert form.send(other, open_team, hers, **{second: wrote_too}).status_code == 302
    now = form.open(one, open_team)
    assert (now[first], now[second]) == ([wrote], [wrote_too])


@pytest.mark.parametrize("form", PAGES, ids=str)
@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_who_changes_the_same_sees_both_texts_and_chooses(form: Page, choice: str, two, open_team):
    one, other = two
    mine, hers = form.open(one, open_team), form.open(other, open_team)
    name, wrote, wrote_too = form.first
    assert form.send(one, open_team, mine, **{name: wrote}).status_code == 302
    answer = form.send(other, open_team, hers, **{name: wrote_too})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert BOTH in page
    conflict = page[page.index(BOTH) :]
    assert wrote in conflict and wrote_too in conflict  # noqa: PT018 both beside each other
    assert form.open(one, open_team)[name] == [wrote]
    shown = fields_of(page)
    assert shown[name] == [wrote_too]
    take = {form.prefix + TAKE: name.removeprefix(form.prefix)} if choice == "theirs" else {}
    assert form.send(other, open_team, shown, **take).status_code == 302
    assert form.open(one, open_team)[name] == [wrote if take else wrote_too]


def test_whatever_two_change_nothing_is_lost_in_silence(two, open_team):
    """All that two people can do to two fields: each field holds what somebody wrote last knowing of the other, or both
    texts were shown."""
    form = PAGES[0]
    names = [form.first, form.second]
    for turn, theirs, yours in product((1, -1), product((0, 1), repeat=2), product((0, 1), repeat=2)):
        one, other = two[::turn]
        Study.objects.filter(pk=open_team.study_id).update(contact_name="Roos", privacy_contact="p@noord.example")
        mine, hers = form.open(one, open_team), form.open(other, open_team)
        first = {name: text for (name, text, _x), does in zip(names, theirs, strict=True) if does}
        second = {name: text for (name, _x, text), does in zip(names, yours, strict=True) if does}
        form.send(one, open_team, mine, **first)
        answer = form.send(other, open_team, hers, **second)
        now = form.open(one, open_team)
        if first.keys() & second.keys():
            assert BOTH in answer.content.decode()
            assert all(now[name] == [text] for name, text in first.items())
        else:
            assert answer.status_code == 302
            assert all(now[name] == [text] for name, text in (first | second).items())


def test_a_stale_page_brings_no_corrected_leader_back(two, open_team, study):
    """The address that was corrected came back, and got a working invitation."""
    form = PAGES[2]
    director = Invitation.objects.get(study=study, academy__isnull=False)
    approach = invitations.Approach(open_team.pk, open_team.leader_name, open_team.leader_email)
    assert invitations.accept_academy(director, [approach])
    stale = form.open(two[1], open_team)
    form.send(two[0], open_team, form.open(two[0], open_team), leader_email="right@noord.example")
    nonce = Invitation.objects.get(participation=open_team).nonce
    n_mails = OutboxMessage.objects.count()
    assert form.send(two[1], open_team, stale, name="Nursing").status_code == 302
    assert Participation.objects.get(pk=open_team.pk).leader_email == "right@noord.example"
    assert Invitation.objects.get(participation=open_team).nonce == nonce
    assert OutboxMessage.objects.count() == n_mails


def test_a_directors_stale_page_brings_no_corrected_leader_back(two, open_team, study):
    director = Invitation.objects.get(study=study, academy__isnull=False)
    visitor = Client()
    visitor.cookies["django_language"] = "en"
    visitor.get(invitations.link_path(director), follow=True)
    address = reverse("invitation", args=[director.pk])
    stale = fields_of(visitor.get(address).content.decode())
    form = PAGES[2]
    form.send(two[0], open_team, form.open(two[0], open_team), leader_email="right@noord.example")
    assert visitor.post(address, stale | {"undertaking": "on"}).status_code == 302
    assert Participation.objects.get(pk=open_team.pk).leader_email == "right@noord.example"


def test_back_to_the_shipped_text_asks_what_stands_there_now(two, open_team, study):
    form = PAGES[3]
    templates.put_in_own_words(study, "teams.director_invitation", "en", "Ours", BODY % "Ours", User.objects.first())
    stale = form.open(two[1], open_team)
    form.send(two[0], open_team, form.open(two[0], open_team), action="save", **{"en-subject": "Newer"})
    form.send(two[1], open_team, stale, action="shipped")
    assert templates.wording(study, "teams.director_invitation", "en").subject == "Newer"


def test_a_look_that_was_tampered_with_overwrites_nothing(two, open_team):
    form = PAGES[0]
    fields = form.open(two[0], open_team)
    page = form.send(two[0], open_team, fields, opened="x" + fields[OPENED][0], contact_name="Ans").content.decode()
    assert BOTH in page
    assert not Event.objects.filter(kind="settings_changed").exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_save_at_the_same_moment(two, open_team):
    """Each waits for the other: the comparison is made under the lock."""
    form = PAGES[0]
    opened = [form.open(client, open_team) for client in two]
    changes = [{"contact_name": "Ans"}, {"privacy_contact": "b@noord.example"}]
    sent = in_threads(
        *[
            lambda n=n, user=user: form.send(a_client(user), open_team, opened[n], **changes[n]).status_code
            for n, user in enumerate(User.objects.order_by("pk"))
        ]
    )
    assert sent == [302, 302]
    study = Study.objects.get(pk=open_team.study_id)
    assert (study.contact_name, study.privacy_contact) == ("Ans", "b@noord.example")


def test_choosing_what_stands_there_leaves_out_nothing_that_must_be_filled_in():
    """``take`` of a field in which nothing ever stands: a correction of counts went through without its reason."""

    def form(**changes: Any) -> CountsForm:
        data = QueryDict(mutable=True)
        for name, value in ({"approached": "3", "refused": "0", OPENED: opened} | changes).items():
            data[name] = value
        return CountsForm(data, initial={"approached": 9, "refused": 0})

    opened = CountsForm(initial={"approached": 9, "refused": 0})[OPENED].value()
    assert form(reason="On leave").is_valid()
    for blank in ("", " "):
        assert set(form(reason=blank, **{TAKE: "reason"}).errors) == {"reason"}
    # where something stands it can be chosen, also beside what is no answer
    chosen = form(reason="On leave", approached="many", **{TAKE: "approached"})
    assert chosen.is_valid()
    assert chosen.cleaned_data["approached"] == 9


def test_a_director_gives_the_undertaking_by_hand(study, nursing):
    invitations.invite_directors(study)
    invitation = invitations.academy_invitation(nursing)

    def form(data: QueryDict | None = None) -> DirectorForm:
        return DirectorForm(data, participations=invitations.undecided_teams(invitation), invitation=invitation)

    page = form()
    data = QueryDict(mutable=True)
    data.update(
        {name: page[name].value() or "" for name in page.fields if name != "undertaking"} | {TAKE: "undertaking"}
    )
    assert set(form(data).errors) == {"undertaking"}
    data["undertaking"] = "on"
    assert form(data).is_valid()
