"""Object fetches with their permission check: one function per object, strangers get 404.

A researcher sees the studies of which they hold the role; an administrator sees all studies. What a research group owns
beside studies (names of institutions, questionnaires) its members see, and nobody else but administrators. A leader sees the
teams they lead, in the wave in which they lead it, and only where the team takes part. Whoever may not see an object cannot
tell it from one that does not exist.
"""

from typing import TYPE_CHECKING, cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from teams.models import (
    Academy,
    Invitation,
    OutboxMessage,
    Participation,
    ResearchGroup,
    Role,
    Study,
    StudyDeletion,
    User,
)

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

    Person = User | AnonymousUser | AbstractBaseUser


class BeingDeleted(Http404):
    """The study is being deleted: whoever may see it is told so, everybody else gets the page of what is not there."""


class NotAnyMore(Http404):
    """What was at this address is over: a sentence about it, for those who may see it."""


def signed_in(request: HttpRequest) -> User:
    """The user of a request that passed LoginRequiredMiddleware, with its own type."""
    if not request.user.is_authenticated:
        raise Http404
    return request.user


def is_researcher(user: "Person") -> bool:
    """Whether this user must sign in as a researcher: an administrator, a member of a group, a researcher of any study.

    Who was only asked to be one is none: nobody becomes a researcher by what somebody else does (studies/joining.py).
    """
    if not isinstance(user, User):
        return False
    if user.is_superuser:
        return True
    works = Q(memberships__isnull=False) | Q(roles__kind=Role.Kind.RESEARCHER)
    return User.objects.filter(works, pk=user.pk).exists()


def researcher(user: "Person") -> User:
    """The user as a researcher, or as an administrator: who may begin a new study in a group of theirs.

    Raises:
        Http404: for anybody else.
    """
    if not is_researcher(user):
        raise Http404
    return cast(User, user)


def administrator(user: "Person") -> User:
    """The user as an administrator, who makes research groups. Raises Http404 for anybody else."""
    if not isinstance(user, User) or not user.is_superuser:
        raise Http404
    return user


def groups_of(user: "Person") -> QuerySet[ResearchGroup]:
    """The research groups a user is a member of, by name; all of them for an administrator."""
    if not isinstance(user, User) or not user.is_active:
        return ResearchGroup.objects.none()
    if user.is_superuser:
        return ResearchGroup.objects.all()
    return ResearchGroup.objects.filter(memberships__user=user)


def studies_of(user: "Person") -> QuerySet[Study]:
    """The studies a user may work in, newest first; all of them for an administrator. None that is being deleted."""
    return _studies_of(user).filter(deletion__isnull=True)


def _studies_of(user: "Person") -> QuerySet[Study]:
    if not isinstance(user, User) or not user.is_active:
        return Study.objects.none()
    if user.is_superuser:
        return Study.objects.all()
    return Study.objects.filter(roles__user=user, roles__kind=Role.Kind.RESEARCHER)


def deletions_of(user: "Person") -> QuerySet[StudyDeletion]:
    """The register of deleted studies: all of it for an administrator, else what this user had a part in.

    Raises:
        Http404: for who is no researcher and deleted no study.
    """
    register = StudyDeletion.objects.select_related("study", "by")
    if isinstance(user, User) and user.is_active and user.is_superuser:
        return register
    own = register.filter(Q(by=user.pk) | Q(study__in=_studies_of(user)))
    if not own.exists():  # who deleted the only study they had is no researcher any more
        researcher(user)
    return own


def participations_led_by(user: "Person") -> QuerySet[Participation]:
    """The teams a user leads, in the studies in which the user leads them and they take part, newest study first."""
    if not isinstance(user, User) or not user.is_active:
        return Participation.objects.none()
    return (
        Participation.objects.filter(
            state=Participation.State.ACCEPTED,
            roles__user=user,
            roles__kind=Role.Kind.LEADER,
            study__deletion__isnull=True,
        )
        .select_related("study", "team__academy__institution")
        .order_by("-study__starts_on", "team__name")
    )


def study_for_researcher(user: "Person", slug: str) -> Study:
    """The study, for its researchers and for administrators. Raises Http404 for anybody else.

    Raises:
        BeingDeleted: for those who may see it, while it is being deleted.
    """
    if _studies_of(user).filter(slug=slug, deletion__isnull=False).exists():
        raise BeingDeleted
    return get_object_or_404(studies_of(user), slug=slug)


def participation_for_researcher(user: "Person", slug: str, pk: int) -> Participation:
    """A team of a study, for the researchers of that study. Raises Http404 for anybody else."""
    study = study_for_researcher(user, slug)
    teams = Participation.objects.select_related("study", "team__academy__institution", "invitation")
    participation: Participation | None = teams.filter(study=study, pk=pk).first()
    if participation is None:
        raise NotAnyMore(
            _(
                "This team is not, or no longer, in this study: it may have been removed from the list, or merged "
                "with another team. In that case, the history of the other team says so."
            )
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
    """A team that takes part, for its leader only. Raises Http404 for anybody else, administrators included.

    Raises:
        BeingDeleted: for its leader, while the study is being deleted.
        NotAnyMore: for its leader, once it stopped.
    """
    participation = participations_led_by(user).filter(pk=pk).first()
    if participation is not None:
        return participation
    led = Participation.objects.filter(pk=pk, roles__user=user.pk, roles__kind=Role.Kind.LEADER)
    if led.filter(study__deletion__isnull=False).exists():
        raise BeingDeleted
    if led.exclude(state=Participation.State.ACCEPTED).exists():
        raise NotAnyMore(_("Your team no longer takes part in this study, so its pages are closed."))
    raise Http404


def researcher_role(user: "Person", slug: str, pk: int) -> Role:
    """Another researcher's place in a study, for the researchers of that study. Raises Http404 for anybody else."""
    study = study_for_researcher(user, slug)
    roles = Role.objects.select_related("user", "study").filter(kind=Role.Kind.RESEARCHER)
    return get_object_or_404(roles, study=study, pk=pk)
