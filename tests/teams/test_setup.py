"""The pages on which a researcher lists academies and teams, invites, reminds and reads what happened."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from teams import links
from teams.inviting import corrections, invitations
from teams.models import Academy, Event, Institution, Invitation, OutboxMessage, Participation, Team, User
from teams.studies.listing import list_teams
from teams.studies.setting_up import let_work
from tests.groups import a_group

pytestmark = pytest.mark.django_db

ACADEMY = {
    "institution": "Hogeschool Noord",
    "name": "Academie voor Techniek",
    "sector": "engineering",
    "director_name": "Dina de Vries",
    "director_email": "Dina@noord.example",
}
TEAM = {"name": "Logopedie", "form": "part_time", "leader_name": "Lou Vos", "leader_email": "lou@noord.example"}


@pytest.fixture
def researcher(client, roos):
    client.force_login(roos)
    return client


def url(name: str, *args: object) -> str:
    return reverse(name, args=["learning", *args])


def test_an_empty_list_says_what_to_do(researcher, study):
    html = researcher.get(url("teams")).content.decode()
    assert url("contacts_import") in html
    assert url("academy_new") in html
    assert "<table" not in html


def test_an_academy_and_a_team_are_added_by_form(researcher, study):
    assert researcher.post(url("academy_new"), ACADEMY).url == url("teams")
    academy = Academy.objects.get()
    assert (str(academy.institution), academy.director_email) == ("Hogeschool Noord", "dina@noord.example")
    assert researcher.post(url("team_new"), {**TEAM, "academy": academy.pk}).url == url("teams")
    participation = Participation.objects.get()
    assert (participation.team.name, participation.team.form, participation.state) == (
        "Logopedie",
        "part_time",
        "listed",
    )
    html = researcher.get(url("teams")).content.decode()
    for word in ("Academie voor Techniek", "Dina de Vries", "Logopedie", "Lou Vos"):
        assert word in html
    assert not OutboxMessage.objects.exists()


def test_an_institution_is_written_once_whatever_its_capitals(researcher, study, academy):
    researcher.post(url("academy_new"), {**ACADEMY, "institution": "HOGESCHOOL noord"})
    assert Institution.objects.count() == 1


def test_a_team_can_only_join_an_academy_of_the_study(researcher, study, academy):
    response = researcher.post(url("team_new"), {**TEAM, "academy": academy.pk})
    assert "academy" in response.context["form"].errors
    assert not Team.objects.exists()


@pytest.mark.parametrize("name", ["Lou\nBcc: x@y.example", "Lou\rVos"])
def test_names_with_line_breaks_are_refused(researcher, study, nursing, academy, name):
    response = researcher.post(url("team_new"), {**TEAM, "academy": academy.pk, "leader_name": name})
    assert "leader_name" in response.context["form"].errors


def test_details_are_changed_and_a_taken_name_is_refused(researcher, study, nursing, physiotherapy):
    page = url("team_edit", nursing.pk)
    assert researcher.get(page).context["form"].initial["leader_name"] == "Lena Bos"
    data = {"name": "Fysiotherapie", "form": "full_time", "leader_name": "Lena", "leader_email": "lena@noord.example"}
    assert "name" in researcher.post(page, data).context["form"].errors
    assert researcher.post(page, {**data, "name": "HBO-V"}).url == url("teams")
    team = Team.objects.get(pk=nursing.team_id)
    assert (team.name, team.leader_name) == ("HBO-V", "Lena")


def test_the_constraint_has_the_last_word_on_names(researcher, nursing, physiotherapy, monkeypatch):
    """Somebody takes the name between the form's look and the write: the page says so."""
    from teams.forms.studies import TeamForm

    monkeypatch.setattr(TeamForm, "clean", lambda self: self.cleaned_data)
    data = {"name": "fysiotherapie", "form": "full_time", "leader_name": "L", "leader_email": "lena@noord.example"}
    response = researcher.post(url("team_edit", nursing.pk), data)
    assert response.status_code == 200
    assert "name" in response.context["form"].errors


def test_an_academy_is_changed(researcher, study, nursing, academy):
    data = {**ACADEMY, "name": "Zorg en Welzijn", "institution": "Another one"}
    assert researcher.post(url("academy_edit", academy.pk), data).url == url("teams")
    academy.refresh_from_db()
    assert (academy.name, academy.director_email, str(academy.institution)) == (
        "Zorg en Welzijn",
        "dina@noord.example",
        "Hogeschool Noord",
    )


def test_inviting_and_reminding(researcher, study, nursing):
    assert "data-confirm" in researcher.get(url("teams")).content.decode()
    assert researcher.get(url("invite_directors")).status_code == 405
    researcher.post(url("invite_directors"))
    researcher.post(url("invite_directors"))
    assert list(OutboxMessage.objects.values_list("kind", flat=True)) == ["teams.director_invitation"]
    assert Event.objects.get(kind="director_invited").by.email == "roos@noord.example"
    invitation = invitations.academy_invitation(nursing)
    for _ in range(2):
        researcher.post(url("invitation_remind", invitation.pk))
    assert OutboxMessage.objects.filter(kind="teams.director_reminder").count() == 1


def test_the_list_is_filtered_by_words_and_state(study, nursing, physiotherapy):
    invitations.invite_directors(study)
    invitations.accept_academy(
        invitations.academy_invitation(nursing), [invitations.Approach(nursing.pk, "Lena Bos", "lena@noord.example")]
    )

    def names(**filters) -> list[str]:
        return [team.team.name for row in list_teams(study, **filters).academies for team in row.teams]

    assert names() == ["Fysiotherapie", "Verpleegkunde"]
    assert names(search="VERPL") == ["Verpleegkunde"]
    assert names(search="lars") == ["Fysiotherapie"]
    assert names(state="declined") == ["Fysiotherapie"]
    assert names(search="verpl", state="declined") == []
    listing = list_teams(study, search="nothing like it")
    assert (listing.academies, listing.n_academies, listing.n_teams) == ([], 1, 2)
    assert listing.counts["declined"] == listing.counts["invited"] == 1


def test_mail_that_was_given_up_shows_until_a_later_one_goes(researcher, study, nursing):
    invitations.invite_directors(study)
    OutboxMessage.objects.update(state=OutboxMessage.State.FAILED)
    assert list_teams(study).academies[0].undeliverable
    corrections.correct_director(nursing.team.academy, "Dina", "dina@noord.example")
    assert not list_teams(study).academies[0].undeliverable


def test_the_history_tells_who_did_what(researcher, study, nursing, roos):
    invitations.invite_directors(study, roos)
    invitations.accept_academy(
        invitations.academy_invitation(nursing), [invitations.Approach(nursing.pk, "Lena Bos", "lena@noord.example")]
    )
    invitations.decline(Invitation.objects.get(participation=nursing), "workload", "Te druk dit jaar")
    events = researcher.get(url("team_history", nursing.pk)).context["events"]
    assert [event.kind for event, _, _ in events] == [
        "leader_declined",
        "leader_invited",
        "director_accepted",
        "director_invited",
        "team_listed",
        "academy_listed",
    ]
    assert "Te druk dit jaar" in events[0][2]


def test_the_history_of_another_team_of_the_academy_stays_out(researcher, study, nursing, physiotherapy):
    events = researcher.get(url("team_history", nursing.pk)).context["events"]
    assert [event.participation for event, _, _ in events if event.participation] == [nursing]


def test_lists_cost_the_same_for_two_and_twenty_teams(researcher, study, django_assert_max_num_queries):
    counts = []
    for n in (2, 20):
        for i in range(n):
            academy = Academy.objects.create(
                institution=Institution.objects.get_or_create(group=a_group(), name=f"H{i % 4}")[0],
                name=f"A{n}-{i}",
                director_name="D",
                director_email="d@noord.example",
            )
            team = Team.objects.create(academy=academy, name="T", leader_name="L", leader_email="l@noord.example")
            invitations.list_team(study, team)
        invitations.invite_directors(study)
        with django_assert_max_num_queries(12) as queries:
            researcher.get(url("teams"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


PAGES = ["study_settings", "academy_new", "teams", "team_new", "contacts_import", "contacts_example"]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_for_researchers_of_the_study(client, study, nursing, roos, name):
    assert client.get(url(name)).status_code == 302
    client.force_login(User.objects.create_user("lena@noord.example"))
    assert client.get(url(name)).status_code == 404
    client.force_login(roos)
    assert client.get(url(name)).status_code == 200


@pytest.mark.parametrize("name", PAGES[:-1])
def test_pages_have_one_heading_and_nothing_inline(researcher, study, nursing, name):
    html = researcher.get(url(name)).content.decode()
    assert html.count("<h1") == 1
    assert " style=" not in html
    assert "<script>" not in html


def test_rows_of_another_study_are_strangers(researcher, study, nursing, roos):
    from teams.models import Study

    other = Study.objects.create(
        group=a_group(),
        slug="other",
        title="Other",
        starts_on=study.starts_on,
        ends_on=study.ends_on,
        controller="C",
        privacy_contact="P",
        contact_name="R",
        contact_email="r@noord.example",
    )
    let_work(other, roos)
    invitation = invitations.academy_invitation(nursing)
    for name, pk in (
        ("team_edit", nursing.pk),
        ("team_history", nursing.pk),
        ("academy_edit", nursing.team.academy_id),
    ):
        assert researcher.get(reverse(name, args=["other", pk])).status_code == 404
    assert researcher.post(reverse("invitation_remind", args=["other", invitation.pk])).status_code == 404


def test_a_link_is_never_on_a_researchers_page(researcher, study, nursing):
    """Who holds the link answers for the director: researchers cannot read it off a page."""
    invitations.invite_directors(study)
    invitation = invitations.academy_invitation(nursing)
    for page in (url("teams"), url("team_history", nursing.pk), url("academy_edit", nursing.team.academy_id)):
        html = researcher.get(page).content.decode()
        assert invitation.nonce not in html
        assert links.make_token(links.INVITATION, invitation.pk, invitation.nonce) not in html


def test_a_long_list_comes_in_pages_with_the_same_queries(researcher, study):
    institution = Institution.objects.create(group=a_group(), name="Hogeschool Groot")

    def add(first: int, last: int) -> None:
        for number in range(first, last):
            academy = Academy.objects.create(
                institution=institution,
                name=f"Academy {number:03}",
                sector="health",
                director_name="D",
                director_email="d@groot.example",
            )
            for name in ("A", "B"):
                invitations.list_team(study, Team.objects.create(academy=academy, name=name, leader_name="L"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            researcher.get(url("teams"))
        return len(queries)

    add(0, 2)
    few = queries()
    add(2, 45)
    assert queries() == few
    second = researcher.get(url("teams"), {"page": 2, "q": "academy"})
    assert second.context["listing"].academies[0].invitation.academy.name == "Academy 020"
    assert "q=academy&amp;state=&amp;page=3" in second.content.decode()
    listing = list_teams(study, "academy", "listed", 3)
    assert (len(listing.academies), listing.n_academies, listing.n_teams, listing.n_to_invite) == (5, 45, 90, 45)
