"""E-mail addresses as people use them: which are one person's, which are nobody's, which domains are a mail provider's."""

from __future__ import annotations

import html
import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

# Anybody gets an address there: an institution's list of domains never holds one of these. The first label tells for
# providers with a domain in every country.
_PROVIDERS = frozenset(
    [
        "aol",
        "fastmail",
        "gmail",
        "gmx",
        "googlemail",
        "hey",
        "hotmail",
        "hushmail",
        "icloud",
        "live",
        "mailbox",
        "mailfence",
        "mailinator",
        "msn",
        "outlook",
        "pm",
        "posteo",
        "proton",
        "protonmail",
        "runbox",
        "tuta",
        "tutanota",
        "yahoo",
        "yandex",
        "ymail",
        "zoho",
    ]
)
_FREE_MAIL = frozenset(
    [
        "btinternet.com",
        "caiway.net",
        "caiway.nl",
        "casema.nl",
        "chello.nl",
        "dds.nl",
        "freeler.nl",
        "freenet.de",
        "hetnet.nl",
        "home.nl",
        "kpnmail.nl",
        "kpnplanet.nl",
        "laposte.net",
        "mac.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "online.nl",
        "orange.fr",
        "orange.nl",
        "planet.nl",
        "qq.com",
        "quicknet.nl",
        "skynet.be",
        "solcon.nl",
        "t-online.de",
        "tele2.nl",
        "telenet.be",
        "telfort.nl",
        "tiscali.nl",
        "upcmail.nl",
        "versatel.nl",
        "web.de",
        "wxs.nl",
        "xs4all.nl",
        "zeelandnet.nl",
        "ziggo.nl",
        "zonnet.nl",
    ]
)
# Mailboxes of a function, which several people read or one person beside an own address
_FUNCTIONS = (
    "academie|academy|admin|administratie|administration|afdeling|algemeen|all|allen|balie|beheer|bureau|communicatie|"
    "contact|department|directie|director|docenten|faculty|feedback|frontdesk|general|helpdesk|hr|info|informatie|"
    "kwaliteit|mail|mailbox|management|medewerkers|no-?reply|office|onderwijs|onderwijsbureau|onderzoek|opleiding|"
    "organisatie|personeel|personeelszaken|planning|postmaster|programme|receptie|reception|research|rooster|roosters|"
    "school|secr|secretariaat|secretariat|secretary|service|servicedesk|staff|stage|stagebureau|studie|support|"
    "teachers|teamleider|teamleiding|webmaster"
)
#: Letters of an address in every column that holds one.
LONGEST = 254
_FUNCTIONAL = re.compile(rf"(?:{_FUNCTIONS})(?:[-._\d].*)?|team.*", re.IGNORECASE)


# The part before the @, without quotes: "lena"@school.example is lena@school.example, and would pass for another
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.IGNORECASE)


def as_address(text: str) -> str | None:
    """The address in the one way in which it is kept: its domain in plain lower-case letters; None if it is none.

    Full-width letters, soft hyphens and the like in a domain reach the same mailbox. What stands before the @ is as it was
    typed; between quotes, or with other letters than plain ones, it is refused. So is one that is longer than its column.
    """
    local, _at, domain = unicodedata.normalize("NFKC", text.strip()).rpartition("@")
    address = f"{local}@{_plain(domain)}"
    plain = _LOCAL.fullmatch(local) and "[" not in address and len(address) <= LONGEST
    return address if plain and is_mailable(address) else None


def is_mailable(text: str) -> bool:
    """Whether a mail server takes this address, also where it is not in the one way in which it is kept (as older ones)."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def is_address(text: str) -> bool:
    """Whether this is an address in the one way in which it is kept, in capitals or not."""
    address = as_address(text)
    return address is not None and address.lower() == text.strip().lower()


def folded(address: str) -> str:
    """The address as its person's mailbox: without what stands after a plus, dots and quotes, in plain lower case."""
    local, _at, domain = unicodedata.normalize("NFKC", address.strip()).lower().rpartition("@")
    local = local.replace('"', "").replace("\\", "").partition("+")[0].replace(".", "")
    return f"{local}@{_plain(domain)}"


def without_dash(mailbox: str) -> str:
    """Whose mailbox a folded address is if what stands after a dash is a label of it, as some mail servers read it.

    lena-x@ may be lena@, and anne-marie@ is seldom anne@: so this holds a count, and refuses nobody.
    """
    local, _at, domain = mailbox.rpartition("@")
    return f"{local.partition('-')[0] or local}@{domain}"


def _plain(domain: str) -> str:
    """A domain as mail servers look it up; as it is where it is none."""
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain.lower()


def same_person(address: str, other: str) -> bool:
    """Whether two addresses are the same mailbox, written in two ways."""
    return bool(address and other) and folded(address) == folded(other)


def masked(address: str) -> str:
    """An address as a page shows it to whoever may not know it: s…@school.example."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def domain_of(address: str) -> str:
    return address.strip().lower().rpartition("@")[2]


def is_functional(address: str) -> bool:
    """Whether it looks like the mailbox of a function (info@, secretariaat@, team-…@) and not of a person."""
    return _FUNCTIONAL.fullmatch(address.strip().rpartition("@")[0].partition("+")[0]) is not None


def is_free_mail(domain: str) -> bool:
    """Whether anybody can have an address in this domain."""
    labels = domain.lower().split(".")
    return domain.lower() in _FREE_MAIL or any(label in _PROVIDERS for label in labels[:-1])


def as_domain(text: str) -> str | None:
    """A domain as somebody types it ("@School.nl"), in lower case; None if it is none."""
    domain = text.strip().lower().rpartition("@")[2].strip(".")
    return domain if "." in domain and len(domain) <= 253 and is_mailable(f"somebody@{domain}") else None


# An address between brackets. Nothing is read twice: a text of 50,000 signs of any kind costs no time.
_IN_BRACKETS = re.compile(r"<\s*(?:mailto:)?([^<>\s]+)\s*>", re.IGNORECASE)
_NO_NAME = re.compile(r"[<>;\n@]")
_PIECES = re.compile(r"[;,\n\u3001]")
# Signs that stand between or around the addresses of lists, tables and links. Some of them may stand before an @, and do not
_BETWEEN = re.compile(r"[\s|=/\\:?!<>()\[\]{}\"\u2013\u2014\u2022\u00b7]+")
_AROUND = "'.*-`\u2018\u2019\u201c\u201d\u00ab\u00bb"


def pasted(text: str) -> tuple[list[str], list[str]]:
    """Every address in a pasted text, in lower case, as often as it stands there, and the pieces of text in which there is none.

    Addresses may stand on lines of their own or one after the other, with or without names, as mail programs and
    spreadsheets copy them: ``Jansen, D. <d@school.nl>; Bos, Leo <l@school.nl>``; in a table, a list or the text of a page;
    with signs that nobody sees between them. Whether they are addresses is not judged.
    """
    seen = unicodedata.normalize("NFKC", html.unescape(text.replace("\r", "\n")))
    addresses, rest = _with_names("".join(sign for sign in seen if unicodedata.category(sign) != "Cf"))
    left = []
    for piece in _PIECES.split(rest):
        words = [word.strip(_AROUND) for word in _BETWEEN.split(piece)]
        here = [word for word in words if "@" in word]
        addresses += here
        if any(words) and not here:
            left.append(" ".join(piece.split()))
    return [address.lower() for address in addresses], left


def _with_names(text: str) -> tuple[list[str], str]:
    """The addresses that stand between brackets, and the text without them and the names before them."""
    addresses, parts, done, begin = [], [], 0, 0
    for match in _IN_BRACKETS.finditer(text):
        name = _begin_of_name(text[begin : match.start()])
        if name is not None and "@" in match[1][1:-1]:
            addresses.append(match[1])
            parts += [text[done : begin + name], "\n"]
            done = match.end()
        begin = match.end()
    return addresses, "".join([*parts, text[done:]])


def _begin_of_name(before: str) -> int | None:
    """Where a name begins that ends this text; None where the text goes on from an address that has no comma behind it."""
    last = max((match.start() for match in _NO_NAME.finditer(before)), default=-1)
    if last < 0 or before[last] not in "<@":
        return last + 1
    comma = before.find(",", last)
    return None if comma < 0 else comma + 1
