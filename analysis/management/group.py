"""Which research group a command works for."""

from django.core.management.base import CommandError

from teams.models import ResearchGroup


def group_named(name: str | None) -> ResearchGroup:
    """The group of this name, whatever its capitals, made where there is none; without a name the only one there is.

    Raises:
        CommandError: if that is none; it says what to do.
    """
    if name:
        return ResearchGroup.objects.filter(name__iexact=name).first() or ResearchGroup.objects.create(name=name)
    groups = list(ResearchGroup.objects.all()[:2])
    if len(groups) != 1:
        problem = "There is more than one research group" if groups else "There is no research group yet"
        raise CommandError(f"{problem}: say which with --group NAME; one that is new is made.")
    return groups[0]
