"""Names of other projects that are not promised to stay: each is used for a reason, and pinned here.

An upgrade that changes one fails here, in a sentence that says who uses it and for what, instead of somewhere in a sign-in.
A new use of such a name fails until it stands in the list.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version

import pytest
from django.utils.module_loading import import_string

from scripts.setup import ROOT

APPS = ("teams", "surveys", "analysis", "config", "scripts")


@dataclass(frozen=True)
class Pinned:
    """A name of another project: what it takes, which of our modules needs it, and for what."""

    package: str
    name: str
    takes: tuple[str, ...]
    used_in: str
    why: str


PINNED = [
    Pinned(
        "python-pptx",
        "pptx.dml.line.LineFormat._get_or_add_ln",
        (),
        "analysis/office/native_charts.py",
        "rounds the ends of the line of an interval, for which there is no public name",
    ),
    Pinned(
        "django-allauth",
        "allauth.account.internal.stagekit.unstash_login",
        ("request", "peek"),
        "teams/accounts/sign_in_log.py",
        "says whose account somebody is signing in to who has given the password and no second factor yet",
    ),
    Pinned(
        "django-allauth",
        "allauth.account.internal.stagekit.clear_login",
        ("request",),
        "teams/accounts/sign_in.py",
        "forgets a sign-in by code alone of a researcher, who needs a password",
    ),
    Pinned(
        "django-allauth",
        "allauth.core.internal.ratelimit.get_ip",
        ("request",),
        "teams/accounts/sign_in_log.py",
        "names the address that the limits of signing in count",
    ),
    Pinned(
        "django-allauth",
        "allauth.core.internal.ratelimit.consume",
        ("request", "app", "action", "key"),
        "teams/accounts/sign_in.py",
        "counts how often somebody is told that an address has no account",
    ),
    Pinned(
        "django-allauth",
        "allauth.mfa.totp.internal.auth.TOTP._mark_code_used",
        ("self", "code"),
        "teams/accounts/forms.py",
        "uses up the code that set up the app",
    ),
    Pinned(
        "Django",
        "django.db.backends.base.base.BaseDatabaseWrapper._prepare_cursor",
        ("self", "cursor"),
        "surveys/answering/statements.py",
        "keeps plans of statements on PostgreSQL for an answer that is handed in",
    ),
    Pinned(
        "kombu",
        "kombu.transport.filesystem.Channel._put",
        ("self", "queue", "payload"),
        "config/broker.py",
        "writes messages whole or not at all",
    ),
    Pinned(
        "kombu",
        "kombu.transport.filesystem.Channel._get",
        ("self", "queue"),
        "config/broker.py",
        "leaves out a message that cannot be read",
    ),
    Pinned(
        "kombu",
        "kombu.transport.filesystem.Channel._queue_bind",
        ("self", "exchange", "routing_key", "pattern", "queue"),
        "config/broker.py",
        "waits for a table that another process is writing",
    ),
    Pinned("honcho", "honcho.manager.Manager._start", ("self",), "scripts/run.py", "sets handlers of our own"),
    Pinned("honcho", "honcho.manager.Manager._all_started", ("self",), "scripts/run.py", "acts on a signal in time"),
    Pinned(
        "honcho", "honcho.compat.ProcessManager.terminate", ("self", "pid"), "scripts/run.py", "asks the leader alone"
    ),
    Pinned("Python", "mailbox.Maildir._lookup", ("self", "key"), "teams/mail/bounces.py", "reads the flags of a mail"),
]
#: Private attributes of instances, which only an instance shows: (package, class and its arguments, names, who, why).
ATTRIBUTES: list[tuple[str, Callable[[], object], tuple[str, ...], str, str]] = [
    (
        "honcho",
        lambda: import_string("honcho.manager.Manager")(),
        ("_process_ctor", "_procmgr", "_processes", "_terminating"),
        "scripts/run.py",
        "starts each program in a session of its own, and ends all that is left of it",
    ),
    (
        "honcho",
        lambda: import_string("honcho.process.Process")("true"),
        ("_child_ctor",),
        "scripts/run.py",
        "starts a program with the signals that it expects",
    ),
]


def which(package: str) -> str:
    return package if package == "Python" else f"{package} {version(package)}"


@pytest.mark.parametrize("pinned", PINNED, ids=lambda pinned: pinned.name)
def test_a_private_name_is_there_and_takes_what_we_give(pinned: Pinned) -> None:
    sentence = f"{which(pinned.package)} has changed {pinned.name}, by which {pinned.used_in} {pinned.why}."
    try:
        member = import_string(pinned.name)
    except ImportError:
        owner, _dot, name = pinned.name.rpartition(".")
        member = getattr(import_string(owner), name, None)
    assert member is not None, f"{sentence} It is gone."
    takes = inspect.signature(member).parameters
    assert set(pinned.takes) <= set(takes), f"{sentence} It takes {', '.join(takes)} now."


@pytest.mark.parametrize(("package", "make", "names", "used_in", "why"), ATTRIBUTES, ids=lambda value: str(value)[:20])
def test_a_private_attribute_is_there(
    package: str, make: Callable[[], object], names: tuple[str, ...], used_in: str, why: str
) -> None:
    made = make()
    gone = [name for name in names if not hasattr(made, name)]
    assert not gone, f"{which(package)} has no {', '.join(gone)} any more, by which {used_in} {why}."


def test_how_long_honcho_waits_can_be_set() -> None:
    assert hasattr(import_module("honcho.manager"), "KILL_WAIT"), (
        f"{which('honcho')} has no KILL_WAIT any more, by which scripts/run.py gives a task time to end."
    )


def test_every_use_of_a_private_module_is_pinned() -> None:
    """An import from a package's ``internal`` part, or a call of a name with an underscore on something that is not ours."""
    known = {(pinned.used_in, pinned.name.rpartition(".")[2]) for pinned in PINNED}
    ours = {
        name for path in sources() for name in re.findall(r"(?:def|class) (_\w+)|^(_\w+)\b.*=", path.read_text(), re.M)
    }
    defined = {name for pair in ours for name in pair if name}
    unpinned = []
    for path in sources():
        where, text = str(path.relative_to(ROOT)), path.read_text()
        for module, names in re.findall(r"^from (\w+(?:\.\w+)*\.internal(?:\.\w+)*) import (.+)$", text, re.M):
            for name in names.split(", "):
                uses = re.findall(rf"\b{name}\.(\w+)", text) if name.islower() and f"{name}." in text else [name]
                unpinned += [f"{where}: {module}.{use}" for use in uses if (where, use) not in known and name != "TOTP"]
        for name in re.findall(r"(?<!self)(?<!cls)\.(_[a-z]\w+)\(", text):
            if name not in defined and (where, name) not in known:
                unpinned.append(f"{where}: {name}")
    assert unpinned == [], "Name it in PINNED: what it takes, and what it is for."


def sources() -> list:
    return [
        path
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts and "management" not in path.parts
    ]
