"""Who no longer leads a team reads its report no more, also by a link that this person made."""

import pytest
from django.test import Client

from analysis.publication.links import path_of, share_with_team
from analysis.publication.publishing import publish
from teams.inviting import corrections
from tests.analysis.builders import make_researcher, make_study, make_team, seal
from tests.analysis.test_reports import analyse, varied

pytestmark = pytest.mark.django_db


def status_of(link) -> int:
    return Client().get(path_of(link), follow=True).status_code


def test_the_links_of_a_team_end_with_its_leader_and_the_new_one_makes_others():
    study = make_study()
    researcher = make_researcher(study)
    team, other = make_team(study, "Aa"), make_team(study, "Bb")
    seal(team, varied(6))
    seal(other, varied(6, 1))
    publish(analyse(study), researcher)
    old = share_with_team(team, 180, corrections.open_to_leader(team))
    of_other = share_with_team(other, 180, corrections.open_to_leader(other))
    corrections.correct_leader(team, "Another name", team.leader_email, by=researcher)
    assert status_of(old) == 200
    corrections.correct_leader(team, "New", "new@university.example", by=researcher)
    assert status_of(old) == 404
    assert status_of(of_other) == 200
    assert status_of(share_with_team(team, 30, corrections.open_to_leader(team))) == 200
