"""E-mail addresses as people use them: which are one person's, which are nobody's, which domains are a mail provider's."""

from __future__ import annotations

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
_FUNCTIONAL = re.compile(rf"(?:{_FUNCTIONS})(?:[-._\d].*)?|team.*", re.IGNORECASE)


# The part before the @, without quotes: "lena"@school.example is lena@school.example, and would pass for another
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.IGNORECASE)


def as_address(text: str) -> str | None:
    """The address in the one way in which it is kept: its domain in plain lower-case letters; None if it is none.

    Full-width letters, soft hyphens and the like in a domain reach the same mailbox. What stands before the @ is as it was
    typed; between quotes, or with other letters than plain ones, it is refused.
    """
    local, _at, domain = unicodedata.normalize("NFKC", text.strip()).rpartition("@")
    address = f"{local}@{_plain(domain)}"
    try:
        validate_email(address)
    except ValidationError:
        return None
    return address if _LOCAL.fullmatch(local) and "[" not in address else None


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


def same_person(one: str, other: str) -> bool:
    """Whether two addresses are the same mailbox, written in two ways."""
    return bool(one and other) and folded(one) == folded(other)


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
    try:
        validate_email(f"somebody@{domain}")
    except ValidationError:
        return None
    return domain if "." in domain and len(domain) <= 253 else None


_WITH_NAME = re.compile(r"(?:^|(?<=[;,\n>]))[^<>;\n@]*<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+)\s*>", re.IGNORECASE)
_AROUND = "<>()[]{}\"'.:"


def pasted(text: str) -> tuple[list[str], list[str]]:
    """Every address in a pasted text, in lower case, each once, and the pieces of text in which there is none.

    Addresses may stand on lines of their own or one after the other, with or without names, as mail programs and
    spreadsheets copy them: ``Jansen, D. <d@school.nl>; Bos, Leo <l@school.nl>``. Whether they are addresses is not judged.
    """
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        found.append(match[1])
        return "\n"

    left = []
    for piece in re.split(r"[;,\n]", _WITH_NAME.sub(take, text.replace("\r", "\n"))):
        words = [word.strip(_AROUND) for word in piece.split()]
        here = [re.sub(r"^mailto:", "", word, flags=re.IGNORECASE) for word in words if "@" in word]
        found += here
        if any(words) and not here:
            left.append(" ".join(piece.split()))
    return list(dict.fromkeys(address.lower() for address in found)), left
