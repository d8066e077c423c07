"""Templates, through the pages: a group offers its newest frozen version; others copy it and see nothing else of the group."""

import pytest
from django.test import Client
from django.urls import reverse

from surveys.models import Questionnaire, QuestionnaireVersion
from surveys.questionnaires.publishing import export, import_questionnaire, publish_version, shipped
from teams.models import Membership, User
from tests.groups import a_group

pytestmark = pytest.mark.django_db


def member(group: str) -> Client:
    user = User.objects.create_user(f"{group.lower()}@noord.example", "correct horse battery", name=f"Name{group}")
    Membership.objects.create(group=a_group(group), user=user)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def theirs() -> Questionnaire:
    questionnaire, version = import_questionnaire(shipped("collective-learning"), a_group("Owners"))
    content = {**version.content, "title": {"nl": "Vragen van ons", "en": "Our questions"}}
    Questionnaire.objects.filter(pk=questionnaire.pk).update(
        draft=content, title={"nl": "Geheimklad", "en": "Geheimklad"}
    )
    questionnaire.refresh_from_db()
    publish_version(
        questionnaire, note="Geheimnoot", by=User.objects.create_user("qq@noord.example", name="Geheimmaker")
    )
    Questionnaire.objects.filter(pk=questionnaire.pk).update(
        draft={**content, "intro": {"nl": "Geheimklad", "en": "Geheimklad"}}
    )
    return questionnaire


def test_offered_copied_and_taken_back(theirs):
    owner, other = member("Owners"), member("Others")
    page = reverse("questionnaire_templates")
    assert "Vragen van ons" not in other.get(page).content.decode()
    owner.post(reverse("questionnaire_offer", args=[theirs.pk]), {"offered": "1"})
    shown = other.get(page).content.decode()
    assert "Vragen van ons" in shown
    assert "Owners" in shown
    assert "Vragen van ons" not in owner.get(page).content.decode()
    form = {"template": str(theirs.pk), "group": a_group("Others").pk}
    before = Questionnaire.objects.filter(pk=theirs.pk).values().get()
    copied = other.post(page, form, follow=True)
    questionnaire = Questionnaire.objects.get(group=a_group("Others"))
    assert copied.redirect_chain[-1][0] == reverse("questionnaire_edit", args=[questionnaire.pk])
    for path in (page, reverse("questionnaire_versions", args=[questionnaire.pk]), reverse("questionnaires")):
        shown += other.get(path).content.decode()
    assert "Geheim" not in shown + copied.content.decode()
    assert questionnaire.versions.get().content == theirs.versions.first().content
    assert not questionnaire.offered
    for path in ("questionnaire_edit", "questionnaire_versions", "questionnaire_preview"):
        assert other.get(reverse(path, args=[theirs.pk])).status_code == 404
    assert other.post(reverse("questionnaire_offer", args=[theirs.pk])).status_code == 404
    assert Questionnaire.objects.filter(pk=theirs.pk).values().get() == before
    owner.post(reverse("questionnaire_offer", args=[theirs.pk]))
    assert "Vragen van ons" not in other.get(page).content.decode()
    late = other.post(page, form, follow=True)
    assert "niet meer" in late.content.decode()
    assert Questionnaire.objects.filter(group=a_group("Others")).count() == 1


def test_what_comes_with_the_product_is_a_template_and_a_second_copy_gets_another_short_name():
    other = member("Others")
    form = {"template": "collective-learning", "group": a_group("Others").pk}
    for _time in range(2):
        assert other.post(reverse("questionnaire_templates"), form).status_code == 302
    codes = list(Questionnaire.objects.order_by("pk").values_list("code", flat=True))
    assert codes[1] == f"{codes[0]}-2"
    assert QuestionnaireVersion.objects.count() == 2
    assert codes[1] in export(Questionnaire.objects.get(code=codes[1]).draft)


def test_without_a_frozen_version_nothing_is_offered_and_only_to_the_own_group_is_copied(theirs):
    owner, other = member("Owners"), member("Others")
    draft = Questionnaire.objects.create(group=a_group("Owners"), code="klad", title={"nl": "Klad"}, draft={}, edit=1)
    owner.post(reverse("questionnaire_offer", args=[draft.pk]), {"offered": "1"})
    assert not Questionnaire.objects.get(pk=draft.pk).offered
    form = {"template": "collective-learning", "group": a_group("Owners").pk}
    assert other.post(reverse("questionnaire_templates"), form).status_code in (200, 302)
    assert Questionnaire.objects.filter(group=a_group("Owners")).count() == 2
    for odd in ("0", "9" * 40, "²", "x", str(theirs.pk)):
        other.post(reverse("questionnaire_templates"), {"template": odd, "group": a_group("Others").pk})
    assert not Questionnaire.objects.filter(group=a_group("Others"), code__startswith="klad").exists()
