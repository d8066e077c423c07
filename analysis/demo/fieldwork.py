"""The fieldwork of the demo: a simulated wave, written through the steps of a real study up to closed collections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from analysis.demo import simulation
from analysis.plan.plans import lock_plan
from surveys.answering.submission import submit_many
from surveys.collecting import collections
from surveys.linking import personal_links
from surveys.models import Collection, Meeting, QuestionnaireVersion, Survey
from surveys.questionnaires.publishing import definition_of
from teams.inviting import invitations
from teams.models import (
    Academy,
    Institution,
    Invitation,
    MailDomain,
    Participation,
    ResearchGroup,
    Sector,
    Study,
    Team,
    User,
)
from teams.text.addresses import domain_of

#: The leaders of these teams agreed that the director sees the team's own results.
SEEN_BY_DIRECTOR = ("POL-VMT", "POL-PLA", "EEM-WIS", "EEM-PED")
#: Colleagues who lead a meeting without a researcher: not the leader, who will read the report.
CONTACTS = (
    "Ans Verhoef",
    "Bram Kuiper",
    "Corine Postma",
    "Daan Hoekstra",
    "Esra Yilmaz",
    "Femke Dekker",
    "Gijs Molenaar",
    "Hanna Schouten",
    "Ilse Brouwer",
    "Jeroen Vos",
)
#: The simulation's background answers under the codes of the questionnaire.
BACKGROUND = {
    "years_in_team": {
        "under_1": "under_1",
        "1_to_3": "from_1_to_3",
        "4_to_10": "from_4_to_10",
        "over_10": "over_10",
    },
    "appointment": {"under_0.5": "under_05", "0.5_to_0.8": "from_05_to_08", "over_0.8": "over_08"},
    "counsellor": {"yes": "yes", "no": "no"},
}


def write_people(simulated: simulation.SimulatedStudy, group: ResearchGroup) -> dict[str, Team]:
    """The institutions, academies and teams, by the team's code in the simulation."""
    made: dict[str, Team] = {}
    for institution in simulated.institutions:
        owner = Institution.objects.create(group=group, name=institution.name)
        domains = {domain_of(academy.director.email) for academy in institution.academies}
        MailDomain.objects.bulk_create(MailDomain(institution=owner, domain=domain) for domain in domains)
        for academy in institution.academies:
            row = Academy.objects.create(
                institution=owner,
                name=academy.name,
                sector=Sector(academy.sector),
                director_name=academy.director.name,
                director_email=academy.director.email,
            )
            for team in academy.teams:
                made[team.code] = Team.objects.create(
                    academy=row,
                    name=team.programme,
                    form=Team.Form(team.form),
                    leader_name=team.leader.name,
                    leader_email=team.leader.email,
                )
    return made


def write_wave(
    study: Study,
    version: QuestionnaireVersion,
    wave: simulation.SimulatedWave,
    teams: Mapping[str, Team],
    researcher: User,
) -> None:
    """One wave from the first invitation to closed collections."""
    survey = Survey.objects.create(
        study=study, version=version, background=list(definition_of(version).background_codes)
    )
    asked = {participation.team_code: participation for participation in wave.participations}
    listed = {code: invitations.list_team(study, teams[code], researcher) for code in asked}
    invitations.invite_directors(study, researcher)
    _directors_answer(study, listed.values(), asked)
    meets_on = {code: study.starts_on + timedelta(days=number) for number, code in enumerate(listed)}
    for number, (code, participation) in enumerate(listed.items()):
        _leader_answers(participation, asked[code], meets_on[code], CONTACTS[number % len(CONTACTS)])
    plan = lock_plan(study, researcher)
    collections.open_survey(survey, plan.content_hash, by=researcher)
    opened = {
        collection.participation_id: collection
        for collection in Collection.objects.filter(survey=survey).select_related(
            "survey__study", "survey__version", "participation"
        )
    }
    for code, participation in listed.items():
        if asked[code].state == "participating":
            _collect(opened[participation.pk], code, asked[code], meets_on[code], researcher)


def _directors_answer(
    study: Study, listed: Iterable[Participation], asked: Mapping[str, simulation.Participation]
) -> None:
    by_academy: dict[int, list[Participation]] = {}
    said_no: dict[int, simulation.Refusal] = {}
    for participation, answer in zip(listed, asked.values(), strict=True):
        by_academy.setdefault(participation.team.academy_id, []).append(participation)
        if answer.declined_by == "director" and answer.refusal:
            said_no[participation.team.academy_id] = answer.refusal
    for invitation in Invitation.objects.filter(study=study, academy__isnull=False).select_related("study", "academy"):
        assert invitation.academy_id is not None
        if refusal := said_no.get(invitation.academy_id):
            invitations.decline(invitation, Invitation.Reason(refusal.reason), refusal.explanation)
            continue
        invitations.accept_academy(
            invitation,
            [invitations.Approach(p.pk, p.leader_name, p.leader_email) for p in by_academy[invitation.academy_id]],
        )


def _leader_answers(
    participation: Participation, answer: simulation.Participation, meets_on: date, contact: str
) -> None:
    if answer.declined_by == "director":
        return
    invitation = Invitation.objects.select_related("study").get(participation=participation)
    if answer.refusal:
        invitations.decline(invitation, Invitation.Reason(answer.refusal.reason), answer.refusal.explanation)
        return
    assert answer.mode is not None
    mode = Participation.Mode(answer.mode)
    in_meeting, by_contact = mode != Participation.Mode.ONLINE, mode == Participation.Mode.CONTACT
    address = f"{contact.lower().replace(' ', '.')}@{domain_of(participation.leader_email)}"
    invitations.accept_team(
        invitation,
        mode=mode,
        approached=answer.approached,
        meets_on=meets_on if in_meeting else None,
        contact_name=contact if by_contact else "",
        contact_email=address if by_contact else "",
        director_sees_team=answer.team_code in SEEN_BY_DIRECTOR,
    )


def _collect(collection: Collection, code: str, answer: simulation.Participation, day: date, researcher: User) -> None:
    if collection.mode == Participation.Mode.ONLINE:
        domain = domain_of(collection.participation.leader_email)
        addresses = [f"docent{number}.{code.lower()}@{domain}" for number in range(1, answer.approached + 1)]
        personal_links.issue_links(collection, addresses, by=researcher)
    else:
        by = researcher if collection.mode == Participation.Mode.RESEARCHER else None
        collections.set_present(Meeting.objects.get(collection=collection), answer.present, by=by)
    online = collection.mode == Participation.Mode.ONLINE
    submit_many(
        collection,
        [
            # in a meeting all answer on its day, online over three weeks
            {**_row(response), "day": day + timedelta(days=number % 21 if online else 0)}
            for number, response in enumerate(answer.responses)
        ],
    )
    collections.close_collection(collection, by=researcher)


def _row(response: simulation.Response) -> dict[str, Any]:
    answers: dict[str, Any] = {item: value for item, value in response.answers.items() if value is not None}
    given = {
        "years_in_team": response.tenure,
        "appointment": response.appointment,
        "counsellor": response.counsellor,
    }
    for code, value in given.items():
        if value is not None:
            answers[code] = BACKGROUND[code][value]
    return {"answers": answers, "eligibility": response.eligibility}
