"""Object fetches with their permission check: one function per object, strangers get 404.

A researcher sees the studies of which they hold the role; an administrator sees all studies. A leader sees the teams they
lead, and only where the team takes part. Whoever may not see an object cannot tell it from one that does not exist.
"""

from typing import TYPE_CHECKING, cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from teams.models import Academy, Invitation, OutboxMessage, Participation, Role, Study, User

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

    Person = User | AnonymousUser | AbstractBaseUser


def signed_in(request: HttpRequest) -> User:
    """The user of a request that passed LoginRequiredMiddleware, with its own type."""
    if not request.user.is_authenticated:
        raise Http404
    return request.user


def is_researcher(user: "Person") -> bool:
    """Whether this user must sign in as a researcher: an administrator, or a researcher of any study."""
    if not isinstance(user, User):
        return False
    return user.is_superuser or Role.objects.filter(user=user, kind=Role.Kind.RESEARCHER).exists()


def researcher(user: "Person") -> User:
    """The user as a researcher of at least one study, or as an administrator: who may begin a new study.

    Raises:
        Http404: for anybody else.
    """
    if not is_researcher(user):
        raise Http404
    return cast(User, user)


def studies_of(user: "Person") -> QuerySet[Study]:
    """The studies a user may work in, newest first; all of them for an administrator."""
    if not isinstance(user, User) or not user.is_active:
        return Study.objects.none()
    if user.is_superuser:
        return Study.objects.all()
    return Study.objects.filter(roles__user=user, roles__kind=Role.Kind.RESEARCHER)


def participations_led_by(user: "Person") -> QuerySet[Participation]:
    """The teams a user leads, in the studies in which they take part, newest study first."""
    if not isinstance(user, User) or not user.is_active:
        return Participation.objects.none()
    return (
        Participation.objects.filter(
            state=Participation.State.ACCEPTED, team__roles__user=user, team__roles__kind=Role.Kind.LEADER
        )
        .select_related("study", "team__academy__institution")
        .order_by("-study__starts_on", "team__name")
    )


def study_for_researcher(user: "Person", slug: str) -> Study:
    """The study, for its researchers and for administrators. Raises Http404 for anybody else."""
    return get_object_or_404(studies_of(user), slug=slug)


def participation_for_researcher(user: "Person", slug: str, pk: int) -> Participation:
    """A team of a study, for the researchers of that study. Raises Http404 for anybody else."""
    study = study_for_researcher(user, slug)
    participation: Participation = get_object_or_404(
        Participation.objects.select_related("study", "team__academy__institution", "invitation"),
        study=study,
        pk=pk,
    )
    return participation


def academy_for_researcher(user: "Person", slug: str, pk: int) -> tuple[Study, Academy]:
    """An academy listed in a study, for the researchers of that study. Raises Http404 for anybody else."""
    study = study_for_researcher(user, slug)
    academies = Academy.objects.select_related("institution").filter(invitations__study=study)
    return study, get_object_or_404(academies, pk=pk)


def invitation_for_researcher(user: "Person", slug: str, pk: int) -> Invitation:
    """An invitation in a study, for the researchers of that study. Raises Http404 for anybody else."""
    study = study_for_researcher(user, slug)
    return get_object_or_404(Invitation.objects.select_related("study", "academy"), study=study, pk=pk)


def mail_for_researcher(user: "Person", slug: str, pk: int) -> OutboxMessage:
    """A mail of a study, for the researchers of that study. Raises Http404 for anybody else."""
    study = study_for_researcher(user, slug)
    return get_object_or_404(OutboxMessage.objects.select_related("study"), study=study, pk=pk)


def participation_for_leader(user: "Person", pk: int) -> Participation:
    """A team that takes part, for its leader only. Raises Http404 for anybody else, administrators included."""
    return get_object_or_404(participations_led_by(user), pk=pk)


def researcher_role(user: "Person", slug: str, pk: int) -> Role:
    """Another researcher's place in a study, for the researchers of that study. Raises Http404 for anybody else."""
    study = study_for_researcher(user, slug)
    roles = Role.objects.select_related("user", "study").filter(kind=Role.Kind.RESEARCHER)
    return get_object_or_404(roles, study=study, pk=pk)
