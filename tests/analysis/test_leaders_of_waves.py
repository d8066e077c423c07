"""Who leads a team in one wave sees that wave: the attacks on the next one, played through the pages."""

from datetime import date

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse

from analysis.publication.publishing import publish
from analysis.publication.talks import goals_beside, wave_before, write_goal
from teams.inviting import corrections, invitations
from teams.mail import outbox
from teams.models import Event, FormerContact, Invitation, Participation, Role, Study, User
from tests.analysis.builders import make_researcher, make_study
from tests.analysis.test_reader_pages import analysed_study

pytestmark = pytest.mark.django_db
PAGES = ("team", "team_report", "team_report_pdf", "team_talk", "team_meeting")
DIRECTOR = "d@university.example"


@pytest.fixture
def first() -> Participation:
    """A team whose report of the first wave is published, read by its leader only."""
    _study, teams, run = analysed_study("first", 5, size=10)
    publish(run, None)
    corrections.open_to_leader(teams[0])
    return teams[0]


@pytest.fixture
def second(first) -> Participation:
    """The same team in the next wave; its director is asked."""
    Study.objects.filter(pk=first.study_id).update(starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    later = make_study("second")
    Study.objects.filter(pk=later.pk).update(
        previous=first.study, wave=2, starts_on=date(2026, 1, 1), ends_on=date(2099, 1, 1)
    )
    later.refresh_from_db()
    participation = invitations.list_team(later, first.team)
    invitations.invite_directors(later)
    outbox.send_due()
    django_mail.outbox.clear()
    return participation


def mailed() -> dict[str, str]:
    """Who gets which subject now."""
    outbox.send_due()
    sent = {message.to[0]: message.subject for message in django_mail.outbox}
    django_mail.outbox.clear()
    return sent


def director_names(second: Participation, name: str, email: str) -> str:
    """The director's page, after permission is given with this leader."""
    invitation = invitations.academy_invitation(second)
    client = Client()
    client.get(invitations.link_path(invitation))
    data = {"undertaking": "on", f"ask_{second.pk}": "on", f"name_{second.pk}": name, f"email_{second.pk}": email}
    return client.post(reverse("invitation", args=[invitation.pk]), data, follow=True).content.decode()


def accept(second: Participation) -> Client:
    """Whoever holds the leader's link accepts, and signs in at the address that was named."""
    invitation = Invitation.objects.get(participation=second)
    client = Client()
    client.get(invitations.link_path(invitation))
    data = {"mode": "online", "approached": "12", "undertaking": "on"}
    client.post(reverse("invitation", args=[invitation.pk]), data)
    second.refresh_from_db()
    assert second.state == "accepted"
    client.force_login(User.objects.get(email=second.leader_email))
    return client


def opened(client: Client, wave: Participation) -> set[str]:
    """The leader's pages of a wave that do not say 404."""
    return {name for name in PAGES if client.get(reverse(name, args=[wave.pk])).status_code != 404}


def test_a_director_who_leads_the_next_wave_does_not_read_the_one_before(first, second):
    """By an address that is not known as the director's: who leads wave 2 still has no right to wave 1."""
    old = leader_of_first(first)
    assert "team_report" in opened(old, first)
    director_names(second, "D", "private@elsewhere.example")
    sent = mailed()
    assert "no longer" in sent["first0@university.example"] or "niet meer" in sent["first0@university.example"]
    new = accept(second)
    assert opened(new, first) == set()
    assert "team" in opened(new, second)
    assert "team_report" in opened(old, first)
    assert reverse("team", args=[first.pk]) not in new.get(reverse("start"), follow=True).content.decode()
    first.refresh_from_db()
    assert first.leader_email == "first0@university.example"


def test_what_a_team_wrote_down_is_shown_to_who_led_it_or_after_the_hand_over(first, second):
    code = "learning"
    assert write_goal(first, code, None, "Meet every Monday")
    assert goals_beside(second, wave_before(second))[1][code].next_steps == "Meet every Monday"
    director_names(second, "New", "new@x.example")
    accept(second)
    assert goals_beside(second, wave_before(second))[1] == {}
    first.refresh_from_db()
    assert corrections.hand_over(first, second, by=make_researcher(second.study))
    assert goals_beside(second, wave_before(second))[1][code].next_steps == "Meet every Monday"


def leader_of_first(first: Participation) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=first.leader_email))
    return client


@pytest.mark.parametrize(
    "spelled", [DIRECTOR, "D@University.example", "d+team@university.example", "d.@university.example"]
)
def test_a_director_cannot_name_an_own_address(second, spelled):
    html = director_names(second, "D", spelled)
    if spelled != "d.@university.example":  # no address at all
        assert "Dit is je eigen adres" in html
        assert "researcher@university.example" in html, "whom to ask"
    second.refresh_from_db()
    assert (second.state, second.leader_email) == ("invited", "first0@university.example")
    assert mailed() == {}


def test_the_step_refuses_it_too(second):
    invitation = invitations.academy_invitation(second)
    with pytest.raises(ValueError, match="their own"):
        invitations.accept_academy(invitation, [invitations.Approach(second.pk, "D", "D+x@university.example")])


def test_a_researcher_may_record_that_the_director_leads(second):
    by = make_researcher(second.study)
    corrections.correct_leader(second, "D", DIRECTOR, by=by)
    assert Event.objects.get(kind="director_leads").by == by
    director_names(second, "D", DIRECTOR)
    second.refresh_from_db()
    assert Invitation.objects.get(participation=second).state == "sent"


def test_correcting_the_next_wave_leaves_mails_and_pages_of_this_one(first, second):
    by = make_researcher(second.study)
    client = Client()
    client.force_login(by)
    data = {"name": first.team.name, "form": first.team.form, "leader_name": "New", "leader_email": "new@x.example"}
    client.post(reverse("team_edit", args=["second", second.pk]), data)
    assert "first0@university.example" in mailed(), "the one before is told"
    first.refresh_from_db()
    assert first.leader_email == "first0@university.example"
    outbox.queue("report_ready", first.pk, study=first.study)
    assert list(mailed()) == ["first0@university.example"]
    assert not Event.objects.filter(participation=first, kind="contact_changed").exists()


# ------------------------------------------------------------------------------------------------ handing over
def test_the_old_leader_hands_a_wave_over(first, second):
    director_names(second, "New", "new@x.example")
    new = accept(second)
    mailed()
    old = leader_of_first(first)
    page = old.get(reverse("team", args=[first.pk])).content.decode()
    address = reverse("team_hand_over", args=[first.pk, second.pk])
    assert address in page
    assert new.post(address).status_code == 404
    old.post(address)
    assert set(mailed()) == {"first0@university.example", "new@x.example"}
    assert "team_report" in opened(new, first)
    assert opened(old, first) == set()
    event = Event.objects.get(kind="wave_handed_over", participation=first)
    assert event.by.email == "first0@university.example"
    assert event.detail.endswith("<new@x.example>")
    assert FormerContact.objects.get(participation=first).changer == "leader"
    assert old.post(address).status_code == 404, "it is no longer theirs to give"


def test_a_researcher_hands_a_wave_over_in_studies_of_their_own(first, second):
    director_names(second, "New", "new@x.example")
    accept(second)
    by = make_researcher(first.study)
    client = Client()
    client.force_login(by)
    page, address = (
        reverse("team_edit", args=["first", first.pk]),
        reverse("wave_hand_over", args=["first", first.pk, second.pk]),
    )
    assert client.post(address).status_code == 404, "not a member of the later study"
    Role.objects.create(user=by, kind="researcher", study=second.study)
    mailed()
    assert address in client.get(page).content.decode()
    client.post(address)
    first.refresh_from_db()
    assert first.leader_email == "new@x.example"
    assert Event.objects.get(kind="wave_handed_over").by == by
    assert set(mailed()) == {"first0@university.example", "new@x.example"}


def test_nobody_is_given_a_wave_before_they_accepted_the_next(first, second):
    director_names(second, "New", "new@x.example")
    assert corrections.later_waves(first) == []
    assert not corrections.hand_over(first, second, by=make_researcher(first.study))


def test_the_mail_to_the_one_before_says_by_whom_where_and_whom_to_ask(first, second):
    by = make_researcher(second.study)
    corrections.correct_leader(second, "New", "new@x.example", by=by)
    outbox.send_due()
    (sent,) = (message for message in django_mail.outbox if message.to == ["first0@university.example"])
    for text in (second.study.title, first.team.name, str(by), "researcher@university.example", "privacy@university"):
        assert text in sent.body
    assert "new@x.example" not in sent.body


def test_a_removed_person_is_not_mailed(first, second):
    corrections.correct_leader(second, "New", "new@x.example", by=make_researcher(second.study))
    FormerContact.objects.all().delete()
    assert mailed() == {}
