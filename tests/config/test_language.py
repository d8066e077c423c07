import datetime

from django import forms
from django.test import Client
from django.utils import formats, translation


def test_pages_are_dutch_until_english_is_chosen_and_that_is_remembered(client: Client):
    page = client.get("/", headers={"accept-language": "en-GB,en;q=0.9"})
    assert b'lang="nl"' in page.content
    assert page["Content-Language"] == "nl"
    client.post("/language", {"language": "en", "next": "/"})
    assert b'lang="en"' in client.get("/", headers={"accept-language": "nl"}).content


def test_a_language_that_there_is_not_is_dutch(client: Client):
    client.cookies["django_language"] = "de"
    assert client.get("/")["Content-Language"] == "nl"


def test_english_dates_are_british():
    """Django's own "en" writes "Nov. 29, 2026, 2:13 p.m." and reads 03/04 as the fourth of March."""
    moment = datetime.datetime(2026, 11, 9, 14, 13)
    with translation.override("en"):
        assert formats.date_format(moment) == "9 November 2026"
        assert formats.date_format(moment, "DATETIME_FORMAT") == "9 November 2026, 14:13"
        assert formats.date_format(moment, "SHORT_DATETIME_FORMAT") == "9 Nov 2026, 14:13"
        assert forms.DateField().clean("03/04/2026") == datetime.date(2026, 4, 3)
    with translation.override("nl"):
        assert formats.date_format(moment) == "9 november 2026"
