"""Sealed answers as they stood among the open ones, through the migrations: all move, nothing refers to nowhere, and the old bytes go."""

import secrets
from datetime import date

import pytest
from django.db import connection
from django.db.migrations.exceptions import IrreversibleError

from surveys.collecting import sealing
from surveys.models import Collection
from tests.migrating import leaves, rows_in, tables, tables_of
from tests.surveys.attacker import left_on_disk, swept

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = [
    ("analysis", "0018_leases"),
    ("surveys", "0024_no_count_tells_of_deleting"),
    ("teams", "0029_sign_in_mails"),
]
PER_TEAM = 40


@pytest.fixture(scope="module")
def as_they_were(django_db_setup, django_db_blocker):
    with tables_of(BEFORE, django_db_blocker):
        yield


@pytest.fixture
def before(as_they_were, transactional_db):
    with rows_in(BEFORE) as apps:
        yield apps


def make(apps):
    """A sealed team, one that is being sealed, one that is open, and one whose sealing stopped before its last step."""

    def create(model, app="surveys", /, **fields):
        return apps.get_model(app, model).objects.create(**fields)

    group = create("ResearchGroup", "teams", name="Group")
    study = create(
        "Study", "teams", group=group, slug="s", title="S", starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31)
    )
    questionnaire = create("Questionnaire", group=group, code="q", title={"en": "Q"})
    version = create("QuestionnaireVersion", questionnaire=questionnaire, number=1, content={}, content_hash="0" * 64)
    survey = create("Survey", study=study, version=version)
    institution = create("Institution", "teams", group=group, name="School")
    academy = create("Academy", "teams", institution=institution, name="A", sector="health")
    states = {
        "sealed": {"state": "sealed", "n_started": PER_TEAM, "n_submitted": PER_TEAM},
        "stopped": {"state": "sealed", "n_started": PER_TEAM, "n_submitted": PER_TEAM, "sealing": True},
        "begun": {"state": "open", "sealing": True},
        "open": {"state": "open"},
    }
    collections = {}
    for name, fields in states.items():
        team = create("Team", "teams", academy=academy, name=name, leader_name="L", leader_email="l@x.example")
        wave = create("Participation", "teams", study=study, team=team, state="accepted", mode="online", approached=50)
        collections[name] = create(
            "Collection", survey=survey, participation=wave, mode="online", approached=50, **fields
        )
    rows = [
        apps.get_model("surveys", "Response")(
            key=secrets.token_urlsafe(32),
            collection=collection,
            state="submitted" if n % 4 else "draft",
            eligibility="yes",
            answers={"AA1": n % 4 + 1, "remarks": f"{name} {n} " + "words " * 400},
            sequence=0 if fields["state"] == "sealed" else n,
            language="" if fields["state"] == "sealed" else "nl",
        )
        for n in range(PER_TEAM)
        for (name, collection), fields in zip(collections.items(), states.values(), strict=True)
    ]
    apps.get_model("surveys", "Response").objects.bulk_create(rows)
    reviewed = [row for row in rows if row.collection == collections["sealed"]][:3]
    for row in reviewed:
        create(
            "TextReview",
            "analysis",
            survey=survey,
            response=row,
            question="remarks",
            verdict="cleared",
            text=row.answers["remarks"],
        )
    for name, collection in collections.items():
        sealed = states[name]["state"] == "sealed"
        for n in range(5):
            nonce = "" if sealed else secrets.token_urlsafe(16)
            email = f"{name}{n}@x.example"
            create("Invitee", collection=collection, email=email, nonce=nonce, token_hash=nonce and nonce * 2)
    return collections, rows, {row.key for row in reviewed}


def test_sealed_answers_move_and_open_ones_stay(before):
    collections, rows, reviewed = make(before)
    old = {row.key: (row.collection_id, row.state, row.eligibility, row.answers) for row in rows}
    apart = {collections["sealed"].pk, collections["stopped"].pk}
    now = tables(leaves()).get_model
    columns = ("collection_id", "state", "eligibility", "answers")
    sealed = {key: tuple(rest) for key, *rest in now("surveys", "SealedResponse").objects.values_list("key", *columns)}
    still = {key: tuple(rest) for key, *rest in now("surveys", "Response").objects.values_list("key", *columns)}
    assert sealed == {key: row for key, row in old.items() if row[0] in apart}
    assert still == {key: row for key, row in old.items() if row[0] not in apart}
    kept = now("surveys", "Response").objects.values_list("key", "sequence", "language")
    assert set(kept) == {(row.key, row.sequence, row.language) for row in rows if row.key in still}
    reviews = now("analysis", "TextReview").objects
    assert set(reviews.values_list("response__key", flat=True)) == reviewed <= set(sealed)
    with pytest.raises(IrreversibleError):
        tables(BEFORE)
    tables(leaves())


def test_they_are_shuffled_and_their_old_places_leave_the_disk(before):
    collections, rows, _reviewed = make(before)
    theirs = [row for row in rows if row.collection == collections["sealed"]]
    written = [row.key for row in theirs]
    tables(leaves())
    order = "rowid" if connection.vendor == "sqlite" else "ctid"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT key FROM surveys_sealedresponse WHERE collection_id = %s ORDER BY {order}",
            [collections["sealed"].pk],
        )
        moved = [key for (key,) in cursor.fetchall()]
    assert sorted(moved) == sorted(written)
    assert moved != written, "by chance once in 40! times"
    assert moved != sorted(written)
    assert swept()
    held = left_on_disk(written)
    assert held
    if connection.vendor == "postgresql":
        elsewhere = [file for file in held if file.startswith("surveys_response") or "/" in file or "stat" in file]
        assert not elsewhere, held


def test_what_links_are_made_of_moves_and_leaves_its_old_place(before):
    make(before)
    old = before.get_model("surveys", "Invitee").objects.exclude(nonce="").values_list("pk", "nonce", "token_hash")
    old = set(old)
    now = tables(leaves()).get_model
    assert set(now("surveys", "LinkSecret").objects.values_list("pk", "nonce", "token_hash")) == old
    assert len(old) == 10
    assert now("surveys", "Invitee").objects.count() == 20
    now("surveys", "LinkSecret").objects.all().delete()
    assert swept()
    assert left_on_disk(text for _pk, *texts in old for text in texts) == {}


def test_what_stopped_before_its_last_step_goes_on(before):
    collections, _rows, _reviewed = make(before)
    tables(leaves())
    sealing.sweep()
    assert not Collection.objects.get(pk=collections["stopped"].pk).sealing
    assert Collection.objects.get(pk=collections["begun"].pk).sealing
