"""The research group of tests that are about something else: everything in them is one group's."""

from teams.models import ResearchGroup


def a_group(name: str = "Group") -> ResearchGroup:
    """The group of this name, made where there is none."""
    return ResearchGroup.objects.get_or_create(name=name)[0]
