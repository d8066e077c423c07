from django.test import Client


def test_pages_are_dutch_until_english_is_chosen_and_that_is_remembered(client: Client):
    page = client.get("/", headers={"accept-language": "en-GB,en;q=0.9"})
    assert b'lang="nl"' in page.content
    assert page["Content-Language"] == "nl"
    client.post("/language", {"language": "en", "next": "/"})
    assert b'lang="en"' in client.get("/", headers={"accept-language": "nl"}).content


def test_a_language_that_there_is_not_is_dutch(client: Client):
    client.cookies["django_language"] = "de"
    assert client.get("/")["Content-Language"] == "nl"
