"""Object fetches with their permission check, starting from teams.access: strangers get 404."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from surveys.models import Collection, Meeting, Questionnaire, QuestionnaireVersion
from teams.access import participation_for_leader, participation_for_researcher, researcher
from teams.links import FACILITATOR, token_of

_WITH = (
    "survey__study",
    "survey__version__questionnaire",
    "participation__team__academy__institution",
    "participation__study",
    "meeting",
)


def collection_for_researcher(user: AbstractBaseUser | AnonymousUser, slug: str, participation_id: int) -> Collection:
    """A team's collection, for the researchers of the study. Raises Http404 for anybody else."""
    participation = participation_for_researcher(user, slug, participation_id)
    return get_object_or_404(Collection.objects.select_related(*_WITH), participation=participation)


def collection_for_leader(user: AbstractBaseUser | AnonymousUser, participation_id: int) -> Collection:
    """A team's collection, for its leader. Raises Http404 for anybody else, and while none is open yet."""
    participation = participation_for_leader(user, participation_id)
    return get_object_or_404(Collection.objects.select_related(*_WITH), participation=participation)


def meeting_for_facilitator(request: HttpRequest, meeting_id: int) -> Meeting:
    """The meeting, for whoever opened its facilitator's link. Raises Http404 for anybody else."""
    token = token_of(request, FACILITATOR)
    meeting = get_object_or_404(
        Meeting.objects.select_related(
            "collection__survey__study",
            "collection__survey__version",
            "collection__participation__team__academy__institution",
        ).defer("collection__survey__version__content"),
        pk=meeting_id,
    )
    if not token.opens(meeting.pk, meeting.facilitator_nonce):
        raise Http404
    return meeting


def questionnaire_for_researcher(user: AbstractBaseUser | AnonymousUser, code: str) -> Questionnaire:
    """A questionnaire, for every researcher: they share them. Raises Http404 for anybody else."""
    researcher(user)
    return get_object_or_404(Questionnaire, code=code)


def version_for_researcher(user: AbstractBaseUser | AnonymousUser, code: str, number: int) -> QuestionnaireVersion:
    """A frozen version of a questionnaire, for every researcher. Raises Http404 for anybody else."""
    questionnaire = questionnaire_for_researcher(user, code)
    versions = QuestionnaireVersion.objects.select_related("questionnaire", "created_by")
    return get_object_or_404(versions, questionnaire=questionnaire, number=number)
