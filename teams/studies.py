"""Setting up a study: who creates it becomes its researcher, and may let others in; what invited people were told cannot
change any more.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.text import slugify

from teams import history, mail
from teams.models import Invitation, Role, Study, User

RESERVED = {"new"}
# What a director or leader read in the invitation: fixed from the first one on
PROMISED = ("k", "report_days")


def create_study(fields: dict[str, Any], by: User) -> Study:
    """Create a study from validated fields, with a short name made from its title; its creator is its researcher."""
    base = slugify(fields["title"])[:40] or "study"
    for number in range(1, 100):
        slug = base if number == 1 else f"{base}-{number}"
        if slug in RESERVED or Study.objects.filter(slug=slug).exists():
            continue
        try:
            with transaction.atomic():
                study = Study.objects.create(slug=slug, **fields)
                Role.objects.create(user=by, kind=Role.Kind.RESEARCHER, study=study)
                history.record(study, "study_created", by=by)
        except IntegrityError:  # somebody took the name in between: the constraint decides who was first
            if Study.objects.filter(slug=slug).exists():
                continue
            raise
        return study
    raise ValueError("No short name is left for this title.")


@transaction.atomic
def change_settings(study: Study, fields: dict[str, Any], by: User) -> list[str]:
    """Write the changed settings and record which; a promised one keeps its value. Returns the names that changed."""
    if promises_made(study):
        fields = {name: value for name, value in fields.items() if name not in PROMISED}
    before = Study.objects.get(pk=study.pk)
    changed = [name for name, value in fields.items() if getattr(before, name) != value]
    if changed:
        Study.objects.filter(pk=study.pk).update(**{name: fields[name] for name in changed})
        history.record(study, "settings_changed", by=by, detail=", ".join(changed))
    return changed


def promises_made(study: Study) -> bool:
    """Whether anybody was invited: then k and the days until the teachers' report were promised."""
    return study.invitations.exclude(state=Invitation.State.LISTED).exists()


def researchers_of(study: Study) -> QuerySet[Role]:
    """Who may work in a study, by name."""
    return (
        Role.objects.filter(study=study, kind=Role.Kind.RESEARCHER).select_related("user").order_by("user__name", "pk")
    )


@transaction.atomic
def add_researcher(study: Study, name: str, email: str, by: User, language: str = "nl") -> bool:
    """Let somebody work in the study. An account is made if need be; the mail says how to set a password then.

    Returns:
        False, with nothing changed, if this person is a researcher of the study already.
    """
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = User.objects.create_user(email, name=name, language=language)
    role, created = Role.objects.get_or_create(user=user, kind=Role.Kind.RESEARCHER, study=study)
    if created:
        history.record(study, "researcher_added", by=by, detail=user.email)
        mail.queue("teams.researcher_added", role.pk, user.language, study=study)
    return created


@transaction.atomic
def remove_researcher(role: Role, by: User) -> bool:
    """End somebody's work in a study. The account stays: it may have other studies.

    Returns:
        False, with nothing changed, for the last researcher: a study is never left without one.
    """
    assert role.study is not None
    study = Study.objects.select_for_update().get(pk=role.study.pk)  # of two who remove each other, one stays
    if researchers_of(study).exclude(pk=role.pk).count() == 0:
        return False
    deleted, _ = Role.objects.filter(pk=role.pk).delete()
    if deleted:
        history.record(study, "researcher_removed", by=by, detail=role.user.email)
    return bool(deleted)
