"""What is sent to every address that takes a POST: one registry for all tests that send every form.

``FORMS`` names each address with the forms to send there. `posts` asks the URL configuration which addresses take one; a
new one without a form fails `test_effects.test_every_post_has_a_form`. What a form needs it makes from the cast.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from surveys.linking.personal_links import stop_url
from surveys.models import Invitee, Questionnaire
from teams.contacts.cells import EXAMPLE
from teams.files.tables import write_csv
from teams.inviting.invitations import undecided_teams
from teams.mail import templates
from teams.meetings import planning
from teams.models import User
from tests.access.cast import Cast
from tests.access.opened import fields_of
from tests.access.test_permissions import (
    TABLE,
    Row,
    address_check,
    addresses,
    asked_token,
    finished_run,
    mail_domain,
    of_online_team,
    of_team,
    of_two_teams,
    team,
)

# Pages of the sign-in library: what they may do with the own account is tested in tests/teams
OF_THE_LIBRARY = ("account_", "mfa_")
Data = Callable[[Cast], dict[str, Any]]


@dataclass(frozen=True)
class Form:
    """One thing to send to an address: its arguments and what stands in the form, both made from the cast."""

    name: str
    arguments: Callable[[Cast], list[object]] = lambda cast: []
    data: Data = field(default=lambda cast: {})
    is_written: bool = True  # it has fields, and somebody of the cast gets something done by it

    def __str__(self) -> str:
        return self.name

    def path(self, cast: Cast) -> str:
        return reverse(self.name, args=self.arguments(cast))

    def send(self, client: Client, cast: Cast) -> HttpResponse:
        return client.post(self.path(cast), self.data(cast))


def _row_of(name: str) -> Row:
    """How the table of permissions opens this address: a row that somebody may open, where there is one."""
    rows = [row for row in TABLE if row.name == name]
    return next((row for row in rows if {200, 302} & set(row.expected.values())), rows[0])


def slug(cast: Cast) -> list[object]:
    return [cast.study.slug]


def contacts_table(cast: Cast) -> str:
    """The names that both groups have, with people of this one."""
    team = cast.participation.team
    director = (cast.academy.director_name, cast.academy.director_email)
    row = [team.academy.institution.name, team.academy.name, "health", *director, team.name, team.form]
    return write_csv([EXAMPLE[0], [*row, "Nieuw", "nieuw@noord.example"]])


def _academy(cast: Cast) -> dict[str, Any]:
    return {
        "institution": cast.academy.institution.name,
        "name": cast.academy.name,
        "sector": "arts",
        "director_name": "Nieuw",
        "director_email": "nieuw@noord.example",
    }


def _team(cast: Cast) -> dict[str, Any]:
    return {
        "academy": cast.academy.pk,
        "name": cast.participation.team.name,
        "form": "full_time",
        "leader_name": "Nieuw",
        "leader_email": "nieuw@noord.example",
    }


def _split_off(cast: Cast) -> dict[str, Any]:
    return {
        "name": "Afgesplitst",
        "form": "full_time",
        "leader_name": "Nieuw",
        "leader_email": "nieuw@noord.example",
        "approached": 5,
        "left": 7,
        "sure": "on",
    }


def _study(cast: Cast) -> dict[str, Any]:
    return {
        "group": cast.study.group_id,
        "title": cast.study.title,
        "wave": 2,
        "previous": cast.study.pk,
        "starts_on": "2027-09-01",
        "ends_on": "2028-06-30",
        "k": 5,
        "grace_hours": 24,
        "controller": "Hogeschool Noord",
        "legal_basis": "public_task",
        "privacy_contact": "privacy@noord.example",
        "retention_years": 10,
        "language": "nl",
        "report_days": 14,
        "contact_name": "Alice",
        "contact_email": "alice@noord.example",
    }


def _questionnaire_yaml(cast: Cast) -> SimpleUploadedFile:
    from surveys.questionnaires.publishing import export

    content = export(cast.collection.survey.version.content | {"code": "imported"}).encode()
    return SimpleUploadedFile("asked.yaml", content)


def _edited(cast: Cast) -> list[object]:
    """A questionnaire with a draft that is no version yet."""
    version = cast.collection.survey.version
    draft = version.content | {"title": {"nl": "Nieuw", "en": "New"}}
    Questionnaire.objects.filter(pk=version.questionnaire_id).update(draft=draft, edit=99)
    return [version.questionnaire_id]


def _answers(cast: Cast) -> SimpleUploadedFile:
    scales = cast.collection.survey.version.content["scales"]
    codes = [item["code"] for scale in scales for item in scale["items"]]
    rows = [["team", *codes], *(["Nieuw", *["2"] * len(codes)] for _n in range(3))]
    return SimpleUploadedFile("answers.csv", write_csv(rows).encode())


_WRITTEN = [
    Form("academy_new", slug, _academy),
    Form("academy_edit", lambda cast: [cast.study.slug, cast.academy.pk], _academy),
    Form("team_new", slug, _team),
    Form("team_edit", lambda cast: [cast.study.slug, cast.participation.pk], _team),
    Form("contacts_import", slug, lambda cast: {"content": contacts_table(cast)}, is_written=False),  # a dry run
    Form("contacts_import", slug, lambda cast: {"content": contacts_table(cast), "apply": "1"}),
    Form(
        "merge",
        lambda cast: [cast.study.slug, "team", cast.participation.team_id, cast.online.team_id],
        is_written=False,  # refused: both take part in one study
    ),
    Form(
        "merge",
        lambda cast: [cast.study.slug, "person", cast.participation.team_id, cast.online.team_id],
    ),
    Form(
        "team_merge",
        of_two_teams,
        lambda cast: {"leader": cast.third.leader_email, "sure": "on"},
    ),
    Form("team_split", of_team, _split_off),
    Form(
        "collecting_links", of_online_team, lambda cast: {"addresses": "ine@noord.example"}, is_written=False
    ),  # shown first
    Form("study_new", data=_study),
    Form("study_people", slug, lambda cast: {"name": "Ine", "email": "ine@noord.example"}),
    Form("study_people", slug, lambda cast: {"name": "Ine", "email": cast.emails["bob"]}),  # of another group
    Form("join_research", asked_token, lambda cast: {"accept": "1"}),
    Form("join_research", asked_token, lambda cast: {"decline": "1"}),
    Form("groups", data=lambda cast: {"name": "Nieuwe groep"}),
    Form("group", lambda cast: [cast.study.group_id], lambda cast: {"name": "Ine", "email": "ine@noord.example"}),
    Form("questionnaire_new", data=lambda cast: {"group": cast.study.group_id, "code": "nieuw", "title_nl": "Nieuw"}),
    Form(
        "questionnaire_templates", data=lambda cast: {"group": cast.study.group_id, "template": "collective-learning"}
    ),
    Form(
        "questionnaire_offer",
        lambda cast: [cast.collection.survey.version.questionnaire_id],
        lambda cast: {"offered": "1"},
    ),
    Form(
        "questionnaire_import",
        data=lambda cast: {"group": cast.study.group_id, "file": _questionnaire_yaml(cast)},
        is_written=False,  # shown first
    ),
    Form(
        "questionnaire_import",
        data=lambda cast: {
            "group": cast.study.group_id,
            "document": _questionnaire_yaml(cast).read().decode(),
        },
    ),
    Form(
        "questionnaire_choose",
        slug,
        lambda cast: {"version": cast.collection.survey.version_id},
    ),
    Form(
        "questionnaire_choose",
        slug,
        lambda cast: {"begin": "collective-learning"},
        is_written=False,  # of a group that has no questionnaire: tests/surveys/test_begin.py
    ),
    Form("questionnaire_versions", _edited, lambda cast: {"edit": 99, "note": "Zo"}),
    Form(
        "responses_import",
        slug,
        lambda cast: {"file": _answers(cast), "team_column": "team"},
        is_written=False,  # what is in the file is shown first
    ),
    Form(
        "responses_import",
        slug,
        lambda cast: {"file": _answers(cast), "team_column": "team", "import": "1"},
    ),
]


def _of_table() -> Iterator[Form]:
    """What the table of permissions posts."""
    for row in TABLE:
        if row.method == "post" and not row.name.startswith(OF_THE_LIBRARY):
            yield Form(row.name, row.arguments, lambda cast, row=row: dict(row.data), is_written=False)


def _opened(
    role: str, name: str, changes: dict[str, Any], arguments: Callable[[Cast], list[object]] | None = None, **how: bool
) -> Form:
    """The fields as the page shows them to who may open it, with some of them changed. ``how``: see opened.fields_of."""
    given = arguments or _row_of(name).arguments

    def data(cast: Cast) -> dict[str, Any]:
        last = made.pop() if made else given(cast)
        page = cast.client(role).get(reverse(name, args=last))
        assert page.status_code == 200, (name, page.status_code)
        return fields_of(page.content.decode(), **how) | changes

    made: list[list[object]] = []

    def and_remember(cast: Cast) -> list[object]:
        made[:] = [given(cast)]
        return made[0]

    return Form(name, and_remember, data)


def _day(days: int, at: str = "09:00") -> str:
    return f"{timezone.localdate() + timedelta(days=days)}T{at}"


def _criterion(cast: Cast) -> dict[str, Any]:
    table = write_csv([["team", "value"], [cast.participation.team.name, "7"]])
    file = SimpleUploadedFile("figures.csv", table.encode())
    return {"name": "Visits", "source": "the register", "file": file, "team_column": "team", "value_column": "value"}


def _director_says_yes(cast: Cast) -> dict[str, Any]:
    data = {"undertaking": "on"}
    for undecided in undecided_teams(cast.director_invitation):
        data |= {
            f"ask_{undecided.pk}": "on",
            f"name_{undecided.pk}": "Nieuw",
            f"email_{undecided.pk}": "nieuw@noord.example",
        }
    return data


def _to_tick(cast: Cast) -> dict[str, Any]:
    """The addresses of teachers that nobody has confirmed yet."""
    mail_domain(cast)
    invitees = Invitee.objects.filter(collection__participation=cast.online)
    return {"address": list(invitees.values_list("pk", flat=True))}


def _stop(cast: Cast) -> list[object]:
    return [stop_url(cast.invitee).rsplit("/", 1)[1]]


def _words(cast: Cast) -> dict[str, Any]:
    words = templates.wording(cast.study, "teams.director_invitation", "nl")
    return {"language": "nl", "nl-subject": f"{words.subject} (nieuw)", "nl-body": words.body}


def _with_meeting(cast: Cast) -> bool:
    """Carol's team has a date."""
    alice = User.objects.get(email=cast.emails["alice"])
    when = timezone.now() + timedelta(days=9)
    return planning.fix(planning.begin(cast.participation), when, researcher=alice, by=alice)


_WRITTEN += [
    Form("mail_domains", slug, lambda cast: {"institution": cast.academy.institution_id, "domain": "elders.example"}),
    Form("address_list_admin", lambda cast: [cast.study.slug, cast.academy.pk], _to_tick),
    Form("address_list", lambda cast: [address_check(cast).pk], _to_tick),
    Form("cases", slug, _criterion),
    Form(
        "case",
        lambda cast: [finished_run(cast) and cast.study.slug, cast.participation.pk],
        lambda cast: {"GV": "What the interviews found"},
        is_written=False,  # a note for each scale of a run that counted something: tests/analysis/test_workspace_pages.py
    ),
    Form(
        "decisions",
        lambda cast: [finished_run(cast) and cast.study.slug],
        lambda cast: {"kind": "set_aside", "set_aside-subject": "IV", "set_aside-reason": "About the organisation"},
    ),
    Form(
        "exports",
        slug,
        lambda cast: {"purpose": "A check", "with_team": "on"},
        is_written=False,  # no answers are sealed: tests/analysis/exporting
    ),
    _opened("alice", "study_settings", {"contact_name": "Anna"}),
    Form("invitation", lambda cast: [cast.director_invitation.pk], _director_says_yes),
    Form(
        "invitation",
        lambda cast: [cast.director_invitation.pk],
        lambda cast: {"decline": "1", "decline-reason": "workload", "decline-text": "Later"},
    ),
    Form(
        "invitation",
        lambda cast: [cast.leader_invitation.pk],
        lambda cast: {"mode": "online", "approached": "12", "undertaking": "on"},
    ),
    Form(
        "invitation",
        lambda cast: [cast.leader_invitation.pk],
        lambda cast: {"decline": "1", "decline-reason": "workload", "decline-text": "Later"},
    ),
    *(
        Form(
            "mail_text",
            lambda cast: [cast.study.slug, "teams.director_invitation"],
            lambda cast, action=action: _words(cast) | {"action": action},
            is_written=action in ("save", "shipped"),
        )
        for action in ("save", "preview", "test", "shipped")
    ),
    *(
        Form(name, arguments, lambda cast, data=data: data() if callable(data) else data)
        for name, arguments in (("meeting", of_team), ("team_meeting", team))
        for data in (
            lambda: {"propose": "1", "dates-date_1": _day(9), "dates-minutes": "45", "dates-room": "B1"},
            {
                "way": "1",
                "way-mode": "contact",
                "way-contact_name": "Nieuw",
                "way-contact_email": "nieuw@noord.example",
            },
        )
    ),
    Form(
        "meeting",
        of_team,
        lambda cast: {"fix": "1", "fix-date": "other", "fix-other": _day(9), "fix-room": "B1"},
    ),
    *(
        Form(name, lambda cast, of=arguments: _with_meeting(cast) and of(cast), lambda cast, data=data: data)
        for name, arguments in (("meeting", of_team), ("team_meeting", team))
        for data in ({"call_off": "1"}, {"room": "1", "room-minutes": "60", "room-room": "C2"})
    ),
    _opened("alice", "meeting_texts", {"briefing_nl": "Fijn dat u er bent."}),
    Form("meetings", slug, lambda cast: {"day": _day(9)[:10], "times": "9:00, 10:30", "minutes": "45"}),
    Form(
        "models",
        slug,
        lambda cast: {"name": "Mine", "estimator": "MLR", "syntax": "A =~ GV1 + GV2 + GV3", "reason": "A check"},
    ),
    Form("no_mails", _stop, lambda cast: {"List-Unsubscribe": "One-Click"}),
    Form("no_mails", _stop, lambda cast: {"again": "1"}),
    _opened("alice", "plan_amend", {"reason": "A check", "unanswered_over": "40"}),
    Form("reminder_rounds", slug, lambda cast: {"due_at": _day(3)}),
    Form("study_employment", slug, lambda cast: {"academies": [cast.academy.pk]}),
    _opened("alice", "collecting_paper_form", {"go": ""}, choose=True),
    _opened("facilitator", "facilitator_paper_form", {"go": ""}, choose=True),
]

#: What is sent without a field, and why.
_EMPTY = {
    "collecting_paper_correct": "nothing is typed twice yet: tests/surveys/test_paper.py corrects",
    **dict.fromkeys(
        ("team_look_back", "team_look_back_day", "look_back", "look_back_leave"),
        "nothing is published and agreed yet: tests/analysis/looking_back looks back",
    ),
    "team_talk": "nothing is published yet: tests/analysis/test_shared_reports.py writes down targets",
}

FORMS: dict[str, list[Form]] = {}
for _form in [*_WRITTEN, *_of_table(), *(Form(name, _row_of(name).arguments, is_written=False) for name in _EMPTY)]:
    FORMS.setdefault(_form.name, []).append(_form)


def posts(cast: Cast) -> set[str]:
    """The names of all addresses that take a POST, but for those of the sign-in library: asked of the program."""
    client, names = cast.client("admin"), set()
    for pattern in addresses():
        if pattern.name.startswith(OF_THE_LIBRARY):
            continue
        row = _row_of(pattern.name)
        with transaction.atomic():  # what it changes, and what its arguments made, is of no other address
            if client.post(reverse(row.name, args=row.arguments(cast))).status_code != 405:
                names.add(pattern.name)
            transaction.set_rollback(True)
    return names
