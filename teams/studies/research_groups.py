"""Research groups: an administrator makes them, and says who belongs to them."""

from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet

from teams.base import security_log
from teams.base.security_log import Act
from teams.models import Membership, ResearchGroup, Role, Study, User
from teams.studies.setting_up import hold, remove_researcher, work_in


class NameTaken(Exception):
    """Another group has this name."""


class LastResearcher(Exception):
    """The studies that would be left without a researcher."""

    def __init__(self, studies: list[Study]) -> None:
        super().__init__(", ".join(str(study) for study in studies))
        self.studies = studies


def all_groups() -> QuerySet[ResearchGroup]:
    """Every group by name, with how many members and studies it has."""
    return ResearchGroup.objects.annotate(
        n_members=Count("memberships", distinct=True), n_studies=Count("studies", distinct=True)
    )


def name_group(name: str, group: ResearchGroup | None = None) -> ResearchGroup:
    """Make a group, or give one another name. Raises NameTaken; capitals make no difference."""
    group = group or ResearchGroup()
    group.name = name
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError as error:
        raise NameTaken from error
    return group


@transaction.atomic
def work_everywhere(group: ResearchGroup, user: User, by: User) -> None:
    """Let a member work in every study of the group, and in those that are begun later."""
    Membership.objects.filter(group=group, user=user).update(all_studies=True, by_administrator=True)
    for study in group.studies.filter(deletion__isnull=True).order_by("pk"):
        work_in(study, user, by)


@transaction.atomic
def remove_member(membership: Membership, by: User) -> None:
    """End a membership, and with it the work in every study of the group. The account stays.

    Raises:
        LastResearcher: if a study has no other researcher; then nothing was changed.
    """
    hold(membership.group_id)
    roles = Role.objects.filter(
        user=membership.user_id, kind=Role.Kind.RESEARCHER, study__group=membership.group_id
    ).select_related("study", "user")
    # an exception leaves the transaction, which takes back the removals before it
    left = [role.study for role in roles if role.study is not None and not remove_researcher(role, by)]
    if left:
        raise LastResearcher(left)
    Membership.objects.filter(pk=membership.pk).delete()
    security_log.write(Act.ROLE_TAKEN, by=by.pk, of=membership.user_id, group=membership.group_id, kind="member")
