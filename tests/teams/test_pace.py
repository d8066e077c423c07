"""Sending hours of the site and of a study, and so many mails per minute for all workers together."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail as django_mail
from freezegun import freeze_time

from teams.mail import outbox, pace
from teams.mail.composing import Mail
from teams.models import MailHours, SendingMinute
from tests.surveys.conftest import in_threads

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MONDAY_NIGHT = datetime(2026, 11, 23, 3, tzinfo=AMSTERDAM)
MONDAY_MORNING = datetime(2026, 11, 23, 9, tzinfo=AMSTERDAM)
SATURDAY = datetime(2026, 11, 28, 9, tzinfo=AMSTERDAM)
SUMMER_MORNING = datetime(2026, 7, 6, 8, 30, tzinfo=AMSTERDAM)  # 06:30 UTC


@pytest.fixture
def kind(monkeypatch) -> str:
    monkeypatch.setitem(outbox._renderers, "test.kind", lambda pk, _language: Mail("lena@noord.example", "s", "t"))
    return "test.kind"


@pytest.fixture
def office_hours(settings) -> None:
    settings.MAIL_HOURS = "12345 08:00-18:00"


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        (MONDAY_MORNING, True),
        (MONDAY_NIGHT, False),
        (SATURDAY, False),
        (SUMMER_MORNING, True),
        (datetime(2026, 11, 23, 18, tzinfo=AMSTERDAM), False),
        (datetime(2026, 11, 23, 17, 59, tzinfo=AMSTERDAM), True),
        (datetime(2026, 11, 23, 7, 59, tzinfo=AMSTERDAM), False),
    ],
)
def test_hours_are_those_of_the_sites_clock(office_hours, moment, open_):
    assert pace.site_hours().hold(moment) is open_


@pytest.mark.parametrize("text", ["always", "12345", "8 08:00-18:00", "12345 18:00-08:00", "12345 25:00-26:00"])
def test_hours_that_cannot_be_read_are_refused(settings, text):
    settings.MAIL_HOURS = text
    with pytest.raises(ValueError, match=r".+"):
        pace.site_hours()


@pytest.mark.django_db
def test_mails_wait_for_the_hours_and_then_go(kind, office_hours):
    with freeze_time(MONDAY_NIGHT) as clock:
        outbox.queue(kind, 1)
        assert outbox.send_due() == 0
        clock.move_to(MONDAY_MORNING)
        assert outbox.send_due() == 1


@pytest.mark.django_db
def test_a_study_has_its_own_hours(kind, study, office_hours, settings):
    MailHours.objects.create(study=study, days="67", begin=time(8), end=time(12))
    with freeze_time(SATURDAY) as clock:
        outbox.queue(kind, 1)
        outbox.queue(kind, 2, study=study)
        assert outbox.send_due() == 1
        outbox.queue(kind, 3, study=study)
        clock.move_to(MONDAY_MORNING + timedelta(days=7))
        assert outbox.send_due() == 1  # the site's
        settings.MAIL_HOURS = ""
        assert outbox.send_due() == 0  # the study's own hours hold where the site has none


@pytest.mark.django_db
def test_what_cannot_wait_does_not(kind, office_hours, monkeypatch):
    monkeypatch.setattr(outbox, "_any_hour", {kind})
    with freeze_time(MONDAY_NIGHT):
        outbox.queue(kind, 1)
        assert outbox.send_due() == 1


@pytest.mark.django_db
def test_so_many_a_minute_and_the_rest_in_the_next(kind, settings):
    settings.MAIL_PER_MINUTE = 3
    with freeze_time(MONDAY_MORNING) as clock:
        outbox.queue_many(kind, range(8))
        assert [outbox.send_due(), outbox.send_due()] == [3, 0]
        clock.tick(59)
        assert outbox.send_due() == 0
        clock.tick(1)
        assert outbox.send_due() == 3
        clock.tick(60)
        assert outbox.send_due() == 2
    assert SendingMinute.objects.count() == 1
    assert len(django_mail.outbox) == 8


@pytest.mark.django_db(transaction=True)
def test_workers_share_the_minute(kind, settings):
    settings.MAIL_PER_MINUTE = 5
    outbox.queue_many(kind, range(20))
    with freeze_time(MONDAY_MORNING + timedelta(days=365), tick=False):
        results = in_threads(*[outbox.send_due] * 4)
    assert SendingMinute.objects.get().n == 5
    assert 1 <= sum(results) <= 5  # a turn is lost where another worker claimed the mail first
    assert len(django_mail.outbox) == sum(results)


@pytest.mark.django_db
def test_sign_in_codes_wait_for_nothing(client, study, office_hours, settings):
    """Neither for hours nor for the count per minute, nor for mails that were asked for before."""
    from django.urls import reverse

    from teams.models import User

    settings.MAIL_PER_MINUTE = 1
    User.objects.create_user("lena@noord.example")
    with freeze_time(MONDAY_NIGHT):
        assert pace.take_turn(MONDAY_NIGHT)
        client.post(reverse("account_request_login_code"), {"email": "lena@noord.example"})
        assert outbox.send_due() == 1
    assert [message.to for message in django_mail.outbox] == [["lena@noord.example"]]
