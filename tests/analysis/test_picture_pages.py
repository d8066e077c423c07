"""The pages of a team's early picture: in the browser in which its meeting was closed, that day; afterwards for its readers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis.mirror import making
from analysis.models import EarlyPicture
from analysis.runs.execution import execute, request_run
from surveys.linking.personal_links import facilitator_url
from surveys.models import Collection, Meeting, SealedResponse, Survey
from surveys.views.by_link import picture_screen
from teams.models import Participation, Study, User
from tests.analysis import builders
from tests.analysis.test_pictures import met, published, screen_who_left_one_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    study = builders.make_study()
    Survey.objects.filter(study=study).update(mirror=True)
    return study


@pytest.fixture
def team(study) -> Participation:
    return met(study, "A", 0, 12)


def in_english() -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def screen_of(team: Participation, *, closed_here: bool = True) -> Client:
    """A browser with the facilitator's link; ``closed_here``: the meeting was closed in it."""
    client = in_english()
    meeting = Meeting.objects.get(collection__participation=team)
    assert client.get(facilitator_url(meeting)).status_code == 302
    if closed_here:
        assert client.get(picture_screen.address(meeting)).status_code == 302
    return client


def page_of(team: Participation) -> str:
    return reverse("facilitator_picture", args=[Meeting.objects.get(collection__participation=team).pk])


def test_it_is_shown_as_a_talk_where_the_meeting_was_closed_and_nowhere_else(study, team):
    making.make_due()
    here, elsewhere = screen_of(team), screen_of(team, closed_here=False)
    shown = here.get(page_of(team))
    assert shown.status_code == 200
    assert "talk.html" in {template.name.rpartition("/")[2] for template in shown.templates if template.name}
    assert "What do you agree?" in shown.content.decode()
    assert "<form" not in shown.content.decode().partition("data-talk")[2], "on this screen nobody writes"
    other = elsewhere.get(page_of(team))
    assert other.status_code == 200
    assert "were shown in the meeting" in other.content.decode()
    assert "data-talk" not in other.content.decode()
    assert Client().get(page_of(team)).status_code == 404


def test_from_midnight_on_it_is_closed_in_that_browser_too(study, team, monkeypatch):
    making.make_due()
    here = screen_of(team)
    cookie = here.cookies["picture"]
    assert 0 < cookie["max-age"] <= 24 * 3600
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=1))
    assert "data-talk" not in here.get(page_of(team)).content.decode()


def test_the_address_after_closing_opens_nothing_for_whoever_has_no_link_nor_the_day_after(study, team, monkeypatch):
    making.make_due()
    meeting = Meeting.objects.get(collection__participation=team)
    address = picture_screen.address(meeting)
    assert in_english().get(address).status_code == 404
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=1))
    later = screen_of(team, closed_here=False)
    assert "data-talk" not in later.get(address, follow=True).content.decode()


def test_a_cookie_of_another_meeting_opens_nothing(study, team):
    other = met(study, "B", 1, 12)
    making.make_due()
    here, there = screen_of(team), screen_of(other, closed_here=False)
    there.cookies["picture"] = here.cookies["picture"].value
    assert "data-talk" not in there.get(page_of(other)).content.decode()
    there.cookies["picture"] = "forged:signature"
    assert "data-talk" not in there.get(page_of(other)).content.decode()


def test_meanwhile_the_page_says_how_far_it_is(study, team):
    here = screen_of(team)
    Collection.objects.filter(participation=team).update(state="closed", closes_for_good_at=timezone.now())
    progress = page_of(team) + "/progress"
    assert "aria-current" in here.get(page_of(team)).content.decode()
    assert "HX-Refresh" not in here.get(progress, {"seen": "sealing"})
    Collection.objects.filter(participation=team).update(state="sealed")
    assert here.get(progress, {"seen": "sealing"})["HX-Refresh"] == "true"
    assert "being made" in here.get(page_of(team)).content.decode()
    making.make_due()
    assert here.get(progress, {"seen": "computing"})["HX-Refresh"] == "true"


def test_too_few_and_held_are_the_same_page(study):
    few, held = met(study, "Few", 0, 4), met(study, "Held", 1, 12, n_present=11)
    making.make_due()
    pages = [screen_of(team).get(page_of(team)).content.decode() for team in (few, held)]
    said = [page.partition("<h2")[2].partition("</section>")[0] for page in pages]
    assert said[0] == said[1]
    assert "There are no figures of your team today" in said[0]
    assert "First" in said[0], "the subjects, without figures"


def test_what_could_not_be_made_says_so(study, team):
    making.make_due()
    EarlyPicture.objects.update(state="failed", content={})
    assert "could not be made" in screen_of(team).get(page_of(team)).content.decode()


def test_a_team_shown_together_with_another_waits_for_it(study, team):
    from analysis.models import Unit

    other = builders.make_team(study, "B", mode="facilitator")
    unit = Unit.objects.create(study=study, academy=team.team.academy, name="A + B")
    unit.participations.set([team, other])
    assert making.make_due() == 0
    text = screen_of(team).get(page_of(team)).content.decode()
    assert "shown together with B" in text


def leader_of(team: Participation) -> Client:
    user = User.objects.create_user(team.leader_email, "a long password", name="L")
    user.roles.create(kind="leader", participation=team)
    client = in_english()
    client.force_login(user)
    return client


def test_the_leader_reads_it_until_the_report_and_writes_in_its_talk(study, team):
    making.make_due()
    leader = leader_of(team)
    before = leader.get(reverse("team_report", args=[team.pk]))
    assert "in its own meeting" in before.content.decode()
    assert leader.get(reverse("team_report_pdf", args=[team.pk])).status_code == 404
    talk = leader.get(reverse("team_talk", args=[team.pk]), {"n": 1}).content.decode()
    assert "data-autosave" in talk
    assert "has seen its own figures" in leader.get(reverse("team", args=[team.pk])).content.decode()
    assert leader.get(reverse("team_look_back", args=[team.pk])).status_code == 200
    for number in range(1, 5):
        met(study, f"O{number}", number, 10)
    published(study)
    after = leader.get(reverse("team_report", args=[team.pk])).content.decode()
    assert "in its own meeting" not in after
    assert "is being made" in after, "with a PDF"


def test_a_link_for_the_team_opens_it_too(study, team):
    making.make_due()
    leader = leader_of(team)
    assert leader.post(reverse("team_share", args=[team.pk]), {"days": 30}).status_code == 302
    page = leader.get(reverse("team", args=[team.pk]))
    (_link, address), *_others = page.context["shared"]
    reader = in_english()
    shown = reader.get(address.replace("http://testserver", ""), follow=True)
    assert "in its own meeting" in shown.content.decode()
    pk = _link.pk
    assert reader.get(reverse("shared_talk", args=[pk])).status_code == 200
    assert reader.get(reverse("shared_report_pdf", args=[pk])).status_code == 404


def test_a_publication_without_the_team_does_not_hide_its_picture(study):
    for number in range(1, 6):
        met(study, f"O{number}", number, 10)
    making.make_due()
    published(study)
    late = met(study, "Late", 7, 12)
    making.make_due()
    page = leader_of(late).get(reverse("team_report", args=[late.pk])).content.decode()
    assert "in its own meeting" in page


def test_whoever_leads_another_team_or_none_reads_nothing(study, team):
    other = met(study, "B", 1, 12)
    making.make_due()
    for client in (leader_of(other), Client()):
        for name in ("team_report", "team_talk"):
            assert client.get(reverse(name, args=[team.pk])).status_code in (302, 404)


def researcher_of(study: Study) -> Client:
    client = in_english()
    client.force_login(builders.make_researcher(study))
    return client


def test_researchers_read_who_keeps_what_it_saw_and_combine_nobody(study, team):
    small = [met(study, name, 3, 4) for name in ("S", "T")]
    for number in range(1, 5):
        met(study, f"O{number}", number, 10)
    row = SealedResponse.objects.filter(collection__participation=team).order_by("key")[3]
    SealedResponse.objects.filter(pk=row.pk).update(answers={**row.answers, "BB3": "x"})
    making.make_due()
    screen_who_left_one_out(study)
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    page = researcher_of_page(study)
    assert "of other people than are analysed now" in page
    assert 'name="team"' not in page, f"{small} cannot be combined any more"
    assert "the teams stay as they are" not in page  # nothing is combined, and nothing can be


def researcher_of_page(study: Study) -> str:
    client = in_english()
    client.force_login(User.objects.get(email="researcher@university.example"))
    return client.get(reverse("publish", args=[study.slug])).content.decode()


def test_the_board_names_figures_that_could_not_be_made(study, team):
    making.make_due()
    client = researcher_of(study)
    assert "could not be made" not in client.get(reverse("board", args=[study.slug])).content.decode()
    EarlyPicture.objects.update(state="failed")
    assert "could not be made for its meeting" in client.get(reverse("board", args=[study.slug])).content.decode()
