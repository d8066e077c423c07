"""A room that joins within ten seconds behind one address: `make bench-burst`.

300 phones on PostgreSQL with two web workers, 60 on SQLite with one, as `make run` has it; every phone keeps a connection of
its own, joins at a moment of its own, and saves step after step with about three seconds between. Every request comes from one
address. The driver takes its share of the same processor.
"""

import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import Figure, at_most, measured, report
from bench.production import Journey, Production, answer, compare, production, running

JOIN_SECONDS, PAUSE = 10, 3
WARM_UP = 20


@contextmanager
def on_sqlite() -> Iterator[Production]:
    with running(None, workers=1) as setting:
        yield setting


SETTINGS = {"PostgreSQL": (production, 300), "SQLite": (on_sqlite, 60)}


def burst(journeys: list[Journey]) -> None:
    """Each begins at a moment of its own within ten seconds."""

    def later(n: int, journey: Journey) -> None:
        time.sleep(JOIN_SECONDS * n / len(journeys))
        journey.run()

    threads = [threading.Thread(target=later, args=pair) for pair in enumerate(journeys)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> int:
    figures: list[Figure] = []
    for name, (setting_of, phones) in SETTINGS.items():
        with setting_of() as setting:
            room, other = setting.prepare(rooms=2, approached=phones)
            collection = setting.rows("SELECT min(id) FROM surveys_collection")[0][0]
            setting.start("web")
            setting.wait()
            answer([Journey(setting.port, other, n) for n in range(WARM_UP)], 4)
            journeys = [Journey(setting.port, room, n, pauses=PAUSE) for n in range(phones)]
            burst(journeys)
            failed = [journey.failure for journey in journeys if journey.failure]
            lost, unknown = compare(setting, journeys, collection)
        if failed:
            print(f"{name}: the first to fail was {failed[0]}")
        times: dict[str, list[float]] = {}
        for journey in journeys:
            for what, seconds in journey.times:
                times.setdefault(what, []).append(1000 * seconds)
        who = f"{name}, {phones} phones"
        figures += [
            at_most(f"{who}: refused (429), failed (5xx) or cut off", len(failed), 0, "phones"),
            at_most(f"{who}: acknowledged answers lost, or rows too many", lost + unknown, 0, "answers"),
            at_most(f"{who}: first page, 95 of 100 within", _cut(times, "welcome", 95), 500, "ms"),
            at_most(f"{who}: questionnaire, 95 of 100 within", _cut(times, "page", 95), 500, "ms"),
            at_most(f"{who}: save, 99 of 100 within", _cut(times, "save", 99), 200, "ms"),
            measured(f"{who}: save, median", _cut(times, "save", 50), "ms"),
        ]
    return report("burst", figures)


def _cut(times: dict[str, list[float]], what: str, percent: int) -> float:
    return statistics.quantiles(times[what], n=100)[percent - 1]


if __name__ == "__main__":
    sys.exit(main())
