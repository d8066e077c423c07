"""What a leader who looks every hour learns of who has answered: a number in steps of k, as it stood at midnight."""

import datetime
import re

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F, Sum
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from surveys import tasks
from surveys.answering import submission
from surveys.collecting import returned, sealing
from surveys.collecting.collections import close_collection, set_present
from surveys.models import Collection, DayCount, Response
from teams.inviting import corrections
from tests.surveys import attacker
from tests.surveys.conftest import in_threads
from tests.surveys.teacher import begin

TODAY = datetime.date(2020, 11, 2)
LAST = datetime.date(2020, 12, 31)


def hand_in(meeting, n: int, day: datetime.date) -> list[str]:
    """So many answers, counted on this day."""
    made = [submission.start_in_meeting(meeting) for _n in range(n)]
    for key in made:
        submission.submit(key, 1, {})
    if not DayCount.objects.filter(day=day).update(n=F("n") + n):
        DayCount.objects.create(collection=meeting.collection, day=day, n=n)
    DayCount.objects.exclude(day__lte=LAST).delete()
    return made


def step_of(collection) -> int:
    return returned.shown(Collection.objects.get(pk=collection.pk))


@pytest.mark.django_db
def test_a_leader_who_looks_all_the_time_sees_steps_of_k_at_midnight(collection, meeting):
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(corrections.open_to_leader(collection.participation))
    address = reverse("team", args=[collection.participation_id])

    def page() -> str:
        return client.get(address).content.decode().partition('aria-labelledby="return"')[2].partition("</section>")[0]

    set_present(meeting, 12)
    seen = []
    at_first = page()
    assert "No number yet. It is shown once there are 5 answers" in at_first
    for day, n in enumerate((4, 3, 2, 1, 0, 2)):
        before = page()
        for _n in range(n):
            hand_in(meeting, 1, TODAY + datetime.timedelta(days=day))
            returned.move_steps(TODAY + datetime.timedelta(days=day))
            assert page() == before, "nothing moves while the day lasts"
        returned.move_steps(TODAY + datetime.timedelta(days=day + 1))
        seen.append(step_of(collection))
    assert seen == [0, 5, 5, 5, 5, 10], "4, 7, 9, 10, 10 and 12 had handed in at these midnights"
    assert "10 or more" in page()
    assert "of 12 teachers have handed in, as counted at midnight." in page()
    close_collection(collection)
    last = page()
    assert re.findall(r"\d+", re.sub(r"<[^>]*>", "", last)) == ["10", "12", "5"], "no other number after closing either"
    sealing.seal(Collection.objects.get(pk=collection.pk))
    assert page() == last


@pytest.mark.django_db
def test_deleting_never_lowers_it_and_does_not_make_the_next_step_smaller(collection, meeting):
    made = hand_in(meeting, 7, TODAY)
    returned.move_steps(TODAY + datetime.timedelta(days=1))
    for key in made[:4]:
        submission.delete(key)
    returned.move_steps(TODAY + datetime.timedelta(days=2))
    assert step_of(collection) == 5
    hand_in(meeting, 8, TODAY + datetime.timedelta(days=2))
    returned.move_steps(TODAY + datetime.timedelta(days=3))
    assert step_of(collection) == 5, "11 are there, and four more than the seven of the last step"
    hand_in(meeting, 1, TODAY + datetime.timedelta(days=3))
    returned.move_steps(TODAY + datetime.timedelta(days=4))
    assert step_of(collection) == 10


@pytest.mark.django_db(transaction=True)
def test_two_workers_move_it_once_and_a_task_does_it(collection, meeting):
    hand_in(meeting, 6, TODAY)
    assert sorted(in_threads(*[lambda: returned.move_steps()] * 2)) == [0, 1]
    DayCount.objects.update(n=13)
    tasks.move_returned()
    assert step_of(collection) == 10
    assert settings.CELERY_BEAT_SCHEDULE["returned"]["task"] == tasks.move_returned.name


@pytest.mark.django_db
def test_only_what_moves_is_written(collection, online, meeting, django_assert_num_queries):
    hand_in(meeting, 4, TODAY)
    with django_assert_num_queries(3):
        assert returned.move_steps() == 0
    before = list(Collection.objects.order_by("pk").values_list("returned", flat=True))
    assert {len(text) for text in before} == {48}, "also where nobody sees a number"
    with django_assert_num_queries(1):
        assert returned.move_steps() == 0
    assert list(Collection.objects.order_by("pk").values_list("returned", flat=True)) == before
    assert DayCount.objects.aggregate(n=Sum("n"))["n"] == Response.objects.filter(state="submitted").count() == 4


def test_what_this_server_did_not_write_is_no_number():
    for stored in ("", "x", "A" * 48, "é" * 48, returned.closed(10, 13)[:-4]):
        assert returned.opened(stored) == (0, 0)


def test_a_secret_of_before_opens_it_and_without_that_it_is_forgotten(settings):
    stored = returned.closed(10, 13)
    assert returned.opened(stored) == (10, 13)
    assert returned.closed(10, 13) != stored
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another one", [settings.SECRET_KEY]
    assert returned.opened(stored) == (10, 13)
    settings.SECRET_KEY_FALLBACKS = []
    assert returned.opened(stored) == (0, 0)


# ------------------------------------------------------------------------------------------------ who deletes
def everything(*, but: str = "") -> dict[str, list[dict]]:
    """All tables with their sequences, without what the database keeps of the order of rows."""
    dump = attacker.dump_database()
    return {
        table: sorted(
            ({name: value for name, value in row.items() if name[0] != "_" and name != but} for row in rows), key=str
        )
        for table, rows in dump.items()
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("n_deleted", [1, 6])
def test_after_deleting_everything_is_as_if_nobody_had_begun(collection, meeting, teacher, n_deleted):
    """A dump of the database says nothing of it: no count above what is there, no empty day, no number left out."""
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    submission.submit(begin(teacher, meeting), 1, {"GV1": 2})
    returned.move_steps()
    before = everything(but="returned")
    tablet = Client()
    made = [begin(tablet, meeting) for _n in range(n_deleted)]
    for key in made:
        submission.submit(key, 1, {"GV1": 3})
    DayCount.objects.update(n=1)
    DayCount.objects.create(collection=collection, day=tomorrow, n=n_deleted)
    assert returned.move_steps(tomorrow + datetime.timedelta(days=1)) == (n_deleted == 6)
    seen = step_of(collection)
    assert seen == (5 if n_deleted == 6 else 0)
    for key in made:
        assert tablet.post(reverse("answer_delete"), {"key": key}).status_code == 200
    assert everything(but="returned") == before
    assert len(Collection.objects.get(pk=collection.pk).returned) == 48
    assert step_of(collection) == seen, "the leader sees no fall"


@pytest.mark.django_db(transaction=True)
def test_the_last_who_deletes_and_many_who_hand_in_are_counted_right(meeting):
    """A day's row that goes away meanwhile loses nobody."""
    first = [submission.start_in_meeting(meeting) for _n in range(3)]
    for key in first:
        submission.submit(key, 1, {})
    later = [submission.start_in_meeting(meeting) for _n in range(3)]
    deletes = [lambda key=key: submission.delete(key) for key in first]
    submits = [lambda key=key: submission.submit(key, 1, {}) for key in later]
    results = in_threads(*[call for pair in zip(deletes, submits, strict=True) for call in pair])
    assert not [result for result in results if isinstance(result, Exception)]
    assert DayCount.objects.aggregate(n=Sum("n"))["n"] == Response.objects.filter(state="submitted").count() == 3


@pytest.mark.django_db(transaction=True)
def test_rows_of_before_lose_what_told(collection, meeting):
    """Back to the tables of before, with a count that tells, and forward again."""

    def migrate(name: str):
        executor = MigrationExecutor(connection)
        executor.migrate([("surveys", name)])
        return MigrationExecutor(connection).loader.project_state([("surveys", name)]).apps

    try:
        old = migrate("0023_no_row_says_by_link")
        old.get_model("surveys", "Collection").objects.filter(pk=collection.pk).update(
            returned_step=10, returned_when_moved=13
        )
        days = old.get_model("surveys", "DayCount").objects
        for n, day in enumerate((TODAY, TODAY + datetime.timedelta(days=1), TODAY + datetime.timedelta(days=2))):
            days.create(collection_id=collection.pk, day=day, n=n)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert sorted(DayCount.objects.values_list("n", flat=True)) == [1, 2]
    assert not DayCount.objects.filter(pk__lt=100).exists()
    collection.refresh_from_db()
    assert returned.opened(collection.returned) == (10, 13)
    submission.submit(submission.start_in_meeting(meeting), 1, {})
    assert DayCount.objects.count() == 3
