"""Object fetches with their permission check, starting from teams.access: strangers get 404."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from surveys.linking import address_lists
from surveys.models import AddressCheck, Collection, Meeting, Questionnaire, QuestionnaireVersion
from teams.access import NotAnyMore, groups_of, participation_for_leader, participation_for_researcher
from teams.links import FACILITATOR, token_of
from teams.models import Participation
from teams.text.directions import isolated

_WITH = (
    "survey__study",
    "survey__version__questionnaire",
    "participation__team__academy__institution",
    "participation__study",
    "meeting",
)


def collection_for_researcher(user: AbstractBaseUser | AnonymousUser, slug: str, participation_id: int) -> Collection:
    """A team's collection, for the researchers of the study. Raises Http404 for anybody else, and says why there is none."""
    participation = participation_for_researcher(user, slug, participation_id)
    collection = Collection.objects.select_related(*_WITH).filter(participation=participation).first()
    stopped = participation.state == Participation.State.WITHDRAWN
    # until its answers are dealt with (analysis/withdrawals.py) the rows of a team that stopped are still there
    if collection is None or (stopped and collection.state != Collection.State.SEALED):
        raise NotAnyMore(_no_collection(participation))
    return collection


def _no_collection(participation: Participation) -> str:
    values = {"team": isolated(participation.team.name)}
    if participation.state == Participation.State.WITHDRAWN:
        return (
            _("%(team)s stopped taking part: answers of which nothing was shown are deleted, and none come in.")
            % values
        )
    if participation.state == Participation.State.ACCEPTED:
        return _("The questionnaire is not open for %(team)s yet.") % values
    return _("%(team)s does not take part, so nothing is collected there.") % values


def collection_for_leader(user: AbstractBaseUser | AnonymousUser, participation_id: int) -> Collection:
    """A team's collection, for its leader. Raises Http404 for anybody else, and while none is open yet."""
    participation = participation_for_leader(user, participation_id)
    return get_object_or_404(Collection.objects.select_related(*_WITH), participation=participation)


def meeting_for_facilitator(request: HttpRequest, meeting_id: int) -> Meeting:
    """The meeting, for whoever opened its facilitator's link. Raises Http404 for anybody else, and once the team stopped."""
    token = token_of(request, FACILITATOR)
    meeting = get_object_or_404(
        Meeting.objects.select_related(
            "collection__survey__study",
            "collection__survey__version",
            "collection__participation__team__academy__institution",
        ).defer("collection__survey__version__content"),
        pk=meeting_id,
    )
    takes_part = meeting.collection.participation.state == Participation.State.ACCEPTED
    if not takes_part or not token.opens(meeting.pk, meeting.facilitator_nonce):
        raise Http404
    return meeting


def questionnaires_of(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Questionnaire]:
    """The questionnaires of the research groups a user is a member of; all of them for an administrator."""
    return Questionnaire.objects.filter(group__in=groups_of(user))


def address_check_by_link(request: HttpRequest, check_id: int) -> AddressCheck:
    """The list of an academy's addresses, for who got its link.

    Raises Http404 for anybody else, once the link is over, and once who got it leads a team there or works in the study.
    """
    token = token_of(request, address_lists.PURPOSE)
    check = get_object_or_404(AddressCheck.objects.select_related("study", "academy__institution"), pk=check_id)
    if not token.opens(check.pk, check.nonce) or address_lists.is_over(check):
        raise Http404
    if address_lists.may_not_confirm(check.study, check.academy, check.email):
        raise Http404
    return check


def questionnaire_for_researcher(user: AbstractBaseUser | AnonymousUser, pk: int) -> Questionnaire:
    """A questionnaire, for every member of its research group. Raises Http404 for anybody else."""
    return get_object_or_404(questionnaires_of(user).select_related("group"), pk=pk)


def version_for_researcher(user: AbstractBaseUser | AnonymousUser, pk: int, number: int) -> QuestionnaireVersion:
    """A frozen version of a questionnaire, for every member of its group. Raises Http404 for anybody else."""
    questionnaire = questionnaire_for_researcher(user, pk)
    versions = QuestionnaireVersion.objects.select_related("questionnaire", "created_by")
    return get_object_or_404(versions, questionnaire=questionnaire, number=number)
