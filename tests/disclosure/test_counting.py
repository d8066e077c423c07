"""Attacks on the n that is compared with k, played through the pages: by the leader alone, and by who holds the code.

Each ends in a hold, or in a report that needs no hold. One is stopped by slips only: docs/data-protection.md says so.
"""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from analysis.disclosure import Hold, Reason, judge_group
from analysis.erasure import people
from analysis.models import AnalysisRun
from analysis.reports.groups import counted_groups, load_groups
from surveys.answering import cache, limits
from surveys.collecting import collections, sealing
from surveys.linking import address_lists, personal_links
from surveys.models import Collection, Response
from surveys.paper import slips
from teams.inviting import corrections
from teams.models import Institution, MailDomain, Participation, Role, Study, User
from teams.people.contact_person import SamePerson
from tests.analysis import builders
from tests.analysis.test_reports import analyse
from tests.surveys.teacher import hidden, page_of, post
from tests.surveys.test_facilitator import enter

pytestmark = pytest.mark.django_db
K = 5
LEADER = "lena.bos@university.example"


@pytest.fixture(autouse=True)
def _nothing_counted():
    limits.forget()
    cache.forget()


@pytest.fixture
def study() -> Study:
    return builders.make_study()


def opened(study: Study, mode: str, approached: int) -> Collection:
    """A team that takes part, led by Lena, with Cora as its contact person, in an institution whose domain is known."""
    participation = builders.make_team(study, "Nursing", approached=approached, mode=mode)
    MailDomain.objects.get_or_create(institution=Institution.objects.get(), domain="university.example")
    Participation.objects.filter(pk=participation.pk).update(
        leader_email=LEADER, contact_email="cora.vink@university.example"
    )
    collection = collections.open_collection(Participation.objects.get(pk=participation.pk))
    assert collection is not None
    return collection


def lena(collection: Collection) -> Client:
    user, _new = User.objects.get_or_create(email=LEADER)
    Role.objects.get_or_create(user=user, kind=Role.Kind.LEADER, participation=collection.participation)
    client = Client()
    client.force_login(user)
    return client


def counts_present(collection: Collection, n: int) -> None:
    """Cora counts on the page of the meeting, to which she has the link."""
    answer = enter(collection.meeting).post(
        reverse("facilitator_present", args=[collection.meeting.pk]), {"present": str(n)}
    )
    assert answer.status_code == 302


def hand_in(browser: Client, key: str, value: int) -> None:
    answers = builders.answers(*[(value + n) % 4 + 1 for n in range(9)])
    assert post(browser, "answer_submit", key=key, sequence=1, answers=answers, eligibility="yes").status_code == 200


def answer_in_room(collection: Collection, browser: Client, value: int, slip: str = "") -> bool:
    """Somebody answers with the code of the meeting. Whether they could begin."""
    welcome = browser.get(reverse("meeting_welcome", args=[collection.meeting.code]))
    form = {"code": collection.meeting.code, "offered": hidden(welcome, "offered"), "consent": "yes", "slip": slip}
    form["anew"] = "yes"  # as the page offers to who comes after somebody else
    if browser.post(reverse("answer_start"), form).status_code != 303:
        return False
    hand_in(browser, hidden(browser.get(page_of(browser)), "key"), value)
    return True


def answer_by_link(collection: Collection, email: str, value: int, browser: Client | None = None) -> None:
    browser = browser or Client()
    token = personal_links.personal_url(collection.invitees.get(email=email)).rsplit("/", 1)[1]
    browser.get(reverse("personal_link", args=[token]))
    assert browser.post(reverse("answer_start"), {"link": token, "consent": "yes"}).status_code == 303
    hand_in(browser, hidden(browser.get(page_of(browser)), "key"), value)


def send_links(collection: Collection, *addresses: str) -> None:
    """Lena pastes addresses on the page of her team."""
    address = reverse("team_links", args=[collection.participation_id])
    leader, data = lena(collection), {"addresses": "\n".join(addresses)}
    seen = leader.post(address, data).context["pasted"].seen
    assert leader.post(address, data | {"seen": seen, "send": "1"}).status_code == 302


def ended(collection: Collection) -> AnalysisRun:
    collections.close_collection(collection)
    collections.seal_now(collection)
    sealing.seal_due()
    return analyse(collection.survey.study)


def holds(run: AnalysisRun) -> tuple[Hold, ...]:
    (group,) = load_groups(run)
    return group.group.holds(K)[0]


def is_shown(run: AnalysisRun) -> bool:
    (group,) = load_groups(run)
    return judge_group(group.group, K) is None


def test_an_honest_meeting_of_fourteen_is_not_held(study):
    collection = opened(study, "contact", 20)
    counts_present(collection, 15)
    for n in range(14):
        assert answer_in_room(collection, Client(), n)
    run = ended(collection)
    assert holds(run) == ()
    assert is_shown(run)


def test_an_honest_meeting_with_paper_and_an_absent_colleague_is_not_held(study):
    collection = opened(study, "contact", 20)
    counts_present(collection, 12)
    for n in range(10):
        assert answer_in_room(collection, Client(), n)
    send_links(collection, "ziek@university.example")
    answer_by_link(collection, "ziek@university.example", 2)
    assert holds(ended(collection)) == ()


def test_an_honest_online_team_of_twelve_is_not_held(study):
    collection = opened(study, "online", 12)
    addresses = [f"teacher{n}.x@university.example" for n in range(12)]
    send_links(collection, *addresses)
    for n, address in enumerate(addresses):
        answer_by_link(collection, address, n)
    run = ended(collection)
    assert holds(run) == ()
    assert is_shown(run)


def test_slips_do_not_hold_an_honest_meeting(study):
    Study.objects.update(slips=True)
    collection = opened(study, "researcher", 16)
    drawn = slips.make(collection, 16)
    counts_present(collection, 14)
    for n in range(14):
        assert answer_in_room(collection, Client(), n, drawn[n])
    assert holds(ended(collection)) == ()


# ------------------------------------------------------------------------------------------------ attacks
ALIASES = [
    "lena.bos+1@university.example",
    "lenabos@university.example",
    "l.enabos@university.example",
    "lena@lenabos.example",
]


def test_links_to_the_leaders_aliases_beside_one_colleague(study):
    """Attack (a): gave a published report, and 36 of 36 of that colleague's answers."""
    collection = opened(study, "online", 12)
    send_links(collection, *ALIASES, "henk@university.example")
    for n, address in enumerate([*ALIASES, "henk@university.example"]):
        answer_by_link(collection, address, n)
    run = ended(collection)
    assert holds(run) == (Hold.UNCONFIRMED,)
    reads_no_report(collection, run)


def test_aliases_beside_links_to_colleagues_who_do_not_answer(study):
    collection = opened(study, "online", 16)
    others = [f"collega.{sign}@university.example" for sign in "abcdefgh"]
    send_links(collection, *ALIASES, "lena.bos@university.example", "henk@university.example", *others)
    for n, address in enumerate([*ALIASES, "henk@university.example"]):
        answer_by_link(collection, address, n)
    assert holds(ended(collection)) == (Hold.UNCONFIRMED,)


def test_who_holds_the_code_fills_up_the_team_where_nobody_counted(study):
    """Attack (b)."""
    collection = opened(study, "contact", 12)
    assert answer_in_room(collection, Client(), 1)
    for n in range(4):
        assert answer_in_room(collection, Client(), n)
    run = ended(collection)
    assert holds(run) == (Hold.PRESENT_UNKNOWN,)
    reads_no_report(collection, run)


def test_who_holds_the_code_fills_up_the_team_on_one_device(study):
    """Attack (b), with an honest count of many who were there and did not answer."""
    collection = opened(study, "contact", 12)
    counts_present(collection, 12)
    assert answer_in_room(collection, Client(), 1)
    browser = Client()
    for n in range(4):
        assert answer_in_room(collection, browser, n)
    run = ended(collection)
    assert holds(run) == (Hold.ONE_DEVICE,)
    reads_no_report(collection, run)


def test_the_code_filled_up_beyond_those_present(study):
    collection = opened(study, "contact", 12)
    counts_present(collection, 2)
    for n in range(6):
        assert answer_in_room(collection, Client(), n)
    assert holds(ended(collection)) == (Hold.RETURNED,)


def test_the_leader_as_contact_person_counts_nobody(study):
    collection = opened(study, "contact", 12)
    Participation.objects.update(contact_email="lena.bos+team@university.example")
    collection = Collection.objects.select_related("participation__team__academy", "meeting").get()
    counts_present(collection, 12)
    for n in range(6):
        assert answer_in_room(collection, Client(), n)
    assert holds(ended(collection)) == (Hold.COUNTED_BY_LEADER,)


def test_few_present_and_links_of_the_leader_make_up_the_rest(study):
    collection = opened(study, "contact", 12)
    counts_present(collection, 1)
    assert answer_in_room(collection, Client(), 1)
    send_links(collection, *ALIASES)
    for n, address in enumerate(ALIASES):
        answer_by_link(collection, address, n)
    assert set(holds(ended(collection))) == {Hold.LINKS_MAKE_UP, Hold.UNCONFIRMED}


def test_private_windows_beside_twelve_who_are_present_are_stopped_by_slips_only(study):
    """Attack (c): 12 are present, one answers, the leader four times from private windows."""
    Study.objects.update(slips=True)
    collection = opened(study, "contact", 12)
    drawn = slips.make(collection, 12)
    counts_present(collection, 12)
    assert answer_in_room(collection, Client(), 1, drawn[0])
    assert answer_in_room(collection, Client(), 1, drawn[1]), "the leader has one slip, as everybody"
    for _n in range(3):
        assert not answer_in_room(collection, Client(), 3, drawn[1])
        assert not answer_in_room(collection, Client(), 3)
    assert Response.objects.filter(collection=collection).count() == 2
    run = ended(collection)
    assert not is_shown(run)
    reads_no_report(collection, run, Reason.TOO_FEW)


def test_without_slips_the_docs_say_what_is_possible(study):
    collection = opened(study, "contact", 12)
    counts_present(collection, 12)
    for n in range(5):
        assert answer_in_room(collection, Client(), n)
    assert is_shown(ended(collection)), "nothing tells private windows from people"
    said = " ".join((Path(settings.BASE_DIR) / "docs" / "data-protection.md").read_text().split())
    assert "Without slips whoever is in the room can answer more than once, up to the number present." in said
    assert "A team leader and a contact person who act together" in said


def types_paper(desk: Client, prefix: str, given: list, n: int) -> None:
    """Somebody types n forms two times, the same each time, and adds them to the answers."""

    def address(page: str, *more: int) -> str:
        return reverse(f"{prefix}_paper{page}", args=[*given, *more])

    for start in ("_new", "_again"):
        for _number in range(n):
            form = desk.post(address(start))["Location"]
            answer = desk.post(
                form, {"eligibility": "1", **dict.fromkeys(builders.answers(*[2] * 9), "2"), "go": "stop"}
            )
            assert answer.status_code == 302
    assert desk.post(address("_add")).status_code == 302


def by_link(collection: Collection) -> tuple[Client, str, list]:
    return enter(collection.meeting), "facilitator", [collection.meeting.pk]


def by_researcher(collection: Collection) -> tuple[Client, str, list]:
    client, user = Client(), builders.make_researcher(collection.survey.study)
    client.force_login(user)
    return client, "collecting", [collection.survey.study.slug, collection.participation_id]


def test_four_on_paper_beside_eight_who_answered_is_not_held_whoever_typed(study):
    collection = opened(study, "contact", 14)
    counts_present(collection, 12)
    for n in range(8):
        assert answer_in_room(collection, Client(), n)
    types_paper(*by_link(collection), 4)
    run = ended(collection)
    assert holds(run) == ()
    assert is_shown(run)


@pytest.mark.parametrize(("counted", "expected"), [(12, ()), (None, (Hold.PRESENT_UNKNOWN,))])
def test_paper_typed_by_a_researcher(study, counted, expected):
    collection = opened(study, "contact", 14)
    if counted:
        counts_present(collection, counted)
    for n in range(3):
        assert answer_in_room(collection, Client(), n)
    types_paper(*by_researcher(collection), 4)
    assert holds(ended(collection)) == expected


def test_a_meeting_on_paper_only_typed_by_a_researcher_needs_no_count(study):
    collection = opened(study, "contact", 14)
    types_paper(*by_researcher(collection), 6)
    run = ended(collection)
    assert holds(run) == ()
    assert is_shown(run)


@pytest.mark.parametrize("contact", ["lenabos77@gmail.com", "cora.vink@university.example"])
def test_made_up_forms_typed_by_link_where_nobody_counted(study, contact):
    """The leader's own alias as contact person, one colleague's link, four made-up forms: gave a published report."""
    collection = opened(study, "contact", 12)
    Participation.objects.update(contact_email=contact)
    send_links(collection, "jan@university.example")
    answer_by_link(collection, "jan@university.example", 1)
    types_paper(*by_link(collection), 4)
    run = ended(collection)
    assert Hold.PRESENT_UNKNOWN in holds(run)
    reads_no_report(collection, run)


def test_made_up_school_addresses_where_nobody_counted(study):
    """Links to mailboxes that do not exist stood for the people who answered by the code of the room."""
    collection = opened(study, "contact", 12)
    send_links(collection, *[f"oud.collega{sign}@university.example" for sign in "abcde"])
    for n in range(5):
        assert answer_in_room(collection, Client(), n)
    run = ended(collection)
    assert Hold.PRESENT_UNKNOWN in holds(run)
    reads_no_report(collection, run)


@pytest.mark.parametrize("counted_by", ["contact", "researcher"])
def test_who_leads_the_meeting_types_the_answers_that_were_missing(study, counted_by):
    collection = opened(study, "contact", 12)
    if counted_by == "contact":
        counts_present(collection, 6)
    else:
        collections.count_present(collection.meeting, 6, builders.make_researcher(study))
        User.objects.update(email="roos@university.example")
    assert answer_in_room(collection, Client(), 1)
    types_paper(*by_link(collection), 4)
    run = ended(collection)
    assert holds(run) == (Hold.PAPER_BY_LINK,)
    reads_no_report(collection, run)


def test_a_form_typed_once_by_link_and_once_by_a_researcher_is_one_by_link(study):
    collection = opened(study, "contact", 12)
    link, researcher = by_link(collection), by_researcher(collection)
    for (desk, prefix, given), start in ((link, "_new"), (researcher, "_again")):
        form = desk.post(reverse(f"{prefix}_paper{start}", args=given))["Location"]
        desk.post(form, {"eligibility": "1", "AA1": "2", "go": "stop"})
    researcher[0].post(reverse("collecting_paper_add", args=researcher[2]))
    collection = ended(collection).survey.collections.get()
    assert (collection.n_paper, collection.n_paper_by_link) == (1, 1)


# ------------------------------------------------------------------------------------------------ one person as two
SPELLINGS = [
    '"lena.bos"@university.example',
    "lena.bos@\uff55niversity.example",
    "lena.bos@univer\u00adsity.example",
    '"lena.bos"@UNIVERSITY.example',
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_leader_in_another_spelling_is_no_contact_person(study, spelling):
    collection = opened(study, "contact", 12)
    page = reverse("team_meeting", args=[collection.participation_id])
    way = {"way": "1", "way-mode": "contact", "way-contact_name": "Jan", "way-contact_email": spelling}
    assert lena(collection).post(page, way).status_code == 200
    assert Participation.objects.get().contact_email == "cora.vink@university.example"


def test_labels_after_a_dash_of_the_leaders_mailbox_are_not_known(study):
    collection = opened(study, "online", 12)
    labels = [f"lena.bos-{n}@university.example" for n in range(4)]
    send_links(collection, *labels, "henk@university.example")
    for n, address in enumerate([*labels, "henk@university.example"]):
        answer_by_link(collection, address, n)
    assert holds(ended(collection)) == (Hold.UNCONFIRMED,)


def test_a_label_of_the_leaders_mailbox_counts_as_nobody_we_know(study):
    collection = opened(study, "contact", 12)
    Participation.objects.update(contact_email="lena.bos-team@university.example")
    collection = Collection.objects.select_related("participation__team__academy", "meeting").get()
    counts_present(collection, 12)
    for n in range(6):
        assert answer_in_room(collection, Client(), n)
    assert holds(ended(collection)) == (Hold.COUNTED_BY_STRANGER,)


def confirms_addresses(collection: Collection, email: str) -> tuple[Client, str]:
    """Somebody is asked to confirm the academy's list, and opens the link."""
    academy = collection.participation.team.academy
    check = address_lists.ask(collection.survey.study, academy, "Kim", email, User.objects.create_user("r@x.example"))
    client = Client()
    assert client.get(urlsplit(address_lists.link(check)).path).status_code == 302
    return client, reverse("address_list", args=[check.pk])


def test_who_became_a_leader_confirms_no_addresses(study):
    collection = opened(study, "online", 12)
    send_links(collection, *ALIASES)
    kim, page = confirms_addresses(collection, "kim@university.example")
    assert kim.get(page).status_code == 200
    corrections.correct_leader(collection.participation, "Kim", "kim@university.example")
    assert kim.get(page).status_code == 404
    kim.post(page, {"address": [invitee.pk for invitee in collection.invitees.all()]})
    assert not collection.invitees.filter(confirmed=True).exists()


def test_who_confirmed_addresses_becomes_no_leader(study):
    collection = opened(study, "online", 12)
    send_links(collection, *ALIASES)
    kim, page = confirms_addresses(collection, "kim@university.example")
    kim.post(page, {"address": [invitee.pk for invitee in collection.invitees.all()]})
    with pytest.raises(SamePerson):
        corrections.correct_leader(collection.participation, "Kim", "k.im+x@university.example")


def test_who_counted_becomes_no_leader_of_that_wave_also_after_another_contact_person(study):
    collection = opened(study, "contact", 12)
    counts_present(collection, 6)
    for n in range(6):
        assert answer_in_room(collection, Client(), n)
    Participation.objects.update(contact_name="Bea", contact_email="bea@university.example")
    participation = Participation.objects.get()
    with pytest.raises(SamePerson):
        corrections.correct_leader(participation, "Cora", "cora.vink@university.example")
    run = ended(collection)
    assert holds(run) == ()
    Participation.objects.update(leader_email="cora.vink@university.example")  # whichever way that came about
    assert holds(run) == (Hold.COUNTED_BY_LEADER,)
    (counted,) = counted_groups(run)
    assert counted.holds(K)[0] == (Hold.COUNTED_BY_LEADER,)


def test_a_removed_contact_person_leads_no_meeting(study):
    collection = opened(study, "researcher", 12)
    personal_links.send_facilitator_link(collection.meeting)
    cora = enter(collection.meeting)
    page = reverse("facilitator", args=[collection.meeting.pk])
    assert cora.get(page).status_code == 200
    people.remove("cora.vink@university.example", None, None)
    assert cora.get(page).status_code == 404
    cora.post(reverse("facilitator_present", args=[collection.meeting.pk]), {"present": "7"})
    collection.meeting.refresh_from_db()
    assert collection.meeting.present is None


def test_a_link_that_a_contact_person_got_is_no_researchers(study):
    collection = opened(study, "researcher", 12)
    assert personal_links.send_facilitator_link(collection.meeting)
    Participation.objects.update(contact_name="", contact_email="")
    counts_present(Collection.objects.select_related("participation__team__academy", "meeting").get(), 7)
    collection.meeting.refresh_from_db()
    assert collection.meeting.present_by == "stranger"


def reads_no_report(collection: Collection, run: AnalysisRun, reason: Reason = Reason.COUNTS_OPEN) -> None:
    """After publication the leader's page and the researcher's say why; a decision with a reason ends a hold."""
    study, participation = collection.survey.study, collection.participation
    researcher = Client()
    researcher.force_login(builders.make_researcher(study))
    before = researcher.get(reverse("publish", args=[study.slug])).content.decode()
    accept = reverse("accept_counts", args=[study.slug, participation.pk])
    assert (accept in before) is (reason == Reason.COUNTS_OPEN)
    board = researcher.get(reverse("board", args=[study.slug])).content.decode()
    assert ("wacht op jouw beslissing" in board) is (reason == Reason.COUNTS_OPEN)
    researcher.post(reverse("publish", args=[study.slug]))
    builders.publish_what_is_asked()
    page = lena(collection).get(reverse("team_report", args=[participation.pk])).content.decode()
    words = {
        Reason.COUNTS_OPEN: "Het is nog niet zeker dat genoeg verschillende mensen hebben geantwoord",
        Reason.TOO_FEW: "5 mensen",
    }
    assert words[reason] in page
    assert urlsplit(accept).path == accept
