"""What is killed while teachers answer loses nothing: `make prove-faults`.

500 teachers take part against a production setting and try again, as the page does, what was not acknowledged. Meanwhile the
web server is killed ten times, PostgreSQL five times and the Celery worker three times, with kill -9 and all their processes, each
started again at once. The kills are spread over the requests, not over the time, so that they fall into the work on a fast
machine as on a slow one. The worker's work meanwhile: a second team's 1,000 answers are sealed.
"""

import random
import sys
import threading
import time

from bench.production import Journey, Production, answer, compare, production

TEACHERS, AT_ONCE, PATIENCE, LONGEST = 500, 24, 120, 360
KILLS = ["web"] * 10 + ["postgresql"] * 5 + ["worker"] * 3
SEALED_ROWS = 1000
FILL = f"""
import django; django.setup()
from surveys import collections, submission
from surveys.models import Collection
team = Collection.objects.order_by("pk").last()
submission.submit_many(team, [{{"answers": {{"GV1": 1 + n % 4}}}} for n in range({SEALED_ROWS})])
collections.close_collection(team)
collections.seal_now(team)
"""


def spread(journeys: list[Journey], setting: Production, thread: threading.Thread) -> list[str]:
    """Kill each program when its share of the journeys is done. What was killed."""
    order = random.Random(4).sample(KILLS, len(KILLS))
    killed = []
    for n, name in enumerate(order, 1):
        while thread.is_alive() and sum(journey.submitted for journey in journeys) < TEACHERS * n / (len(order) + 1):
            time.sleep(0.02)
        if not thread.is_alive():
            break
        if name == "postgresql" and setting.database:
            setting.database.kill()
            setting.database.start()
        else:
            setting.kill(name)
            setting.start(name)
            if name == "web":
                setting.wait()
        killed.append(name)
        print(f"     {name} killed and started again, {sum(j.submitted for j in journeys)} are done", flush=True)
    return killed


def wait_for_seal(setting: Production, collection: int) -> bool:
    until = time.monotonic() + 90
    query = f"SELECT state, sealing FROM surveys_collection WHERE id = {collection}"
    while time.monotonic() < until:
        if setting.rows(query) == [("sealed", False)]:
            return True
        time.sleep(0.5)
    return False


def main() -> int:
    started = time.monotonic()
    with production() as setting:
        code = setting.prepare(rooms=2, approached=TEACHERS)[0]
        (room,), (sealed,) = setting.rows("SELECT id FROM surveys_collection ORDER BY id")
        for name in ("web", "worker", "beat"):
            setting.start(name)
        setting.wait()
        setting.python(FILL)
        journeys = [Journey(setting.port, code, n, PATIENCE) for n in range(TEACHERS)]
        thread = threading.Thread(target=answer, args=(journeys, AT_ONCE))
        thread.start()
        killed = spread(journeys, setting, thread)
        thread.join()
        is_sealed = wait_for_seal(setting, sealed)
        lost, unknown = compare(setting, journeys, room)
        counted = setting.rows(f"SELECT coalesce(sum(n), 0) FROM surveys_daycount WHERE collection_id = {room}")[0][0]
        kept = setting.rows(
            "SELECT count(*), count(DISTINCT key), count(*) FILTER (WHERE by_link OR sequence > 0) FROM surveys_response"
            f" WHERE collection_id = {sealed} AND state = 'submitted'"
        )[0]
    failures = [journey.failure for journey in journeys if journey.failure]
    for failure in sorted(set(failures))[:5]:
        print(f"     a journey failed: {failure}")
    seconds = time.monotonic() - started
    checks = {
        f"killed: web {killed.count('web')}, PostgreSQL {killed.count('postgresql')}, worker {killed.count('worker')}": (
            killed == random.Random(4).sample(KILLS, len(KILLS))
        ),
        f"journeys that ended: {sum(journey.submitted for journey in journeys)} of {TEACHERS}": (
            all(journey.submitted for journey in journeys)
        ),
        f"acknowledged answers lost: {lost}": lost == 0,
        f"responses that no teacher has: {unknown}": unknown == 0,
        f"handed in, counted once each: {counted}": counted == TEACHERS,
        f"sealed meanwhile, whole and once: {kept[0]} of {SEALED_ROWS}": (
            is_sealed and kept == (SEALED_ROWS, SEALED_ROWS, 0)
        ),
        f"seconds, at most {LONGEST}: {seconds:.0f}": seconds <= LONGEST,
    }
    for what, holds in checks.items():
        print(f"{'ok  ' if holds else 'FAIL'} {what}")
    print(f"{sum(checks.values())} passed, {len(checks) - sum(checks.values())} failed")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
