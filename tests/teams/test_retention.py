"""What was promised about keeping: the day is counted, researchers are told once, the board says it, a person deletes."""

import datetime
import importlib

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core import mail as django_mail
from django.urls import reverse
from django.utils import timezone

from analysis.board import waiting
from teams.mail import outbox
from teams.models import Event, Study, User
from teams.studies import retention, setting_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def over(study, roos) -> Study:
    Study.objects.filter(pk=study.pk).update(
        starts_on=datetime.date(2010, 9, 1), ends_on=datetime.date(2011, 6, 30), retention_years=10
    )
    study.refresh_from_db()
    return study


@pytest.mark.parametrize(
    ("ends_on", "years", "until"),
    [((2026, 6, 30), 10, (2036, 6, 30)), ((2028, 2, 29), 1, (2029, 3, 1)), ((2028, 2, 29), 4, (2032, 2, 29))],
)
def test_the_promised_day(study, ends_on, years, until):
    study.ends_on, study.retention_years = datetime.date(*ends_on), years
    assert retention.promised_until(study) == datetime.date(*until)


def test_the_day_itself_is_still_promised(study):
    today = timezone.localdate()
    study.ends_on, study.retention_years = today, 0
    assert not retention.is_over(study)
    study.ends_on = today - datetime.timedelta(days=1)
    assert retention.is_over(study)


def test_researchers_are_told_once_and_nothing_is_deleted(over, roos):
    assert retention.tell() == 1
    assert retention.tell() == 0
    assert Event.objects.filter(study=over, kind="retention_over").count() == 1
    outbox.send_due()
    (letter,) = django_mail.outbox
    assert letter.to == [roos.email]
    assert reverse("study_delete", args=[over.slug]) in letter.body
    assert Study.objects.exists()


def test_the_board_and_the_list_say_it_to_researchers_and_administrators(client, over, roos):
    assert reverse("study_delete", args=[over.slug]) in [item.url for item in waiting(over) if item.urgent]
    for user in (roos, User.objects.create_superuser("admin@noord.example", "correct horse battery")):
        client.force_login(user)
        assert reverse("study_delete", args=[over.slug]) in client.get(reverse("studies")).content.decode()
        assert (
            reverse("study_delete", args=[over.slug]) in client.get(reverse("board", args=[over.slug])).content.decode()
        )


def test_a_study_within_its_time_is_not_named(client, study, roos):
    assert retention.tell() == 0
    client.force_login(roos)
    assert reverse("study_delete", args=[study.slug]) not in client.get(reverse("studies")).content.decode()


def test_the_years_cannot_change_once_people_read_them(study, roos, nursing):
    from teams.inviting.invitations import invite_directors

    assert setting_up.change_settings(study, {"retention_years": 12}, roos) == ["retention_years"]
    invite_directors(study, roos)
    assert setting_up.change_settings(study, {"retention_years": 30}, roos) == []
    study.refresh_from_db()
    assert study.retention_years == 12


def test_the_promised_day_moves_to_an_earlier_one_only(client, study, roos, nursing):
    """The attack: after people read "ten years", the last day is put off."""
    from teams.inviting.invitations import invite_directors

    invite_directors(study, roos)
    client.force_login(roos)
    client.cookies["django_language"] = "en"
    page = reverse("study_settings", args=[study.slug])

    def post(**changes: str) -> str:
        form = client.get(page).context["form"]
        data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
        data = {name: value for name, value in data.items() if value not in (None, False)}
        answer = client.post(page, {**data, **changes}, follow=True).content.decode()
        study.refresh_from_db()
        return answer

    kept = datetime.date(2037, 6, 30)
    assert retention.promised_until(study) == kept
    post(ends_on="2027-12-31")
    assert study.ends_on == datetime.date(2027, 12, 31)
    assert retention.promised_until(study) == kept
    assert "have been told" in post(ends_on="2060-12-31").lower()
    assert study.ends_on == datetime.date(2027, 12, 31)
    post(ends_on="2027-03-31")
    post(ends_on="2027-12-31")
    assert retention.promised_until(study) == datetime.date(2037, 3, 31), "whoever came between read the earlier day"
    before = (study.controller, study.legal_basis)
    post(controller="Somebody else", legal_basis="consent")
    assert (study.controller, study.legal_basis) == before


def test_a_promised_study_is_due_on_the_promised_day(study, roos):
    setting_up.promise(study)
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    Study.objects.filter(pk=study.pk).update(ends_on=timezone.localdate(), kept_until=yesterday)
    assert retention.due(Study.objects.all()) == [study]


def test_the_migration_keeps_the_day_of_who_promised(study, roos):
    promised = timezone.localdate()
    Study.objects.filter(pk=study.pk).update(promised_on=promised, kept_until=None)
    migration = importlib.import_module("teams.migrations.0024_kept_until")
    migration.keep(apps, None)
    study.refresh_from_db()
    assert study.kept_until == datetime.date(2037, 6, 30)


def test_sessions_that_ended_are_forgotten(client, roos):
    client.force_login(roos)
    assert retention.forget_sessions() == 0
    Session.objects.update(expire_date=timezone.now() - datetime.timedelta(minutes=1))
    assert retention.forget_sessions() == 1
    assert not Session.objects.exists()
