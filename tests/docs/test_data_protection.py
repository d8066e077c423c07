"""docs/data-protection.md, "What is kept of whom": no table that may say something about a person is left out."""

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import EmailField, Model

from analysis.erasure.places import FREE_TEXTS
from teams.models import User

TABLE = (settings.BASE_DIR / "docs" / "data-protection.md").read_text().partition("## What is kept of whom")[2]
TABLE = TABLE.partition("\n## ")[0]
ANSWERS = {"surveys.Response", "surveys.SealedResponse", "surveys.PaperForm", "analysis.PreparedPart"}
ENCRYPTED = {"teams.SignInMail", "sessions.Session"}
# of accounts: rights, of which this program gives none, and a table of allauth's in which it writes nothing
NOTHING_IN_IT = {"auth.Group", "auth.Permission", "account.EmailConfirmation"}


def says_something(model: type[Model]) -> bool:
    """An address, an account, a text that people write, answers, or what is encrypted because of what it says."""
    fields = model._meta.get_fields()
    own = any(isinstance(field, EmailField) or (field.concrete and field.related_model is User) for field in fields)
    return own or model._meta.label in {*FREE_TEXTS, *ANSWERS, *ENCRYPTED}


@pytest.mark.parametrize(
    "model",
    [model for model in apps.get_models() if says_something(model) and model._meta.label not in NOTHING_IN_IT],
    ids=lambda model: model._meta.label,
)
def test_it_is_in_the_table(model: type[Model]) -> None:
    assert f"`{model.__name__}`" in TABLE
