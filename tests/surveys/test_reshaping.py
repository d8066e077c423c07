"""Teams that become one, or two, while the study is under way: nothing is lost, nobody is passed over, and the page says it before."""

import re
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.urls import reverse
from django.utils import timezone

from surveys.collecting import collections
from surveys.models import Collection, Survey
from surveys.reshaping import merging, splitting
from surveys.reshaping.merging import Merger, merge
from surveys.reshaping.splitting import NewTeam, split
from teams import history
from teams.inviting import corrections, invitations
from teams.inviting.invitations import Approach
from teams.mail import outbox
from teams.meetings import planning
from teams.models import (
    Academy,
    Event,
    FormerContact,
    Institution,
    Invitation,
    OutboxMessage,
    Participation,
    Role,
    Study,
    Team,
    User,
)
from teams.people.contact_person import SamePerson, has_vouched, note_vouched
from tests.groups import a_group
from tests.surveys.conftest import in_threads, make_study, make_survey

pytestmark = pytest.mark.django_db
State = Participation.State


def listed(study: Study, name: str, leader: str, academy: str = "Academie voor Zorg") -> Participation:
    institution, _new = Institution.objects.get_or_create(group=a_group(), name="Hogeschool Noord")
    owner, _new = Academy.objects.get_or_create(
        institution=institution,
        name=academy,
        defaults={"sector": "health", "director_name": "Dirk Jansen", "director_email": "dirk@noord.example"},
    )
    email = f"{leader.lower()}@noord.example"
    team, _new = Team.objects.get_or_create(
        academy=owner, name=name, defaults={"leader_name": leader, "leader_email": email}
    )
    return invitations.list_team(study, team, leader=(leader, email))


def permit(*teams: Participation) -> None:
    invitations.invite_directors(teams[0].study)
    director = invitations.academy_invitation(teams[0])
    invitations.accept_academy(director, [Approach(team.pk, team.leader_name, team.leader_email) for team in teams])


def accept(team: Participation, n: int, mode: str = "contact", **more: object) -> None:
    contact = {} if mode == "online" else {"contact_name": "C", "contact_email": f"contact{n}@noord.example"}
    assert invitations.accept_team(
        Invitation.objects.get(participation=team), mode=mode, approached=n, **contact, **more
    )
    team.refresh_from_db()


@pytest.fixture
def two(study: Study) -> tuple[Participation, Participation]:
    """Two teams that take part, of 9 and 4 teachers; their study is not open."""
    teams = listed(study, "Verpleegkunde", "Lena"), listed(study, "Fysiotherapie", "Lars")
    make_survey(study)  # there is something to ask
    permit(*teams)
    accept(teams[0], 9, director_sees_team=True)
    accept(teams[1], 4)
    sent()
    return teams


def sent() -> dict[str, str]:
    """Send what is due: the texts, by address."""
    django_mail.outbox.clear()
    outbox.send_due()
    return {message.to[0]: f"{message.subject}\n{message.body}" for message in django_mail.outbox}


def opened(study: Study) -> None:
    collections.open_survey(Survey.objects.get(study=study), "f" * 64)


# ------------------------------------------------------------------------------------------------ merging
def test_two_become_one_with_both_histories_and_the_number_that_was_entered(two, roos):
    keep, gone = two
    before = Event.objects.filter(participation__in=two).count()
    merge(keep, gone, Merger("Lena", "lena@noord.example", 12), by=roos)
    assert not Participation.objects.filter(pk=gone.pk).exists()
    assert not Team.objects.filter(name="Fysiotherapie").exists(), "it is in no other study"
    keep.refresh_from_db()
    assert (keep.approached, keep.leader_email, keep.director_sees_team) == (12, "lena@noord.example", False)
    events = history.history_of(keep)
    assert events.filter(participation=keep).count() == before + 1
    assert events.filter(of_team="Fysiotherapie", kind="leader_accepted").count() == 1
    assert events.get(kind="teams_merged", by=roos).detail == "Fysiotherapie → Verpleegkunde; 9 + 4 → 12"
    assert history.in_words(events.get(kind="teams_merged")) != "teams_merged"
    mails = sent()
    assert set(mails) == {"lars@noord.example", "contact4@noord.example"}, "who leads it and goes on is not mailed"
    for text in mails.values():
        assert "Fysiotherapie" in text
        assert "Verpleegkunde" in text
        assert "roos@noord.example" in text, "whom to object to"
    assert list(Role.objects.filter(kind="leader").values_list("user__email", flat=True)) == ["lena@noord.example"]
    opened(keep.study)
    assert Collection.objects.get().approached == 12


@pytest.mark.parametrize("whose", ["the other one's leader", "somebody else"])
def test_another_leader_gets_the_pages_and_a_mail(two, roos, whose):
    keep, gone = two
    name = "Lars" if whose == "the other one's leader" else "Nora"
    merge(keep, gone, Merger(name, f"{name.lower()}@noord.example", 13), by=roos)
    mails = sent()
    former = {"lena@noord.example"} | ({"lars@noord.example"} if name == "Nora" else set())
    assert set(mails) == {f"{name.lower()}@noord.example", "contact4@noord.example", *former}
    assert Role.objects.get(kind="leader").user.email == f"{name.lower()}@noord.example"


def test_who_was_told_before_stays_told_and_mails_that_wait_do_not_go(study, roos):
    keep, gone = listed(study, "Verpleegkunde", "Lena"), listed(study, "Fysiotherapie", "Lars")
    make_survey(study)
    permit(keep, gone)
    sent()
    corrections.correct_leader(gone, "Noor", "noor@noord.example", by=roos)
    invitation = Invitation.objects.get(participation=gone)
    link = invitations.link_path(invitation)
    merge(keep, gone, Merger("Lena", "lena@noord.example", None), by=roos)
    mails = sent()
    assert set(mails) == {"lars@noord.example", "noor@noord.example"}
    assert "noor@noord.example" in {
        former_contact.email for former_contact in FormerContact.objects.filter(participation=keep)
    }
    assert OutboxMessage.objects.get(kind="teams.leader_invitation", object_id=invitation.pk, state="dropped")
    assert invitations.link_path(Invitation.objects.get(participation=keep)) != link
    keep.refresh_from_db()
    assert (keep.state, keep.approached) == (State.INVITED, None)


def test_earlier_measurements_keep_both_teams(two, roos):
    keep, gone = two
    earlier = make_study("earlier")
    wave = listed(earlier, "Fysiotherapie", "Lars")
    merge(keep, gone, Merger("Lena", "lena@noord.example", 13), by=roos)
    wave.refresh_from_db()
    assert wave.team.name == "Fysiotherapie"
    assert wave.events.exclude(of_team="").count() == 0
    assert (wave.leader_email, wave.team.leader_email) == ("lars@noord.example", "lars@noord.example")


def test_once_answers_can_come_in_two_stay_two_and_the_page_says_what_instead(client, two, roos):
    keep, gone = two
    opened(keep.study)
    with pytest.raises(merging.Refused, match="combine"):
        merge(keep, gone, Merger("Lena", "lena@noord.example", 13), by=roos)
    client.force_login(roos)
    page = reverse("team_merge", args=[keep.study.slug, keep.pk, gone.pk])
    html = client.post(page, {"leader": "lena@noord.example", "approached": 13, "sure": "on"}).content.decode()
    assert "samenvoegen" in html
    assert 'name="approached"' not in html
    assert Participation.objects.count() == 2


def test_a_no_is_not_overruled(two, roos):
    keep, _gone = two
    third = listed(keep.study, "Logopedie", "Loes")
    Participation.objects.filter(pk=third.pk).update(state=State.DECLINED)
    third.refresh_from_db()
    for pair in ((keep, third), (third, keep)):
        with pytest.raises(merging.Refused, match="declined or stopped"):
            merge(*pair, Merger("Lena", "lena@noord.example", 13), by=roos)


def test_teams_of_two_academies_and_the_one_that_is_further(study, two, roos):
    keep, _gone = two
    elsewhere = listed(study, "Bouwkunde", "Bram", academy="Academie voor Techniek")
    new = listed(study, "Logopedie", "Loes")
    assert "two academies" in merging.why_not(keep, elsewhere)
    assert "further" in merging.why_not(new, keep)
    assert merging.why_not(keep, new) == ""


def test_a_meeting_in_calendars_is_called_off_first(two, roos):
    keep, gone = two
    planned = planning.begin(gone)
    assert planning.fix(planned, timezone.now() + timedelta(days=9), researcher=roos)
    assert "calendars" in merging.why_not(keep, gone)
    sent()
    planning.call_off(planned)
    assert "calendars" in merging.why_not(keep, gone), "its cancellation is on its way"
    sent()
    assert merging.why_not(keep, gone) == ""


def test_the_contact_person_of_the_one_does_not_lead_both(two, roos):
    keep, gone = two
    with pytest.raises(corrections.SamePerson):
        merge(keep, gone, Merger("C", "contact9@noord.example", 13), by=roos)
    assert Participation.objects.count() == 2
    assert not Event.objects.filter(kind="teams_merged").exists()


def test_the_page_asks_for_leader_number_and_certainty(client, two, roos):
    keep, gone = two
    client.force_login(roos)
    edit = client.get(reverse("team_edit", args=[keep.study.slug, keep.pk])).content.decode()
    overview = reverse("team_reshape", args=[keep.study.slug, keep.pk])
    assert overview in edit
    page = reverse("team_merge", args=[keep.study.slug, keep.pk, gone.pk])
    assert page in client.get(overview).content.decode()
    html = client.get(page).content.decode()
    assert 'value="13"' in html
    assert re.search(r'name="leader"[^>]*value="lars@noord.example"', html)
    data = {"leader": "other", "approached": 12, "sure": "on"}
    assert client.post(page, {"leader": "lena@noord.example", "approached": 12}).status_code == 200
    assert client.post(page, data).status_code == 200
    assert Participation.objects.count() == 2
    assert client.post(page, data | {"leader": "lena@noord.example"}).status_code == 302
    assert Participation.objects.get().approached == 12
    assert client.get(page)["Location"] == overview
    assert "Fysiotherapie" in client.get(reverse("team_history", args=[keep.study.slug, keep.pk])).content.decode()


def test_a_form_that_was_opened_before_the_numbers_changed_shows_both(client, two, roos):
    keep, gone = two
    client.force_login(roos)
    page = reverse("team_merge", args=[keep.study.slug, keep.pk, gone.pk])
    opened_value = re.search(r'name="opened"[^>]*value="([^"]+)"', client.get(page).content.decode())
    assert opened_value is not None
    Participation.objects.filter(pk=gone.pk).update(approached=6)
    data = {"leader": "lena@noord.example", "approached": 12, "sure": "on", "opened": opened_value[1]}
    assert client.post(page, data).status_code == 200
    assert Participation.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_opening_and_merging_at_once_one_wins_whole(two, roos):
    keep, gone = two
    results = in_threads(
        lambda: merge(keep, gone, Merger("Lena", "lena@noord.example", 13), by=roos), lambda: opened(keep.study)
    )
    if isinstance(results[0], merging.Refused):
        assert Collection.objects.count() == 2
        assert Participation.objects.count() == 2
    else:
        assert results[0] is None, results
        collections.open_missing(keep.study)
        assert Participation.objects.count() == 1
        assert Collection.objects.get().participation_id == keep.pk


@pytest.mark.django_db(transaction=True)
def test_two_merge_the_same_two_at_once(two, roos):
    keep, gone = two
    merger = Merger("Lena", "lena@noord.example", 13)
    results = in_threads(lambda: merge(keep, gone, merger, by=roos), lambda: merge(gone, keep, merger, by=roos))
    assert sorted(isinstance(result, merging.Refused) for result in results) == [False, True], results
    assert Participation.objects.count() == 1
    assert Event.objects.filter(kind="teams_merged").count() == 1


# ------------------------------------------------------------------------------------------------ splitting
NEW = NewTeam("Huidtherapie", "full_time", "Hanna", "hanna@noord.example", 3, 6)


def test_a_new_team_asks_its_leader_who_decides_for_it(two, roos):
    old, _other = two
    made = split(old, NEW, by=roos)
    old.refresh_from_db()
    assert (old.approached, made.approached, made.state) == (6, 3, State.INVITED)
    assert set(sent()) == {"hanna@noord.example"}
    for participation in (old, made):
        assert participation.events.get(kind="team_split").detail == "Verpleegkunde → Huidtherapie; 6 + 3"
    accept(made, 3)
    opened(old.study)
    assert dict(Collection.objects.values_list("participation__team__name", "approached")) == {
        "Verpleegkunde": 6,
        "Fysiotherapie": 4,
        "Huidtherapie": 3,
    }


def test_after_opening_answers_and_links_stay_with_the_old_team(client, two, roos):
    old, _other = two
    opened(old.study)
    collection = Collection.objects.get(participation=old)
    sent()
    client.force_login(roos)
    page = reverse("team_split", args=[old.study.slug, old.pk])
    html = client.get(page).content.decode()
    assert "blijven bij het oude team" in html
    assert 'value="9"' in html
    data = {"name": "Huidtherapie", "form": "full_time", "leader_name": "Hanna", "leader_email": "hanna@noord.example"}
    assert client.post(page, data | {"approached": 3, "left": 6}).status_code == 200, "not without the tick"
    assert client.post(page, data | {"approached": 3, "left": 6, "sure": "on"}).status_code == 302
    assert set(sent()) == {"hanna@noord.example"}
    collection.refresh_from_db()
    assert collection.approached == 6
    assert old.events.get(kind="counts_corrected").detail.startswith("9 → 6")
    made = Participation.objects.get(team__name="Huidtherapie")
    assert not Collection.objects.filter(participation=made).exists()
    accept(made, 3)
    assert collections.open_collection(made) is not None
    with pytest.raises(merging.Refused):
        merge(old, made, Merger("Lena", "lena@noord.example", 9), by=roos)


def test_before_the_director_decided_nobody_is_mailed(study, roos):
    old = listed(study, "Verpleegkunde", "Lena")
    make_survey(study)
    made = split(old, NewTeam("Huid", "full_time", "Hanna", "hanna@noord.example", 3, None), by=roos)
    assert (made.state, sent()) == (State.LISTED, {})
    invitations.invite_directors(study)
    late = split(
        Participation.objects.get(pk=old.pk),
        NewTeam("Oog", "full_time", "Olga", "olga@noord.example", 3, None),
        by=roos,
    )
    assert late.state == State.INVITED
    assert set(sent()) == {"dirk@noord.example"}
    director = invitations.academy_invitation(old)
    assert late in invitations.undecided_teams(director)


def test_a_split_before_opening_is_undone_by_merging(two, roos):
    old, _other = two
    made = split(old, NEW, by=roos)
    merge(old, made, Merger("Lena", "lena@noord.example", 9), by=roos)
    old.refresh_from_db()
    assert old.approached == 9
    assert not Team.objects.filter(name="Huidtherapie").exists()


def test_a_name_that_is_there_and_a_team_that_is_closed(two, roos):
    old, _other = two
    with pytest.raises(splitting.Refused, match="already has a team with this name"):
        split(old, NewTeam("fysiotherapie", "full_time", "Hanna", "hanna@noord.example", 3, 6), by=roos)
    opened(old.study)
    collections.close_collection(Collection.objects.get(participation=old), by=roos)
    with pytest.raises(splitting.Refused, match="Collecting has ended"):
        split(old, NEW, by=roos)
    assert Participation.objects.count() == 2


def test_the_new_leader_sees_the_number(client, two, roos):
    made = split(two[0], NEW, by=roos)
    client.get(invitations.link_path(made.invitation))
    assert 'value="3"' in client.get(reverse("invitation", args=[made.invitation.pk])).content.decode()


def test_leaders_are_no_researchers_and_strangers_see_nothing(client, two):
    keep, gone = two
    client.force_login(User.objects.get(email="lena@noord.example"))
    for name, arguments in (("team_reshape", []), ("team_merge", [gone.pk]), ("team_split", [])):
        assert client.get(reverse(name, args=[keep.study.slug, keep.pk, *arguments])).status_code == 404


def test_of_two_researchers_who_merge_the_second_reads_that_it_is_done(client, two, roos):
    keep, gone = two
    address = reverse("team_merge", args=[keep.study.slug, keep.pk, gone.pk])
    client.force_login(roos)
    form = {"leader": "lena@noord.example", "approached": 12, "sure": "on"}
    assert client.post(address, form)["Location"] == reverse("team_edit", args=[keep.study.slug, keep.pk])
    again = client.post(address, {**form, "approached": 13}, follow=True)
    assert again.redirect_chain == [(reverse("team_reshape", args=[keep.study.slug, keep.pk]), 302)]
    assert "met een ander team samengevoegd" in again.content.decode()
    keep.refresh_from_db()
    assert keep.approached == 12
    assert client.get(address, follow=True).status_code == 200


def test_what_holds_for_all_other_teams_is_said_once(client, two, roos):
    keep, _gone = two
    listed(keep.study, "Mondzorg", "Mo")
    client.force_login(roos)
    opened(keep.study)
    page = client.get(reverse("team_reshape", args=[keep.study.slug, keep.pk])).content.decode()
    assert page.count("Elk antwoord blijft bij het team") == 1


def test_who_counted_in_the_team_that_ends_still_leads_none(two, roos):
    keep, gone = two
    Participation.objects.filter(pk=keep.pk).update(vouched_by=["a"])
    note_vouched(gone.pk, "cor@noord.example")
    merge(keep, gone, Merger("Lena", "lena@noord.example", 12), by=roos)
    keep.refresh_from_db()
    assert keep.vouched_by[0] == "a"
    assert has_vouched(keep, "cor@noord.example")
    with pytest.raises(SamePerson):
        corrections.correct_leader(keep, "Cor", "cor@noord.example", by=roos)
