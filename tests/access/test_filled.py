"""Every form that people fill stands on the base (teams/forms/filled.py), or says why not."""

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
from teams.forms.filled import OPENED, Filled
from tests.access.cast import Cast, make_cast
from tests.access.opened import fields_of
from tests.access.test_permissions import TABLE

pytestmark = pytest.mark.django_db
NEW = "makes something new: it was never there before, so that nobody changed it"
ONCE = "is answered once: who was first is decided by a conditional update"
COUNT = "a count of somebody who stands in the room: the last one is the newest"
#: Forms that are not on the base, and why.
NOT_ON_IT = {
    "teams.accounts.forms.ActivateForm": "the sign-in library's",
    "teams.accounts.forms.CodeForm": "the sign-in library's",
    "teams.forms.studies.PlainForm": "the base of forms of one line each, which writes nothing",
    "teams.forms.studies.MailDomainForm": NEW,
    "teams.forms.studies.ResearcherForm": NEW,
    "teams.forms.studies.MemberForm": NEW,
    "teams.forms.contacts.ContactsForm": "a file; what it would replace is asked address by address",
    "teams.forms.studies.EmploymentForm": "one's own word about oneself, which nobody else gives",
    "teams.forms.invitations.DeclineForm": ONCE,
    "teams.forms.invitations.WithdrawForm": ONCE,
    "teams.forms.invitations.WithdrawByLinkForm": ONCE,
    "teams.forms.invitations.LeaderForm": ONCE,
    "teams.forms.meetings.DatesForm": NEW,
    "teams.forms.meetings.ChoiceOfDateForm": ONCE,
    "teams.forms.meetings.SlotForm": ONCE,
    "teams.forms.meetings.OfferForm": NEW,
    "surveys.forms.collecting.CloseForm": COUNT,
    "surveys.forms.collecting.ShowForm": COUNT,
    "surveys.forms.collecting.CountedForm": COUNT,
    "surveys.forms.collecting.HandedInForm": COUNT,
    "surveys.forms.collecting.SlipsForm": NEW,
    "surveys.forms.collecting.RoundForm": NEW,
    "surveys.forms.collecting.AskForm": NEW,
    "surveys.forms.collecting.AddressesForm": NEW,
    "surveys.forms.questionnaires.NewForm": NEW,
    "surveys.forms.questionnaires.ImportForm": NEW,
    "surveys.forms.questionnaires.TemplateForm": NEW,
    "surveys.forms.questionnaires.PublishForm": "carries the number of the draft that was read (surveys/questionnaires/version_changes.py)",
    "surveys.forms.editor.PartForm": "the editor's own look and conflict (surveys/questionnaires/drafts.py)",
    "analysis.forms.readers.ShareForm": NEW,
    "analysis.forms.releases.SmallTeamsForm": NEW,
    "analysis.forms.releases.ReleaseForm": NEW,
    "analysis.forms.erasure.DeleteStudyForm": ONCE,
    "analysis.forms.erasure.AddressForm": "looks for somebody",
    "analysis.forms.erasure.RemovePersonForm": ONCE,
    "analysis.forms.workspace.OwnModelForm": NEW,
    "analysis.forms.workspace.CriterionForm": NEW,
    "analysis.forms.plan.OpenForm": ONCE,
    "analysis.forms.population.LimitsForm": "asks for other bands and writes nothing",
    "analysis.forms.decisions_and_import.DecisionForm": NEW,
    "analysis.forms.decisions_and_import.ImportForm": NEW,
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
            if "forms" in module.name.split("."):
                for value in vars(importlib.import_module(module.name)).values():
                    if (
                        isinstance(value, type)
                        and issubclass(value, forms.BaseForm)
                        and value.__module__ == module.name
                    ):
                        yield value


def test_every_form_is_on_the_base_or_says_why_not() -> None:
    names = {f"{form_class.__module__}.{form_class.__qualname__}": form_class for form_class in form_classes()}
    bases = {
        name
        for name, form in names.items()
        if issubclass(form, Filled)
        or name in NOT_ON_IT
        or any(
            f"{up.__module__}.{up.__qualname__}" in NOT_ON_IT and up.__name__ in ("PartForm", "DecisionForm")
            for up in form.__mro__
        )
    }
    assert len(names) > 40
    assert sorted(names.keys() - bases) == [], "put it on teams.forms.filled.Filled, or say why not"
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
