"""Setting up a study: who creates it becomes its researcher; what invited people were told cannot change any more."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from teams import history
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
