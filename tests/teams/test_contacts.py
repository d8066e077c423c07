"""Academies and teams from a file: judged row by row, written whole or not at all, and nothing the second time."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from teams.contacts import cells as contact_cells
from teams.contacts import contacts
from teams.contacts.contacts import RowState
from teams.files.tables import Table, read_table, write_csv
from teams.inviting import invitations
from teams.models import Academy, Event, Institution, Invitation, OutboxMessage, Participation, Team

pytestmark = pytest.mark.django_db
HEADER = contact_cells.EXAMPLE[0]
NURSING = [
    "Hogeschool Noord",
    "Academie voor Zorg",
    "health",
    "Dirk Jansen",
    "dirk@noord.example",
    "Verpleegkunde",
    "full_time",
    "Lena Bos",
    "lena@noord.example",
]


def row(**changes: str) -> list[str]:
    """The nursing row with some cells changed, named by column."""
    cells = dict(zip(contact_cells.COLUMNS, NURSING, strict=True))
    return list({**cells, **changes}.values())


def everything() -> list:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Institution, Academy, Team, Participation, Invitation, Event, OutboxMessage)
    ]


def states(preview: contacts.Preview) -> list[str]:
    return [row.state.value for row in preview.rows]


def test_the_example_is_good(study, roos):
    assert states(contacts.preview(study, Table(HEADER, contact_cells.EXAMPLE[1:]), None)) == ["new", "new"]
    contacts.apply(study, Table(HEADER, contact_cells.EXAMPLE[1:]), roos)
    assert Participation.objects.count() == 2
    assert Invitation.objects.count() == 3
    assert not OutboxMessage.objects.exists()


def test_looking_writes_nothing(study):
    before = everything()
    contacts.preview(study, Table(HEADER, [row()]), None)
    assert everything() == before


def test_the_same_file_again_changes_nothing(study, roos):
    table = Table(HEADER, [row(), row(team="Fysiotherapie", leader_email="lars@noord.example")])
    assert contacts.apply(study, table, roos).usable
    before = everything()
    again = contacts.apply(study, table, roos)
    assert states(again) == ["unchanged", "unchanged"]
    assert not again.usable
    assert everything() == before


def test_capitals_and_order_of_columns_do_not_matter(study, nursing, roos):
    table = Table(
        HEADER[::-1], [row(academy="ACADEMIE VOOR ZORG", team="verpleegkunde", leader_email="Lena@NOORD.example")[::-1]]
    )
    assert states(contacts.preview(study, table, None)) == ["unchanged"]


def test_dutch_columns_and_words(study):
    header = ["Instelling", "Academie", "Sector", "Directeur", "E-mail directeur"]
    header += ["Opleiding", "Vorm", "Teamleider", "E-mail_teamleider"]
    preview = contacts.preview(study, Table(header, [row(sector="Techniek", form="Deeltijd")]), None)
    assert states(preview) == ["new"]
    assert (preview.rows[0].academy.sector, preview.rows[0].team.form) == ("engineering", "part_time")


def test_changes_are_shown_and_made(study, nursing, roos):
    table = Table(HEADER, [row(director_name="Dina Jansen", leader_email="lotte@noord.example")])
    preview = contacts.preview(study, table, None)
    assert states(preview) == ["changed"]
    notes = "\n".join(preview.rows[0].notes)
    assert "Dirk Jansen → Dina Jansen" in notes
    (ask,) = preview.rows[0].asks
    assert "lena@noord.example" in ask.text
    assert "lotte@noord.example" in ask.text
    contacts.apply(study, table, roos, {ask.field: ask.old_email})
    team = Team.objects.get(pk=nursing.team_id)
    assert (team.leader_email, team.academy.director_name) == ("lotte@noord.example", "Dina Jansen")
    assert Event.objects.filter(kind="contacts_imported", by=roos, detail="0 + 1").exists()


def test_an_academy_of_another_study_is_new_in_this_one(study, nursing, roos):
    study.participations.all().delete()
    Invitation.objects.all().delete()
    assert states(contacts.preview(study, Table(HEADER, [row()]), None)) == ["new"]
    contacts.apply(study, Table(HEADER, [row()]), roos)
    assert Participation.objects.get().team == nursing.team


def test_a_row_without_a_team_lists_the_academy(study, roos):
    contacts.apply(study, Table(HEADER, [row(team="", form="", leader_name="", leader_email="")]), roos)
    assert Invitation.objects.get().academy.name == "Academie voor Zorg"
    assert not Participation.objects.exists()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"institution": ""}, "institution"),
        ({"leader_email": ""}, "team leader e-mail"),
        ({"team": "", "form": "", "leader_name": ""}, "team"),
        ({"director_email": "dirk"}, "dirk"),
        ({"leader_name": "Lena\nBcc: x@noord.example"}, "team leader"),
        ({"sector": "magic"}, "magic"),
        ({"form": "sometimes"}, "sometimes"),
        ({"team": "x" * 161}, "team"),
        ({"director_name": "x" * 121}, "director"),
    ],
)
def test_a_wrong_cell_says_what_is_wrong_and_holds_everything(study, roos, changes, word):
    table = Table(HEADER, [row(team="Good", leader_email="good@noord.example"), row(**changes)])
    preview = contacts.preview(study, table, None)
    assert states(preview) == ["new", "wrong"]
    assert preview.rows[1].number == 3
    assert any(word in note for note in preview.rows[1].notes)
    before = everything()
    contacts.apply(study, table, roos)
    assert everything() == before


def test_two_rows_that_contradict_are_wrong(study):
    other_director = row(team="Fysiotherapie", director_name="Somebody Else")
    assert states(contacts.preview(study, Table(HEADER, [row(), other_director]), None)) == ["new", "wrong"]
    assert states(contacts.preview(study, Table(HEADER, [row(), row(leader_name="Other")]), None)) == ["new", "wrong"]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (HEADER[1:], "institution"),
        ([*HEADER, "colour"], "colour"),
        ([*HEADER, "Directeur"], "Directeur"),
    ],
)
def test_unknown_double_and_missing_columns_are_named(study, header, problem):
    preview = contacts.preview(study, Table(header, [row()]), None)
    assert preview.rows == ()
    assert any(problem in text for text in preview.problems)


def test_the_dry_run_costs_the_same_for_two_and_for_forty_rows(study, django_assert_num_queries):
    for n in (2, 40):
        table = Table(HEADER, [*(row(team=f"Team {i}", leader_email=f"l{i}@noord.example") for i in range(n))])
        with django_assert_num_queries(4):
            contacts.preview(study, table, None)


def test_an_imported_new_address_gets_its_own_invitation(study, nursing, roos):
    invitations.invite_directors(study)
    OutboxMessage.objects.all().delete()
    contacts.apply(
        study, Table(HEADER, [row(director_email="dina@noord.example")]), roos, {"director-2": "dirk@noord.example"}
    )
    kinds = set(OutboxMessage.objects.values_list("kind", flat=True))
    assert kinds == {"teams.director_invitation", "teams.former_contact"}


def test_an_answer_counts_for_its_row_also_where_the_header_is_not_the_first(client, study, nursing, roos):
    table = Table(HEADER, [row(leader_email="lotte@noord.example")])
    client.force_login(roos)
    url = reverse("contacts_import", args=[study.slug])
    file = SimpleUploadedFile("list.csv", f"\n\n{write_csv(table.lines)}".encode())
    shown = client.post(url, {"file": file})
    (ask,) = shown.context["preview"].rows[0].asks
    client.post(url, {"content": shown.context["content"], "apply": "1", ask.field: ask.old_email})
    nursing.refresh_from_db()
    assert nursing.leader_email == "lotte@noord.example"


@pytest.mark.parametrize("said", [{}, {"leader-2": "somebody@noord.example"}])
def test_a_file_alone_replaces_no_leader_and_no_director(client, study, nursing, roos, said):
    """One uploaded row made its uploader the leader: now it asks, and no answer, or one about another person, keeps them."""
    table = Table(HEADER, [row(leader_name="Mallory", leader_email="mallory@x.example", director_email="m@x.example")])
    client.force_login(roos)
    url = reverse("contacts_import", args=[study.slug])
    shown = client.post(url, {"file": SimpleUploadedFile("list.csv", write_csv(table.lines).encode())})
    assert states(shown.context["preview"]) == ["asks"]
    for name in ("leader-2", "director-2"):
        assert f'name="{name}"' in shown.content.decode()
    client.post(url, {"content": shown.context["content"], "apply": "1", **said})
    nursing.refresh_from_db()
    assert nursing.leader_email == "lena@noord.example"
    assert Academy.objects.get().director_email == "dirk@noord.example"
    client.post(url, {"content": shown.context["content"], "apply": "1", "leader-2": "lena@noord.example"})
    nursing.refresh_from_db()
    assert nursing.leader_email == "mallory@x.example"
    assert Academy.objects.get().director_email == "dirk@noord.example"


def test_the_page_shows_then_writes(client, study, roos):
    client.force_login(roos)
    url = reverse("contacts_import", args=[study.slug])
    file = SimpleUploadedFile("list.csv", write_csv([HEADER, row()]).replace(",", ";").encode("utf-8-sig"))
    shown = client.post(url, {"file": file})
    assert shown.status_code == 200
    assert not Participation.objects.exists()
    response = client.post(url, {"content": shown.context["content"], "apply": "1"})
    assert response.url == reverse("teams", args=[study.slug])
    assert Participation.objects.get().team.name == "Verpleegkunde"


def test_the_page_writes_nothing_of_a_wrong_file(client, study, roos):
    client.force_login(roos)
    url = reverse("contacts_import", args=[study.slug])
    response = client.post(url, {"content": write_csv([HEADER, row(sector="magic")]), "apply": "1"})
    assert response.status_code == 200
    assert response.context["preview"].count(RowState.WRONG) == 1
    assert not Academy.objects.exists()


@pytest.mark.parametrize("data", [{}, {"file": SimpleUploadedFile("x.xlsx", b"no workbook")}])
def test_the_page_says_what_is_wrong_with_a_file(client, study, roos, data):
    client.force_login(roos)
    response = client.post(reverse("contacts_import", args=[study.slug]), data)
    assert response.context["form"].errors


def test_the_example_can_be_downloaded_and_read_back(client, study, roos):
    client.force_login(roos)
    response = client.get(reverse("contacts_example", args=[study.slug]))
    assert read_table(response.content, "contacts.csv").lines == contact_cells.EXAMPLE
