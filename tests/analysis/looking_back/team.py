"""A team that agreed on steps, its day, and who reads the page where they look back."""

from __future__ import annotations

from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis.looking_back import dates
from analysis.looking_back.steps import steps_of
from analysis.models import LookBack, LookBackReader
from teams.mail import outbox
from teams.models import Participation, User

STEPS = "- Visit each other's lessons\n2. Ask for an example"
ASKED = "ayse@school.example"


def page_of(team: Participation) -> str:
    return reverse("team_look_back", args=[team.pk])


def day_of(team: Participation) -> str:
    return reverse("team_look_back_day", args=[team.pk])


def picked(team: Participation, *others: str, on: object = None) -> LookBack:
    user = User.objects.filter(email=team.leader_email).first()
    assert dates.pick(team, on or dates.usual_day(), others, user)  # type: ignore[arg-type]
    return LookBack.objects.get(participation=team)


def come(look_back: LookBack) -> None:
    """The day has come."""
    LookBack.objects.filter(pk=look_back.pk).update(on=timezone.localdate())


def sent() -> list[tuple[str, str]]:
    mail.outbox.clear()
    outbox.send_due()
    return [(message.to[0], message.body) for message in mail.outbox]


def reader_client(reader: LookBackReader) -> Client:
    client = Client()
    assert client.get(dates.path_of(reader)).status_code == 302
    return client


def said(team: Participation, n: int = 0) -> tuple[str, str]:
    step = steps_of(team)[n]
    return step.status, step.line
