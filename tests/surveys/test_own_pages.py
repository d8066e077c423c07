"""Cookie, page and key agree: every page belongs to one response, and no tab, team, link or person meets another's in it.

The devices here keep cookies as browsers do, each for the addresses below its path; Django's own client sends all of them everywhere.
"""

import json
import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from surveys.answering import cache, limits
from surveys.collecting import collections
from surveys.keys.row_keys import row_key
from surveys.linking import personal_links
from surveys.models import Collection, Response
from teams.models import Participation
from tests.surveys.conftest import make_participation, make_survey

ITEMS = ("GV1", "GV2", "IV1", "IV2")


@dataclass
class Device:
    """A browser, with its cookies and whether it was restarted since they came."""

    shared: bool = False
    jar: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    keeps_cookies: bool = True

    def ask(self, address: str, form: dict | None = None, body: dict | None = None):
        """What came back in the end, and the address that the browser then shows."""
        client = Client(enforce_csrf_checks=True)
        path = address.partition("?")[0].partition("#")[0]
        for (name, under), (value, _seconds) in sorted(self.jar.items(), key=lambda cookie: len(cookie[0][1])):
            if path.startswith(under):
                client.cookies[name] = value
        if body is not None:
            answer = client.post(address, json.dumps(body), content_type="application/json")
        else:
            answer = client.get(address) if form is None else client.post(address, form)
        for name, morsel in answer.cookies.items() if self.keeps_cookies else ():
            self.jar.pop((name, morsel["path"]), None)
            if morsel["max-age"] != 0:
                self.jar[name, morsel["path"]] = morsel.value, str(morsel["max-age"])
        if answer.status_code in (302, 303):
            return self.ask(urljoin(address, answer["Location"]))
        return answer, address

    def opens(self, address: str):
        return self.ask(f"{address}?shared=yes" if self.shared else address)

    def restarts(self) -> None:
        """With the session of before: browsers then bring back the tabs, and the cookies that end with the browser too."""
        self.jar = {name: value for name, value in self.jar.items() if not value[1] or int(value[1]) > 60}

    def runs_script_of(self, address: str) -> None:
        self.jar.pop(("moment", address.partition("?")[0]), None)


@dataclass
class Tab:
    device: Device
    address: str = ""
    text: str = ""
    own: str = ""  # the key of the response that was begun in this tab
    team: str = ""
    sequence: int = 0
    now: dict = field(default_factory=dict)

    def shows(self, came) -> None:
        answer, self.address = came
        self.text = unescape(answer.content.decode())
        if self.key and 'id="state"' in self.text:
            self.device.runs_script_of(self.address)
            state = json.loads(re.search(r'id="state">(.*?)</script>', self.text)[1])
            self.sequence, self.now = state["sequence"], state["answers"]

    @property
    def key(self) -> str:
        """Of the response whose questions, or thanks, this tab shows."""
        match = re.search(r'name="key" value="([^"]+)"', self.text)
        return match[1] if match else ""

    @property
    def answers(self) -> bool:
        return 'id="q"' in self.text and bool(self.key)

    def fields(self, action: str) -> dict | None:
        """The hidden fields of the first form whose button starts that."""
        for form in re.findall(r"<form.*?</form>", self.text, re.DOTALL):
            if f'action="{action}"' in form:
                return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        return None

    def starts(self) -> None:
        fields = self.fields(reverse("answer_start"))
        if fields is not None:
            self.shows(self.device.ask(reverse("answer_start"), {**fields, "consent": "yes"}))
            self.own = self.key

    def sends(self, name: str, typed: dict) -> str:
        """As the script does: the whole answers, and again over what another tab saved."""
        for _n in range(3):
            self.now = {**self.now, **typed}
            body = {"key": self.key, "sequence": self.sequence + 1, "answers": self.now, "eligibility": "yes"}
            answer, _address = self.device.ask(urljoin(self.address, name), body=body)
            reply = answer.json()
            if reply["outcome"] in ("saved", "conflict"):
                self.sequence, self.now = reply["sequence"], reply["answers"]
            if reply["outcome"] != "conflict":
                return reply["outcome"]
        raise AssertionError("always another tab")


@pytest.fixture
def two_teams(study) -> list[Collection]:
    """That meet at the same time; in each of them somebody has a link, and it is the same person."""
    survey = make_survey(study)
    for name in ("Verpleegkunde", "Fysiotherapie"):
        make_participation(study, name, Participation.Mode.RESEARCHER, approached=40)
    collections.open_survey(survey, "f" * 64)
    both = list(survey.collections.select_related("meeting", "participation__team").order_by("pk"))
    for collection in both:
        personal_links.issue_links(collection, ["both@noord.example"])
    limits.forget()
    cache.forget()
    return both


def code_of(collection: Collection) -> str:
    return reverse("meeting_welcome", args=[collection.meeting.code])


def link_of(collection: Collection) -> str:
    return "/" + personal_links.personal_url(collection.invitees.get()).split("/", 3)[3]


# ------------------------------------------------------------------------------------------------ whatever tabs do
TABS = st.integers(0, 3)
SOURCES = st.sampled_from(["code 0", "code 1", "link 0", "link 1"])
MOVES = st.one_of(
    st.tuples(st.just("begin"), TABS, SOURCES),
    st.tuples(st.just("open"), TABS, SOURCES),
    st.tuples(st.just("answer"), TABS, st.tuples(st.sampled_from(ITEMS), st.integers(1, 4))),
    st.tuples(st.just("step"), TABS, st.tuples(st.sampled_from(ITEMS), st.integers(1, 4))),
    st.tuples(
        st.sampled_from(["start", "reload", "language", "hand in", "delete", "next", "old", "restart"]),
        TABS,
        st.none(),
    ),
)


@dataclass
class Truth:
    """What each response must hold: what was typed on its own pages."""

    collection: int
    answers: dict = field(default_factory=dict)
    state: str = "draft"


class Play:
    def __init__(self, addresses: dict[str, str], of_source: dict[str, Collection]) -> None:
        self.addresses, self.of_source = addresses, of_source
        own, shared = Device(), Device(shared=True)
        shared.opens(addresses["code 0"])
        self.tabs = [Tab(own), Tab(own), Tab(shared), Tab(shared)]
        self.truth: dict[str, Truth] = {}
        self.begun: set[str] = set()
        self.collection: dict[int, Collection] = {}

    def move(self, what: str, n: int, how) -> None:
        tab = self.tabs[n]
        if what in ("open", "begin"):
            tab.own, self.collection[n] = "", self.of_source[how]
            tab.shows(tab.device.opens(self.addresses[how]) if "code" in how else tab.device.ask(self.addresses[how]))
        if what in ("start", "begin") and not tab.own:
            tab.starts()
            if tab.own:
                self.begun.add(tab.own)
                self.truth.setdefault(tab.own, Truth(self.collection[n].pk))
                assert Response.objects.get(key=row_key(tab.own)).collection_id == self.collection[n].pk
        if what == "reload" and tab.address:
            tab.shows(tab.device.ask(tab.address))
        if what == "language" and tab.answers:
            tab.shows(tab.device.ask(tab.address.partition("?")[0], {"key": tab.key, "language": "en"}))
        if what in ("answer", "hand in") and tab.answers:
            self.sends(tab, "save" if what == "answer" else "submit", dict([how] if how else []))
        if what == "step" and tab.answers:
            self.steps(tab, dict([how]))
        if what == "delete" and tab.key:
            self.truth.pop(tab.key, None)
            tab.shows(tab.device.ask(urljoin(tab.address, "delete"), {"key": tab.key}))
        if what == "next" and tab.device.shared:
            tab.shows(tab.device.ask(reverse("answer_next"), {}))
            tab.own = ""
        if what == "old" and tab.address:
            tab.shows(tab.device.ask("/a/q"))
        if what == "restart":
            tab.device.restarts()
            for other in self.tabs:
                if other.device is tab.device and other.address:
                    other.shows(other.device.ask(other.address))
                    assert not (other.device.shared and other.key), "nobody's key outlives the tab"
        self.look()

    def sends(self, tab: Tab, name: str, typed: dict) -> None:
        reply = tab.sends(name, typed)
        expected = self.truth.get(tab.own)
        if expected is None:
            assert reply == "unknown"
            tab.shows(tab.device.ask(tab.address))
        elif name == "submit" or expected.state == "submitted":
            assert reply == "submitted"
            if expected.state == "draft":
                expected.answers, expected.state = {**expected.answers, **typed}, "submitted"
            tab.shows(tab.device.ask(urljoin(tab.address, "done")))
            assert tab.device.shared or (tab.key == tab.own and 'id="q"' not in tab.text), "thanks, no empty question"
        else:
            assert reply == "saved"
            expected.answers |= typed

    def steps(self, tab: Tab, typed: dict) -> None:
        expected = self.truth.get(tab.own)
        tab.shows(tab.device.ask(urljoin(tab.address, "step"), {"key": tab.key, "step": "2", "go": "stay", **typed}))
        if expected is not None and expected.state == "draft":
            expected.answers |= typed
            assert tab.key == tab.own
            tab.shows(tab.device.ask(tab.address.partition("?")[0], {"key": tab.key}))

    def look(self) -> None:
        """No tab shows another response than the one that was begun in it, and each says its team."""
        for n, tab in enumerate(self.tabs):
            if tab.key:
                assert tab.key == tab.own, f"tab {n} shows the page of another response"
                assert self.collection[n].participation.team.name in tab.text
            assert not [key for key in self.begun - {tab.own} if key in tab.text]


@hypothesis_settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(MOVES, min_size=6, max_size=24))
def test_each_answer_ends_at_the_response_of_the_page_it_was_typed_on(two_teams, moves):
    limits.forget()
    Response.objects.all().delete()
    addresses, of_source = {}, {}
    for n, collection in enumerate(two_teams):
        addresses |= {f"code {n}": code_of(collection), f"link {n}": link_of(collection)}
        of_source |= {f"code {n}": collection, f"link {n}": collection}
    play = Play(addresses, of_source)
    for move in moves:
        play.move(*move)
    stand = {row.key: (row.collection_id, row.answers, row.state) for row in Response.objects.all()}
    assert stand == {row_key(key): (t.collection, t.answers, t.state) for key, t in play.truth.items()}


# ------------------------------------------------------------------------------------------------ the faults that were found
def begun_in(device: Device, address: str) -> Tab:
    tab = Tab(device)
    tab.shows(device.opens(address))
    tab.starts()
    assert tab.answers, tab.text
    return tab


def test_after_handing_in_in_one_of_two_tabs_both_say_thanks(two_teams):
    """Both tabs were opened from one QR code before anything began; the second began a response of its own, and was what the
    teacher saw after 36 answers."""
    phone = Device()
    tabs = [Tab(phone), Tab(phone)]
    for tab in tabs:
        tab.shows(phone.opens(code_of(two_teams[0])))
    for tab in tabs:
        tab.starts()
    assert tabs[0].own == tabs[1].own
    assert Response.objects.count() == 1
    assert tabs[0].sends("submit", {"GV1": 3}) == "submitted"
    tabs[0].shows(phone.ask(urljoin(tabs[0].address, "done")))
    assert tabs[1].sends("save", {"GV2": 3}) == "submitted"
    for tab, address in ((tabs[0], tabs[0].address), (tabs[1], urljoin(tabs[1].address, "done")), (tabs[1], "./")):
        tab.shows(phone.ask(urljoin(tab.address, address)))
        assert 'id="q"' not in tab.text
        assert two_teams[0].participation.team.name in tab.text
        assert tab.key == tab.own, "and may still delete"
    tabs[1].shows(phone.opens(code_of(two_teams[0])))
    assert f'href="{tabs[0].address}"' in tabs[1].text, "the welcome page leads to the thanks"


def test_somebody_else_on_the_same_device_begins_anew_and_both_go_on(two_teams):
    phone = Device()
    first = begun_in(phone, code_of(two_teams[0]))
    second = begun_in(phone, code_of(two_teams[0]))
    assert first.own != second.own
    for tab in (first, second):
        assert tab.sends("submit", {"GV1": 1}) == "submitted"
        tab.shows(phone.ask(urljoin(tab.address, "done")))
        assert tab.key == tab.own


def test_a_reload_never_shows_the_other_team(two_teams):
    phone = Device()
    tabs = [begun_in(phone, link_of(collection)) for collection in two_teams]
    names = [collection.participation.team.name for collection in two_teams]
    for tab, name in zip(tabs, names, strict=True):
        for address in (tab.address, f"{tab.address}?step=2"):
            tab.shows(phone.ask(address))
            assert tab.key == tab.own
            assert f'class="team">{name}<' in tab.text
    welcomes = [Tab(phone), Tab(phone)]
    for tab, collection in zip(welcomes, two_teams, strict=True):
        tab.shows(phone.ask(link_of(collection)))
    welcomes[0].shows(phone.ask(welcomes[0].address))
    assert names[0] in welcomes[0].text, "nor does the page of the link"


@pytest.mark.parametrize("name", ["save", "submit", "delete", "step", ""])
def test_a_key_at_the_address_of_another_response_changes_nothing(two_teams, name):
    phone = Device()
    tabs = [begun_in(phone, link_of(collection)) for collection in two_teams]
    tabs[1].sends("save", {"GV1": 2})
    before = list(Response.objects.order_by("key").values())
    address, key = urljoin(tabs[0].address, name), tabs[1].own
    if name in ("save", "submit", "delete"):
        body = {"key": key, "sequence": 2, "answers": {"GV1": 4}}
        answer, _address = phone.ask(address, body=body)
        assert (answer.status_code, answer.json()) == (409, {"outcome": "other"})
    answer, _address = phone.ask(address, {"key": key, "step": "2", "GV1": "4", "go": "next"})
    if name == "save":
        assert answer.status_code == 400
    else:
        assert answer.status_code == 404
        assert reverse("join") in answer.content.decode(), "a calm page that says what to do"
    assert list(Response.objects.order_by("key").values()) == before


def test_a_restart_of_a_shared_device_shows_nobodys_answers(two_teams):
    """Browsers bring back tabs and cookies. The cookie of ten minutes showed seven answers of the person before."""
    tablet = Device(shared=True)
    tab = begun_in(tablet, code_of(two_teams[0]))
    tab.sends("save", {"GV1": 4, "GV2": 1})
    key = tab.own
    assert key not in str(tablet.jar), "while the page is open its key is in no cookie"
    tablet.restarts()
    for address in (tab.address, f"{tab.address}?step=2", urljoin(tab.address, "done"), "/a/q", "/a/done"):
        tab.shows(tablet.ask(address))
        assert tab.address == f"{code_of(two_teams[0])}?shared=yes"
        assert key not in tab.text
    tab.starts()
    assert tab.own != key


def test_a_shared_device_goes_on_without_a_script(two_teams):
    tablet = Device(shared=True)
    tab = Tab(tablet)
    tab.shows(tablet.opens(code_of(two_teams[0])))
    tab.device.runs_script_of = lambda _address: None
    tab.starts()
    key, pages = tab.own, tab.address
    tab.shows(tablet.ask(f"{pages}?step=1"))  # as the page says to a browser without a script
    for step in range(1, 10):
        assert tab.key == key
        assert key not in str(tablet.jar)
        form = {"key": key, "step": str(step), "go": "next", "eligibility": "yes" if step == 1 else ""}
        tab.shows(tablet.ask(f"{pages}{'step' if step < 9 else 'submit'}", form))
    assert tab.address == f"{pages}done"
    assert key not in str(tablet.jar)
    assert Response.objects.get().state == "submitted"


def test_who_was_at_work_before_the_device_was_shared_leaves_nothing(two_teams):
    tablet = Device()
    tab = begun_in(tablet, code_of(two_teams[0]))
    tablet.ask(f"{code_of(two_teams[0])}?shared=yes")
    tab.shows(tablet.ask(tab.address))
    assert not tab.answers


@pytest.mark.parametrize("way", [code_of, link_of])
def test_a_browser_that_keeps_no_cookies_is_told_so_and_begins_nothing(two_teams, way):
    blocked = Device(keeps_cookies=False)
    tab = Tab(blocked)
    tab.shows(blocked.ask(f"{way(two_teams[0])}?language=en"))
    if way is code_of:
        fields = tab.fields(reverse("answer_start"))
        tab.shows(blocked.ask(reverse("answer_start"), {**fields, "consent": "yes", "language": "en"}))
        assert "Your browser does not keep cookies" in tab.text
    else:
        assert "hij bewaart geen cookies" in tab.text
        token = link_of(two_teams[0]).rsplit("/", 1)[1]
        tab.shows(blocked.ask(reverse("answer_start"), {"link": token, "language": "en"}))
        assert "Your browser does not keep cookies" in tab.text
    assert not Response.objects.exists()
    assert collections.room_counts(two_teams[0].meeting).started == 0


# ------------------------------------------------------------------------------------------------ releases before
def test_addresses_cookies_and_drafts_of_releases_before_resume(two_teams):
    phone = Device()
    tab = begun_in(phone, code_of(two_teams[0]))
    key, pages = tab.own, tab.address
    before = Device(jar={("answer", "/a/"): (key, "")})  # all that a device of before holds
    for address, shown in (("/a/q", pages), ("/a/q?step=2", f"{pages}?step=2"), ("/a/delete", pages)):
        tab.shows(before.ask(address))
        assert (tab.address, tab.key) == (shown, key)
    body = {"key": key, "sequence": 1, "answers": {"GV1": 2}, "eligibility": "yes"}
    assert before.ask("/a/save", body=body)[0].json()["outcome"] == "saved"
    blank = before.ask("/a/q?blank=en")[0].content.decode()
    assert key not in blank
    assert two_teams[0].participation.team.name not in blank, "what a page of before keeps for when there is no network"
    tab.shows(Device().ask("/a/step", {"key": key, "step": "2", "GV2": "3", "go": "next"}))
    assert (tab.address, tab.key) == (f"{pages}?step=3", key)
    tab.shows(Device().ask("/a/q", {"key": key}))  # the way back from a draft on the device
    assert (tab.address, tab.key) == (pages, key)
    body = {**body, "sequence": 3, "answers": {"GV1": 2, "GV2": 3}}
    assert before.ask("/a/submit", body=body)[0].json()["outcome"] == "submitted"
    tab.shows(before.ask("/a/done"))
    assert (tab.address, tab.key) == (f"{pages}done", key)
    token = link_of(two_teams[0]).rsplit("/", 1)[1]
    tab.shows(Device(jar={("link", "/a/"): (token, "")}).ask("/a/l"))
    assert "b…@noord.example" in tab.text


def test_what_a_device_of_before_counted_goes_on(two_teams):
    phone = Device()
    begun_in(phone, code_of(two_teams[0]))
    [(name, value)] = [(c, v) for c, (v, _s) in phone.jar.items() if c[0] == "begun"]
    from surveys.views.teachers.device import _signer

    uid = two_teams[0].uid.hex
    assert value.startswith(f"{uid}:1:")
    phone.jar[name] = _signer().sign(f"{uid}:3"), ""
    begun_in(phone, code_of(two_teams[0]))
    assert phone.jar[name][0].startswith(f"{uid}:4:")


def test_a_handle_opens_nothing_and_stands_in_no_row(two_teams):
    from tests.surveys.attacker import dump_database

    phone = Device()
    tab = begun_in(phone, link_of(two_teams[0]))
    tab.sends("save", {"GV1": 4})
    handles = [path.split("/")[2] for _name, path in phone.jar if path.count("/") > 2]
    assert tab.address.split("/")[2] in handles
    assert not [handle for handle in handles if handle in str(dump_database())]
    for address in (tab.address, f"{tab.address}?step=1", f"{tab.address}l", f"{tab.address}done"):
        answer, _address = Device().ask(address)
        assert tab.own not in answer.content.decode()
        assert answer["Referrer-Policy"] == "no-referrer"
