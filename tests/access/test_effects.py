"""Who may change what: every form of every actor, and nothing of another research group is changed, shown or mailed.

The other group has an institution, an academy and a team of the same names; everything else of it holds a marker.
"""

import datetime
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail as django_mail
from django.db import connection, models, transaction
from django.utils import timezone

from analysis.exports import prepared
from analysis.models import PreparedFile
from surveys.models import Survey
from surveys.questionnaires.publishing import import_questionnaire
from teams.inviting import invitations
from teams.inviting.withdrawing import reissue
from teams.mail import outbox
from teams.models import Academy, Institution, Invitation, OutboxMessage, ResearchGroup, Study, Team, User
from teams.studies.setting_up import let_work
from tests.access.cast import ACCOUNTS, ROLES, Cast, make_cast
from tests.access.forms_of import FORMS, Form, posts
from tests.analysis.builders import QUESTIONNAIRE
from tests.groups import a_group

pytestmark = pytest.mark.django_db
MARK = "kwartel"  # stands in no text of the product
# An administrator's pages that are about all groups
ABOUT_ALL = {"groups", "study_new", "questionnaire_new", "questionnaire_import", "questionnaire_templates"}
#: Forms that nobody of the cast gets anything written by, and why.
NOTHING_WRITTEN = {
    "address_list": "nobody of the cast holds the link that it needs",
}


def seed() -> ResearchGroup:
    """The other group: the same institution, academy and team by name, and a marker in everything else."""
    group = a_group(f"{MARK} groep")
    institution = Institution.objects.create(group=group, name="Hogeschool Noord")
    academy = Academy.objects.create(
        institution=institution,
        name="Zorg",
        sector="health",
        director_name=f"Directeur {MARK}",
        director_email=f"directeur@{MARK}.example",
    )
    study = Study.objects.create(
        group=group,
        slug=f"{MARK}-studie",
        title=f"Studie {MARK}",
        starts_on=datetime.date(2026, 9, 1),
        ends_on=datetime.date(2027, 6, 30),
        controller=f"Hogeschool {MARK}",
        privacy_contact=f"privacy@{MARK}.example",
        contact_name=f"Onderzoeker {MARK}",
        contact_email=f"contact@{MARK}.example",
    )
    zoe = User.objects.create_user(f"zoe@{MARK}.example", "correct horse battery", name=f"Zoe {MARK}")
    let_work(study, zoe)
    text = QUESTIONNAIRE.replace("title: Small", f"title: Vragen {MARK}").replace("text: One}", f"text: Item {MARK}}}")
    Survey.objects.create(study=study, version=import_questionnaire(text, group)[1])
    for name in ("Verpleegkunde", f"Team {MARK}"):
        team = Team.objects.create(
            academy=academy, name=name, leader_name=f"Leider {MARK}", leader_email=f"leider@{MARK}.example"
        )
        invitations.list_team(study, team, zoe)
    invitations.invite_directors(study, zoe)
    return group


def rows_of(group: ResearchGroup) -> dict[tuple[str, Any], dict[str, Any]]:
    """Every row that hangs on a group, however far below, with all that stands in it."""
    hanging: dict[tuple[str, Any], dict[str, Any]] = {}
    level: dict[type[models.Model], set[Any]] = {ResearchGroup: {group.pk}}
    while level:
        below: dict[type[models.Model], set[Any]] = {}
        for model, keys in level.items():
            new = {key for key in keys if (model._meta.label, key) not in hanging}
            for row in model._base_manager.filter(pk__in=new).values():
                hanging[model._meta.label, row[model._meta.pk.attname]] = row
            for relation in model._meta.related_objects if new else ():
                if not relation.many_to_many:
                    rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": new})
                    below.setdefault(relation.related_model, set()).update(rows.values_list("pk", flat=True))
        level = {model: keys for model, keys in below.items() if keys}
    hanging |= {("User", user["id"]): user for user in User.objects.filter(email__contains=MARK).values()}
    return hanging


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Cast, ResearchGroup]]:
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
        made = make_cast(), seed()
        OutboxMessage.objects.update(state=OutboxMessage.State.SENT)  # what is mailed from here on, an actor caused
        yield made
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture
def folders_of_their_own() -> None:
    """The keys of the cast's collections lie in one folder for all tests of this module."""


def test_every_post_has_a_form(world: tuple[Cast, ResearchGroup]) -> None:
    missing = posts(world[0]) - FORMS.keys()
    assert not missing, f"addresses that take a POST and have no form in forms_of.py: {sorted(missing)}"


@pytest.mark.parametrize("name", sorted(FORMS))
def test_no_form_reaches_another_group(name: str, world: tuple[Cast, ResearchGroup]) -> None:
    cast, group = world
    before = rows_of(group)
    for form in FORMS[name]:
        written = False
        for actor in ROLES:
            django_mail.outbox.clear()
            with transaction.atomic():  # each starts from the same rows
                written |= _send(form, actor, cast, group, before)
                transaction.set_rollback(True)
        if form.is_written and name not in NOTHING_WRITTEN:
            assert written, f"nobody gets anything written by this form of {name}: it is refused"


def _send(
    form: Form, actor: str, cast: Cast, group: ResearchGroup, before: dict[tuple[str, Any], dict[str, Any]]
) -> bool:
    """Send it as this actor, and read all that comes of it. Whether it wrote anything."""
    client = cast.client(actor)
    path, data = form.path(cast), form.data(cast)
    mails, files = set(pks_of(OutboxMessage)), set(pks_of(PreparedFile))
    statements: list[str] = []
    with connection.execute_wrapper(noting(statements)):
        answer = client.post(path, data)
    said = text_in(b"".join(answer) if answer.streaming else answer.content)
    if answer.status_code in (302, 303) and actor in ACCOUNTS and answer["Location"].startswith("/"):
        said += text_in(client.get(answer["Location"]).content)  # what the message and the page after it say
    if not (actor == "admin" and form.name in ABOUT_ALL):
        assert MARK not in said, f"{actor} reads of the other group"
    for mail in sent(set(pks_of(OutboxMessage)) - mails):
        assert MARK not in mail, f"{actor} makes us mail of the other group"
    for pk in set(pks_of(PreparedFile)) - files:
        assert prepared.prepare(pk), "a file that was asked for is made"
        made = b"".join(prepared.pieces(PreparedFile.objects.get(pk=pk)))
        assert MARK not in text_in(made), f"a file that {actor} asked for holds the other group"
    if statements:
        assert rows_of(group) == before, f"{actor} changed the other group"
    return bool(statements)


def pks_of(model: type[models.Model]) -> Iterator[int]:
    return iter(model._default_manager.values_list("pk", flat=True))


def noting(statements: list[str]) -> Callable[..., Any]:
    """Notes what is written, but for the session of whoever asks."""

    def execute(go_on: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if re.match(r"(INSERT|UPDATE|DELETE|REPLACE|WITH)\b", sql) and "django_session" not in sql:
            statements.append(sql)
        return go_on(sql, parameters, many, context)

    return execute


def sent(pks: set[int]) -> Iterator[str]:
    """All that is said in mails that went at once and in those that wait in the outbox: heads, words and files."""
    OutboxMessage.objects.filter(pk__in=pks).update(due_at=timezone.now())
    outbox.send_due()
    for message in django_mail.outbox:
        heads = f"{message.subject} {message.recipients()} {message.extra_headers}"
        others = [str(each.content) for each in getattr(message, "alternatives", ())]
        parts = [text_in(as_bytes(each[1])) for each in message.attachments]
        yield "\n".join([heads, str(message.body), *others, *parts])


def as_bytes(content: Any) -> bytes:
    return content if isinstance(content, bytes) else str(content).encode()


def text_in(content: bytes) -> str:
    """The text of a page or a file: of a ZIP or a workbook, of what is packed in it."""
    if content.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return "\n".join(text_in(packed.read(name)) for name in packed.namelist())
    return content.decode(errors="replace")


def test_what_is_read_is_found(world: tuple[Cast, ResearchGroup]) -> None:
    """The marker would be found in a page, in a packed file, and in a mail of the other group's."""
    _cast, group = world
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", f"<a>{MARK}</a>")
    assert MARK in text_in(packed.getvalue())
    with transaction.atomic():
        django_mail.outbox.clear()
        theirs = Study.objects.get(group=group)
        before = set(pks_of(OutboxMessage))
        invitation = Invitation.objects.filter(study=theirs, academy__isnull=False).get()
        assert reissue(invitation)
        assert any(MARK in mail for mail in sent(set(pks_of(OutboxMessage)) - before))
        transaction.set_rollback(True)
