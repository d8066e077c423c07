"""A small named cast in two studies, and how each of them comes in.

alice   researcher of the study              bob     researcher of another study, in another research group
carol   leads a team of the study            dave    leads another team of the same study
admin   administrator                        anyone  has nothing but the address
facilitator  has the link of carol's team meeting     other_facilitator  has that of a meeting in bob's study
director     has an unanswered invitation             leader             has the unanswered invitation of a third team
reader       has the link to the report of carol's team
"""

import datetime
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.test import Client

from analysis.models.readers import ReportLink
from analysis.plan.plans import lock_plan
from analysis.publication import links as report_links
from surveys.collecting.collections import open_survey
from surveys.linking.personal_links import facilitator_url, issue_links, personal_url
from surveys.models import Collection, Invitee, Survey
from surveys.questionnaires.publishing import install_shipped
from teams.inviting import invitations
from teams.inviting.invitations import Approach
from teams.models import Academy, Institution, Invitation, Participation, Study, Team, User
from teams.people import employment
from teams.studies.setting_up import let_work
from tests.groups import a_group

ROLES = (
    "anyone",
    "alice",
    "bob",
    "carol",
    "dave",
    "admin",
    "facilitator",
    "other_facilitator",
    "director",
    "leader",
    "reader",
)
ACCOUNTS = ("alice", "bob", "carol", "dave", "admin")


@dataclass(frozen=True)
class Cast:
    study: Study
    participation: Participation  # carol's team: a meeting
    online: Participation  # dave's team: personal links
    third: Participation  # its leader has not answered yet
    academy: Academy  # its director accepted
    collection: Collection
    invitee: Invitee
    director_invitation: Invitation
    leader_invitation: Invitation
    report_link: ReportLink
    links: dict[str, str]  # role → the path of the link it holds
    emails: dict[str, str]  # role → account

    def client(self, role: str) -> Client:
        client = Client()
        if email := self.emails.get(role):
            client.force_login(User.objects.get(email=email))
        if link := self.links.get(role):
            assert client.get(link).status_code == 302
        return client


def _path(url: str) -> str:
    return urlsplit(url).path


def _study(slug: str, group: str) -> Study:
    return Study.objects.create(
        group=a_group(group),
        slug=slug,
        title=f"Study {slug}",
        starts_on=datetime.date(2026, 9, 1),
        ends_on=datetime.date(2027, 6, 30),
        grace_hours=24,
        controller="Hogeschool Noord",
        privacy_contact="privacy@noord.example",
        contact_name="Alice",
        contact_email="alice@noord.example",
    )


def _academy(name: str, study: Study) -> Academy:
    institution, _ = Institution.objects.get_or_create(group=study.group, name="Hogeschool Noord")
    return Academy.objects.create(
        institution=institution,
        name=name,
        sector="health",
        director_name="Dirk",
        director_email=f"dirk@{name.lower()}.example",
    )


def _team(academy: Academy, name: str, leader: str) -> Team:
    return Team.objects.create(academy=academy, name=name, leader_name=leader, leader_email=f"{leader}@noord.example")


def _researcher(name: str, study: Study) -> User:
    user = User.objects.create_user(f"{name}@noord.example", "correct horse battery", name=name)
    let_work(study, user)
    return user


def _ask(participations: list[Participation], study: Study, by: User) -> None:
    """The director says yes to every team, so that the leaders are asked."""
    Survey.objects.create(study=study, version=install_shipped(study.group)[0])
    invitations.invite_directors(study, by)
    invitation = invitations.academy_invitation(participations[0])
    approach = [
        Approach(participation.pk, participation.team.leader_name, participation.team.leader_email)
        for participation in participations
    ]
    assert invitations.accept_academy(invitation, approach)


def _open(study: Study, by: User) -> None:
    survey = Survey.objects.get(study=study)
    open_survey(survey, lock_plan(study, by).content_hash, by)


def make_cast() -> Cast:
    study, other_study = _study("learning", "Noord"), _study("other", "Elders")
    alice, bob = _researcher("alice", study), _researcher("bob", other_study)
    User.objects.create_superuser("admin@noord.example", "correct horse battery")

    academy = _academy("Zorg", study)
    nursing = invitations.list_team(study, _team(academy, "Verpleegkunde", "carol"))
    physiotherapy = invitations.list_team(study, _team(academy, "Fysiotherapie", "dave"))
    dietetics = invitations.list_team(study, _team(academy, "Voeding", "erin"))
    _ask([nursing, physiotherapy, dietetics], study, alice)
    accept(nursing, "contact")
    accept(physiotherapy, "online")
    _open(study, alice)

    elsewhere = invitations.list_team(other_study, _team(_academy("Techniek", other_study), "Bouwkunde", "frank"))
    _ask([elsewhere], other_study, bob)
    accept(elsewhere, "contact")
    _open(other_study, bob)

    waiting = _academy("Economie", study)
    director_invitation = invitations.list_academy(study, waiting)
    invitations.list_team(study, _team(waiting, "Marketing", "grace"))
    invitations.invite_directors(study, alice)

    collection = Collection.objects.get(participation=nursing)
    for user in (alice, User.objects.get(email="admin@noord.example")):
        employment.declare(user, study, [])  # in none of its academies
    other_collection = Collection.objects.get(participation=elsewhere)
    online = Collection.objects.get(participation=physiotherapy)
    issue_links(online, ["henk@noord.example"])
    leader_invitation = Invitation.objects.get(participation=dietetics)
    director_invitation.refresh_from_db()
    report_link = report_links.share_with_team(nursing, 14, User.objects.get(email="carol@noord.example"))
    return Cast(
        study=study,
        participation=Participation.objects.get(pk=nursing.pk),
        online=Participation.objects.get(pk=physiotherapy.pk),
        third=dietetics,
        academy=academy,
        collection=collection,
        invitee=Invitee.objects.get(collection=online),
        director_invitation=director_invitation,
        leader_invitation=leader_invitation,
        report_link=report_link,
        links={
            "reader": report_links.path_of(report_link),
            "facilitator": _path(facilitator_url(collection.meeting)),
            "other_facilitator": _path(facilitator_url(other_collection.meeting)),
            "director": invitations.link_path(director_invitation),
            "leader": invitations.link_path(leader_invitation),
        },
        emails={role: f"{role}@noord.example" for role in ACCOUNTS},
    )


def accept(participation: Participation, mode: str) -> None:
    invitation = Invitation.objects.get(participation=participation)
    assert invitations.accept_team(
        invitation,
        mode=mode,
        approached=9,
        meets_on=datetime.date(2026, 11, 30) if mode == "contact" else None,
        contact_name="Cor" if mode == "contact" else "",
        contact_email="cor@noord.example" if mode == "contact" else "",
    )


def personal_path(cast: Cast) -> str:
    return _path(personal_url(cast.invitee))
