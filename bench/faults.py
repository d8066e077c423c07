"""What is killed while teachers answer loses nothing: `make prove-faults`.

500 teachers take part against a production setting and try again, as the page does, what was not acknowledged. Meanwhile the
web server is killed ten times, PostgreSQL five times and the Celery worker three times, with kill -9 and all their processes, each
started again at once. The kills are spread over the requests, not over the time, so that they fall into the work on a fast
machine as on a slow one. The worker's work meanwhile: a second team's 1,000 answers are sealed.

Then the mail server is dead, hung, and refuses for good and for now, for a while each, with mails of its own queued in each mood:
notices to accounts, and reminders to holders of personal links, which leave no trace. Nobody gets a mail twice, none is lost
but those that were being handed over, and what was refused for good is there to be sent again. A page that mails a sign-in code
answers at once meanwhile.
"""

import json
import random
import re
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter

from bench.mail_server import DEAD, HUNG, LATER, NEVER, OK, MailServer
from bench.production import Journey, Production, answer, compare, production

TEACHERS, AT_ONCE, PATIENCE, LONGEST = 500, 24, 120, 480
WAITS = 5  # seconds that a mail server gets to answer
KILLS = ["web"] * 10 + ["postgresql"] * 5 + ["worker"] * 3
SEALED_ROWS = 1000
FILL = f"""
import django; django.setup()
from surveys.collecting import collections
from surveys.answering import submission
from surveys.models import Collection
team = Collection.objects.order_by("pk").last()
submission.submit_many(team, [{{"answers": {{"GV1": 1 + n % 4}}}} for n in range({SEALED_ROWS})])
collections.close_collection(team)
collections.seal_now(team)
"""

EACH = 20  # mails of each of the two kinds, in each mood
MOODS = [(DEAD, 45), (HUNG, 45), (OK, 30), (NEVER, 20), (LATER, 20)]  # and how many seconds
GOES_ON = 120  # seconds within which everything is as it should be, once the server takes mail again
MAILS = f"""
import json, sys, django; django.setup()
from surveys.linking import personal_links as links
from surveys.models import Collection
from teams.mail import outbox as mail
from teams.models import OutboxMessage, User
mood = sys.argv[1]
users = [User.objects.create_user(f"{{mood}}{{n}}@account.example", name="A B") for n in range({EACH})]
mail.queue_many("teams.account_password", [user.pk for user in users])
team = Collection.objects.get(participation__team__name=f"Online {{mood}}")
links.remind(team)
"""
ONLINE = f"""
import django; django.setup()
from surveys.collecting import collections
from surveys.linking import personal_links as links
from surveys.models import Survey
from teams.models import Academy, OutboxMessage, Participation, Team
survey = Survey.objects.get()
for mood in {[mood for mood, _seconds in MOODS]!r}:
    team = Team.objects.create(academy=Academy.objects.get(), name=f"Online {{mood}}")
    part = Participation.objects.create(study=survey.study, team=team, mode="online", state="accepted", approached={EACH})
    links.issue_links(collections.open_collection(part), [f"{{mood}}{{n}}@teacher.example" for n in range({EACH})])
OutboxMessage.objects.all().delete()  # what says so to the teachers
"""
LEFT = """
import json, django; django.setup()
from teams.models import Job, OutboxMessage
print(json.dumps({
    "queued": OutboxMessage.objects.filter(state="queued").count(),
    "failed": OutboxMessage.objects.filter(state="failed", kind="teams.account_password").count(),
    "lost": sum(Job.objects.filter(kind="teams.reminders_lost").values_list("attempts", flat=True)),
}))
"""


def moods(setting: Production, server: MailServer) -> tuple[dict[str, int], float]:
    """Let the mail server have its moods. What is left in the end, and how long a page took at most that mails a code."""
    slowest = 0.0
    for mood, seconds in MOODS:
        server.be(mood)
        setting.python(MAILS, mood)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            slowest = max(slowest, ask_for_code(setting))
            time.sleep(5)
        # before it refuses for good, what its earlier moods held up has to have gone, however slow the machine is
        while mood == OK and time.monotonic() < until + GOES_ON and json.loads(setting.python(LEFT))["queued"]:
            time.sleep(2)
        print(f"     the mail server was {mood}, {len(server.taken)} mails have arrived", flush=True)
    server.be(OK)
    until = time.monotonic() + GOES_ON
    left: dict[str, int] = {}
    while time.monotonic() < until:
        left = json.loads(setting.python(LEFT))
        if not left["queued"]:
            break
        time.sleep(2)
    return left, slowest


def ask_for_code(setting: Production) -> float:
    """The seconds that the page takes which mails a sign-in code."""
    url = f"http://127.0.0.1:{setting.port}/accounts/login/code/"
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.open(url, timeout=60).read().decode())
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "email": "nobody@account.example"}
    started = time.monotonic()
    browser.open(url, urllib.parse.urlencode(fields).encode(), timeout=60).read()
    return time.monotonic() - started


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
    server = MailServer()  # dead at first
    with production() as setting:
        setting.env["EMAIL_URL"] = f"smtp://127.0.0.1:{server.port}"
        code = setting.prepare(rooms=2, approached=TEACHERS)[0]
        (room,), (sealed,) = setting.rows("SELECT id FROM surveys_collection ORDER BY id")
        for name in ("web", "worker", "work", "beat"):
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
            "SELECT count(*), count(DISTINCT key),"
            f" (SELECT count(*) FROM surveys_response WHERE collection_id = {sealed}) FROM surveys_sealedresponse"
            f" WHERE collection_id = {sealed} AND state = 'submitted'"
        )[0]
        setting.python(ONLINE)
        left, slowest = moods(setting, server)
    arrived = Counter(server.about[number] for number in server.taken)
    people = [f"{mood}{n}@teacher.example" for mood, _seconds in MOODS for n in range(EACH)]
    not_reminded = sum(not arrived[person] for person in people)
    twice = sum(n > 1 for n in server.taken.values()) + sum(n > 1 for n in arrived.values())
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
        f"mails that came twice: {twice}": twice == 0,
        f"mails that still wait, and went by themselves within {GOES_ON} s: {left['queued']}": left["queued"] == 0,
        f"reminders lost, of {len(people)}: {not_reminded}, counted for the board: {left['lost']}": (
            not_reminded == left["lost"] <= 2
        ),
        f"mails refused for good, there to be sent again: {left['failed']}": left["failed"] == EACH,
        f"the page that mails a code waits for no mail server ({WAITS} s): {slowest:.1f} s": slowest < WAITS,
    }
    print(f"     {seconds:.0f} seconds; on two cores with nothing else running up to {LONGEST}")
    for what, holds in checks.items():
        print(f"{'ok  ' if holds else 'FAIL'} {what}")
    print(f"{sum(checks.values())} passed, {len(checks) - sum(checks.values())} failed")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
