"""The editor of questionnaires: its pages, and that two researchers do not overwrite each other."""

import copy
import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from surveys.models import Questionnaire, QuestionnaireVersion, Survey
from surveys.questionnaires import drafts, publishing
from tests.groups import a_group
from tests.surveys.conftest import in_threads
from tests.surveys.test_item_types import DOCUMENT, mixed


@pytest.fixture
def questionnaire(db) -> Questionnaire:
    return publishing.import_questionnaire(DOCUMENT, a_group())[0]


@pytest.fixture
def researcher(roos) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(roos)
    client.cookies["django_language"] = "en"
    return client


def at(name: str, *arguments: object) -> str:
    return reverse(name, args=[Questionnaire.objects.get(code="mixed").pk, *arguments])


def fresh(questionnaire) -> dict:
    return Questionnaire.objects.get(pk=questionnaire.pk).draft


def texts(name: str, nl: str, en: str) -> dict:
    return {f"{name}_nl": nl, f"{name}_en": en}


# ------------------------------------------------------------------------------------------------ the draft


def test_two_who_change_different_parts_both_succeed(questionnaire):
    looked = drafts.seen(questionnaire.draft, "item:A1"), drafts.seen(questionnaire.draft, "item:A2")
    item = {"code": "A1", "text": {"nl": "Nieuw", "en": "New"}, "reverse_keyed": True, "scale": "A"}
    drafts.write(questionnaire, "item:A1", looked[0], item)
    drafts.write(questionnaire, "item:A2", looked[1], {**item, "code": "A3"})
    items = fresh(questionnaire)["scales"][0]["items"]
    assert [(row["code"], row["text"]["en"], row["reverse_keyed"]) for row in items] == [
        ("A1", "New", True),
        ("A3", "New", True),
    ]
    assert "scale" not in items[0]


def test_who_saves_second_on_the_same_part_overwrites_nothing(questionnaire):
    looked = drafts.seen(questionnaire.draft, "texts")
    drafts.write(questionnaire, "texts", looked, {"title": {"nl": "Eerst", "en": "First"}})
    with pytest.raises(drafts.Conflict):
        drafts.write(questionnaire, "texts", looked, {"title": {"nl": "Tweede", "en": "Second"}})
    row = Questionnaire.objects.get(pk=questionnaire.pk)
    assert row.title == row.draft["title"] == {"nl": "Eerst", "en": "First"}


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_change_is_lost():
    questionnaire = publishing.import_questionnaire(DOCUMENT, a_group())[0]

    def adding(n: int):
        item = {"code": f"B{n}", "text": {}, "reverse_keyed": False, "scale": "A"}
        return lambda: drafts.add(questionnaire, "item", item)

    assert in_threads(*[adding(n) for n in range(6)]) == [None] * 6
    codes = [item["code"] for item in fresh(questionnaire)["scales"][0]["items"]]
    assert sorted(codes) == ["A1", "A2", *(f"B{n}" for n in range(6))]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_one_code_at_once_one_gets_it():
    questionnaire = publishing.import_questionnaire(DOCUMENT, a_group())[0]
    item = {"code": "B1", "text": {}, "reverse_keyed": False, "scale": "A"}
    results = in_threads(*[lambda: drafts.add(questionnaire, "item", item)] * 2)
    assert [type(result) for result in results if result is not None] == [drafts.CodeTaken]


def test_moving_stops_at_the_ends(questionnaire):
    assert drafts.move(questionnaire, "item:A2", up=True)
    assert [row["code"] for row in fresh(questionnaire)["scales"][0]["items"]] == ["A2", "A1"]
    assert not drafts.move(questionnaire, "item:A2", up=True)
    assert drafts.move(questionnaire, "question:role", up=False)
    assert [row["code"] for row in fresh(questionnaire)["background"]][:2] == ["years", "role"]
    with pytest.raises(drafts.Conflict):
        drafts.move(questionnaire, "item:gone", up=True)


@pytest.mark.parametrize("part", ["item:A1", "scale:A", "question:more"])
def test_a_removal_can_be_undone_once(questionnaire, part):
    before = questionnaire.draft
    drafts.remove(questionnaire, part, drafts.seen(before, part))
    row = Questionnaire.objects.get(pk=questionnaire.pk)
    assert drafts.part_of(row.draft, part) is None
    assert drafts.undo(row, drafts.undoable(row))
    assert fresh(questionnaire) == before
    assert not drafts.undo(row, row.edit), "only once"


def removed_and_changed(questionnaire, part: str) -> tuple[Questionnaire, int]:
    """A part is removed, and what has nothing to do with it is changed, moved and added since."""
    drafts.remove(questionnaire, part, drafts.seen(fresh(questionnaire), part))
    edit = drafts.undoable(Questionnaire.objects.get(pk=questionnaire.pk))
    drafts.move(questionnaire, "question:role", up=False)
    texts_now = drafts.part_of(fresh(questionnaire), "texts")
    looked = drafts.seen(fresh(questionnaire), "texts")
    drafts.write(questionnaire, "texts", looked, {**texts_now, "intro": {"nl": "Nieuw", "en": "New"}})
    return Questionnaire.objects.get(pk=questionnaire.pk), edit


@pytest.mark.parametrize("part", ["item:A1", "scale:A"])
def test_undoing_a_removal_survives_other_edits(questionnaire, part):
    before = questionnaire.draft
    row, edit = removed_and_changed(questionnaire, part)
    others = copy.deepcopy(row.draft)
    assert drafts.undo(row, edit)
    now = fresh(questionnaire)
    assert now["scales"] == before["scales"]
    for name in ("intro", "background"):
        assert now[name] == others[name], "what was done since stands"
    row.refresh_from_db()
    assert drafts.undoable(row) is None


def test_undoing_says_when_the_place_is_taken_or_gone(questionnaire, researcher):
    row, edit = removed_and_changed(questionnaire, "item:A1")
    item = {"code": "a1", "text": {"nl": "Nieuw", "en": "New"}, "reverse_keyed": False, "scale": "A"}
    drafts.add(row, "item", item)
    held = fresh(questionnaire)
    answer = researcher.post(at("questionnaire_change"), {"action": "undo", "edit": edit}, follow=True)
    assert "Another part now has the code A1" in answer.content.decode()
    assert fresh(questionnaire) == held
    drafts.write(row, "item:a1", drafts.seen(held, "item:a1"), {**item, "code": "other"})
    assert drafts.undo(row, edit), "it can still be undone"

    row, edit = removed_and_changed(questionnaire, "item:A1")
    whole = drafts.part_of(fresh(questionnaire), "scale:A")
    drafts.write(row, "scale:A", drafts.seen(fresh(questionnaire), "scale:A"), {**whole, "code": "Z"})
    with pytest.raises(drafts.Conflict):
        drafts.undo(row, edit)


def test_of_two_removals_the_page_undoes_the_one_it_shows(questionnaire):
    drafts.remove(questionnaire, "item:A1", drafts.seen(fresh(questionnaire), "item:A1"))
    row = Questionnaire.objects.get(pk=questionnaire.pk)
    shown = drafts.undoable(row)
    drafts.remove(row, "item:A2", drafts.seen(row.draft, "item:A2"))
    assert not drafts.undo(row, shown), "the page shows another removal than the last"
    row.refresh_from_db()
    assert drafts.undo(row, drafts.undoable(row))
    assert drafts.part_of(fresh(questionnaire), "item:A2")


def test_an_import_is_undone_whole_until_the_next_change(questionnaire):
    before = questionnaire.draft
    content = {**copy.deepcopy(before), "intro": {"nl": "Ander", "en": "Other"}}
    row = publishing.put_draft(content, questionnaire.group)
    assert drafts.undo(row, drafts.undoable(row))
    assert fresh(questionnaire) == before
    row = publishing.put_draft(content, questionnaire.group)
    drafts.move(row, "question:role", up=False)
    row.refresh_from_db()
    assert drafts.undoable(row) is None


def test_what_was_changed_meanwhile_is_not_removed(questionnaire):
    looked = drafts.seen(questionnaire.draft, "item:A1")
    item = {"code": "A1", "text": {"nl": "Nieuw", "en": "New"}, "reverse_keyed": False, "scale": "A"}
    drafts.write(questionnaire, "item:A1", looked, item)
    with pytest.raises(drafts.Conflict):
        drafts.remove(questionnaire, "item:A1", looked)


def test_missing_texts_are_found(questionnaire):
    draft = fresh(questionnaire)
    assert drafts.missing(draft) == []
    draft["scales"][0]["items"][1]["text"] = {"nl": "Twee", "en": ""}
    draft["intro"] = {"nl": "", "en": "Hello"}
    draft["background"][0]["choices"][0]["text"] = {}
    gaps = [(gap.part, gap.language) for gap in drafts.missing(draft)]
    assert gaps == [("texts", "nl"), ("item:A2", "en"), ("question:role", "nl"), ("question:role", "en")]


# ------------------------------------------------------------------------------------------------ versions


def test_what_an_open_survey_asks_stays_frozen(questionnaire, survey, researcher):
    version = questionnaire.versions.get()
    Survey.objects.filter(pk=survey.pk).update(version=version)
    content = version.content
    drafts.remove(questionnaire, "item:A1", drafts.seen(questionnaire.draft, "item:A1"))
    row = Questionnaire.objects.get(pk=questionnaire.pk)
    new = drafts.publish(row, row.edit, "shorter", survey.study.roles.get().user)
    survey.refresh_from_db()
    version.refresh_from_db()
    assert (survey.version_id, version.content, new.number) == (version.pk, content, 2)
    assert (new.note, new.created_by.email) == ("shorter", "roos@noord.example")


def test_publishing_freezes_what_was_looked_at(questionnaire, researcher):
    seen = questionnaire.edit
    drafts.move(questionnaire, "item:A2", up=True)
    page = researcher.post(at("questionnaire_versions"), {"edit": seen}, follow=True).content.decode()
    assert "Somebody has changed the draft in the meantime" in page
    row = Questionnaire.objects.get(pk=questionnaire.pk)
    done = researcher.post(at("questionnaire_versions"), {"edit": row.edit, "note": "A2 first"}, follow=True)
    page = done.content.decode()
    assert "Version 2 has been frozen" in page
    assert "A2 first" in page
    assert "What changed since version 1" in page


def test_an_incomplete_draft_is_not_frozen_and_says_why(questionnaire, researcher):
    draft = fresh(questionnaire)
    draft["scales"][0]["items"][0]["text"] = {"nl": "Een"}
    Questionnaire.objects.filter(pk=questionnaire.pk).update(draft=draft)
    page = researcher.get(at("questionnaire_versions")).content.decode()
    assert "item A1: the text in language &#x27;en&#x27; is missing." in page
    assert "Freeze as a new version" not in page
    researcher.post(at("questionnaire_versions"), {"edit": questionnaire.edit})
    assert QuestionnaireVersion.objects.filter(questionnaire=questionnaire).count() == 1


# ------------------------------------------------------------------------------------------------ the pages


def test_the_page_shows_both_languages_and_what_is_missing(questionnaire, researcher):
    draft = fresh(questionnaire)
    draft["scales"][0]["items"][0]["text"] = {"nl": "Een", "en": ""}
    Questionnaire.objects.filter(pk=questionnaire.pk).update(draft=draft)
    page = researcher.get(at("questionnaire_edit")).content.decode()
    assert "English: text is missing" in page
    assert "1 text is missing:" in page
    assert '<p class="editor-text" lang="nl">Een</p>' in page
    assert "whole number from 0 to 60" in page


def test_an_item_is_added_edited_and_moved_to_another_scale(questionnaire, researcher):
    url = at("questionnaire_edit")
    scale = {"code": "B", **texts("name", "Tweede", "Second"), **texts("meaning", "", "")}
    assert researcher.post(f"{url}?add=scale", scale).status_code == 302
    form = researcher.get(f"{url}?add=item:B").content.decode()
    assert 'value="B1"' in form
    item = {"code": "B1", **texts("text", "Drie", ""), "scale": "B"}
    again = researcher.post(f"{url}?add=item:B", {**item, "again": "yes"})
    assert again["Location"].endswith("?add=item:B#form")
    looked = drafts.seen(fresh(questionnaire), "item:B1")
    edited = {**item, **texts("text", "Drie", "Three"), "reverse_keyed": "on", "scale": "A", "seen": looked}
    assert researcher.post(f"{url}?part=item:B1", edited).status_code == 302
    scales = fresh(questionnaire)["scales"]
    assert scales[0]["items"][-1] == {"code": "B1", "text": {"nl": "Drie", "en": "Three"}, "reverse_keyed": True}
    assert scales[1] == {"code": "B", "name": {"nl": "Tweede", "en": "Second"}, "meaning": {}, "items": []}


def test_a_conflict_keeps_what_was_typed(questionnaire, researcher):
    url = at("questionnaire_edit") + "?part=item:A1"
    looked = drafts.seen(questionnaire.draft, "item:A1")
    form = {"code": "A1", "scale": "A", "seen": looked}
    assert researcher.post(url, {**form, **texts("text", "Zij", "They")}).status_code == 302
    answer = researcher.post(url, {**form, **texts("text", "Wij", "We")})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody else changed this part" in page
    assert "They" in page
    assert ">\nWe</textarea>" in page
    again = drafts.seen(fresh(questionnaire), "item:A1")
    assert f'name="seen" value="{again}"' in page
    assert researcher.post(url, {**form, **texts("text", "Wij", "We"), "seen": again}).status_code == 302
    assert fresh(questionnaire)["scales"][0]["items"][0]["text"]["en"] == "We"


@pytest.mark.parametrize(
    ("query", "form", "words"),
    [
        ("add=scale", {"code": "a1", "name_en": "x"}, "has this code"),
        ("add=scale", {"code": "1x"}, "Begin with a letter"),
        ("add=scale", {"code": "team"}, "itself uses this code"),
        ("part=options", {"labels_nl": "een", "labels_en": "one"}, "2 to 11 answers; here are 1"),
        ("part=options", {"labels_nl": "a\nb\nc", "labels_en": "a\nb"}, "the same number of answers in each language"),
        ("part=options", {}, "Write the answers"),
        ("part=texts", {"title_en": "x"}, "at least one language"),
        ("add=question:choice", {"code": "q", "choice_0_en": "only"}, "at least two choices"),
        (
            "add=question:choice",
            {"code": "q", "choice_0_en": "a", "choice_1_en": "b", "choice_1_code": "c1"},
            "same code",
        ),
        ("add=question:number", {"code": "q", "minimum": "5", "maximum": "5"}, "must be above"),
        (
            "add=eligibility",
            {"choice_0_en": "a", "choice_1_en": "b"},
            "people may take part, and leave at least one unticked",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(questionnaire, researcher, query, form, words):
    page = researcher.post(f"{at('questionnaire_edit')}?{query}", form)
    assert page.status_code == 200
    assert words in page.content.decode()
    assert fresh(questionnaire) == questionnaire.draft


@pytest.mark.parametrize("points", [2, 5, 11])
def test_the_agreement_scale_has_its_own_labels(questionnaire, researcher, points):
    labels = texts("labels", "\n".join(f"n{n}" for n in range(points)), "\r\n".join(f"e{n}" for n in range(points)))
    looked = drafts.seen(questionnaire.draft, "options")
    done = researcher.post(f"{at('questionnaire_edit')}?part=options", {**labels, "seen": looked})
    assert done.status_code == 302
    options = fresh(questionnaire)["options"]
    assert [option["value"] for option in options] == list(range(1, points + 1))
    assert options[-1]["text"] == {"nl": f"n{points - 1}", "en": f"e{points - 1}"}


def test_questions_of_each_type_are_made(questionnaire, researcher):
    url = at("questionnaire_edit")
    base = texts("text", "Vraag", "Question")
    number = {"code": "n1", **base, "minimum": "-2", "maximum": "9", "decimals": "on"}
    choice = {"code": "n2", **base, "choice_0_en": "a", "choice_2_en": "b", "choice_2_code": "bb"}
    for query, form in {"number": number, "choice": choice, "text": {"code": "n3", **base}}.items():
        assert researcher.post(f"{url}?add=question:{query}", form).status_code == 302, query
    assert [{k: v for k, v in q.items() if k != "text"} for q in fresh(questionnaire)["background"][-3:]] == [
        {"code": "n1", "type": "number", "minimum": -2, "maximum": 9, "decimals": True},
        {
            "code": "n2",
            "choices": [{"code": "c1", "text": {"nl": "", "en": "a"}}, {"code": "bb", "text": {"nl": "", "en": "b"}}],
        },
        {"code": "n3", "type": "text"},
    ]
    assert "told not to name people" in researcher.get(f"{url}?part=question:n3").content.decode()


def test_removing_and_undoing_on_the_page(questionnaire, researcher):
    form = {"part": "item:A1", "seen": drafts.seen(questionnaire.draft, "item:A1"), "action": "remove"}
    page = researcher.post(at("questionnaire_change"), form, follow=True).content.decode()
    assert "Removed: A1" in page
    assert "Undo the last removal" in page
    edit = Questionnaire.objects.get(pk=questionnaire.pk).edit
    page = researcher.post(at("questionnaire_change"), {"action": "undo", "edit": edit}, follow=True).content.decode()
    assert "It has been put back." in page
    assert fresh(questionnaire) == questionnaire.draft
    late = researcher.post(at("questionnaire_change"), {"action": "undo", "edit": edit}, follow=True)
    assert "can no longer be undone" in late.content.decode()


def test_with_htmx_the_answer_is_the_page_itself(questionnaire, researcher):
    form = {"part": "item:A2", "action": "up"}
    answer = researcher.post(at("questionnaire_change"), form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer["HX-Push-Url"] == at("questionnaire_edit")
    assert "Moved: A2" in answer.content.decode()


@pytest.mark.parametrize("form", [{}, {"part": "x", "action": "up"}, {"action": "undo", "edit": "x"}, {"action": "?"}])
def test_strange_changes_are_answered(questionnaire, researcher, form):
    assert researcher.post(at("questionnaire_change"), form).status_code == 302
    assert fresh(questionnaire) == questionnaire.draft


@pytest.mark.parametrize(
    "query", ["part=item:gone", "add=item:gone", "add=question:date", "add=x", "part=texts:", "part=:"]
)
def test_strange_parts_open_no_form(questionnaire, researcher, query):
    page = researcher.get(f"{at('questionnaire_edit')}?{query}")
    assert page.status_code == 200
    assert 'id="form"' not in page.content.decode()


def test_a_new_questionnaire_begins_with_four_answers(researcher):
    done = researcher.post(reverse("questionnaire_new"), {"code": "trust", "title_en": "Trust"})
    assert done["Location"] == reverse("questionnaire_edit", args=[Questionnaire.objects.get(code="trust").pk])
    assert len(Questionnaire.objects.get(code="trust").draft["options"]) == 4
    page = researcher.get(done["Location"]).content.decode()
    assert "There are no scales yet." in page
    again = researcher.post(reverse("questionnaire_new"), {"code": "trust", "title_en": "Trust"}).content.decode()
    assert "already a questionnaire with this short name" in again


def test_lists_ask_the_same_number_of_queries(researcher, questionnaire, django_assert_max_num_queries):
    def count() -> int:
        with django_assert_max_num_queries(50) as queries:
            researcher.get(reverse("questionnaires"))
        return len(queries)

    few = count()
    for n in range(8):
        publishing.put_draft(mixed(code=f"other-{n}"), a_group())
    assert count() == few


# ------------------------------------------------------------------------------------------------ preview, files


def test_only_the_preview_may_stand_in_a_frame_of_this_site(questionnaire, researcher):
    page = researcher.get(at("questionnaire_preview"))
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert page.content.decode().count("<iframe") == 2
    screen = researcher.get(at("preview_screen", 0, "en", 1))
    assert screen["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in screen["Content-Security-Policy"]
    assert "'none'" not in screen["Content-Security-Policy"].split("frame-ancestors")[1].split(";")[0]


def test_the_preview_walks_through_all_screens(questionnaire, researcher):
    seen = []
    for screen in range(6):
        page = researcher.get(at("preview_screen", 1, "en", screen)).content.decode()
        assert "a/save" not in page or 'data-save="/a/save"' in page
        seen.append(page)
    assert "Start" in seen[0]
    assert 'name="A1"' in seen[1]
    assert 'name="years"' in seen[2]
    assert "Hand in" in seen[3]
    assert "Thank you" in seen[4] == seen[5] or "Thank you" in seen[4]
    moved = researcher.post(at("preview_screen", 0, "en", 1), {"go": "next", "A1": "2"})
    assert moved["Location"] == at("preview_screen", 0, "en", 2)
    back = researcher.post(at("preview_screen", 0, "en", 1), {"go": "back"})
    assert back["Location"] == at("preview_screen", 0, "en", 0)
    assert researcher.get(at("preview_screen", 0, "fr", 0)).status_code == 404
    assert researcher.get(at("preview_screen", 7, "en", 0)).status_code == 404


def test_files_of_a_version(questionnaire, researcher):
    yaml_file = researcher.get(at("version_file", 1, "yaml"))
    assert yaml_file["Content-Disposition"] == 'attachment; filename="mixed-1.yaml"'
    assert publishing.read_yaml(yaml_file.content.decode()) == questionnaire.draft
    book = openpyxl.load_workbook(io.BytesIO(researcher.get(at("version_file", 1, "xlsx")).content))
    assert book.sheetnames == ["survey", "choices", "settings"]
    assert researcher.get(at("version_file", 1, "doc")).status_code == 404


@pytest.mark.parametrize("form", ["yaml", "xlsx"])
def test_importing_shows_first_and_then_makes_the_draft(questionnaire, researcher, form):
    content = researcher.get(at("version_file", 1, form)).content
    drafts.move(questionnaire, "item:A2", up=True)
    file = SimpleUploadedFile(f"q.{form}", content)
    shown = researcher.post(reverse("questionnaire_import"), {"file": file})
    page = shown.content.decode()
    assert "scales: 1, statements: 2, answers: 1 to 3, other questions: 4." in page
    assert "is replaced" in page
    assert fresh(questionnaire)["scales"][0]["items"][0]["code"] == "A2", "nothing is written yet"
    done = researcher.post(reverse("questionnaire_import"), {"document": shown.context["document"]})
    assert done["Location"] == at("questionnaire_edit")
    assert fresh(questionnaire) == questionnaire.draft


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("q.yaml", b"code: x", "title"),
        ("q.yaml", b"\xff\xfe", "YAML"),
        ("q.xlsx", b"no", "spreadsheet"),
        ("q", b"", "empty"),
    ],
)
def test_a_file_that_is_no_questionnaire_says_why(researcher, name, content, words):
    page = researcher.post(
        reverse("questionnaire_import"), {"file": SimpleUploadedFile(name, content)}
    ).content.decode()
    assert words in page
    assert "Make it the working draft" not in page
