"""The page of a meeting survives a restart of the web server: nothing of it is in the server's memory."""

import pytest
from django.db import connection

from surveys.answering import submission
from surveys.linking import personal_links
from tests.surveys.web import Browser, web_server


@pytest.mark.django_db(transaction=True)
def test_the_page_of_the_meeting_survives_a_restart(meeting, tmp_path):
    key = submission.start_in_meeting(meeting)
    path = "/f/" + personal_links.facilitator_url(meeting).partition("/f/")[2]
    connection.close()
    folders = [tmp_path / "before", tmp_path / "after"]
    for folder in folders:
        folder.mkdir()
    with web_server(folders[0]) as address:
        cora = Browser(address)
        page = cora.get(path)["Location"]
        assert cora.get(page).status_code == 200
        before = cora.get(f"{page}counts?seen=open")
        assert b"<dd>1</dd>" in before.content
    submission.submit(key, 1, {})
    connection.close()
    with web_server(folders[1]) as address:
        cora.moved_to(address)
        after = cora.get(f"{page}counts?seen=open")
        assert after.content.count(b"<dd>1</dd>") == 2
        assert cora.get(page).status_code == 200
