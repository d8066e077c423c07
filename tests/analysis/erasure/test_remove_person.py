"""A person is removed from rows, histories, calendars, roles, account and texts: the whole database is read afterwards."""

import time
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.apps import apps
from django.conf import settings as django_settings
from django.core import mail as django_mail
from django.core.management import call_command
from django.db import models
from django.test import Client
from django.urls import reverse

from analysis.board import waiting
from analysis.erasure import people, places
from analysis.erasure.texts import REMOVED
from surveys.keys import seal_list
from surveys.models import Invitee, LinkSecret
from teams import history
from teams.history import Happened
from teams.inviting import corrections, invitations
from teams.mail import outbox
from teams.meetings import calendars
from teams.models import (
    Academy,
    Attendee,
    Event,
    Invitation,
    Leftover,
    Membership,
    OfferedSlot,
    OutboxMessage,
    Participation,
    PlannedMeeting,
    Role,
    Study,
    Team,
    User,
)
from teams.studies.setting_up import let_work
from tests.analysis import builders
from tests.analysis.erasure import every_table
from tests.surveys import attacker

pytestmark = pytest.mark.django_db

NAME = "Marga Zeldzaam"
ADDRESS = "marga.qz71@noord.example"
PASSWORD = "correct horse battery"
# codes, and keyed hashes of addresses
CODES = ("kind", "reader", "fingerprint", "message_id", "provider_id", "privacy_contact", "vouched_by", "pages")


@pytest.fixture
def study() -> Study:
    return every_table.published_study()


@pytest.fixture
def roos(study) -> User:
    user = User.objects.create_user("roos@noord.example", PASSWORD, name="Roos de Wit")
    let_work(study, user)
    return user


@pytest.fixture
def admin() -> User:
    return User.objects.create_superuser("admin@noord.example", PASSWORD, name="Ada")


@pytest.fixture
def marga(study, roos) -> User:
    """Somebody who stands wherever a person can: every address column, every free text, roles, account, session."""
    every_table.fill(study, roos)
    user = User.objects.create_user(ADDRESS, PASSWORD, name=NAME)
    EmailAddress.objects.create(user=user, email=ADDRESS)
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    calendars.renew_feed(user)
    Client().post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    let_work(study, user)
    for place in places.places():
        if place.model is Study:
            continue
        for row in place.model._base_manager.all()[:1]:
            values = {place.email: ADDRESS.upper() if place.model is Attendee else ADDRESS}
            if place.name:
                values[place.name] = NAME
            place.model._base_manager.filter(pk=row.pk).update(**values)
    for model, column, _lookups in places.free_texts():
        row = model._base_manager.first()
        field = model._meta.get_field(column)
        text = f"Ask {NAME}, or <{ADDRESS}>."
        value = {"briefing": {"nl": text}} if isinstance(field, models.JSONField) else text
        model._base_manager.filter(pk=row.pk).update(**{column: value})
    for app in ("teams", "surveys", "analysis"):
        for model in set(apps.get_app_config(app).get_models()) - {Role, Membership}:
            for field in model._meta.concrete_fields:
                if isinstance(field, models.ForeignKey) and field.related_model is User and not field.unique:
                    model._base_manager.filter(**{f"{field.name}__isnull": False}).update(**{field.name: user})
    history.record(study, Happened.CONTACT_CHANGED, detail=f"Marga <{ADDRESS}> → Someone Else <someone@noord.example>")
    history.record(study, Happened.CONTACT_PERSON_CHANGED, detail=f"– → {NAME} {ADDRESS}")
    history.record(study, Happened.RESEARCHER_ADDED, detail=ADDRESS)
    history.record(study, Happened.MERGED, detail=f"person: {NAME} <{ADDRESS}> → {NAME.upper()} <other@noord.example>")
    return user


def left() -> list[str]:
    return every_table.found_in_database(ADDRESS) + every_table.found_in_database(NAME)


def test_every_column_of_text_is_a_persons_a_free_text_or_named_as_neither():
    """A new table with text fails here until places.py says what it holds."""
    known = {(place.model, column) for place in places.places() for column in (place.email, place.name)}
    known |= {(model, column) for model, column, _lookups in places.free_texts()}
    frozen = {apps.get_model(label) for label in places.FROZEN}
    kinds = (models.CharField, models.TextField, models.JSONField)
    for app in ("teams", "surveys", "analysis"):
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.concrete_fields:
                if not isinstance(field, kinds) or field.choices or model is User:
                    continue
                short = isinstance(field, models.CharField) and (field.max_length or 0) < 60
                code = field.name in CODES
                ok = (model, field.name) in known or model in frozen or short or code or field.name.endswith("_hash")
                assert ok, f"{model.__name__}.{field.name}: a person's, a free text or neither?"


def test_every_place_leads_to_a_study():
    for place in places.places():
        assert place.to_study() or place.model._meta.label == "teams.Refusal", place  # an address of no study


def test_an_administrator_removes_somebody_everywhere(marga, study, roos, admin):
    assert left()
    Membership.objects.get_or_create(group=study.group, user=marga)
    look = people.look(ADDRESS, None)
    assert look.account_goes
    assert NAME in look.names
    assert "Marga" in look.names, "a name that stood only in a history"
    people.remove(ADDRESS, admin, None)
    assert left() == []
    assert not User.objects.filter(email=ADDRESS).exists()
    assert people.look(ADDRESS, None).in_words() == []
    team = Team.objects.get(leader_name=REMOVED)
    assert team.leader_email == ""
    event = Event.objects.get(study=study, kind="person_removed")
    assert (event.by, event.detail) == (admin, "")
    assert Event.objects.filter(detail=f"{REMOVED} → Someone Else <someone@noord.example>").exists()
    assert Event.objects.filter(detail=f"– → {REMOVED}").exists()
    assert set(Leftover.objects.values_list("table", flat=True)) >= {"teams_event", "teams_user", "django_session"}


@pytest.mark.django_db(transaction=True)
def test_the_bytes_leave_the_disk_and_the_files(marga, admin):
    names = [ADDRESS, f"{NAME}, or <{ADDRESS}>"]
    assert attacker.left_on_disk(names)
    people.remove(ADDRESS, admin, None)
    assert attacker.swept()
    assert attacker.left_on_disk(names) == {}
    for path in [*Path(django_settings.VAR_DIR).rglob("*"), Path(django_settings.SEAL_LIST)]:
        if path.is_file():
            assert ADDRESS.encode() not in path.read_bytes(), path


def test_a_researcher_removes_within_the_studies_they_work_in(marga, study, roos):
    other = builders.make_study("other")
    team = Team.objects.get(leader_name=NAME)
    both = Participation.objects.create(study=other, team=team, state="accepted", mode="online", approached=9)
    Participation.objects.filter(pk=both.pk).update(contact_name=NAME, contact_email=ADDRESS)
    let_work(other, marga)
    history.record(other, Happened.RESEARCHER_ADDED, detail=ADDRESS)
    people.remove(ADDRESS, roos, people.scope_of(roos))
    both.refresh_from_db()
    assert both.contact_email == ADDRESS
    team.refresh_from_db()
    assert team.leader_email == ADDRESS, "the other study uses it too"
    assert Event.objects.get(study=other, kind="researcher_added").detail == ADDRESS
    assert not Event.objects.filter(study=study, detail__icontains=ADDRESS).exists()
    assert list(Role.objects.filter(user=marga, kind=Role.Kind.RESEARCHER).values_list("study", flat=True)) == [
        other.pk
    ]
    assert not Participation.objects.filter(study=study, contact_email=ADDRESS).exists()
    assert not Event.objects.filter(study=other, kind="person_removed").exists()


def test_what_it_means_for_who_is_asked_invited_or_expected(study, roos, admin):
    team = study.participations.first()
    Participation.objects.filter(pk=team.pk).update(state="invited", leader_name=NAME, leader_email=ADDRESS)
    Invitation.objects.create(study=study, academy=team.team.academy, state="accepted", undertaking=True)
    invitation = Invitation.objects.create(study=study, participation=team, state="sent", nonce="a" * 32)
    outbox.queue("teams.leader_reminder", invitation.pk, study=study)
    assert people.look(ADDRESS, None).open_invitations == 1
    people.remove(ADDRESS, admin, None)
    assert "no longer has a director or leader" in " ".join(item.text for item in waiting(study))
    invitation.refresh_from_db()
    assert not invitations.remind(invitation, roos), "there is nobody to remind"
    assert invitation.nonce != "a" * 32, "the old link opens nothing"
    outbox.send_due()
    assert django_mail.outbox == []
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"dropped"}
    team.refresh_from_db()
    corrections.correct_leader(team, "Nina Nieuw", "nina@noord.example", by=roos)
    outbox.send_due()
    assert [letter.to for letter in django_mail.outbox] == [["nina@noord.example"]], "who is named next is asked"


def test_a_researcher_who_comes_to_meetings(study, roos, admin):
    user = User.objects.create_user(ADDRESS, PASSWORD, name=NAME)
    let_work(study, user)
    every_table.fill(study, user)
    OfferedSlot.objects.update(researcher=user)
    PlannedMeeting.objects.update(researcher=user)
    people.remove(ADDRESS, admin, None)
    assert PlannedMeeting.objects.get().researcher is None
    assert not OfferedSlot.objects.exists()


def test_who_cannot_be_removed_yet(study, roos, admin):
    Study.objects.filter(pk=study.pk).update(contact_email=ADDRESS)
    assert study.title in people.refused(ADDRESS, admin, None)
    with pytest.raises(people.NotNow):
        people.remove(ADDRESS, admin, None)
    Study.objects.filter(pk=study.pk).update(contact_email="x@noord.example", privacy_contact=f"Officer, {ADDRESS}")
    assert study.title in people.refused(ADDRESS, admin, None)
    assert "own address" in people.refused(roos.email, roos, people.scope_of(roos))
    assert study.title in people.refused(roos.email, admin, None), "nobody else works in it"
    assert people.refused(admin.email, roos, people.scope_of(roos)) == "", "as for any address that is nowhere"
    let_work(study, admin)
    assert "administrator" in people.refused(admin.email, roos, people.scope_of(roos))
    assert people.refused(admin.email, None, None), "the only administrator"


def test_an_address_with_a_personal_link_gets_no_more_mail_and_nobody_learns_that_it_had_one(study, roos, admin):
    every_table.fill(study, roos)
    invitee = Invitee.objects.get()
    Invitee.objects.filter(pk=invitee.pk).update(email=ADDRESS)
    secret = LinkSecret.objects.filter(pk=invitee.pk).values().get()
    assert people.look(ADDRESS, people.scope_of(roos)).in_words() == []
    n_events = Event.objects.count()
    people.remove(ADDRESS, roos, people.scope_of(roos))
    assert Event.objects.count() == n_events, "as for an address that is nowhere"
    assert seal_list.is_removed(ADDRESS, study), "a restored backup would bring it back"
    invitee.refresh_from_db()
    assert ADDRESS not in invitee.email
    assert invitee.opted_out
    assert LinkSecret.objects.filter(pk=invitee.pk).values().get() == secret, "the link keeps working"


def test_other_names_and_addresses_stay(study, roos, admin):
    """Marga alone, and an address that ends alike, are other people's."""
    Academy.objects.update(director_name="Marga", director_email=ADDRESS)
    for detail in ("Ask Marga Jansen", f"x{ADDRESS}", "other@noord.example"):
        history.record(study, Happened.SETTINGS_CHANGED, detail=detail)
    people.remove(ADDRESS, admin, None)
    assert set(Event.objects.filter(kind="settings_changed").values_list("detail", flat=True)) == {
        "Ask Marga Jansen",
        f"x{ADDRESS}",
        "other@noord.example",
    }


def test_a_restored_backup_is_cleaned_again(marga, study, admin):
    people.remove(ADDRESS, admin, None)
    assert seal_list.is_removed(ADDRESS, None)
    assert ADDRESS not in Path(django_settings.SEAL_LIST).read_text()
    Academy.objects.update(director_name=NAME, director_email=ADDRESS)  # as the backup has it
    User.objects.create_user(ADDRESS, name=NAME)
    call_command("replay_deletions")
    assert left() == []


# ------------------------------------------------------------------------------------------------ the page
def test_the_page_wants_the_second_factor_and_the_address_twice(client, marga, roos, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(roos, secret)
    Membership.objects.filter(user=marga).delete()  # a member's account is an administrator's to remove
    client.force_login(roos)
    url = reverse("person_remove")
    assert client.get(url).status_code == 302
    assert client.post(url, {"email": ADDRESS, "confirm": ADDRESS}).status_code == 302
    assert User.objects.filter(email=ADDRESS).exists(), "a stale session removes nobody"
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    client.post(f"{reverse('mfa_reauthenticate')}?next={url}", {"code": code, "next": url})
    assert client.get(url).status_code == 200
    page = client.post(url, {"email": ADDRESS.upper()})
    assert NAME in page.content.decode()
    assert page.context["lines"]
    assert client.post(url, {"email": ADDRESS, "confirm": "else@noord.example"}).status_code == 200
    assert User.objects.filter(email=ADDRESS).exists()
    assert client.post(url, {"email": ADDRESS, "confirm": ADDRESS}).url == url
    assert left() == []
    assert client.post(url, {"email": ADDRESS}).context["lines"] == []
