"""Every kind of mail is whole: words, a recipient, a renderer, its reader in the list, and a letter or the reason for none."""

import pytest
from django.conf import settings
from django.utils.translation import override

from teams.mail import listing, outbox
from teams.mail.kinds import KINDS, Goes, MailKind, TeamMail, To
from teams.mail.templates import LETTERS
from teams.models import OutboxMessage

#: Of no study, so in no list of mails.
OF_NO_STUDY = {TeamMail.SIGN_IN, TeamMail.MEMBER_ADDED, *(kind for kind in KINDS.values() if kind.to is To.ACCOUNT)}
#: To people outside, and yet in the program's words: whoever changes a leader cannot word away what the one before is told.
OF_THE_PROGRAM = {
    TeamMail.LINK_CODE,
    TeamMail.FORMER_CONTACT,
    TeamMail.LEADER_NAMED,
    TeamMail.LEADER_LET_IN,
    TeamMail.WAVE_HANDED_OVER,
    TeamMail.MEETING_CALENDAR,  # its words are those of the kinds that go AS_WORDS
}
OUTSIDERS = (To.DIRECTOR, To.LEADER, To.ATTENDEE, To.CONTACT, To.TEACHER, To.INVITED, To.FORMER)
each = pytest.mark.parametrize("kind", KINDS.values(), ids=str)


@each
def test_it_has_words_in_every_language(kind: MailKind) -> None:
    said = set()
    for language, _name in settings.LANGUAGES:
        with override(language):
            said.add(str(kind.words))
    assert len(said) == len(settings.LANGUAGES), f"translate “{said.pop()}”, what mails of kind '{kind}' are called"


@each
def test_it_has_a_renderer(kind: MailKind) -> None:
    sent = Goes.AS_WORDS not in kind.goes
    assert (kind in outbox._renderers) == sent, (
        f"write the function that makes mails of kind '{kind}', under @register" if sent else f"'{kind}' goes AS_WORDS"
    )


@each
def test_the_list_of_mails_names_its_reader(kind: MailKind) -> None:
    listed = kind not in OF_NO_STUDY and not kind.goes & (Goes.AS_WORDS | Goes.WITHOUT_TRACE)
    assert (kind in listing._readers) == listed, (
        f"write who reads mails of kind '{kind}', under @name_readers, or name it in OF_NO_STUDY"
    )


@each
def test_a_study_may_word_it(kind: MailKind) -> None:
    wordable = kind.to in OUTSIDERS and kind not in OF_THE_PROGRAM
    assert (kind in LETTERS) == wordable, f"offer a letter for mails of kind '{kind}', or name it in OF_THE_PROGRAM"


def test_no_renderer_is_of_no_kind() -> None:
    assert outbox._renderers.keys() - KINDS.keys() == set()


def test_a_kind_that_is_not_whole_says_what_is_missing() -> None:
    with pytest.raises(TypeError, match="'moon' is not complete. Write behind it what it is called"):

        class Wordless(MailKind):
            MOON = "moon"

    with pytest.raises(TypeError, match="'moon' is not complete. Write behind it who gets it"):

        class ToNobody(MailKind):
            MOON = "moon", TeamMail.SIGN_IN.words

    with pytest.raises(ValueError, match="two kinds of mail 'teams.sign_in'"):

        class Again(MailKind):
            MOON = "teams.sign_in", TeamMail.SIGN_IN.words, To.OUTSIDE

    assert "moon" not in KINDS


def test_values_fit_the_column() -> None:
    assert max(map(len, KINDS)) <= (OutboxMessage._meta.get_field("kind").max_length or 0)
