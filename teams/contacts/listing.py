"""What a file of contacts puts on the list of a study: what is new in bulk, in as many queries for two thousand rows as for two.

Everything that is there already is read once. A row that only adds something, or that changes nothing, waits to be written with
all others; one that corrects somebody, or that may be refused, is done by itself by `contacts`, after what waits. Either way the
rows that come of it are the same, in the same order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.db.models import Model, Q

from teams import history
from teams.contacts.rows import AcademyData, TeamData
from teams.history import EventKind, Happened, unwritten
from teams.links import new_nonce
from teams.models import (
    Academy,
    Event,
    Institution,
    Invitation,
    MailDomain,
    Participation,
    Study,
    Team,
    User,
)
from teams.people.contact_person import researchers_of_group
from teams.people.elsewhere import known_elsewhere
from teams.text.addresses import domain_of, folded, is_free_mail, same_person

#: By their names in small letters, below the institution that has the name in the research group.
AcademyKey = tuple[str, str]
TeamKey = tuple[str, str, str, str]
AddAcademy = Callable[[Study, AcademyData, User | None], Academy]
AddTeam = Callable[[Study, Academy, TeamData, User | None], Participation]


class Listing:
    """The list of a study while a file is put on it. Ends with `write`; all of it in one transaction.

    Args:
        add_academy, add_team: what does a row by itself.
    """

    def __init__(self, study: Study, by: User | None, add_academy: AddAcademy, add_team: AddTeam) -> None:
        self.study, self.by = study, by
        self._add_academy, self._add_team = add_academy, add_team
        self._institutions: dict[str, Institution] = {}
        for institution in Institution.objects.filter(group=study.group_id).order_by("name", "pk"):
            self._institutions.setdefault(institution.name.lower(), institution)
        named = {institution.pk: name for name, institution in self._institutions.items()}
        self._academies: dict[AcademyKey, Academy] = {}
        self._keys: dict[int, AcademyKey] = {}
        for academy in Academy.objects.filter(institution__in=named).select_related("institution"):
            self._keys[academy.pk] = key = (named[academy.institution_id], academy.name.lower())
            self._academies[key] = academy
        self._teams = {
            (*self._keys[team.academy_id], team.name.lower(), team.form): team
            for team in Team.objects.filter(academy__institution__in=named).order_by("pk")
        }
        self._listed = {self._keys.get(pk) for pk in _academies_invited(study)}
        waves = study.participations.values_list("team", "leader_name", "leader_email", "invitation")
        self._waves = {team: ((name, email.lower()), invited) for team, name, email, invited in waves}
        counting = study.participations.exclude(contact_email="", vouched_by=[])
        self._counting = set(counting.values_list("team__academy", flat=True))
        self._researchers = researchers_of_group(study)
        self._elsewhere = known_elsewhere(study, by)
        self._domains = _Domains(study, self._elsewhere, named, self._institutions, self._academies, self._teams)
        self._institutions_new: list[Institution] = []
        self._academies_new: list[Academy] = []
        self._teams_new: list[Team] = []
        self._participations: list[Participation] = []
        self._invitations: list[Invitation] = []
        self._domains_new: list[MailDomain] = []
        self._events: list[tuple[EventKind, Event]] = []

    def academy(self, data: AcademyData) -> Academy:
        """As `contacts.add_academy`, and with its exceptions."""
        name = data.institution.lower()
        key = (name, data.name.lower())
        academy = self._academies.get(key)
        if academy is not None and not self._stays(academy, data):
            self.write()
            academy = self._add_academy(self.study, data, self.by)
            self._academies[key] = academy
            self._listed.add(key)
            self._domains.replace(key, name, academy.director_email)
            self._domains.read()
            return academy
        if academy is None:
            institution = self._institutions.get(name)
            if institution is None:
                institution = Institution(group_id=self.study.group_id, name=data.institution)
                self._institutions[name] = institution
                self._institutions_new.append(institution)
            academy = Academy(
                institution=institution,
                name=data.name,
                sector=data.sector,
                director_name=data.director_name,
                director_email=data.director_email,
            )
            self._academies[key] = academy
            self._academies_new.append(academy)
            self._domains.replace(key, name, data.director_email)
        if key not in self._listed:
            self._listed.add(key)
            self._invitations.append(Invitation(study=self.study, academy=academy, nonce=new_nonce()))
            self._happened(Happened.ACADEMY_LISTED, academy=academy)
        self._learn(name, academy.director_email, is_leader=False)
        return academy

    def team(self, academy: Academy, data: TeamData) -> None:
        """As `contacts.add_team`, and with its exceptions."""
        name = academy.institution.name.lower()
        key = (name, academy.name.lower(), data.name.lower(), data.form)
        team, leader = self._teams.get(key), (data.leader_name, data.leader_email.lower())
        wave = self._waves.get(team.pk) if team is not None and team.pk is not None else None
        refusable = academy.pk in self._counting or folded(data.leader_email) in self._researchers
        if (wave is None and refusable) or (wave is not None and (wave[0] != leader or wave[1] is None)):
            self.write()
            team = self._add_team(self.study, academy, data, self.by).team
            team.refresh_from_db()
            self._teams[key], self._waves[team.pk] = team, (leader, 0)
            self._domains.replace(key, name, team.leader_email)
            self._domains.read()
            return
        if team is None:
            team = Team(
                academy=academy,
                name=data.name,
                form=data.form,
                leader_name=data.leader_name,
                leader_email=data.leader_email,
            )
            self._teams[key] = team
            self._teams_new.append(team)
            self._domains.replace(key, name, data.leader_email)
        self._learn(name, data.leader_email, is_leader=True)
        if wave is None:
            self._list(team, academy, data)

    def write(self) -> None:
        """Write what waits."""
        waiting: list[tuple[type[Model], list[Any]]] = [
            (Institution, self._institutions_new),
            (Academy, self._academies_new),
            (Team, self._teams_new),
            (Participation, self._participations),
            (Invitation, self._invitations),
            (MailDomain, self._domains_new),
        ]
        for model, rows in waiting:
            model._default_manager.bulk_create(rows)
            rows.clear()
        history.record_all(self._events)
        self._events.clear()

    def _list(self, team: Team, academy: Academy, data: TeamData) -> None:
        participation = Participation(
            study=self.study, team=team, leader_name=data.leader_name, leader_email=data.leader_email.lower()
        )
        self._participations.append(participation)
        self._invitations.append(Invitation(study=self.study, participation=participation, nonce=new_nonce()))
        self._happened(Happened.TEAM_LISTED, participation=participation)
        if same_person(data.leader_email, academy.director_email):
            self._happened(Happened.DIRECTOR_LEADS, participation=participation)

    def _stays(self, academy: Academy, data: AcademyData) -> bool:
        """Whether nothing of a known academy would change."""
        same = academy.director_email.lower() == data.director_email.lower()
        if academy.pk in self._elsewhere:
            return same
        known = (academy.sector, academy.director_name)
        return same and known == (data.sector, data.director_name)

    def _learn(self, institution: str, email: str, *, is_leader: bool) -> None:
        """As `mail_domains.learn`."""
        domain = self._domains.learned(institution, email, is_leader=is_leader)
        if not domain:
            return
        known = self._institutions[institution]
        self._domains_new.append(MailDomain(institution=known, domain=domain))
        for study in self._domains.studies_of(institution):
            self._happened(Happened.MAIL_DOMAIN_ADDED, study=study, detail=f"{known}: {domain}")

    def _happened(
        self,
        kind: EventKind,
        *,
        study: Study | None = None,
        academy: Academy | None = None,
        participation: Participation | None = None,
        detail: str = "",
    ) -> None:
        event = unwritten(
            study or self.study, kind, academy=academy, participation=participation, by=self.by, detail=detail
        )
        self._events.append((kind, event))


class _Domains:
    """What mail_domains.learn asks the database, held in memory: by institutions, which are named by their keys."""

    def __init__(
        self,
        study: Study,
        academies_elsewhere: set[int],
        named: dict[int, str],
        institutions: dict[str, Institution],
        academies: dict[AcademyKey, Academy],
        teams: dict[TeamKey, Team],
    ) -> None:
        self._named, self._study, self._institutions = named, study, institutions
        self._elsewhere = {key[0] for key, academy in academies.items() if academy.pk in academies_elsewhere}
        by_link = Event.objects.filter(participation__team__academy__institution__in=named, by_link=True)
        changes = by_link.filter(kind=Happened.CONTACT_CHANGED).values_list(
            "participation__team__academy__institution", "detail"
        )
        whole = [(named[pk], detail.lower().rpartition("<")[2]) for pk, detail in changes]
        self._by_link = {(name, email[:-1]) for name, email in whole if email.endswith(">")}
        self._studies: dict[str, set[int]] | None = None
        self._in_order: list[Study] = []
        self._people: dict[tuple[str, str], dict[object, str]] = defaultdict(dict)
        self._of: dict[object, tuple[str, str]] = {}
        self.read()
        for academy_key, academy in academies.items():
            self.replace(academy_key, academy_key[0], academy.director_email)
        for team_key, team in teams.items():
            self.replace(team_key, team_key[0], team.leader_email)

    def read(self) -> None:
        """Read the domains anew."""
        rows = MailDomain.objects.filter(institution__group=self._study.group_id).values_list("institution", "domain")
        added = {
            (institution.name.lower(), institution.pk)
            for institution in self._institutions.values()
            if institution.pk is not None
        }
        named = {pk: name for name, pk in added}
        self._known = {(named[pk], domain) for pk, domain in rows if pk in named}

    def replace(self, thing: AcademyKey | TeamKey, institution: str, email: str) -> None:
        """Who directs an academy, or led a team when it was listed first, has this address now."""
        if thing in self._of:
            self._people[self._of.pop(thing)].pop(thing)
        if len(thing) == 4 and (institution, email.lower()) in self._by_link:
            return  # a director named them: they vouch for nobody
        self._of[thing] = (institution, domain_of(email))
        self._people[self._of[thing]][thing] = folded(email)

    def learned(self, institution: str, email: str, *, is_leader: bool) -> str:
        """The domain of an address, where it counts from now on; blank where not, or already."""
        domain = domain_of(email)
        if not domain or is_free_mail(domain) or institution in self._elsewhere:
            return ""
        if (institution, domain) in self._known:
            return ""
        if is_leader:
            others = self._people[institution, domain].values()
            if (institution, email.lower()) in self._by_link or all(address == folded(email) for address in others):
                return ""
        self._known.add((institution, domain))
        return domain

    def studies_of(self, institution: str) -> list[Study]:
        """The study, and those in which the institution is."""
        if self._studies is None:
            studies_by_pk: dict[str, set[int]] = defaultdict(set)
            asked = Invitation.objects.filter(academy__institution__in=self._named)
            taking_part = Participation.objects.filter(team__academy__institution__in=self._named)
            for pk, study in asked.values_list("academy__institution", "study"):
                studies_by_pk[self._named[pk]].add(study)
            for pk, study in taking_part.values_list("team__academy__institution", "study"):
                studies_by_pk[self._named[pk]].add(study)
            every = set().union(*studies_by_pk.values())
            self._studies, self._in_order = (
                studies_by_pk,
                list(Study.objects.filter(Q(pk=self._study.pk) | Q(pk__in=every))),
            )
        of = self._studies.get(institution, set()) | {self._study.pk}
        return [study for study in self._in_order if study.pk in of]


def _academies_invited(study: Study) -> list[int]:
    return list(study.invitations.filter(academy__isnull=False).values_list("academy", flat=True))
