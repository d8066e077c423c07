"""Every form that people fill stands on the base (teams/filled.py), or says why not."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.db import transaction
from django.urls import reverse

import analysis
import surveys
import teams
from teams.filled import OPENED, Filled
from tests.access.cast import Cast, make_cast
from tests.access.opened import fields_of
from tests.access.test_permissions import TABLE

pytestmark = pytest.mark.django_db
NEW = "makes something new: it was never there before, so that nobody changed it"
ONCE = "is answered once: who was first is decided by a conditional update"
COUNT = "a count of somebody who stands in the room: the last one is the newest"
#: Forms that are not on the base, and why.
NOT_ON_IT = {
    "teams.account_forms.ActivateForm": "the sign-in library's",
    "teams.account_forms.CodeForm": "the sign-in library's",
    "teams.forms.PlainForm": "the base of forms of one line each, which writes nothing",
    "teams.forms.MailDomainForm": NEW,
    "teams.forms.ResearcherForm": NEW,
    "teams.forms.MemberForm": NEW,
    "teams.forms.ContactsForm": "a file; what it would replace is asked address by address",
    "teams.forms.EmploymentForm": "one's own word about oneself, which nobody else gives",
    "teams.invitation_forms.DeclineForm": ONCE,
    "teams.invitation_forms.WithdrawForm": ONCE,
    "teams.invitation_forms.WithdrawByLinkForm": ONCE,
    "teams.invitation_forms.LeaderForm": ONCE,
    "teams.meeting_forms.DatesForm": NEW,
    "teams.meeting_forms.ChoiceOfDateForm": ONCE,
    "teams.meeting_forms.SlotForm": ONCE,
    "teams.meeting_forms.OfferForm": NEW,
    "surveys.forms.CloseForm": COUNT,
    "surveys.forms.CountedForm": COUNT,
    "surveys.forms.HandedInForm": COUNT,
    "surveys.forms.SlipsForm": NEW,
    "surveys.forms.RoundForm": NEW,
    "surveys.forms.AskForm": NEW,
    "surveys.forms.AddressesForm": NEW,
    "surveys.questionnaire_forms.NewForm": NEW,
    "surveys.questionnaire_forms.ImportForm": NEW,
    "surveys.questionnaire_forms.TemplateForm": NEW,
    "surveys.questionnaire_forms.PublishForm": "carries the number of the draft that was read (surveys/versions.py)",
    "surveys.editor_forms.PartForm": "the editor's own look and conflict (surveys/drafts.py)",
    "analysis.reader_forms.ShareForm": NEW,
    "analysis.release_forms.SmallTeamsForm": NEW,
    "analysis.release_forms.ReleaseForm": NEW,
    "analysis.erasure_forms.DeleteStudyForm": ONCE,
    "analysis.erasure_forms.AddressForm": "looks for somebody",
    "analysis.erasure_forms.RemovePersonForm": ONCE,
    "analysis.workspace_forms.OwnModelForm": NEW,
    "analysis.workspace_forms.CriterionForm": NEW,
    "analysis.composition_forms.LimitsForm": "asks for other bands and writes nothing",
    "analysis.researcher_forms.DecisionForm": NEW,
    "analysis.researcher_forms.ImportForm": NEW,
}
#: Forms of the base and where a researcher meets each: the page has to show what it looked like.
MET = {
    "study_settings": "",
    "academy_edit": "",
    "team_edit": "",
    "mail_text": "nl-",
    "mails": "director-",
    "meeting": "way-",
    "meeting_texts": "",
    "plan_amend": "",
    "account_counts": "",
    "questionnaire_choose": "",
}


def form_classes() -> Iterator[type[forms.BaseForm]]:
    for package in (teams, surveys, analysis):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("forms"):
                for found in vars(importlib.import_module(module.name)).values():
                    if (
                        isinstance(found, type)
                        and issubclass(found, forms.BaseForm)
                        and found.__module__ == module.name
                    ):
                        yield found


def test_every_form_is_on_the_base_or_says_why_not() -> None:
    names = {f"{one.__module__}.{one.__qualname__}": one for one in form_classes()}
    bases = {
        name
        for name, one in names.items()
        if issubclass(one, Filled)
        or name in NOT_ON_IT
        or any(
            f"{up.__module__}.{up.__qualname__}" in NOT_ON_IT and up.__name__ in ("PartForm", "DecisionForm")
            for up in one.__mro__
        )
    }
    assert len(names) > 40
    assert sorted(names.keys() - bases) == [], "put it on teams.filled.Filled, or say why not"
    needless = [name for name in NOT_ON_IT if name not in names or issubclass(names[name], Filled)]
    assert needless == [], "an exception that nobody needs any more"


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cast]:
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
        yield make_cast()
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture
def folders_of_their_own() -> None:
    """The keys of the cast's collections lie in one folder for all tests of this module."""


@pytest.mark.parametrize(("name", "prefix"), MET.items(), ids=str)
def test_the_page_shows_what_its_form_looked_like(name: str, prefix: str, cast: Cast) -> None:
    row = next(row for row in TABLE if row.name == name and row.method == "get")
    with transaction.atomic():
        page = cast.client("alice").get(reverse(name, args=row.arguments(cast)))
        transaction.set_rollback(True)
    assert page.status_code == 200
    assert fields_of(page.content.decode()).get(prefix + OPENED, [""])[0]


@pytest.mark.parametrize(
    ("name", "field", "first", "second"),
    [
        ("meeting_texts", "briefing_nl", "Dag van Ans.", "Dag van Bep."),
        ("plan_amend", "unanswered_over", "41", "42"),
        ("account_counts", "approached", "41", "42"),
    ],
)
def test_two_tabs_that_change_the_same_are_told(name: str, field: str, first: str, second: str, cast: Cast) -> None:
    row = next(row for row in TABLE if row.name == name and row.method == "get")
    client = cast.client("alice")
    client.cookies["django_language"] = "en"
    with transaction.atomic():
        address = reverse(name, args=row.arguments(cast))
        fields = fields_of(client.get(address).content.decode()) | {"reason": "A check"}
        assert client.post(address, fields | {field: first}).status_code == 302
        answer = client.post(address, fields | {field: second})
        page = answer.content.decode()
        transaction.set_rollback(True)
    assert answer.status_code == 200
    conflict = page[page.index("Somebody else changed the same") :]
    assert first in conflict
    assert second in conflict
