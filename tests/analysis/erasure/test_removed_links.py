"""A person with a personal link is removed, and the leader pastes the same list again: nothing tells, nothing counts twice."""

import pytest

from analysis.erasure import people
from surveys.answering import submission
from surveys.linking import personal_links
from surveys.mail_kinds import SurveyMail
from surveys.models import Invitee, Response
from teams.models import OutboxMessage
from tests.surveys.conftest import collection, study, survey, version  # noqa: F401

pytestmark = pytest.mark.django_db
LIST = ["a@noord.example", "b@noord.example"]


def test_a_removed_person_gets_no_second_link(collection):  # noqa: F811
    personal_links.issue_links(collection, LIST)
    token = personal_links.personal_url(Invitee.objects.get(email=LIST[0])).rsplit("/", 1)[1]
    mails = OutboxMessage.objects.filter(kind=SurveyMail.PERSONAL_LINK)
    n_mails = mails.count()
    people.remove(LIST[0], None, None)
    assert personal_links.issue_links(collection, ["A@Noord.example", LIST[1]]) == 0
    assert Invitee.objects.count() == 2
    assert not Invitee.objects.filter(email=LIST[0]).exists()
    assert mails.count() == n_mails
    assert personal_links.issue_links(collection, [*LIST, "c@noord.example"]) == 1
    # the link in the mailbox still opens the person's own draft, and stands for one response
    holder = personal_links.find_invitee(token)
    assert submission.start_by_link(holder) == submission.start_by_link(holder)
    assert Response.objects.count() == 1
