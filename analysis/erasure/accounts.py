"""Deleting an account with what hangs on it: second factor, addresses, sessions, calendar address, offered times."""

from __future__ import annotations

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db.models import CASCADE, ForeignKey

from teams.models import CalendarFeed, Role, Study, User

# from which deleting an account takes rows
TABLES = (User, EmailAddress, EmailConfirmation, Authenticator, Session, CalendarFeed, Role)


def only_of_leaders_in(study: Study) -> set[int]:
    """Accounts whose every role is leader of a team in this study: they are of no use when the study is gone."""
    leaders = set(Role.objects.filter(participation__study=study).values_list("user", flat=True))
    others = Role.objects.filter(user__in=leaders).exclude(participation__study=study).values_list("user", flat=True)
    users = User.objects.filter(pk__in=leaders - set(others), is_superuser=False, memberships__isnull=True)
    return set(users.values_list("pk", flat=True))


def delete(user: User) -> None:
    """Delete an account. What it did stays, without saying who: every reference to it is emptied first."""
    end_sessions(user)
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            if not isinstance(field, ForeignKey) or field.related_model is not User:
                continue
            if field.null and field.remote_field.on_delete is not CASCADE:
                model._base_manager.filter(**{field.name: user}).update(**{field.name: None})
    user.delete()


def end_sessions(user: User) -> int:
    """End the sessions of an account: their rows hold its address."""
    n_ended = 0
    for session in Session.objects.iterator():
        content = session.get_decoded()
        if content.get("_auth_user_id") == str(user.pk) or user.email in str(content):
            session.delete()
            n_ended += 1
    return n_ended
