"""Complete journeys against a production setting, and what one costs the processor: `make bench-collect`.

A journey is ten requests: welcome, start, page, one save per scale, submit, with the pages compressed as browsers ask for them.
(LimeSurvey's figures, for nine, are of 6.1.8 on a
machine of this kind: the issue "Collecting" has them.) The driver runs on the same machine and takes its share of the
processor, so seconds per completion say what the machine can do at most, processor seconds what the server needs.
The floor: the same rows, each written by bare psycopg with as many commits as a journey makes, client and database
counted, alternating with the rounds.
"""

import statistics
import sys

from bench.figures import Figure, at_least, at_most, measured, report
from bench.production import PER_JOURNEY, SCALES, Journey, answer, compare, production

AT_ONCE = {8: 150, 30: 200, 100: 300, 300: 300}  # teachers at once, and how many take part in all
LIMESURVEY = 0.34  # processor seconds per completion at its best
TARGET = 0.016
WARM_UP = 150  # until every connection of every worker has prepared its statements
FLOOR = """
import json, os, resource, secrets, sys, threading, psycopg
N, THREADS, SCALES = int(sys.argv[1]), 8, 6
items = [f"{scale}{n}" for scale in ("GV", "IV", "IS", "OD", "CH", "ER") for n in range(1, 7)]
UPDATE = "UPDATE floor_response SET answers = %s, sequence = %s, state = %s WHERE key = %s AND sequence = %s"
def some():
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as line:
        for _ in range(N // THREADS):
            key = secrets.token_urlsafe(32)
            line.execute(
                "INSERT INTO floor_response (key, collection_id, state, eligibility, answers, sequence, language)"
                " VALUES (%s, 1, 'draft', 'yes', '{}', 0, 'nl')", (key,))
            for n in range(1, SCALES + 1):
                line.execute(UPDATE, (json.dumps(dict.fromkeys(items[:n * 6], 3)), n, "draft", key, n - 1))
            with line.transaction():
                line.execute(UPDATE, (json.dumps(dict.fromkeys(items, 3)), SCALES + 1, "submitted", key, SCALES))
                line.execute("UPDATE floor_day SET n = n + 1")
threads = [threading.Thread(target=some) for _ in range(THREADS)]
before = resource.getrusage(resource.RUSAGE_SELF)
for thread in threads: thread.start()
for thread in threads: thread.join()
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""
FLOOR_TABLES = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE floor_response (LIKE surveys_response INCLUDING ALL)")
    cursor.execute("CREATE TABLE floor_day AS SELECT 0 AS n")
"""
FLOOR_ROWS = 400


def main() -> int:
    figures: list[Figure] = []
    with production() as setting:
        codes = setting.prepare(rooms=len(AT_ONCE) + 1, approached=300)
        setting.python(FLOOR_TABLES)
        rooms = [pk for (pk,) in setting.rows("SELECT id FROM surveys_collection ORDER BY id")]
        setting.start("web")
        setting.wait()
        answer([Journey(setting.port, codes[-1], n) for n in range(WARM_UP)], 8)
        per_completion, floors = [], []
        for (at_once, total), code, room in zip(AT_ONCE.items(), codes, rooms, strict=False):
            journeys = [Journey(setting.port, code, 1000 * at_once + n) for n in range(total)]
            web, database = setting.cpu_seconds()
            seconds = answer(journeys, at_once)
            web_after, database_after = setting.cpu_seconds()
            failed = [journey.failure for journey in journeys if journey.failure]
            if failed:
                print(f"{at_once} at once: the first to fail was {failed[0]}")
            done = total - len(failed)
            lost, unknown = compare(setting, journeys, room)
            cpu = (web_after - web + database_after - database) / max(done, 1)
            per_completion.append(cpu)
            times = [time for journey in journeys for _, time in journey.times]
            cuts = statistics.quantiles(times, n=100)
            saves = statistics.quantiles(
                [time for journey in journeys for what, time in journey.times if what == "save"], n=100
            )
            name = f"{at_once} at once"
            figures += [
                at_most(f"{name}: journeys that failed", len(failed), 0, "journeys"),
                at_most(f"{name}: acknowledged answers lost, or rows too many", lost + unknown, 0, "answers"),
                measured(f"{name}: completions per second", done / seconds, "per s"),
                measured(f"{name}: request, median", 1000 * cuts[49], "ms"),
                measured(f"{name}: request, 95 of 100 within", 1000 * cuts[94], "ms"),
                measured(f"{name}: request, 99 of 100 within", 1000 * cuts[98], "ms"),
                measured(f"{name}: save, 99 of 100 within", 1000 * saves[98], "ms"),
                measured(f"{name}: web, processor per completion", 1000 * (web_after - web) / max(done, 1), "ms"),
                measured(
                    f"{name}: database, processor per completion",
                    1000 * (database_after - database) / max(done, 1),
                    "ms",
                ),
                at_most(f"{name}: processor per completion", 1000 * cpu, 1000 * TARGET, "ms"),
            ]
            before = setting.database_seconds()
            client = float(setting.python(FLOOR, str(FLOOR_ROWS)))
            floors.append((client + setting.database_seconds() - before) / FLOOR_ROWS)
    middle, floor = statistics.median(per_completion), statistics.median(floors)
    figures += [
        measured("requests per journey", PER_JOURNEY, "requests"),
        measured("floor: commits per journey", SCALES + 2, "commits"),
        measured("floor: processor per completion", 1000 * floor, "ms"),
        at_most("processor per completion, times the floor", middle / floor, 8, "times"),
        measured("LimeSurvey at its best: processor per completion", 1000 * LIMESURVEY, "ms"),
        at_least("LimeSurvey's processor seconds, times ours", LIMESURVEY / middle, 20, "times"),
    ]
    return report("collect", figures)


if __name__ == "__main__":
    sys.exit(main())
