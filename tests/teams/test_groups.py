"""Research groups: their pages, who is let in, and that a researcher sees and changes nothing of others' studies."""

import datetime

import pytest
from django.core import mail as django_mail
from django.urls import reverse

from teams.contacts import contacts, duplicates
from teams.files.tables import Table
from teams.inviting import invitations
from teams.mail.outbox import send_due
from teams.models import (
    Academy,
    Event,
    Invitation,
    MailDomain,
    Membership,
    Participation,
    ResearchGroup,
    Role,
    Study,
    Team,
    User,
)
from teams.people import mail_domains
from teams.studies import setting_up
from teams.studies.setting_up import let_work
from tests.groups import a_group
from tests.teams.joining import joined, says_yes
from tests.teams.test_contacts import HEADER, row
from tests.teams.test_studies import fields_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client, settings):
    client.force_login(User.objects.create_superuser("ada@noord.example", "correct horse battery", name="Ada"))
    client.cookies["django_language"] = "en"
    return client


def other_study(group, slug="other") -> Study:
    return Study.objects.create(
        group=group,
        slug=slug,
        title=f"Study {slug}",
        starts_on=datetime.date(2026, 9, 1),
        ends_on=datetime.date(2027, 6, 30),
        controller="Hogeschool Zuid",
        contact_name="Zoe",
        contact_email="zoe@zuid.example",
    )


@pytest.fixture
def zoe(study):
    """A researcher of the same group, in a study of her own."""
    user = User.objects.create_user("zoe@noord.example", "correct horse battery", name="Zoe")
    let_work(other_study(study.group), user)
    return user


# ------------------------------------------------------------------------------------------------ pages
def test_an_administrator_makes_a_group_and_lets_somebody_in(admin):
    made = admin.post(reverse("groups"), {"name": "Noord"})
    group = ResearchGroup.objects.get(name="Noord")
    assert made.url == reverse("group", args=[group.pk])
    admin.post(made.url, {"name": "Sam Post", "email": "Sam@noord.example"})
    page = admin.get(made.url).content.decode()
    assert "sam@noord.example" in page
    assert "works in" not in page
    assert not Membership.objects.filter(group=group).exists()
    says_yes("sam@noord.example")
    page = admin.get(made.url).content.decode()
    assert "Sam Post" in page
    assert "works in 0 studies" in page
    assert Membership.objects.get(group=group).by_administrator
    again = admin.post(reverse("groups"), {"name": "NOORD"})
    assert again.status_code == 200
    assert "already" in again.content.decode()


def test_who_works_in_all_studies_works_in_later_ones(admin, study, roos, client):
    page = reverse("group", args=[study.group_id])
    admin.post(page, {"name": "Sam", "email": "sam@noord.example", "all_studies": "on"})
    assert not Role.objects.filter(user__email="sam@noord.example").exists()
    says_yes("sam@noord.example")
    sam = User.objects.get(email="sam@noord.example")
    assert Role.objects.filter(user=sam, study=study).exists()
    fields = ("group", "starts_on", "ends_on", "contact_name", "contact_email")
    later = setting_up.create_study({"title": "Later", **{name: getattr(study, name) for name in fields}}, roos)
    assert Role.objects.filter(user=sam, study=later).exists()


def test_who_is_taken_out_is_off_all_studies_but_none_is_left_alone(admin, study, roos):
    member = Membership.objects.get(user=roos)
    remove = reverse("member_remove", args=[study.group_id, member.pk])
    assert "only researcher" in admin.post(remove, follow=True).content.decode()
    assert Role.objects.filter(user=roos).exists()
    let_work(study, User.objects.create_user("sam@noord.example", "x", name="Sam"))
    admin.post(remove)
    assert not Role.objects.filter(user=roos).exists()
    assert not Membership.objects.filter(user=roos).exists()


def test_who_joins_a_study_is_told_to_its_researchers(study, roos):
    joined(study, "Sam", "sam@noord.example", roos)
    assert Membership.objects.filter(user__email="sam@noord.example", group=study.group).exists()
    send_due()
    mails = {sent.to[0]: sent for sent in django_mail.outbox}
    assert set(mails) == {"sam@noord.example", roos.email}
    assert "sam@noord.example" in mails[roos.email].body
    assert Event.objects.filter(study=study, kind="researcher_added").count() == 1


# ------------------------------------------------------------------------------------------------ within a group
def test_the_dry_run_shows_nobody_of_others_studies(client, zoe, nursing, academy):
    client.force_login(zoe)
    page = reverse("contacts_import", args=["other"])
    table = Table(HEADER, [row(director_email="x@noord.example", leader_name="Zoe", leader_email=zoe.email)])
    preview = contacts.preview(Study.objects.get(slug="other"), table, zoe)
    assert [row.state for row in preview.rows] == ["wrong"]
    text = "\n".join(",".join(cells) for cells in table.lines)
    shown = client.post(page, {"content": text}).content.decode()
    for secret in ("Dirk Jansen", "dirk@noord.example", "Lena Bos", "lena@noord.example"):
        assert secret not in shown
    client.post(page, {"content": text, "apply": "1"})
    academy.refresh_from_db()
    assert academy.director_email == "dirk@noord.example"


def test_who_knows_the_director_lists_the_team_under_a_leader_of_their_own(zoe, nursing, academy):
    study = Study.objects.get(slug="other")
    table = Table(HEADER, [row(director_name="Another name", leader_name="Bo", leader_email="bo@noord.example")])
    assert contacts.apply(study, table, zoe).usable
    own, theirs = study.participations.get(), nursing
    theirs.refresh_from_db()
    academy.refresh_from_db()
    assert own.team_id == theirs.team_id  # a second measurement is of the same team
    assert (own.leader_email, theirs.leader_email) == ("bo@noord.example", "lena@noord.example")
    assert academy.director_name == "Dirk Jansen"
    assert "lena@noord.example" not in "".join(Event.objects.filter(study=study).values_list("detail", flat=True))


def test_nobody_who_does_research_in_the_group_leads_a_team(client, zoe, study, roos, nursing):
    """The attack: a researcher names their own address, and reads what the team wrote down for itself."""
    User.objects.create_superuser("ada@noord.example", "correct horse battery", name="Ada")
    client.force_login(roos)
    client.cookies["django_language"] = "en"
    page = reverse("team_edit", args=["learning", nursing.pk])
    team = {"name": "Verpleegkunde", "form": "full_time", "leader_name": "Lena Bos"}
    for address in (roos.email, "Roos+team@NOORD.example", zoe.email, "ada@noord.example"):
        for where, data in (
            (page, team),
            (reverse("team_new", args=["learning"]), {**team, "name": "Nieuw", "academy": nursing.team.academy_id}),
        ):
            answer = client.post(where, {**data, "leader_email": address})
            assert "cannot be a team leader" in answer.content.decode(), (where, address)
        table = Table(HEADER, [row(team="Uit een bestand", leader_email=address)])
        assert not contacts.apply(study, table, roos).usable
    assert not Team.objects.exclude(pk=nursing.team_id).exists()
    nursing.refresh_from_db()
    assert nursing.leader_email == "lena@noord.example"


def test_names_of_what_is_in_others_studies_stay(client, zoe, nursing, academy):
    study = Study.objects.get(slug="other")
    contacts.apply(study, Table(HEADER, [row()]), zoe)
    client.force_login(zoe)
    for page, field in (
        (reverse("academy_edit", args=["other", academy.pk]), "name"),
        (reverse("team_edit", args=["other", study.participations.get().pk]), "name"),
    ):
        form = client.get(page).context["form"]
        data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
        answer = client.post(page, {**data, field: "Taken over"})
        assert answer.status_code == 200
    assert not Team.objects.filter(name="Taken over").exists()
    academy.refresh_from_db()
    assert academy.name == "Academie voor Zorg"


@pytest.fixture
def imported(study, academy) -> Participation:
    """A team of the study that nobody was asked about: its answers were imported."""
    team = Team.objects.create(academy=academy, name="Verpleegkunde", leader_name="Lena Bos")
    return Participation.objects.create(
        study=study, team=team, state=Participation.State.ACCEPTED, mode=Participation.Mode.ONLINE, approached=9
    )


def test_what_was_imported_into_others_studies_is_theirs_too(client, zoe, imported, academy):
    other = Study.objects.get(slug="other")
    client.force_login(zoe)
    shown = client.post(
        reverse("contacts_import", args=["other"]),
        {"content": "\n".join(",".join(cells) for cells in [HEADER, row(director_email=zoe.email)]), "apply": "1"},
    ).content.decode()
    assert academy.director_email not in shown
    details = {"institution": "Hogeschool Noord", "name": academy.name, "sector": "arts", "director_name": "Zoe"}
    client.post(reverse("academy_new", args=["other"]), {**details, "director_email": zoe.email})
    academy.refresh_from_db()
    assert (academy.director_name, academy.sector) == ("Dirk Jansen", "health")
    assert not Invitation.objects.filter(study=other).exists()


def test_nothing_merges_with_what_was_imported_into_others_studies(zoe, imported, academy):
    other = Study.objects.get(slug="other")
    contacts.add_academy(other, contacts.AcademyData("HS Noord", "Kunst", "arts", "An", "an@noord.example"), zoe)
    own = Academy.objects.get(name="Kunst")
    for kind, keep, theirs in (
        ("institution", own.institution, academy.institution),
        ("academy", own, academy),
    ):
        for pair in ((keep, theirs), (theirs, keep)):
            with pytest.raises(duplicates.Refused, match="do not work"):
                duplicates.merge(kind, *pair, [other], zoe)


def test_mail_domains_change_only_by_who_works_in_every_study_of_the_institution(client, zoe, study, roos, nursing):
    institution = nursing.team.academy.institution
    mail_domains.add(study, institution, "noord.example", roos)
    other = Study.objects.get(slug="other")
    client.force_login(zoe)
    client.cookies["django_language"] = "en"
    details = {"institution": institution.name, "name": "Kunst", "sector": "arts", "director_name": "Eve"}
    client.post(reverse("academy_new", args=["other"]), {**details, "director_email": "eve@evil.example"})
    assert other.invitations.count() == 1
    page = reverse("mail_domains", args=["other"])
    assert (
        "do not work" in client.post(page, {"institution": institution.pk, "domain": "evil.example"}).content.decode()
    )
    known = MailDomain.objects.get()
    remove = reverse("mail_domain_remove", args=["other", known.pk])
    assert "do not work" in client.post(remove, follow=True).content.decode()
    assert mail_domains.domains_of(institution) == {"noord.example"}

    let_work(study, zoe)
    client.post(page, {"institution": institution.pk, "domain": "kunst.example"})
    client.post(remove)
    assert mail_domains.domains_of(institution) == {"kunst.example"}
    for kind, domain in (("mail_domain_added", "kunst.example"), ("mail_domain_removed", "noord.example")):
        studies_told = Event.objects.filter(kind=kind, detail__endswith=domain).values_list("study__slug", flat=True)
        assert set(studies_told) == {"learning", "other"}


# ------------------------------------------------------------------------------------------------ across groups
def test_the_same_names_in_two_groups_are_two_rows(client, nursing, academy):
    """The attack: a stranger lists a team by its name, herself as its leader."""
    stranger = User.objects.create_user("eve@zuid.example", "correct horse battery", name="Eve")
    study = other_study(a_group("Zuid"))
    let_work(study, stranger)
    client.force_login(stranger)
    text = "\n".join(",".join(cells) for cells in [HEADER, row(leader_name="Bo", leader_email="bo@zuid.example")])
    page = reverse("contacts_import", args=["other"])
    shown = client.post(page, {"content": text}).content.decode()
    assert "lena@noord.example" not in shown
    client.post(page, {"content": text, "apply": "1"})
    own = study.participations.get()
    assert own.team_id != nursing.team_id
    nursing.refresh_from_db()
    assert nursing.leader_email == "lena@noord.example"
    assert study.participations.get().team.academy.institution.group == study.group
    for name in ("team", "team_report", "team_report_pdf", "team_talk"):
        assert client.get(reverse(name, args=[nursing.pk])).status_code == 404
    assert "Hogeschool Noord" in client.get(reverse("academy_new", args=["other"])).content.decode()  # her own
    assert not client.get(reverse("duplicates", args=["other"])).context["suggestions"]


def test_nothing_of_another_group_is_listed_or_made_the_wave_before(client, study, academy, roos):
    theirs = other_study(a_group("Zuid"))
    with pytest.raises(ValueError, match="another research group"):
        invitations.list_academy(theirs, academy)
    fields = {"title": "Next", "starts_on": study.starts_on, "ends_on": study.ends_on, "contact_name": "R"}
    with pytest.raises(setting_up.OtherGroup):
        setting_up.create_study({**fields, "group": study.group, "previous": theirs}, roos)


def test_of_another_groups_study_with_the_same_title_only_that_there_is_one_is_seen(client, study):
    """By the number in the address of a new study; docs/data-protection.md says so."""
    group = ResearchGroup.objects.create(name="Zuid")
    uma = User.objects.create_user("uma@zuid.example", "correct horse battery", name="Uma")
    let_work(other_study(group), uma)
    client.force_login(uma)
    made = setting_up.create_study({**fields_of(study), "title": study.slug, "group": group}, uma)
    assert made.slug == f"{study.slug}-2"
    assert client.get(reverse("board", args=[study.slug])).status_code == 404
    for name in ("studies", "study_new"):
        assert study.title not in client.get(reverse(name)).content.decode()
